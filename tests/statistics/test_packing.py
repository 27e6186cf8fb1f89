from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from brainarch.statistics.packing import pack_patches


def apart(one, other, size: int) -> bool:
    return max(abs(one[0] - other[0]), abs(one[1] - other[1])) >= size


@settings(max_examples=40, deadline=None)
@given(
    centres=arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))),
    size=st.integers(2, 9),
)
def test_patches_lie_in_the_region_share_no_pixel_and_leave_no_room(centres, size):
    taken = pack_patches(centres, size)
    assert all(centres[y, x] for y, x in taken)
    assert all(apart(one, other, size) for one, other in combinations(taken, 2))
    for centre in np.argwhere(centres):
        assert any(not apart(centre, other, size) for other in taken)


@settings(max_examples=60, deadline=None)
@given(centres=arrays(bool, (4, 4)))
def test_at_least_half_of_the_largest_packing(centres):
    """Exhaustive search; a first fit by rows blocks at most two others each time."""
    places = [tuple(place) for place in np.argwhere(centres)]
    largest = 0
    for count in range(1, 5):
        if any(
            all(apart(one, other, 2) for one, other in combinations(chosen, 2))
            for chosen in combinations(places, count)
        ):
            largest = count
    assert largest / 2 <= len(pack_patches(centres, 2)) <= largest


@pytest.mark.parametrize(("high", "wide"), [(1, 1), (128, 128), (129, 128), (257, 400), (60, 900)])
def test_rectangles_of_centres_are_packed_perfectly(high, wide):
    centres = np.zeros((300, 950), dtype=bool)
    centres[20 : 20 + high, 11 : 11 + wide] = True
    assert len(pack_patches(centres)) == -(-high // 128) * -(-wide // 128)


def test_empty():
    assert pack_patches(np.zeros((5, 6), dtype=bool)).shape == (0, 2)
