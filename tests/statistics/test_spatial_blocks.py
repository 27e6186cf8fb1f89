from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from brainarch.statistics import blocks


def places(n, rng, size=(1000, 3000)):
    return np.zeros(n, int), rng.integers(0, size[0], n), rng.integers(0, size[1], n)


def field(rng, sigma, size=(1000, 3000)):
    """Return a smooth random field of unit variance; its correlation is exp(-(d / 2 sigma)^2)."""
    coarse = tuple(side // 4 for side in size)
    values = gaussian_filter(rng.normal(size=coarse), sigma / 4, mode="wrap")
    return np.kron(values / values.std(), np.ones((4, 4)))


def test_blocks_are_squares_from_the_first_pixel_on():
    y, x = (grid.ravel() + 7 for grid in np.mgrid[0:20, 0:30])
    found = blocks.spatial_blocks(5, y, x, side=8)
    by_hand = {}
    for row, column, block in zip(y - 7, x - 7, found, strict=True):
        by_hand.setdefault((row // 8, column // 8), set()).add(block)
    assert all(len(ids) == 1 for ids in by_hand.values())
    assert len(np.unique(found)) == len(by_hand) == 3 * 4


def test_slices_share_no_block():
    z, y, x = np.array([1, 1, 2]), np.array([0, 5, 0]), np.array([0, 5, 0])
    assert len(np.unique(blocks.spatial_blocks(z, y, x, side=100))) == 2
    assert blocks.spatial_blocks(1, y[:0], x[:0], side=100).shape == (0,)


@pytest.mark.parametrize("sigma", [40, 100])
def test_correlation_length_is_that_of_a_planted_field(sigma):
    rng = np.random.default_rng(1)
    z, y, x = places(1500, rng)
    area = x // 1500
    value = field(rng, sigma)[y, x] + 5 * area  # the areas' own means do not count
    found = blocks.correlation_length(value, area, z, y, x)
    # The exponential that lies nearest to exp(-(d / 2 sigma)^2) has about its integral.
    assert found == pytest.approx(np.sqrt(np.pi) * sigma, rel=0.3)


def test_errors_without_correlation_have_the_shortest_length():
    rng = np.random.default_rng(1)
    z, y, x = places(1500, rng)
    right = rng.random(1500) < 0.8
    assert blocks.correlation_length(right, z, z, y, x) < 30
    assert np.isnan(blocks.correlation_length(np.ones(1500, bool), z, z, y, x))


def test_side_follows_from_the_errors_unless_it_is_given():
    rng = np.random.default_rng(2)
    z, y, x = places(1500, rng)
    smooth, rough = field(rng, 60)[y, x] > 0, rng.random(1500) < 0.8
    found = blocks.choose_blocks("auto", smooth, z, z, y, x)
    assert found.side % blocks.STEP_PX == 0
    assert abs(found.side - blocks.LENGTHS * found.length) <= blocks.STEP_PX
    assert found.side > 300
    assert blocks.choose_blocks("auto", rough, z, z, y, x).side <= 224
    # A window, rounded up, where nothing varies.
    assert blocks.choose_blocks("auto", np.ones(1500, bool), z, z, y, x).side == 160
    assert blocks.choose_blocks(512, smooth, z, z, y, x).side == 512
