"""Patches and windows against direct definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainarch.geometry import PATCH, WINDOW, WINDOW_BEFORE, cut_windows, patch_share


@given(
    rows=st.integers(1, 20),
    columns=st.integers(1, 20),
    half=st.integers(1, 5),
    seed=st.integers(0, 1000),
)
def test_patch_share_is_the_mean_over_the_patch(
    rows: int, columns: int, half: int, seed: int
) -> None:
    mask = np.random.default_rng(seed).random((rows, columns)) < 0.6
    share = patch_share(mask, 2 * half)
    for y in range(rows):
        for x in range(columns):
            inside = mask[max(y - half, 0) : y + half, max(x - half, 0) : x + half].sum()
            assert share[y, x] == pytest.approx(inside / (2 * half) ** 2, abs=1e-6)


def test_window_holds_the_patch_and_three_pixels_of_context() -> None:
    grey = np.random.default_rng(0).integers(1, 255, (300, 310), dtype=np.uint8)
    y, x = 150, 160
    window = cut_windows(grey, np.array([y]), np.array([x]))[0]
    assert window.shape == (WINDOW, WINDOW)
    patch = window[3:-3, 3:-3]
    assert patch.shape == (PATCH, PATCH)
    assert np.array_equal(patch, grey[y - 64 : y + 64, x - 64 : x + 64])
    assert np.array_equal(window, grey[y - 67 : y + 67, x - 67 : x + 67])


def test_windows_beyond_the_slice_are_grey_zero() -> None:
    grey = np.full((40, 50), 7, dtype=np.uint8)
    windows = cut_windows(grey, np.array([0, 39]), np.array([0, 49]))
    assert windows.sum() == 2 * 7 * 40 * 50
    assert windows[0, WINDOW_BEFORE - 1].sum() == 0
    assert windows[0, WINDOW_BEFORE, WINDOW_BEFORE] == 7
    assert windows[1, WINDOW_BEFORE, WINDOW_BEFORE] == 7
    assert windows[1, WINDOW_BEFORE + 1].sum() == 0
