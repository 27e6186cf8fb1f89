"""Figures for anyone's names and numbers: nothing cut off, nothing printed over something else."""

from __future__ import annotations

import figure_fakes as fakes
import numpy as np
import pytest
import test_figures_drawn as drawn
from matplotlib.figure import Figure

from brainarch.figures import rasters, slice_maps
from brainarch.figures.panels import Areas

#: Titles of 3 to 40 letters, wide and narrow ones, with accents.
TITLES = (
    "CA1",
    "Nücleus accumbens & olfactory tubercle",
    "Ventral posteromedial thalamic nucleus W",
    "Ill",
    "MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM",
)


def anyones(count: int) -> Areas:
    entries = [
        {"name": f"{'Region_with_a_long_name_'[: 3 + 4 * (i % 6)]}{i}", "title": title}
        for i, title in enumerate((TITLES * 12)[:count])
    ]
    for i, entry in enumerate(entries):
        entry["title"] = f"{entry['title'][:37]}{i}"
    return Areas.of([{**entry, "colour": None} for entry in entries])


def maps(count: int) -> Figure:
    areas = drawn.fakes.areas(count)
    codes = fakes.label_slice(count)
    sure = np.where(codes > 0, 0.7, np.nan).astype(np.float32)
    table = slice_maps.prepare(areas, codes, sure, 2 * sure, 1.2)
    pictures = {
        "grey": rasters.grey_raster(fakes.grey_slice(codes), fakes.VOXEL_UM),
        "predicted": fakes.label_raster(codes),
        "confidence": rasters.grey_raster(sure, fakes.VOXEL_UM),
        "novelty": rasters.grey_raster(2 * sure, fakes.VOXEL_UM),
    }
    return slice_maps.draw(table, areas, title="Slice z = 4", **pictures)


FIGURES = {
    "overview": lambda n: drawn.draw_overview(n)[1],
    "annotations": lambda n: drawn.draw_annotations(n)[1],
    "scale": lambda n: drawn.draw_scale(n)[1],
    "gram": lambda n: drawn.draw_gram(n)[1],
    "gram of one network": lambda n: drawn.draw_gram(n, ("cnn",))[1],
    "relations": lambda n: drawn.draw_relations(n)[1],
    "factorization": lambda n: drawn.draw_factorization(n)[1],
    "factors": lambda n: drawn.draw_factors(n, slices=0, layers=False)[1],
    "meaning": lambda n: drawn.draw_meaning(n)[1],
    "maps": maps,
}


@pytest.mark.parametrize(
    "count", [6, *(pytest.param(count, marks=pytest.mark.slow) for count in (2, 60))]
)
@pytest.mark.parametrize("name", FIGURES)
def test_long_and_short_titles_of_few_and_many_areas(
    name, count, assert_readable, monkeypatch
) -> None:
    monkeypatch.setattr(fakes, "areas", anyones)
    assert_readable(FIGURES[name](count))
