"""The statistics against closed forms, brute force and planted answers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from bench.realism import comparison, measures
from scipy import ndimage

from brainarch.phantom import anatomy


def noise_patches(rng, n, smooth=0.0, std=20.0):
    white = rng.normal(0, 1, (n, 128, 128))
    if smooth:
        white = np.stack([ndimage.gaussian_filter(p, smooth, mode="wrap") for p in white])
        white /= white.std()
    return np.clip(np.rint(128 + std * white), 0, 255).astype(np.uint8)


def test_white_noise_gives_its_variance():
    patches = noise_patches(np.random.default_rng(0), 200, std=20.0)
    power = measures.radial_log_power(patches)
    np.testing.assert_allclose(power[2:], np.log10(400), atol=0.04)
    np.testing.assert_allclose(power[:2], np.log10(400), atol=0.15)


@pytest.mark.parametrize("frequency", [0.0235, 0.0715, 0.217])
def test_wave_peaks_in_its_bin(frequency):
    y, x = np.mgrid[:128, :128]
    wave = 128 + 60 * np.sin(2 * np.pi * frequency * (0.6 * x + 0.8 * y))
    power = measures.radial_log_power(wave.astype(np.uint8)[None])
    bin_of = np.searchsorted(measures.FREQUENCY_EDGES, frequency) - 1
    assert np.argmax(power) == bin_of


def test_patch_corners_match_brute_force():
    rng = np.random.default_rng(1)
    mask = ndimage.gaussian_filter(rng.normal(size=(300, 420)), 3) > -0.35
    mask[:90, :70] = mask[200:, 300:] = False
    for share, step in ((1.0, 16), (0.75, 20)):
        wanted = [
            (y, x)
            for y in range(0, 300 - 127, step)
            for x in range(0, 420 - 127, step)
            if mask[y : y + 128, x : x + 128].mean() >= share - 1e-5
        ]
        assert wanted
        found = measures.patch_corners(mask, share, step)
        assert [tuple(corner) for corner in found] == wanted


def test_patches_with_blocks_cross_no_block_border():
    corners = measures.patch_corners(np.ones((900, 900), bool), 1.0, 32, block=384)
    assert np.all(corners // 384 == (corners + 127) // 384)


def test_statistics_of_an_area_are_pooled_over_slices():
    rng = np.random.default_rng(2)
    images = [rng.integers(0, 255, (200, 300)).astype(np.uint8) for _ in range(2)]
    masks = [np.zeros((200, 300), bool) for _ in range(2)]
    masks[0][:150, :200] = True
    masks[1][20:190, 100:260] = True
    found = measures.area_statistics(images, masks, step=8)
    values = np.concatenate([images[0][:150, :200].ravel(), images[1][20:190, 100:260].ravel()])
    assert found.pixels == len(values)
    assert found.mean == pytest.approx(values.mean())
    assert found.std == pytest.approx(values.std())
    # On an 8 px grid: (0, 0) to (16, 72), and (24, 104) to (56, 128).
    assert found.patches == 3 * 10 + 5 * 4


def test_area_too_thin_for_patches_has_no_spectrum():
    mask = np.zeros((200, 300), bool)
    mask[:100] = True
    found = measures.area_statistics(
        [(9 + np.arange(60000) % 2).reshape(200, 300).astype(np.uint8)], [mask]
    )
    assert found.patches == 0
    assert np.isnan(found.log_power).all()
    assert found.mean == 9.5


def test_component_density_counts_planted_cells():
    structure = np.zeros((400, 500), bool)
    mask = np.zeros((400, 500), bool)
    mask[:, :250] = True
    for k in range(10):
        structure[20 + 35 * k : 24 + 35 * k, 40:44] = True  # 16 px, inside
        structure[20 + 35 * k : 24 + 35 * k, 400:404] = True  # outside the area
        structure[20 + 35 * k, 100:107] = True  # 7 px, too small
    area_mm2 = mask.sum() * (1.17e-3) ** 2
    found = measures.component_density(structure, mask, 1.17)
    assert found == pytest.approx(10 / area_mm2)
    assert measures.component_density(np.zeros_like(mask), mask, 1.17) == 0.0


def test_blobs_the_size_of_cells_are_counted():
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:600, :600]
    grey = np.full((600, 600), 130.0) + rng.normal(0, 4, (600, 600))
    mask = np.ones((600, 600), bool)
    flat = measures.cell_blobs(grey.astype(np.uint8), mask, 1.17)
    centres = [(40 + 50 * i, 40 + 50 * j) for i in range(11) for j in range(11)]
    for cy, cx in centres:
        grey -= 70 * (np.hypot(y - cy, x - cx) < 5)
    found = measures.cell_blobs(grey.astype(np.uint8), mask, 1.17)
    area_mm2 = mask.sum() * (1.17e-3) ** 2
    assert found == pytest.approx(len(centres) / area_mm2, rel=0.03)
    assert flat < 0.02 * found


@pytest.mark.parametrize("radius", [1, 3])
def test_binary_patterns_match_a_loop(radius):
    rng = np.random.default_rng(4)
    patch = rng.integers(0, 255, (128, 128)).astype(np.uint8)
    offsets = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)]
    counts = np.zeros(10)
    for y in range(radius, 128 - radius):
        for x in range(radius, 128 - radius):
            bits = [patch[y + dy * radius, x + dx * radius] >= patch[y, x] for dy, dx in offsets]
            changes = sum(bits[k] != bits[k - 1] for k in range(8))
            counts[sum(bits) if changes <= 2 else 9] += 1
    found = measures.local_binary_patterns(patch[None], radius)[0]
    np.testing.assert_allclose(found, counts / counts.sum())


def test_texture_classifier_is_at_chance_on_the_same_and_sure_on_another_texture():
    rng = np.random.default_rng(5)
    blocks = np.repeat(np.arange(8), 12)
    same = [noise_patches(rng, 96, smooth=1.5) for _ in range(2)]
    assert 0.3 < measures.discrimination_auroc(same[0], blocks, same[1], blocks) < 0.7
    other = noise_patches(rng, 96, smooth=2.2)
    assert measures.discrimination_auroc(same[0], blocks, other, blocks) > 0.95
    assert np.isnan(measures.discrimination_auroc(same[0], np.zeros(96, int), other, blocks))


def test_mean_and_std_classifier_tells_what_differs_in_them_only():
    rng = np.random.default_rng(6)
    blocks = [np.repeat(np.arange(6), 15)] * 3
    apart = [noise_patches(rng, 90, std=s) for s in (10.0, 20.0, 40.0)]
    accuracy, recall = measures.mean_std_accuracy(apart, blocks)
    assert accuracy > 0.97
    assert recall.shape == (3,)
    # Same mean and spread, other texture: chance is a third.
    alike = [noise_patches(rng, 90, smooth=s) for s in (1.0, 2.0, 0.0)]
    for k, p in enumerate(alike):
        flat = (p - p.mean((1, 2), keepdims=True)) / p.std((1, 2), keepdims=True)
        level = 128 + rng.normal(0, 3, (90, 1, 1))
        alike[k] = np.clip(20 * flat + level, 0, 255).astype(np.uint8)
    assert measures.mean_std_accuracy(alike, blocks)[0] < 0.6


def real_folder() -> Path:
    folder = os.environ.get("BRAINARCH_REAL_DATA")
    if not folder:
        pytest.skip("BRAINARCH_REAL_DATA is not set: no real slice to measure")
    return Path(folder)


def test_statistics_reproduce_the_published_slice():
    folder = real_folder()
    image = tifffile.imread(folder / "slice_z159.tif")
    labels = tifffile.imread(folder / "labels_z159.tif")
    for name in anatomy.ANNOTATED_AREAS:
        known = comparison.reference()["areas"][name]
        mask = labels == anatomy.AREA_CODES[name]
        found = measures.area_statistics([image], [mask])
        assert found.mean == pytest.approx(known["mean"], abs=0.01)
        assert found.std == pytest.approx(known["std"], abs=0.01)
        assert found.skew == pytest.approx(known["skew"], abs=0.01)
        # Reference: 400 random patches; here: a grid.
        np.testing.assert_allclose(found.log_power, known["log10_power"], atol=0.12)
