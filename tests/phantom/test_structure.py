"""Truth masks against the grey values, with a shifted mask as the control."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from brainarch.phantom import anatomy, tissues
from brainarch.phantom.model import PhantomSpec

from .conftest import DEFAULT
from .rendering import render

AXON, VESSEL, CELL = 1, 2, 3


def contrast(block, area, code, shift=0):
    """Mean grey of a structure minus that of the other pixels of its area."""
    inside = block.areas == anatomy.AREA_CODES[area]
    structure = np.roll(block.microstructure == code, shift, axis=1) & inside
    rest = inside & (block.microstructure == 0)
    return block.grey[structure].mean() - block.grey[rest].mean()


@pytest.mark.parametrize("area", ["Ctx", "Str", "VP", "ZI", "HypoTh", "WM"])
def test_vessels_are_near_black(default_slices, area):
    for block in default_slices:
        found = contrast(block, area, VESSEL)
        assert found < -60
        # Larger vessels are wider than the shift, so a little contrast stays.
        assert abs(contrast(block, area, VESSEL, shift=40)) < 0.35 * abs(found)


@pytest.mark.parametrize("area", ["Ctx", "Str", "VP", "ZI", "HypoTh"])
def test_cells_are_darker_than_the_neuropil(default_slices, area):
    for block in default_slices:
        assert contrast(block, area, CELL) < -20
        assert abs(contrast(block, area, CELL, shift=40)) < 12


@pytest.mark.parametrize(("area", "least"), [("Str", 45), ("VP", 15), ("HypoTh", 10)])
def test_myelin_is_brighter_than_the_neuropil(default_slices, area, least):
    for block in default_slices:
        assert contrast(block, area, AXON) > least
        assert abs(contrast(block, area, AXON, shift=40)) < 12


def test_white_matter_is_myelinated_and_cortex_is_not(default_slices):
    for block in default_slices:
        axons = block.microstructure == AXON
        white = block.areas == anatomy.AREA_CODES["WM"]
        cortex = block.areas == anatomy.AREA_CODES["Ctx"]
        assert axons[white].mean() > 0.8
        assert not axons[cortex].any()
        assert not block.microstructure[block.areas == 0].any()


def test_cells_have_the_annotated_size(default_slices):
    labels, n = ndimage.label(default_slices[0].microstructure[0] == CELL)
    sizes = np.bincount(labels.ravel())[1:]
    radius = np.sqrt(np.median(sizes[sizes >= 8]) / np.pi)
    assert n > 1000
    # Annotated median equivalent radii are 3.2 to 4.4 px.
    assert 2.8 < radius < 5.0


def test_layers_differ_in_cell_density_as_cited(default_slices):
    share = {}
    for name, code in anatomy.LAYER_CODES.items():
        inside = [block.layers == code for block in default_slices]
        cells = [block.microstructure == CELL for block in default_slices]
        counts = [
            sum(ndimage.label(c[0] & i[0])[1] for c, i in zip(cells, inside, strict=True)),
            sum(i.sum() for i in inside),
        ]
        share[name] = counts[0] / counts[1]
    # Large cells are cut by more slices: areal density is volume density times diameter.
    radius = {
        name: tissues.CELLS[anatomy.CLASSES.index(name)].radius_um for name in anatomy.LAYER_CODES
    }
    volume = {name: value / radius[name] for name, value in share.items()}
    thickness = list(anatomy.LAYER_THICKNESS_UM.values())
    mean = np.average(list(volume.values()), weights=thickness)
    for name, value in volume.items():
        expected = anatomy.LAYER_RELATIVE_DENSITY[name]
        assert value / mean == pytest.approx(expected, rel=0.25, abs=0.12), name


@pytest.mark.slow
def test_barrel_walls_are_denser_than_hollows():
    cells, pixels = np.zeros(3), np.zeros(3)
    for seed in (1, 2):
        spec = PhantomSpec(DEFAULT.shape, seed=seed)
        for z in (20, 80, 140, 200):
            block = render(spec, z, z + 1)
            for code in (1, 2):
                inside = block.barrels[0] == code
                cells[code] += ndimage.label((block.microstructure[0] == CELL) & inside)[1]
                pixels[code] += inside.sum()
    ratio = (cells[1] / pixels[1]) / (cells[2] / pixels[2])
    assert ratio == pytest.approx(anatomy.BARREL_WALL_TO_HOLLOW, rel=0.2)
