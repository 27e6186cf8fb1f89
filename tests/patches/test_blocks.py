from __future__ import annotations

import os
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree

from brainarch.errors import InputError
from brainarch.patches import blocks
from brainarch.patches.blocks import (
    BlockSplit,
    check_distances,
    erosion_radius,
    least_distance,
    split_blocks,
)

NAMES = ("left", "right", "band")
SHARES = (1.0, 1.0, 0.75)
DISTANCE = 177


@pytest.fixture(autouse=True)
def short_search(monkeypatch):
    monkeypatch.setattr(blocks, "SEARCHES", 2)
    monkeypatch.setattr(blocks, "STEPS", 40)


@pytest.fixture(scope="module")
def splits(divisible) -> list[BlockSplit]:
    """The first three assignments."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "SEARCHES", 2)
        patch.setattr(blocks, "STEPS", 40)
        return [divide(divisible, assignment) for assignment in range(3)]


def divide(labels, assignment=0, min_independent=2, seed=1, distance=DISTANCE) -> BlockSplit:
    return split_blocks(
        labels,
        NAMES,
        SHARES,
        assignment=assignment,
        distance=distance,
        min_independent=min_independent,
        hole_px=0,
        seed=seed,
    )


def closest(split: BlockSplit) -> int:
    """Return the least distance, along the longer axis, of allowed centres of two splits.

    Closest points lie on the rims of the two regions.
    """
    rims = [cKDTree(rim(split, code)) for code in (1, 2, 3)]
    return min(int(a.query(b.data, p=np.inf)[0].min()) for a, b in combinations(rims, 2))


def rim(split: BlockSplit, code: int) -> np.ndarray:
    region = split.allowed & (split.own == code)
    return np.argwhere(region & ~binary_erosion(region, np.ones((3, 3))))


def test_distances_are_windows_and_gap():
    assert least_distance(1.17, 50) == 134 + 43
    assert least_distance(1.0, 50) == 134 + 50
    assert least_distance(1.17, 0) == 134


@settings(deadline=None)
@given(distance=st.integers(2, 60), offset=st.tuples(st.integers(-80, 80), st.integers(-80, 80)))
def test_squares_of_the_radius_meet_exactly_when_centres_are_too_close(distance, offset):
    radius = erosion_radius(distance)
    meet = max(map(abs, offset)) <= 2 * radius
    assert meet or max(map(abs, offset)) >= distance
    assert 2 * (radius - 1) < distance - 1  # a smaller radius would not do


@pytest.mark.parametrize("assignment", [0, 1, 2])
def test_splits_keep_their_distance_and_have_enough_of_every_area(divisible, splits, assignment):
    split = splits[assignment]
    assert closest(split) >= DISTANCE
    assert split.independent.min() >= 2
    np.testing.assert_array_equal(split.own > 0, divisible > 0)
    assert not (split.allowed & (divisible == 0)).any()
    for code in (1, 2, 3):
        assert set(np.unique(split.own[divisible == code])) == {1, 2, 3}


def test_much_of_the_slice_is_kept(divisible, splits):
    kept = splits[0].allowed[divisible > 0].mean()
    assert 0.35 < kept < 0.9


def test_a_pair_too_close_is_found(splits):
    """Control: one more centre, a pixel too near, and the check of all pairs fails."""
    split = splits[0]
    check_distances(split, DISTANCE)
    train, val = rim(split, 1), rim(split, 2)
    distance, index = cKDTree(train).query(val, p=np.inf)
    y, x = train[index[distance.argmin()]]
    near = split.allowed.copy()
    offset = DISTANCE - 1
    sides = [(y + dy, x + dx) for dy, dx in ((offset, 0), (-offset, 0), (0, offset), (0, -offset))]
    y, x = next((a, b) for a, b in sides if 0 <= a < near.shape[0] and 0 <= b < near.shape[1])
    own = split.own.copy()
    near[y, x], own[y, x] = True, 2
    with pytest.raises(AssertionError, match="too close to split"):
        check_distances(BlockSplit(own, near, split.independent, 0.0), DISTANCE)


def test_wrong_territories_would_be_found(divisible, monkeypatch):
    """Control: with a radius one too small the same search breaks the distance."""
    monkeypatch.setattr(blocks, "erosion_radius", lambda distance: 87)
    with pytest.raises(AssertionError, match="too close to split"):
        divide(divisible)


def test_the_same_seed_gives_the_same_and_assignments_differ(divisible, splits):
    first, again = splits[0], divide(divisible)
    np.testing.assert_array_equal(first.own, again.own)
    np.testing.assert_array_equal(first.allowed, again.allowed)
    assert first.difference == 1
    for one, other in combinations(splits, 2):
        for code in (1, 3):  # neither train nor test is used again
            a, b = (s.allowed & (s.own == code) for s in (one, other))
            assert (a & b).sum() < 0.7 * (a | b).sum()
    assert not np.array_equal(first.own, divide(divisible, seed=2).own)


def test_the_difference_falls_from_assignment_to_assignment(splits):
    assert splits[1].difference > 0.5
    assert splits[2].difference > 0.5
    assert splits[1].difference >= splits[2].difference


def test_an_area_too_small_is_named(divisible):
    labels = divisible.copy()
    labels[(labels == 3) & (np.arange(2300) > 500)] = 0
    with pytest.raises(InputError) as caught:
        divide(labels)
    assert str(caught.value) == (
        "area band: the slice has room for 5 patches that share no pixel, but 3 splits need 2 "
        "each; ask for a smaller share of the patch inside the area, or fewer independent patches"
    )


def test_an_area_that_no_division_serves_is_named(divisible):
    with pytest.raises(InputError) as caught:
        divide(divisible, min_independent=6)
    message = str(caught.value)
    assert message.startswith("area band: only ")
    assert message.endswith(
        "in the best division found, but 6 are needed; ask for a smaller share of the patch inside "
        "the area, or fewer independent patches"
    )
    assert any(f" in {split} in the best" in message for split in ("train", "val", "test"))


def test_more_assignments_than_there_are(divisible):
    with pytest.raises(InputError, match=r"assignment 99: the search found \d+ assignments on "):
        divide(divisible, 99)


def test_roles_of_a_cut_are_exchanged():
    cut = blocks.Cut(0.0, (10.0, 20.0), (2, 0, 1))
    x = np.array([0, 15, 30])
    np.testing.assert_array_equal(cut.split_of(np.zeros(3, int), x), [2, 0, 1])
    for roles in permutations(range(3)):
        renamed = cut.relabelled(roles).split_of(np.zeros(3, int), x)
        np.testing.assert_array_equal(renamed, np.array(roles)[[2, 0, 1]])


@pytest.mark.slow
@pytest.mark.parametrize("assignment", [0, 3])
def test_real_slice(assignment, monkeypatch):
    folder = os.environ.get("BRAINARCH_REAL_DATA")
    if folder is None:
        pytest.skip("BRAINARCH_REAL_DATA is unset: the real slice is not part of the project")
    monkeypatch.undo()
    labels = tifffile.imread(Path(folder) / "labels_z159.tif")
    split = split_blocks(
        labels,
        ["Ctx", "Str", "VP", "ZI", "HypoTh", "WM"],
        [1, 1, 1, 1, 1, 0.75],
        assignment=assignment,
        distance=DISTANCE,
        min_independent=3,
        hole_px=0,
        seed=2020,
    )
    assert closest(split) >= DISTANCE
    assert split.independent.min() >= 3
    assert split.difference > 0.5
