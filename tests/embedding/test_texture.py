from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kurtosis, skew
from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

from brainarch.embedding.texture import FEATURE_NAMES, TextureDescriber, texture_features


@pytest.fixture(scope="module")
def patches():
    rng = np.random.default_rng(0)
    smooth = rng.random((3, 128, 128)).cumsum(axis=1).cumsum(axis=2)
    noise = rng.integers(0, 256, (3, 128, 128)) / 255
    both = smooth / smooth.max() * 0.6 + noise * 0.4
    return (np.rint(both * 255) / 255).astype(np.float32)


def features(patches):
    found = texture_features(np.asarray(patches, dtype=np.float32))
    return {name: found[:, index] for index, name in enumerate(FEATURE_NAMES)}


def test_there_are_64_named_features(patches):
    assert len(FEATURE_NAMES) == len(set(FEATURE_NAMES)) == 64
    assert texture_features(patches).shape == (3, 64)


def test_grey_features_are_scipys(patches):
    found, flat = features(patches), patches.reshape(3, -1).astype(np.float64)
    np.testing.assert_allclose(found["grey_mean"], flat.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(found["grey_std"], flat.std(axis=1), rtol=1e-5)
    np.testing.assert_allclose(found["grey_skewness"], skew(flat, axis=1), atol=1e-4)
    np.testing.assert_allclose(
        found["grey_kurtosis"], kurtosis(flat, axis=1, fisher=False), rtol=1e-4
    )
    np.testing.assert_allclose(found["grey_p75"], np.quantile(flat, 0.75, axis=1), rtol=1e-5)


@pytest.mark.parametrize("radius", [1, 3])
def test_local_binary_patterns_are_scikit_images(patches, radius):
    found = features(patches)
    for row, patch in enumerate(np.rint(patches * 255).astype(np.uint8)):
        codes = local_binary_pattern(patch, 8, radius, "uniform")[radius:-radius, radius:-radius]
        expected = np.bincount(codes.astype(int).ravel(), minlength=10) / codes.size
        got = [found[f"lbp_r{radius}_{code}"][row] for code in range(10)]
        # Ties of interpolated grey levels may fall otherwise.
        np.testing.assert_allclose(got, expected, atol=2e-3)


def test_cooccurrence_is_averaged_over_directions(patches):
    found = features(patches)
    coarse = np.rint(patches[0] * 255).astype(np.uint8) // 16
    expected = [
        graycoprops(graycomatrix(coarse, [4], [angle], levels=16, symmetric=True), "contrast")
        for angle in np.arange(4) * np.pi / 4
    ]
    assert found["glcm_contrast_4px"][0] == pytest.approx(np.mean(expected), rel=1e-5)


def test_right_angle_turns_change_nothing(patches):
    turned = texture_features(np.rot90(patches, axes=(1, 2)))
    np.testing.assert_allclose(turned, texture_features(patches), rtol=2e-3, atol=2e-3)


def test_stripes_are_coherent_and_noise_is_not():
    y, x = np.mgrid[0:128, 0:128]
    stripes = 0.5 + 0.4 * np.sin((x + y) / 4)
    noise = np.random.default_rng(0).random((128, 128))
    found = features([stripes, noise])
    assert found["coherence_patch_2px"][0] > 0.95
    assert found["coherence_patch_2px"][1] < 0.2
    assert found["coherence_local_2px"][1] < 0.7


def test_bright_and_dark_blobs_are_told_apart():
    y, x = np.mgrid[0:128, 0:128] % 32 - 16
    bumps = np.exp(-(y**2 + x**2) / 2 / 3**2)
    found = features([0.3 + 0.5 * bumps, 0.8 - 0.5 * bumps])
    bright, dark = found["bright_blobs_2px"], found["dark_blobs_2px"]
    assert bright[0] > 1.5 * dark[0]
    assert bright[1] == pytest.approx(dark[0], rel=1e-3)
    assert dark[1] == pytest.approx(bright[0], rel=1e-3)


def test_scale_of_a_blob_shows():
    y, x = np.mgrid[0:128, 0:128] - 64
    small, large = (np.exp(-(y**2 + x**2) / 2 / sigma**2) for sigma in (1, 6))
    found = features([small, large])
    ratio = found["bright_blobs_1px"] / found["bright_blobs_4px"]
    assert ratio[0] > 3 * ratio[1]


def test_a_constant_patch_is_finite():
    found = features([np.zeros((128, 128)), np.full((128, 128), 0.7)])
    assert all(np.isfinite(values).all() for values in found.values())
    assert found["grey_skewness"].tolist() == [0, 0]
    assert found["coherence_patch_1px"].tolist() == [0, 0]
    assert found["lbp_r1_8"].tolist() == [1, 1]


def test_context_is_not_looked_at():
    rng = np.random.default_rng(0)
    windows = rng.random((2, 134, 134), dtype=np.float32)
    windows[1, 3:-3, 3:-3] = windows[0, 3:-3, 3:-3]
    found = TextureDescriber().describe(windows)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], texture_features(windows[:1, 3:131, 3:131])[0])
