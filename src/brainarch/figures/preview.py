"""Previews: an annotated slice with the outlines of its labels, to be looked at before training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from brainarch.figures import panels, plotted, style
from brainarch.figures.panels import Areas
from brainarch.figures.rasters import Raster
from brainarch.figures.sheet import Box, Sheet, fit, swatches_height

#: Resolution of the PNG in pixels per inch: they are looked at on a screen.
DPI = 200
#: Tallest picture in millimetres.
TALLEST_MM = 180.0
#: Opacity of the labels over the slice: enough to tell inside from outside, little enough to see
#: the tissue.
OVERLAY = 0.12


def prepare(
    pixels: Mapping[str, int],
    pixel_um: float,
    holes: Mapping[str, int],
    rims: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    pixels : mapping of str to int
        Labelled pixels of the slice, by name of the area or layer.
    pixel_um : float
        Side of a pixel in micrometer.
    holes : mapping of str to int
        Holes that are closed where distances are measured, by name.
    rims : mapping of str to int, optional
        Pixels of the drawn image in thin rims between two others, as smooth edges leave them.
    """
    rims = rims or {}
    entries: list[dict[str, Any]] = []
    for name, count in pixels.items():
        entries.append(plotted.entry("a", "labelled pixels", count, item=name))
        size = count * (pixel_um / 1000) ** 2
        entries.append(plotted.entry("a", "labelled area", size, unit="mm2", item=name))
        entries.append(plotted.entry("a", "rim pixels", rims.get(name, 0), item=name))
        entries.append(plotted.entry("a", "holes closed for distances", holes[name], item=name))
    return plotted.table(entries)


@style.styled
def draw(table: pd.DataFrame, areas: Areas, *, grey: Raster, labels: Raster, title: str) -> Figure:
    """Draw the slice, the outlines of its labels, and a legend with their sizes.

    Parameters
    ----------
    table : pandas.DataFrame
        The plotted table.
    areas : Areas
        Areas or layers.
    grey, labels : Raster
        The slice and its label codes.
    title : str
        What the slice is.
    """
    width = style.CONTENT_MM
    map_width, map_height = fit(grey.aspect, width, TALLEST_MM)
    legend = [
        (f"{label}: {_size(table, name)}", colour)
        for name, (label, colour) in zip(areas.names, areas.swatches(), strict=True)
    ]
    legend_top = 5 + map_height + 3.5
    sheet = Sheet(legend_top + swatches_height(legend, width))
    sheet.text(0, 0, title, fontsize=style.FONT + 0.5)
    axes = sheet.axes(Box((width - map_width) / 2, 5, map_width, map_height))
    panels.show_grey(axes, grey)
    panels.show_codes(axes, labels, areas.palette, background=None, alpha=OVERLAY)
    panels.outline(axes, labels, areas.palette)
    panels.bare_frame(axes)
    panels.scale_bar(axes)
    sheet.swatches(0, legend_top, width, legend)
    return sheet.figure


def _size(table: pd.DataFrame, name: str) -> str:
    """Return how large an area is on the slice, as words."""
    size = float(plotted.pick(table, "a", "labelled area", item=name)["y"].iloc[0])
    if size <= 0:
        return "not on this slice"
    rim = int(plotted.pick(table, "a", "rim pixels", item=name)["y"].iloc[0])
    holes = int(plotted.pick(table, "a", "holes closed for distances", item=name)["y"].iloc[0])
    text = f"{size:.2g} mm²" + (f", {holes} hole{'s' if holes > 1 else ''}" if holes else "")
    return text + (f", of it {rim:,} px in thin rims: smoothed edges?" if rim else "")
