from __future__ import annotations

import numpy as np
import pytest

from brainarch.geometry import PATCH, patch_share
from brainarch.phantom import anatomy, layout
from brainarch.phantom.model import PhantomSpec

from .conftest import ANNOTATED, DEFAULT
from .rendering import render_labels

PUBLISHED = PhantomSpec((720, 1420, 5805))
TEST = PhantomSpec((209, 512, 1750))


def independent_patches(inside):
    """Count whole patches row band by row band, leftmost first: a lower bound, by brute force."""
    count = 0
    for y in range(0, inside.shape[0] - PATCH + 1, PATCH):
        whole = inside[y : y + PATCH].all(axis=0)
        x = 0
        while x + PATCH <= len(whole):
            if whole[x : x + PATCH].all():
                count += 1
                x += PATCH
            else:
                x += 1
    return count


@pytest.mark.parametrize("spec", [DEFAULT, PUBLISHED, TEST])
def test_every_area_and_layer_is_on_every_slice(spec):
    for z in (0, *ANNOTATED):
        labels = render_labels(spec, z, z + 1)
        assert set(np.unique(labels.areas)) == set(range(8))
        assert set(np.unique(labels.layers)) == set(range(6))


def test_training_slice_holds_enough_patches():
    areas = render_labels(DEFAULT, 4, 5).areas[0]
    for name in ("Ctx", "Str", "VP", "ZI", "HypoTh"):
        inside = areas == anatomy.AREA_CODES[name]
        # Row bands of a fixed raster; the packing may start anywhere.
        best = max(independent_patches(inside[shift:]) for shift in range(0, PATCH, 8))
        assert best >= 20, name
        assert (patch_share(inside) >= 1).sum() >= 50_000, name
    white = patch_share(areas == anatomy.AREA_CODES["WM"])
    assert (white >= 0.75).sum() >= 50_000


def test_small_test_geometry_holds_three_patches_an_area():
    areas = render_labels(TEST, 4, 5).areas[0]
    for name in ("Ctx", "Str", "VP", "ZI", "HypoTh"):
        inside = areas == anatomy.AREA_CODES[name]
        assert max(independent_patches(inside[s:]) for s in range(0, PATCH, 8)) >= 3, name
    assert (patch_share(areas == anatomy.AREA_CODES["WM"]) >= 0.75).sum() > 5000


@pytest.mark.parametrize("z", ANNOTATED)
def test_central_band_crosses_everything(z):
    labels = render_labels(DEFAULT, z, z + 1)
    band = slice(544 - 160, 544 + 160)
    for code in range(1, 7):
        assert (labels.areas[0, band] == code).sum() > 50_000
    for code in range(1, 6):
        assert (labels.layers[0, band] == code).sum() > 20_000


@pytest.mark.parametrize("z", ANNOTATED)
def test_layers_have_the_stated_thickness_and_order(z):
    layers = render_labels(DEFAULT, z, z + 1).layers[0, 100:-100]
    for name, code in anatomy.LAYER_CODES.items():
        thickness = np.median((layers == code).sum(axis=1)) * DEFAULT.voxel_um
        assert thickness == pytest.approx(anatomy.LAYER_THICKNESS_UM[name], rel=0.1)
    for row in layers[::50]:
        # From the white matter (left) to the pia: L6, L5, L4, L2/3, L1, each in one piece.
        runs = row[row > 0]
        assert list(runs[np.r_[True, np.diff(runs.astype(int)) != 0]]) == [5, 4, 3, 2, 1]


def test_cited_thicknesses_add_up():
    assert anatomy.CORTEX_THICKNESS_UM == 1154.0
    assert layout.layer_scale(DEFAULT.shape, DEFAULT.voxel_um) == 1.0
    assert layout.layer_scale(PUBLISHED.shape, PUBLISHED.voxel_um) == 1.0


def test_short_volumes_get_thinner_layers_in_proportion():
    scale = layout.layer_scale(TEST.shape, TEST.voxel_um)
    assert 0.3 < scale < 0.8
    layers = render_labels(TEST, 4, 5).layers[0, 60:-60]
    for name, code in anatomy.LAYER_CODES.items():
        thickness = np.median((layers == code).sum(axis=1)) * TEST.voxel_um
        assert thickness == pytest.approx(scale * anatomy.LAYER_THICKNESS_UM[name], rel=0.12)


def test_borders_drift_smoothly_with_z():
    z = np.arange(0.0, 105.0)
    lines = layout.borders(DEFAULT.shape, DEFAULT.voxel_um, DEFAULT.seed, z).x
    steps = np.abs(np.diff(lines, axis=0))
    assert steps.max() < 1.0
    moved = np.abs(lines[104] - lines[4]).mean(axis=1)
    assert np.all(moved[:8] > 0.5)
    first, last = (render_labels(DEFAULT, k, k + 1).areas for k in (4, 104))
    assert 0.9 < np.mean(first == last) < 0.995


@pytest.mark.parametrize("spec", [DEFAULT, PUBLISHED, TEST, PhantomSpec((3, 300, 1200))])
def test_borders_never_cross(spec):
    z = np.array([0.0, 1.0, 2.0])
    lines = layout.borders(spec.shape, spec.voxel_um, spec.seed, z)
    assert np.all(np.diff(lines.x, axis=1) > 0)
    assert np.all(lines.top < lines.bottom)


def test_areas_follow_one_another_as_in_the_real_slice():
    row = render_labels(DEFAULT, 4, 5).areas[0, 544]
    runs = row[row > 0]
    order = list(runs[np.r_[True, np.diff(runs.astype(int)) != 0]])
    names = {code: name for name, code in anatomy.AREA_CODES.items()}
    assert [names[code] for code in order] == [
        "HypoTh", "ZI", "VP", "TRN", "WM", "Str", "WM", "Ctx",
    ]  # fmt: skip


def test_white_matter_runs_over_the_thalamus():
    areas = render_labels(DEFAULT, 4, 5).areas[0]
    thalamus = np.flatnonzero(areas[544] == anatomy.AREA_CODES["VP"])
    above = areas[60, thalamus[len(thalamus) // 4] : thalamus[len(thalamus) // 2]]
    assert np.mean(above == anatomy.AREA_CODES["WM"]) > 0.9


def test_barrels_lie_in_layer_four_only():
    labels = render_labels(DEFAULT, 4, 5)
    in_four = labels.layers == anatomy.LAYER_CODES["L4"]
    np.testing.assert_array_equal(labels.barrels > 0, in_four)
    wall = np.mean(labels.barrels[in_four] == anatomy.BARREL_CODES["wall"])
    assert 0.2 < wall < 0.7


def test_barrels_are_as_far_apart_as_stated():
    code = layout.barrels(40_000, 1.17, 0, np.arange(0.0, 600.0, 100.0))
    hollows = np.sum(np.diff((code == 2).astype(int), axis=1) == 1, axis=1)
    spacing = 40_000 * 1.17 / hollows.mean()
    # A line through a hexagonal lattice meets one cell every 0.87 to 1.15 spacings.
    assert spacing == pytest.approx(anatomy.BARREL_SPACING_UM, rel=0.25)
    assert 100 < spacing < 400
