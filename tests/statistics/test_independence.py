from __future__ import annotations

import itertools

import numpy as np
import pytest

from brainarch.statistics.independence import count_disjoint


def largest_disjoint(z, y, x, side):
    """Try every subset."""
    places = list(zip(z, y, x, strict=True))
    for size in range(len(places), 0, -1):
        for subset in itertools.combinations(places, size):
            pairs = itertools.combinations(subset, 2)
            if all(
                a[0] != b[0] or abs(a[1] - b[1]) >= side or abs(a[2] - b[2]) >= side
                for a, b in pairs
            ):
                return size
    return 0


@pytest.mark.parametrize("seed", range(8))
def test_count_lies_between_half_and_all_of_the_largest(seed):
    rng = np.random.default_rng(seed)
    z, y, x = rng.integers(0, 2, 9), rng.integers(0, 25, 9), rng.integers(0, 25, 9)
    largest = largest_disjoint(z, y, x, side=10)
    found = count_disjoint(z, y, x, side=10)
    assert largest / 2 <= found <= largest


def test_touching_patches_are_disjoint_and_overlapping_ones_are_not():
    rows = np.array([0, 128, 255])
    assert count_disjoint(np.zeros(3), rows, np.zeros(3)) == 2
    assert count_disjoint(np.zeros(3), np.zeros(3), rows) == 2


def test_a_full_grid_is_counted_whole():
    y, x = (grid.ravel() for grid in np.mgrid[0:40:10, 0:50:10])
    assert count_disjoint(np.zeros(20), y, x, side=10) == 20


def test_other_slices_do_not_overlap():
    assert count_disjoint(np.array([1, 2, 2]), np.zeros(3), np.zeros(3)) == 2
