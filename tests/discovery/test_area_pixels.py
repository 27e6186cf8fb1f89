"""Which pixels are looked at."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.morphology import disk, erosion

from brainarch.discovery.area_pixels import draw_pixels, inside_mask


@pytest.mark.parametrize("radius", [1, 4, 9])
def test_inside_equals_erosion_with_a_disk(radius):
    rng = np.random.default_rng(0)
    mask = np.zeros((60, 70), dtype=bool)
    mask[5:50, 8:66] = True
    mask[rng.integers(0, 60, 3), rng.integers(0, 70, 3)] = False
    padded = np.pad(mask, radius + 1)
    expected = erosion(padded, disk(radius))[radius + 1 : -radius - 1, radius + 1 : -radius - 1]
    assert expected.any()
    assert np.array_equal(inside_mask(mask, radius), expected)


def test_beyond_the_slice_is_outside():
    found = inside_mask(np.ones((20, 20), dtype=bool), 3)
    assert np.array_equal(np.argwhere(found)[[0, -1]], [[3, 3], [16, 16]])


def test_no_distance_is_the_mask_itself():
    mask = np.eye(4, dtype=bool)
    assert np.array_equal(inside_mask(mask, 0), mask)
    assert not inside_mask(np.zeros((4, 4), bool), 2).any()


def test_drawn_pixels_are_few_and_inside():
    mask = np.random.default_rng(1).random((40, 40)) < 0.5
    drawn = draw_pixels(mask, 100, np.random.default_rng(2))
    assert drawn.sum() == 100
    assert not (drawn & ~mask).any()
    assert np.array_equal(draw_pixels(mask, 10**6, np.random.default_rng(2)), mask)
    again = draw_pixels(mask, 100, np.random.default_rng(2))
    assert np.array_equal(drawn, again)
