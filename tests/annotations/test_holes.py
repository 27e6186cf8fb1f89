"""Holes: closed up to their size, open at the edge of the slice, counted, never labelled."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.morphology import remove_small_holes

from brainarch.annotations.areas import area_row
from brainarch.annotations.holes import close_holes, count_holes
from brainarch.geometry import patch_share


def pierced(rng, shape=(300, 320), pinholes=60):
    mask = np.ones(shape, dtype=bool)
    mask[rng.integers(1, shape[0] - 1, pinholes), rng.integers(1, shape[1] - 1, pinholes)] = False
    return mask


@pytest.mark.parametrize("largest", [1, 12, 200])
def test_closing_equals_scikit_image(largest):
    rng = np.random.default_rng(largest)
    mask = np.pad(rng.random((90, 100)) < 0.55, 20)
    expected = remove_small_holes(mask, max_size=largest)
    assert np.array_equal(close_holes(mask, largest), expected)
    assert count_holes(mask, largest)[1] == (expected & ~mask).sum() > 0


def test_a_bay_at_the_edge_of_the_slice_stays_open():
    mask = np.ones((20, 20), dtype=bool)
    mask[:2, 5], mask[10, 10] = False, False
    closed = close_holes(mask, 10_000)
    assert np.array_equal(np.argwhere(~closed), [[0, 5], [1, 5]])
    assert count_holes(mask, 10_000) == (1, 1)
    assert np.array_equal(close_holes(mask, 0), mask)
    assert not close_holes(np.zeros((4, 4), dtype=bool), 5).any()


def test_pinholes_change_what_lies_inside_not_what_is_counted():
    labels = pierced(np.random.default_rng(0)).astype(np.uint8)
    labels[150:154, 150:154] = 2
    row = area_row(labels, 1, 1.0, 2.0, hole_px=16)
    assert row["pixels"] == (labels == 1).sum()
    assert row["hole_pixels"] == (labels != 1).sum()
    whole = patch_share(np.ones(labels.shape, dtype=bool)) >= 1
    assert row["interior_centres"] == ((labels == 1) & whole).sum() > 25_000
    assert area_row(labels, 1, 1.0, 2.0, hole_px=0)["interior_centres"] < 5000
