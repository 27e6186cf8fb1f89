"""Profiles counted by hand, matches against scipy and closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon

from brainarch.discovery.matching import (
    match_profiles,
    profile_distances,
    random_band_distances,
)
from brainarch.discovery.profiles import profile_by_depth, profile_by_layer, profile_matrix


def test_layer_profiles_equal_counting_pixel_by_pixel():
    rng = np.random.default_rng(0)
    subdivisions = rng.integers(0, 4, (15, 20))
    layers = rng.integers(0, 3, (15, 20))
    frame = profile_by_layer(subdivisions, layers, ["L1", "L2/3"])
    assert len(frame) == 6
    for row in frame.itertuples():
        own = [
            (c, n)
            for c, n in zip(subdivisions.ravel(), layers.ravel(), strict=True)
            if c > 0 and n > 0
        ]
        pixels = sum(c == row.subdivision and n == row.bin for c, n in own)
        assert row.pixels == pixels
        assert row.share == pytest.approx(pixels / sum(c == row.subdivision for c, _ in own))
        assert row.share_of_bin == pytest.approx(pixels / sum(n == row.bin for _, n in own))
        assert row.name == ["L1", "L2/3"][row.bin - 1]


def test_depth_profiles_have_the_bins_they_say():
    depth = np.linspace(0, 1, 101)[None]
    subdivisions = np.where(depth < 0.5, 1, 2)
    frame = profile_by_depth(subdivisions, depth, bins=4)
    wide = frame.pivot_table(index="subdivision", columns="bin", values="pixels")
    assert wide.to_numpy().tolist() == [[25, 25, 0, 0], [0, 0, 25, 26]]
    assert frame["low"].unique().tolist() == [0, 0.25, 0.5, 0.75]
    assert frame["share_of_bin"].tolist() == [1, 1, 0, 0, 0, 0, 1, 1]


def test_pixels_without_depth_count_nowhere():
    frame = profile_by_depth(np.array([[1, 1, 2]]), np.array([[0.1, np.nan, 0.9]]), bins=2)
    assert frame["pixels"].sum() == 2


def test_distances_equal_scipy_and_closed_forms():
    rng = np.random.default_rng(1)
    a, b = rng.random((3, 5)), rng.random((4, 5))
    found = profile_distances(a, b)
    for i in range(3):
        for j in range(4):
            p, q = a[i] / a[i].sum(), b[j] / b[j].sum()
            m = (p + q) / 2
            divergence = (p * np.log2(p / m)).sum() / 2 + (q * np.log2(q / m)).sum() / 2
            assert found[i, j] == pytest.approx(np.sqrt(divergence))
            assert found[i, j] == pytest.approx(jensenshannon(p, q) / np.sqrt(np.log(2)))
    np.testing.assert_allclose(profile_distances(a, a).diagonal(), 0, atol=1e-7)
    assert profile_distances(np.array([[1.0, 0]]), np.array([[0, 3.0]])).item() == 1
    assert profile_distances(np.zeros((1, 2)), np.ones((1, 2))).item() == 1


def frame_of(values):
    values = np.asarray(values, dtype=float)
    return pd.DataFrame(
        values, index=np.arange(1, len(values) + 1), columns=np.arange(1, values.shape[1] + 1)
    )


def test_a_permutation_of_components_is_found():
    rng = np.random.default_rng(2)
    first = rng.dirichlet(np.full(5, 0.3), 4)
    order = [2, 0, 3, 1]
    matches, distances = match_profiles(frame_of(first), frame_of(first[order] + 0.01))
    assert matches["matched"].tolist() == [order.index(i) + 1 for i in range(4)]
    assert (matches["distance"] < 0.2).all()
    assert len(distances) == 16
    assert distances["matched"].sum() == 4


def test_matches_are_one_to_one_where_the_nearest_are_not():
    first = frame_of([[0.5, 0.5, 0], [0.6, 0.4, 0]])
    second = frame_of([[0.55, 0.45, 0], [0, 0.2, 0.8]])
    matches, _ = match_profiles(first, second)
    assert matches["nearest"].tolist() == [1, 1]
    assert sorted(matches["matched"]) == [1, 2]
    values = profile_distances(first.to_numpy(), second.to_numpy())
    best = min(values[0, 0] + values[1, 1], values[0, 1] + values[1, 0])
    assert matches["distance"].sum() == pytest.approx(best)


def test_random_bands_of_two_slices_are_matched_by_chance_only():
    rng = np.random.default_rng(3)
    thick, thin = np.array([10.0, 40, 25, 60, 30]), np.array([12.0, 35, 30, 50, 33])
    found = random_band_distances(thick, thin, 4, 200, rng)
    assert found.shape == (200,)
    assert (found > 0).all()
    assert (found < 1).all()
    # One band is the whole area, whatever is drawn.
    alone = random_band_distances(thick, thin, 1, 3, rng)
    np.testing.assert_allclose(alone, profile_distances(thick[None], thin[None]).item())
    # A claim at 1 % holds for 1 % of pairs of unrelated bands.
    others = random_band_distances(thick, thin, 4, 400, rng)
    assert (others < np.percentile(found, 1)).mean() <= 0.05


def test_unequal_numbers_and_bins():
    matches, _ = match_profiles(frame_of(np.eye(3)), frame_of(np.eye(3)[:2]))
    assert matches["component"].tolist() == [1, 2]
    with pytest.raises(ValueError, match="different bins"):
        match_profiles(frame_of(np.eye(3)), frame_of(np.eye(2)))


def test_the_matrix_of_a_table():
    frame = profile_by_layer(np.array([[1, 2, 2]]), np.array([[1, 1, 2]]), ["a", "b"])
    assert profile_matrix(frame, "layer").to_numpy().tolist() == [[1, 0], [0.5, 0.5]]
