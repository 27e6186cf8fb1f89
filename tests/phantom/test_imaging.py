from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from brainarch.phantom import imaging


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_kernels_are_symmetric_and_keep_the_mean(axis):
    weights = imaging.point_spread(axis)
    assert weights.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(weights, weights[::-1], atol=1e-7)
    assert len(weights) % 2 == 1


def test_kernels_in_the_slice_have_dark_lobes():
    assert imaging.point_spread(0).min() < -0.005
    assert imaging.point_spread(2).min() > -0.005


def test_blur_in_the_slice_is_a_convolution():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(3, 41, 57)).astype(np.float32)
    x, y = imaging.point_spread(0), imaging.point_spread(1)
    wanted = ndimage.correlate1d(image.astype(float), x.astype(float), axis=2, mode="nearest")
    wanted = ndimage.correlate1d(wanted, y.astype(float), axis=1, mode="nearest")
    imaging.blur_planes(image, x, y)
    np.testing.assert_allclose(image, wanted, atol=2e-6)


def finished(grey, noise=0.0, rings=0.0, bands=0.0, dead=3, z_start=0):
    weights = imaging.point_spread(2)
    r = len(weights) // 2
    out = np.empty((grey.shape[0] - 2 * r, *grey.shape[1:]), np.uint8)
    imaging.finish(
        grey, weights, z_start, 2.0, 10.0, np.uint64(0), np.zeros((5, 7, 11), np.int8), 0.0,
        noise, rings, bands, 1.5, dead, 6, out,
    )  # fmt: skip
    return out


def test_blur_along_z_rounds_to_bytes_and_the_dead_column_stays():
    rng = np.random.default_rng(1)
    grey = (100 + 10 * rng.normal(size=(14, 20, 30))).astype(np.float32)
    out = finished(grey)
    wanted = ndimage.correlate1d(grey.astype(float), imaging.point_spread(2).astype(float), axis=0)
    r = imaging.RADIUS_Z
    wanted = np.floor(wanted[r:-r] + 0.5)
    assert np.all(out[:, :, 3] == 6)
    others = np.arange(30) != 3
    assert np.abs(out[:, :, others] - wanted[:, :, others]).max() <= 1
    assert np.mean(out[:, :, others] != wanted[:, :, others]) < 0.01


def test_bands_run_along_columns_and_rings_round_the_axis():
    flat = np.full((46, 60, 400), 100.0, np.float32)
    bands = finished(flat, bands=5.0)[:, :, 4:].astype(float)
    assert bands.std(axis=(0, 1)).max() == 0
    assert bands.mean(axis=(0, 1)).std() > 3
    rings = finished(flat, rings=5.0)[:, :, 4:].astype(float)
    # As far from the axis on either side of it: the same; on other columns: another ring.
    np.testing.assert_array_equal(rings[2, 4], rings[2, 16])
    assert rings[2, 4].std() > 3
    assert abs(np.corrcoef(rings[2, 4], rings[2, 40])[0, 1]) < 0.2


def test_vessels_win_over_cells_and_rims_are_bright():
    grey = np.full((1, 2, 5), 120.0, np.float32)
    classes = np.ones((1, 2, 5), np.uint8)
    dark, cover, micro = (np.zeros((1, 2, 5), np.uint8) for _ in range(3))
    dark[0, 0, 1], micro[0, 0, 1] = 50, 3
    cover[0, 0, 2], micro[0, 0, 2] = 255, 3
    cover[0, 0, 3] = 32
    classes[0, 0, 4], cover[0, 0, 4], micro[0, 0, 4] = 0, 255, 3
    imaging.compose(classes, dark, cover, 64, -22.0, 70.0, grey, micro)
    np.testing.assert_allclose(grey[0, 0], [120, 70, -22, 155, 120], atol=0.1)
    assert micro[0, 0].tolist() == [0, 3, 2, 0, 0]
