from __future__ import annotations

import numpy as np

from brainarch.embedding.windows import add_noise, window_chunks
from brainarch.geometry import cut_windows
from brainarch.patches.table import Places


def test_chunks_cover_every_patch_once_with_its_own_window(volume):
    rng = np.random.default_rng(1)
    z = rng.choice([4, 9], 23)
    places = Places(z, rng.integers(0, 170, 23), rng.integers(0, 180, 23))
    seen = []
    for rows, windows in window_chunks(volume, places, chunk=4):
        assert len(rows) <= 4
        for row, window in zip(rows, windows, strict=True):
            grey = volume.slices[z[row]]
            expected = cut_windows(grey, places.y[[row]], places.x[[row]])[0]
            np.testing.assert_array_equal(window, expected)
        seen.extend(rows)
    assert sorted(seen) == list(range(23))
    assert volume.reads == [4, 9]


def test_noise_has_the_variance_asked_for():
    grey = np.full((40, 134, 134), 0.5, np.float32)
    noisy = add_noise(grey, 0.01, np.random.default_rng(0))
    assert noisy.dtype == np.float32
    assert abs(noisy.mean() - 0.5) < 1e-3
    np.testing.assert_allclose(noisy.var(), 0.01, rtol=0.01)
    # Pixels are independent of their neighbours.
    assert abs(np.corrcoef(noisy[:, :, 1:].ravel(), noisy[:, :, :-1].ravel())[0, 1]) < 0.01


def test_noise_is_clipped():
    grey = np.tile(np.array([0, 1], np.float32), (134, 67))[None]
    noisy = add_noise(grey, 0.1, np.random.default_rng(0))
    assert noisy.min() == 0
    assert noisy.max() == 1


def test_no_noise_changes_nothing():
    grey = np.random.default_rng(0).random((2, 134, 134), dtype=np.float32)
    np.testing.assert_array_equal(add_noise(grey, 0, np.random.default_rng(0)), grey)
