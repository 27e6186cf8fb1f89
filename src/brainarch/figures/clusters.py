"""V6: clusters found inside one area, where they lie, and at which depth (V, Fig. 6)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from brainarch.figures import panels, plotted, rasters, style
from brainarch.figures.panels import Areas
from brainarch.figures.rasters import Raster
from brainarch.figures.sheet import Box, Sheet, fit, swatches_height
from brainarch.statistics.depth_nulls import DECIDING

NULL_QUANTITY = "null (y: median, high: 99th percentile)"
ABOVE_QUANTITY = "agreement above the null (1: yes)"
#: Height of the lower row of panels in millimetres.
_BODY_MM = 34.0
NULL_TITLES = {"bands": "own bands moved", "depth": "depth alone"}


def layer_borders(
    layers: NDArray[np.integer], depth: NDArray[np.floating], count: int
) -> list[float]:
    """Return the relative depth of the border between each layer and the next.

    Parameters
    ----------
    layers : ndarray of int, shape (rows, columns)
        Codes 1 ... count from the upper border down, 0 elsewhere.
    depth : ndarray of float, same shape
        Relative depth, NaN where unknown.
    count : int
        Number of layers.

    Returns
    -------
    list of float
        count - 1 depths; NaN where one of the two layers is absent. A border is the depth that
        separates the pixels of the two layers with the fewest on the wrong side.
    """
    known = np.isfinite(depth)
    borders = []
    for code in range(1, count):
        above, below = depth[known & (layers == code)], depth[known & (layers == code + 1)]
        if not above.size or not below.size:
            borders.append(float("nan"))
            continue
        edges = np.linspace(min(above.min(), below.min()), max(above.max(), below.max()), 401)
        wrong_above = 1 - np.searchsorted(np.sort(above), edges) / above.size
        wrong_below = np.searchsorted(np.sort(below), edges) / below.size
        wrong = wrong_above + wrong_below
        best = np.flatnonzero(wrong <= wrong.min() + 1e-12)
        borders.append(float(edges[best].mean()))
    return borders


def prepare(
    clusters: Raster,
    profiles: pd.DataFrame,
    z: int,
    *,
    layers: Areas | None = None,
    borders: list[float] | None = None,
    agreement: pd.DataFrame | None = None,
    splits: Raster | None = None,
) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    clusters : Raster
        Codes of the clusters; the table holds their pixels, as drawn.
    profiles : pandas.DataFrame
        Columns slice, subdivision, by (layer or depth), name, low, high, share, share_of_bin.
    z : int
        The slice shown.
    layers : Areas, optional
        The layers, from the upper border down.
    borders : list of float, optional
        See `layer_borders`.
    agreement : pandas.DataFrame, optional
        Columns slice, statistic, null, value, median, null_99, above: agreement with layers beside
        nulls.
    splits : Raster, optional
        Codes of the splits, where the slice holds them all.
    """
    entries: list[dict[str, Any]] = []
    count = int(clusters.values.max())
    names = [str(code) for code in range(1, count + 1)]
    for name, pixels in rasters.count_codes(clusters.values, names).items():
        entries.append(plotted.entry("a", "pixels of the picture", pixels, series=name))
    own = profiles[profiles["slice"] == z]
    for row in plotted.rows_of(own[own["by"] == "depth"]):
        entries.append(
            plotted.entry(
                "b",
                "share of the depth's pixels",
                row.share_of_bin,
                series=row.subdivision,
                item=row.name,
                x=(row.low + row.high) / 2,
            )
        )
    if layers is not None:
        for name, border in zip(layers.names, borders or [], strict=False):
            entries.append(
                plotted.entry("b", "depth of the layer's lower border", border, item=name)
            )
        for row in plotted.rows_of(own[own["by"] == "layer"]):
            entries.append(
                plotted.entry(
                    "c", "share of the cluster", row.share, series=row.subdivision, item=row.name
                )
            )
    if agreement is not None:
        entries += agreement_entries("d", agreement[agreement["slice"] == z], "")
    entries += panels.split_entries(splits)
    return plotted.table(entries)


def agreement_entries(panel: str, agreement: pd.DataFrame, series: str) -> list[dict[str, Any]]:
    """Return rows for the agreement with annotated structure and for its nulls."""
    entries = []
    for row in plotted.rows_of(agreement[agreement["statistic"] == DECIDING]):
        place = {"series": series, "item": row.null}
        entries.append(plotted.entry(panel, "agreement", row.value, **place))
        null = {"y": row.median, "high": row.null_99}
        entries.append(plotted.entry(panel, NULL_QUANTITY, **null, **place))
        entries.append(plotted.entry(panel, ABOVE_QUANTITY, float(row.above), **place))
    return entries


@style.styled
def draw(
    table: pd.DataFrame,
    grey: Raster,
    clusters: Raster,
    title: str,
    *,
    layers: Areas | None = None,
    layer_codes: Raster | None = None,
    splits: Raster | None = None,
) -> Figure:
    """Draw the figure.

    Parameters
    ----------
    table : pandas.DataFrame
        The plotted table.
    grey, clusters : Raster
        The part of the slice that holds the area, and the clusters' codes on it.
    title : str
        What is shown, for example ``Cortex, slice z = 104``.
    layers : Areas, optional
        The layers, from the upper border down.
    layer_codes : Raster, optional
        Their codes on the slice.
    splits : Raster, optional
        Codes of the splits, where the slice holds them all.
    """
    count = int(clusters.values.max())
    colours = style.subdivision_palette(count)
    has_layers = bool(len(plotted.pick(table, "c")))
    has_nulls = bool(len(plotted.pick(table, "d")))
    width, height = fit(clusters.aspect, style.CONTENT_MM, 75)
    height = max(height, 10.0)
    legend = [(f"cluster {index + 1}", colour) for index, colour in enumerate(colours)]
    legend += panels.split_swatches(splits)
    legend_top = 5 + height + 4.5
    top = legend_top + swatches_height(legend, style.CONTENT_MM) + 3
    sheet = Sheet(top + 5 + _BODY_MM + 9)
    sheet.panel("a", 0, 0, title)
    axes = sheet.axes(Box((style.CONTENT_MM - width) / 2, 5, width, height))
    draw_subdivisions(axes, grey, clusters, colours, layer_codes=layer_codes, layers=layers)
    if splits is not None:
        panels.outline_splits(axes, splits)
    panels.scale_bar(axes)
    sheet.swatches(0, legend_top, style.CONTENT_MM, legend)

    sheet.panel("b", 0, top, "Clusters along depth")
    along = 62.0 if has_layers or has_nulls else style.CONTENT_MM - 10
    _draw_depth(sheet.axes(Box(10, top + 8, along, _BODY_MM - 3)), table, colours, layers)
    if has_layers and layers is not None:
        sheet.panel("c", 79, top, "Clusters by layer")
        _draw_layer_profile(sheet, table, layers, Box(86, top + 5, 32, _BODY_MM - 4))
    if has_nulls:
        sheet.panel("d", 131, top, "Agreement with layers")
        draw_nulls(sheet.axes(Box(153, top + 5, 25, 13)), plotted.pick(table, "d"))
    return sheet.figure


def draw_subdivisions(
    axes: Axes,
    grey: Raster,
    codes: Raster,
    colours: list[str],
    *,
    layer_codes: Raster | None,
    layers: Areas | None,
) -> None:
    """Draw the subdivisions of an area over the slice, and the borders of layers."""
    panels.show_grey(axes, grey)
    panels.show_codes(axes, codes, colours, background=None, alpha=0.8)
    if layer_codes is not None and layers is not None:
        panels.outline(axes, layer_codes, ["#FFFFFF"] * len(layers.names), 0.8)
        panels.name_codes(axes, layer_codes, layers.names)
    left, right, bottom, top = codes.extent
    axes.set(xlim=(left, right), ylim=(bottom, top))
    panels.bare_frame(axes)


def _draw_depth(axes: Axes, table: pd.DataFrame, colours: list[str], layers: Areas | None) -> None:
    """Draw stacked shares, depth to the right, and the layers' names above them."""
    rows = plotted.pick(table, "b", "share of the depth's pixels")
    depths = np.sort(rows["x"].unique())
    step = 1 / max(1, len(depths))
    start = np.zeros(len(depths))
    for index, colour in enumerate(colours, start=1):
        own = plotted.pick(rows, series=str(index)).set_index("x")["y"].reindex(depths).fillna(0)
        share = own.to_numpy()
        axes.bar(depths, share, width=step, bottom=start, color=colour, linewidth=0)
        start += share
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="relative depth", ylabel="share of pixels")
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.set_facecolor(style.ABSENT)
    borders = plotted.pick(table, "b", "depth of the layer's lower border")
    if layers is None or borders.empty:
        return
    edges = [0.0, *borders["y"], 1.0]
    for edge in edges[1:-1]:
        axes.axvline(edge, color="#FFFFFF", linewidth=1.4)
        axes.axvline(edge, color=style.INK, linewidth=0.7, linestyle=(0, (3, 1.5)))
    for name, upper, lower in zip(layers.names, edges[:-1], edges[1:], strict=True):
        if np.isfinite(upper) and np.isfinite(lower):
            axes.annotate(
                style.shorten(name, 8),
                ((upper + lower) / 2, 1.0),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=style.SMALL_FONT,
                annotation_clip=False,
            )


def _draw_layer_profile(sheet: Sheet, table: pd.DataFrame, layers: Areas, box: Box) -> None:
    rows = plotted.pick(table, "c")
    clusters = plotted.ordered(rows["series"])
    values = plotted.matrix(rows, clusters, list(layers.names))
    texts = None
    if len(layers.names) <= panels.MAX_COUNTED:
        texts = [[panels.short_share(value) for value in line] for line in values.to_numpy()]
    height = min(box.height, 7.0 * len(clusters))
    axes = sheet.axes(Box(box.left, box.top, box.width, height))
    panels.heat(
        axes, values, clusters, layers.ticks(), cmap=style.SHARES, limits=(0, 1), texts=texts
    )
    axes.set_ylabel("cluster")
    bar = Box(box.left + box.width + 1.5, box.top, 1.4, height)
    panels.colour_bar(sheet, bar, style.SHARES, (0, 1), "share of cluster", ticks=[0, 0.5, 1])


def draw_nulls(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw agreements as dots on each null's range, from its median to its 99th percentile.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    rows : pandas.DataFrame
        Rows of `agreement_entries`; one line per series and null. A dot is full where the agreement
        is above the null at 1 %.
    """
    pairs = list(dict.fromkeys(zip(rows["series"], rows["item"], strict=True)))
    for position, (series, null) in enumerate(pairs):
        own = plotted.pick(rows, series=series, item=null)
        null_row = plotted.pick(own, quantity=NULL_QUANTITY).iloc[0]
        value = float(plotted.pick(own, quantity="agreement")["y"].iloc[0])
        above = plotted.pick(own, quantity=ABOVE_QUANTITY)["y"].iloc[0] == 1
        if np.isfinite(null_row["high"]):
            length = null_row["high"] - null_row["y"]
            axes.barh(position, length, left=null_row["y"], height=0.5, color="#C9CFD6")
            axes.vlines(null_row["high"], position - 0.25, position + 0.25, color=style.FAINT)
        axes.plot(
            value,
            position,
            marker="o",
            markersize=3.6,
            markerfacecolor=style.INK if above else "#FFFFFF",
            markeredgecolor=style.INK,
            linestyle="none",
        )
    titles = [
        (f"{series}, " if series else "") + NULL_TITLES.get(null, null) for series, null in pairs
    ]
    axes.set_yticks(range(len(pairs)), titles)
    axes.set_ylim(len(pairs) - 0.4, -0.6)
    axes.set_xlabel("adjusted mutual information", fontsize=style.SMALL_FONT)
    drawn = rows[rows["quantity"] != ABOVE_QUANTITY]
    largest = float(np.nanmax([*drawn["y"], *drawn["high"], 0.05]))
    axes.set_xlim(min(0.0, float(np.nanmin(drawn["y"]))), largest * 1.15)
    axes.tick_params(axis="y", length=0)
