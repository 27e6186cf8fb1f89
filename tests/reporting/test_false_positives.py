"""How often maps that know nothing are called a finding, where one in a hundred is claimed.

Blobs, blobs elongated along depth or across it, and stripes at random depths stand for clusters,
components and factors of any network. Two verdicts claim 1 %: components found again on another
slice, and factors that stand for areas; `tests/discovery/test_agreement.py` does the same for
layers.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from brainarch.discovery.matching import match_nulls, match_profiles
from brainarch.discovery.profiles import depth_bins, profile_by_depth, profile_matrix
from brainarch.factors import alignment
from brainarch.factors.alignment import RankedMaps, compare_factors, judge_selected
from brainarch.factors.selection import Presence, score_pairs, select_factors
from brainarch.reporting import verdicts

KINDS = ("blobs", "long blobs", "wide blobs", "stripes")
ROWS, COLUMNS, BINS = 12, 40, 20
SIGMAS = {"blobs": (4, 4), "long blobs": (20, 4), "wide blobs": (3, 14)}


def unrelated(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Return a map of four codes that knows nothing of anything; depth runs along the columns."""
    if kind == "stripes":
        depth = (np.arange(COLUMNS) + 0.5) / COLUMNS
        stripes = 1 + np.searchsorted(np.sort(rng.uniform(0, 1, 3)), depth)
        return np.tile(1 + np.argsort(np.argsort(rng.random(4)))[stripes - 1], (ROWS, 1))
    fields = [gaussian_filter(rng.normal(size=(ROWS, COLUMNS)), SIGMAS[kind]) for _ in range(4)]
    return 1 + np.argmax([field / field.std() for field in fields], axis=0)


def matched(first: np.ndarray, second: np.ndarray, seed: int) -> pd.DataFrame:
    """Match the subdivisions of two maps as the stage does."""
    depth = np.tile((np.arange(COLUMNS) + 0.5) / COLUMNS, (ROWS, 1))
    tables = [profile_by_depth(codes, depth, BINS) for codes in (first, second)]
    pixels = [table.groupby("bin")["pixels"].sum().to_numpy() for table in tables]
    profiles = [profile_matrix(table, "depth") for table in tables]
    found, _ = match_profiles(*profiles)
    mean = float(found["distance"].mean())
    nulls = match_nulls(
        mean, profiles[0].to_numpy(), (pixels[0], pixels[1]), second.ravel().astype(np.int64),
        np.argwhere(second > 0).astype(float), depth.ravel(), depth_bins(depth, BINS).ravel(),
        count=200, seed=seed,
    )  # fmt: skip
    return found.assign(mean_distance=mean, **nulls)


def count_matches(kind: str, seeds: range) -> int:
    """Count the pairs of unrelated maps whose components are called found again."""
    found = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        frame = matched(unrelated(kind, rng), unrelated(kind, rng), seed)
        found += verdicts.matches_verdict(frame, "").answer in ("yes", "partly")
    return found


def test_the_same_bands_are_found_again() -> None:
    band = np.tile(np.repeat([1, 2, 3, 4], [8, 12, 9, 11]), (ROWS, 1))
    other = np.tile(np.repeat([3, 1, 4, 2], [8, 12, 10, 10]), (ROWS, 1))
    assert verdicts.matches_verdict(matched(band, other, 0), "").answer == "yes"


def test_unrelated_components_are_not_found_again() -> None:
    assert sum(count_matches(kind, range(25)) for kind in KINDS) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_one_pair_of_maps_in_a_hundred_is_found_again_by_chance(kind: str) -> None:
    assert count_matches(kind, range(1000)) <= 20


AREAS = 24


def areas() -> np.ndarray:
    """Return patches of areas, large and small."""
    points = np.random.default_rng(0).random((AREAS, 2)) * (40, 120)
    y, x = np.mgrid[:40, :120]
    far = (y[..., None] - points[:, 0]) ** 2 + (x[..., None] - points[:, 1]) ** 2
    return 1 + far.argmin(axis=2)


def factor_map(kind: str, rng: np.random.Generator) -> np.ndarray:
    shape = areas().shape
    if kind == "stripes":
        low, high = np.sort(rng.uniform(0, shape[1], 2))
        inside = (np.arange(shape[1]) > low) & (np.arange(shape[1]) < high)
        return (inside + 0.3 * rng.random(shape)).astype(np.float32)
    sigma = {"blobs": (8, 8), "long blobs": (20, 5), "wide blobs": (5, 20)}[kind]
    return gaussian_filter(rng.normal(size=shape), sigma).astype(np.float32)


def count_factors(kind: str, seeds: range) -> tuple[int, int]:
    """Count the pairs of factor and area that neither null nor bound refuses; and all."""
    labels, found, every = areas(), 0, 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        fitted, other = ([factor_map(kind, rng) for _ in range(4)] for _ in "ab")
        frame = compare_factors(other, labels, AREAS, chosen=range(1, 5), count=199, seed=seed)
        named = frame.assign(slice=1, fitted=False, target="area", name=frame["area"])
        counts = Presence(np.ones((4, AREAS), int), np.bincount(labels.ravel())[1:])
        pairs = score_pairs(counts, 0.5)
        auroc = RankedMaps(fitted).auroc(labels, AREAS)
        pairs["auroc"] = auroc[pairs["factor"] - 1, pairs["area"] - 1]
        selected = select_factors(pairs, 4, "auroc").assign(target="area", name=lambda f: f["area"])
        judged = judge_selected(named, selected)
        found += int((judged["above_null"] & judged["aligned"]).sum())
        every += len(judged)
    return found, every


@pytest.fixture
def few_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """The maps are smooth: a quarter of their pixels is as good, and four times as fast."""
    monkeypatch.setattr(alignment, "COMPARED", 1200)


@pytest.mark.usefixtures("few_pixels")
def test_unrelated_factors_stand_for_no_area() -> None:
    found = [count_factors(kind, range(1)) for kind in KINDS]
    assert sum(count for count, _ in found) <= 1
    assert all(every == 4 for _, every in found)


@pytest.mark.slow
@pytest.mark.usefixtures("few_pixels")
@pytest.mark.parametrize("kind", KINDS)
def test_one_factor_in_a_hundred_stands_for_an_area_by_chance(kind: str) -> None:
    found, every = count_factors(kind, range(250))
    assert every == 1000
    assert found <= 20
