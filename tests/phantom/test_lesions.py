"""Lesions change their discs as they say, and nothing else of the phantom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainarch.phantom import anatomy, imaging, objects
from brainarch.phantom.lesions import CELLS_REMOVED, FIBRES_ADDED, Lesion
from brainarch.phantom.model import PhantomBlock, render_slice

from .conftest import SMALL

#: In the cortex, which has no bundles, and many cells.
PLACES = {CELLS_REMOVED: (160.0, 1000.0), FIBRES_ADDED: (160.0, 1150.0)}
RADIUS = 50.0
AXON, CELL = (anatomy.MICROSTRUCTURE_CODES[name] for name in ("myelinated axon", "cell body"))


@pytest.fixture(scope="module")
def healthy() -> PhantomBlock:
    return render_slice(SMALL, 45)  # beyond the last slice, where lesions are planted


@pytest.fixture(scope="module")
def ill() -> PhantomBlock:
    planted = tuple(Lesion(kind, y, x, RADIUS) for kind, (y, x) in PLACES.items())
    return render_slice(replace(SMALL, lesions=planted), 45)


def disc(kind: str, radius: float) -> np.ndarray:
    y, x = np.ogrid[: SMALL.shape[1], : SMALL.shape[2]]
    return np.hypot(y - PLACES[kind][0], x - PLACES[kind][1]) < radius


def test_cells_are_gone_from_their_disc(healthy, ill):
    inside = disc(CELLS_REMOVED, RADIUS - objects.CELL_REACH)
    assert (healthy.microstructure[0][inside] == CELL).mean() > 0.01
    assert not (ill.microstructure[0][inside] == CELL).any()
    assert ill.grey[0][inside].mean() > healthy.grey[0][inside].mean()


def test_fibres_are_added_to_theirs(healthy, ill):
    inside = disc(FIBRES_ADDED, RADIUS - 8)
    assert not (healthy.microstructure[0][inside] == AXON).any()
    assert 0.1 < (ill.microstructure[0][inside] == AXON).mean() < 0.5
    assert ill.grey[0][inside].mean() > healthy.grey[0][inside].mean() + 3


def test_nothing_else_changes(healthy, ill):
    reach = RADIUS + objects.CELL_REACH + imaging.RADIUS + 1
    outside = ~(disc(CELLS_REMOVED, reach) | disc(FIBRES_ADDED, reach))
    for name in ("grey", "microstructure"):
        np.testing.assert_array_equal(
            getattr(healthy, name)[0][outside], getattr(ill, name)[0][outside]
        )
    for name in ("areas", "layers", "barrels"):
        np.testing.assert_array_equal(getattr(healthy, name), getattr(ill, name))
    assert (healthy.grey != ill.grey).any()
