"""V2: an annotated slice and example patches of every area."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from brainarch.figures import panels, plotted, rasters, style
from brainarch.figures.panels import Areas
from brainarch.figures.rasters import Raster
from brainarch.figures.sheet import Box, Sheet, fit, fit_text, fitting_font, swatches_height
from brainarch.geometry import PATCH, PATCH_BEFORE

#: Areas beside each other before a new line of patches begins.
AREAS_A_LINE = 6
#: Patches are not drawn smaller than this, in millimetres; fewer of each area are shown instead.
LEAST_PATCH_MM = 11.0
#: Captions of narrower patches say less.
NARROW_MM = 22.0
#: More areas than this take the room of the map.
MANY = 24
#: Opacity of the areas over the slice.
OVERLAY = 0.25


def prepare(
    areas: Areas,
    labels: Raster,
    sizes: pd.DataFrame,
    examples: pd.DataFrame,
    splits: Raster | None = None,
) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    areas : Areas
    labels : Raster
        Label codes of the slice; the table holds their pixels per area, as drawn.
    sizes : pandas.DataFrame
        Columns area, um2, independent_patches of the slice.
    examples : pandas.DataFrame
        Columns y, x, area: centres of the patches shown, in pixels.
    splits : Raster, optional
        Codes of the splits, where this slice holds them all.
    """
    entries: list[dict[str, Any]] = []
    for name, count in rasters.count_codes(labels.values, areas.names).items():
        entries.append(plotted.entry("a", "pixels of the picture", count, item=name))
    for row in plotted.rows_of(sizes):
        if row.area in areas.names:
            entries.append(
                plotted.entry("b", "labelled area", row.um2 / 1e6, unit="mm2", item=row.area)
            )
            entries.append(
                plotted.entry("b", "independent patches", row.independent_patches, item=row.area)
            )
    for number, (_, row) in enumerate(examples.iterrows()):
        place = {"x": row["x"], "item": row["area"], "series": f"patch {number}"}
        entries.append(plotted.entry("b", "row of the patch centre", row["y"], unit="px", **place))
    return plotted.table([*entries, *panels.split_entries(splits)])


@style.styled
def draw(
    table: pd.DataFrame,
    areas: Areas,
    *,
    grey: Raster,
    labels: Raster,
    patches: NDArray[Any],
    title: str,
    splits: Raster | None = None,
) -> Figure:
    """Draw the figure.

    Parameters
    ----------
    table : pandas.DataFrame
        The plotted table.
    areas : Areas
    grey, labels : Raster
        The slice and its label codes.
    patches : ndarray, shape (n, 128, 128)
        The examples, in the table's order.
    title : str
        What the slice is, for example ``Training slice z = 159``.
    splits : Raster, optional
        Codes of the splits, where this slice holds them all.
    """
    width = style.CONTENT_MM
    map_width, map_height = fit(grey.aspect, width, 85 if len(areas.names) <= MANY else 60)
    legend = areas.swatches(panels.split_swatches(splits))
    legend_top = 5 + map_height + 3.5
    patches_top = legend_top + swatches_height(legend, width) + 3
    examples = plotted.pick(table, "b", "row of the patch centre")
    shown = [name for name in areas.names if (examples["item"] == name).any()]
    per_area = int(examples["item"].value_counts().max()) if len(examples) else 0
    a_line = AREAS_A_LINE if len(shown) <= 4 * AREAS_A_LINE else 2 * AREAS_A_LINE
    columns = max(1, min(len(shown), a_line))
    across = max(1, a_line // columns)  # patches of one area beside each other
    lines = -(-len(shown) // a_line)
    room = (style.PAGE_MM - patches_top - 5) / max(1, lines) - 11
    per_area = min(per_area, max(1, int(room // LEAST_PATCH_MM)))
    rows, across = -(-max(1, per_area) // across), min(across, max(1, per_area))
    side = min(42.0, (width + 2.2) / (columns * across) - 2.2, room / rows - 1.6)
    line_height = 9 + rows * (side + 1.6) + 2
    sheet = Sheet(patches_top + 5 + lines * line_height)

    sheet.panel("a", 0, 0, title)
    axes = sheet.axes(Box((width - map_width) / 2, 5, map_width, map_height))
    panels.show_grey(axes, grey)
    panels.show_codes(axes, labels, areas.palette, background=None, alpha=OVERLAY)
    panels.outline(axes, labels, areas.palette)
    if splits is not None:
        panels.outline_splits(axes, splits)
    _mark(axes, examples, areas, grey.pixel_um)
    panels.bare_frame(axes)
    panels.scale_bar(axes)
    sheet.swatches(0, legend_top, width, legend)

    sheet.panel("b", 0, patches_top, f"Example patches, {PATCH} × {PATCH} pixels")
    limits = rasters.grey_limits(patches.astype(np.float32)) if len(patches) else (0.0, 1.0)
    for place, name in enumerate(shown):
        left = (place % a_line) * across * (side + 2.2)
        top = patches_top + 5 + (place // a_line) * line_height
        size = fitting_font(areas.titles[name], across * side, style.FONT)
        sheet.text(left, top, fit_text(areas.titles[name], across * side, size), fontsize=size)
        sheet.text(
            left,
            top + 3.3,
            _size_caption(table, name, "\n" if across * side < NARROW_MM else ", "),
            fontsize=style.SMALL_FONT - 0.3,
            color=style.FAINT,
        )
        own = np.flatnonzero((examples["item"] == name).to_numpy())[:per_area]
        for line, index in enumerate(own):
            at = (left + line % across * (side + 2.2), top + 9 + line // across * (side + 1.6))
            box = Box(*at, side, side)
            axes = sheet.axes(box)
            raster = Raster(patches[index].astype(np.float32), 0, 0, 1, grey.pixel_um)
            panels.show_grey(axes, raster, limits)
            panels.bare_frame(axes, areas.colours[name], 1.2)
            if place == 0 and line == 0:
                panels.scale_bar(axes, inside=True, length_um=50 if grey.pixel_um < 2 else None)
    return sheet.figure


def _mark(axes: Axes, examples: pd.DataFrame, areas: Areas, pixel_um: float) -> None:
    """Draw the frames of the example patches on the slice."""
    for row in plotted.rows_of(examples):
        corner = ((row.x - PATCH_BEFORE) * pixel_um, (row.y - PATCH_BEFORE) * pixel_um)
        for colour, linewidth in (("#FFFFFF", 1.3), (areas.colours[str(row.item)], 0.7)):
            axes.add_patch(
                Rectangle(
                    corner,
                    PATCH * pixel_um,
                    PATCH * pixel_um,
                    fill=False,
                    edgecolor=colour,
                    linewidth=linewidth,
                )
            )


def _size_caption(table: pd.DataFrame, name: str, comma: str) -> str:
    area = plotted.pick(table, "b", "labelled area", item=name)["y"]
    count = plotted.pick(table, "b", "independent patches", item=name)["y"]
    if area.empty or count.empty:
        return ""
    text = f"{area.iloc[0]:.2g} mm²{comma}room for {count.iloc[0]:.0f}"
    return text if comma == "\n" else f"{text}\nseparate patches"
