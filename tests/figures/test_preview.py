"""Previews of annotated slices: the numbers beside them, and where the outlines lie."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.contour import QuadContourSet

from brainarch.figures import plotted, preview, rasters
from brainarch.figures.panels import Areas

AREAS = Areas.of(
    [
        {"name": "A", "title": "Area $one$ <b>", "colour": "#0072B2"},
        {"name": "B", "title": "B", "colour": None},
        {"name": "C", "title": "Area three", "colour": None},
    ]
)
HOLES = {"A": 2, "B": 0, "C": 0}


@pytest.fixture
def labels() -> np.ndarray:
    """Area A in a rectangle, B in one pixel, C nowhere."""
    codes = np.zeros((60, 90), np.uint8)
    codes[10:30, 20:70] = 1
    codes[50, 80] = 2
    return codes


def test_table_counts_every_labelled_pixel(labels):
    table = preview.prepare(rasters.count_codes(labels, AREAS.names), 2.0, HOLES)
    pixels = plotted.pick(table, quantity="labelled pixels").set_index("item")["y"]
    assert pixels.to_dict() == {"A": 1000, "B": 1, "C": 0}
    size = plotted.pick(table, quantity="labelled area", item="A")["y"].item()
    assert size == pytest.approx(1000 * 0.002**2)


def test_outlines_lie_on_the_borders(labels, drawn_texts):
    grey = np.random.default_rng(0).integers(0, 255, labels.shape).astype(np.uint8)
    table = preview.prepare(rasters.count_codes(labels, AREAS.names), 2.0, HOLES)
    figure = preview.draw(
        table,
        AREAS,
        grey=rasters.grey_raster(grey, 2.0),
        labels=rasters.label_raster(labels, 2.0),
        title="Slice z = 7",
    )
    (axes,) = [a for a in figure.axes if a.images]
    outlines = [c for c in axes.collections if isinstance(c, QuadContourSet)]
    assert len(outlines) == 2  # C is not on the slice
    assert not any(isinstance(c, QuadMesh) for c in axes.collections)
    path = np.concatenate([p.vertices for p in outlines[0].get_paths()])
    # A fills columns 20 to 69 and rows 10 to 29 of 2 um pixels.
    np.testing.assert_allclose(path.min(axis=0), [40, 20], atol=1.01)
    np.testing.assert_allclose(path.max(axis=0), [140, 60], atol=1.01)
    words = [text for text, *_ in drawn_texts(figure)]
    assert "Slice z = 7" in words
    assert "Area $one$ <b> (A): 0.004 mm², 2 holes" in words
    assert "Area three (C): not on this slice" in words


def test_smoothed_edges_are_shown(labels, drawn_texts):
    table = preview.prepare(rasters.count_codes(labels, AREAS.names), 2.0, HOLES, {"A": 1234})
    grey = rasters.grey_raster(np.zeros(labels.shape, np.uint8), 2.0)
    raster = rasters.label_raster(labels, 2.0)
    figure = preview.draw(table, AREAS, grey=grey, labels=raster, title="Slice")
    words = [text for text, *_ in drawn_texts(figure)]
    assert any("of it 1,234 px in thin rims: smoothed edges?" in text for text in words)


def test_large_slices_are_drawn_small():
    codes = np.ones((3000, 5000), np.uint8)
    raster = rasters.label_raster(codes, 1.0)
    assert max(raster.values.shape) <= rasters.MAX_SIDE
