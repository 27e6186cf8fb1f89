"""Measures against planted spots, lines and stripes, brute force, and the phantom's masks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, label
from scipy.stats import spearmanr

from brainarch.microstructure.measures import (
    MEASURES,
    find_blobs,
    find_ridges,
    find_vessels,
    measure_patches,
    patch_means,
)
from brainarch.phantom import anatomy
from brainarch.phantom.model import PhantomSpec, render_blocks

UM = 1.17
SHAPE = (300, 400)
CENTRE = (np.array([150]), np.array([200]))


def noisy(image: np.ndarray, sd: float = 2.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (image + rng.normal(0, sd, image.shape)).astype(np.float32)


def spots(step: int, radius_um: float, depth: float = 60.0) -> np.ndarray:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    distance = np.hypot(y % step - step // 2, x % step - step // 2)
    return 120 - depth * gaussian_filter((distance <= radius_um / UM).astype(float), 1)


def test_patch_means_are_those_of_patches_cut_one_by_one() -> None:
    values = np.random.default_rng(1).normal(size=SHAPE)
    y, x = np.array([0, 63, 150, 299]), np.array([5, 200, 399])
    expected = [
        [values[max(0, i - 64) : i + 64, max(0, j - 64) : j + 64].mean() for j in x] for i in y
    ]
    np.testing.assert_allclose(patch_means(values, y, x), expected)


@pytest.mark.parametrize("step", [28, 32])
def test_planted_spots_are_counted(step: int) -> None:
    found = find_blobs(noisy(spots(step, 4.5)), UM, np.zeros(SHAPE, dtype=bool))
    assert (found > 0).sum() == pytest.approx(SHAPE[0] * SHAPE[1] / step**2, rel=0.05)


def test_larger_spots_have_larger_radii() -> None:
    none = np.zeros(SHAPE, dtype=bool)
    small, large = (find_blobs(noisy(spots(32, radius)), UM, none) for radius in (3.0, 6.0))
    assert np.median(small[small > 0]) < np.median(large[large > 0])


def test_a_dark_channel_is_a_vessel_and_a_bright_line_a_ridge() -> None:
    x = np.arange(SHAPE[1])
    channel = np.tile(np.where(np.abs(x - 100) <= 4, 30.0, 120.0), (SHAPE[0], 1))
    vessels = find_vessels(noisy(channel), UM)
    assert vessels[:, 98:103].mean() > 0.98
    assert vessels[:, 150:].mean() < 0.01
    line = np.tile(np.where(np.abs(x - 300) <= 1, 150.0, 120.0), (SHAPE[0], 1))
    ridges = find_ridges(noisy(line, 1.0), UM)
    assert ridges[:, 300].mean() > 0.95
    assert ridges[:, :280].mean() < 0.1


def test_coherence_of_stripes_at_any_angle_and_of_noise() -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    for angle in (0.0, 0.5, 1.2):
        stripes = 120 + 20 * np.sin((x * np.cos(angle) + y * np.sin(angle)) / 3)
        assert measure_patches(stripes, UM, *CENTRE)["coherence"][0, 0] > 0.97
    flat = np.full(SHAPE, 120.0)
    assert measure_patches(noisy(flat), UM, *CENTRE)["coherence"][0, 0] < 0.1
    assert measure_patches(flat, UM, *CENTRE)["coherence"][0, 0] == 0


def test_brightness_and_contrast_of_the_scan_make_no_difference() -> None:
    image = noisy(spots(32, 4.5), 10.0)
    y, x = np.array([100, 200]), np.array([100, 300])
    own, other = (measure_patches(values, UM, y, x) for values in (image, 1000 + 50 * image))
    for name in MEASURES.keys() - {"grey"}:
        np.testing.assert_allclose(own[name], other[name], rtol=2e-2, atol=1e-6)
    np.testing.assert_allclose(1000 + 50 * own["grey"], other["grey"], rtol=1e-6)


@pytest.fixture(scope="module")
def phantom():
    """One slice of a small phantom; its areas, and the share of its masks in each patch."""
    (block,) = render_blocks(PhantomSpec((1, 320, 1300), seed=3), 1)
    y, x = np.arange(64, 257, 16), np.arange(64, 1237, 16)
    names = anatomy.MICROSTRUCTURE_CODES
    masks = {name: block.microstructure[0] == code for name, code in names.items()}
    areas = block.areas[0][np.ix_(y, x)]
    inside = (areas > 0) & (patch_means(block.areas[0] > 0, y, x) == 1)
    return block.grey[0], masks, areas, inside, (y, x)


def test_vessels_follow_the_masks_of_the_phantom(phantom) -> None:
    grey, masks, _, inside, grid = phantom
    truth = patch_means(masks["vessel"], *grid)[inside]
    found = measure_patches(grey, UM, *grid)["vessel_share"][inside]
    assert spearmanr(found, truth).statistic > 0.6
    assert found.mean() == pytest.approx(truth.mean(), rel=0.5)


def test_blobs_are_more_than_the_cells_of_the_phantom_and_yet_follow_them(phantom) -> None:
    """Cells cannot be counted on one slice; that there are too many blobs is what we say."""
    grey, masks, areas, inside, grid = phantom
    truth = patch_means(masks["cell body"], *grid)
    found = measure_patches(grey, UM, *grid)["blob_density"]
    cortex = inside & (areas == anatomy.AREA_CODES["Ctx"])
    assert spearmanr(found[cortex], truth[cortex]).statistic > 0.3
    cells = label(masks["cell body"])[1] / (masks["cell body"].size * (UM / 1000) ** 2)
    assert found[inside].mean() > cells


def test_white_matter_has_more_of_one_direction_than_cortex(phantom) -> None:
    grey, _, areas, inside, grid = phantom
    found = measure_patches(grey, UM, *grid)["coherence"]
    white, cortex = (inside & (areas == anatomy.AREA_CODES[name]) for name in ("WM", "Ctx"))
    assert found[white].mean() > 1.2 * found[cortex].mean()
