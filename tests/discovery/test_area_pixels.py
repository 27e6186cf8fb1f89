"""Which pixels are looked at."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.morphology import disk, erosion

from brainarch.discovery.area_pixels import average_inside, draw_pixels, inside_mask


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


def test_averages_are_weighted_sums_over_the_mask_alone():
    rng = np.random.default_rng(3)
    mask = rng.random((14, 17)) < 0.6
    values = np.where(mask, rng.random(mask.shape), np.nan)
    found = average_inside(values, mask, 1.5)
    places = np.argwhere(mask)
    apart = (np.abs(places[:, None] - places) <= 6).all(axis=2)  # 4 standard deviations
    square = ((places[:, None] - places) ** 2).sum(axis=2)
    weights = np.exp(-square / (2 * 1.5**2)) * apart
    np.testing.assert_allclose(found, weights @ values[mask] / weights.sum(axis=1), rtol=1e-4)
    assert np.array_equal(average_inside(values, mask, 0), values[mask].astype(np.float32))


def test_averaging_finds_what_single_pixels_hide():
    """Two layers that differ by a third of the spread of a pixel."""
    rng = np.random.default_rng(4)
    layer = np.repeat([0, 1], 40)[None].repeat(60, axis=0)
    values = 0.35 * layer + rng.normal(size=layer.shape)
    mask = np.ones(layer.shape, dtype=bool)

    def right(sigma):
        averaged = average_inside(values, mask, sigma)
        return ((averaged > averaged.mean()) == layer.ravel()).mean()

    assert right(0) < 0.6
    assert right(8) > 0.9
