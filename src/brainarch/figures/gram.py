"""V5: Gram matrices of several networks, and their representations in three dimensions (V)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.axes3d import Axes3D
from numpy.typing import NDArray

from brainarch.figures import panels, plotted, rasters, style
from brainarch.figures.panels import Areas
from brainarch.figures.scale import number_with_interval
from brainarch.figures.sheet import Box, Sheet, swatches_height

#: Networks beside each other on one page.
MAX_NETWORKS = 4
#: Points of a scatter plot; more would hide each other.
MAX_POINTS = 3000


@dataclass(frozen=True)
class Gram:
    """The Gram matrix of one network, rows and columns sorted by area.

    Parameters
    ----------
    values : ndarray of float32, shape (n, n)
        Cosine similarities, as many patches of every area.
    area : ndarray of int, shape (n,)
        Index of each row's area.
    """

    values: NDArray[np.float32]
    area: NDArray[np.integer]


def prepare(
    errors: pd.DataFrame,
    blocks: pd.DataFrame,
    points: pd.DataFrame | None,
    variance: pd.DataFrame | None,
) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    errors : pandas.DataFrame
        Columns network, block_error, low, high.
    blocks : pandas.DataFrame
        Columns network, area, other, mean: area-by-area means of the Gram matrix.
    points : pandas.DataFrame, optional
        Columns network, area, pc1, pc2, pc3.
    variance : pandas.DataFrame, optional
        Columns network, component (from 1), share.
    """
    entries: list[dict[str, Any]] = []
    for row in plotted.rows_of(errors):
        entries.append(
            plotted.entry(
                "a", "block error", row.block_error, series=row.network, low=row.low, high=row.high
            )
        )
    for row in plotted.rows_of(blocks):
        pair = {"series": f"{row.network}|{row.area}", "item": row.other}
        entries.append(plotted.entry("b", "mean similarity", row.mean, **pair))
    if points is not None and variance is not None:
        for row in plotted.rows_of(variance[variance["component"] <= 3]):
            item = f"PC{row.component}"
            entries.append(
                plotted.entry("c", "share of variance", row.share, series=row.network, item=item)
            )
        for row in plotted.rows_of(_thinned(points)):
            place = {"series": row.network, "item": row.area, "x": row.pc1, "z": row.pc3}
            entries.append(plotted.entry("c", "PC2 (x: PC1, z: PC3)", row.pc2, **place))
    return plotted.table(entries)


@style.styled
def draw(table: pd.DataFrame, areas: Areas, grams: Mapping[str, Gram]) -> Figure:
    """Draw the figure from its plotted table and the Gram matrices."""
    networks = list(grams)[:MAX_NETWORKS]
    has_points = bool(len(plotted.pick(table, "c")))
    legend = areas.swatches()
    legend_height = swatches_height(legend, style.CONTENT_MM) + 2
    pitch = (style.CONTENT_MM - 10) / max(3, len(networks))
    side = min(46.0, pitch - 12)
    top_a = legend_height
    top_b = top_a + side + 20
    top_c = top_b + side + 15
    cube = min(pitch, 56.0)
    sheet = Sheet(top_c + (cube + 5 if has_points else -3))
    sheet.swatches(0, 0, style.CONTENT_MM, legend)

    sheet.panel("a", 0, top_a, "Gram matrix: cosine similarity of patches, sorted by area")
    sheet.panel("b", 0, top_b, "Mean similarity of two areas")
    lowest = min(0.0, *(float(np.quantile(gram.values, 0.01)) for gram in grams.values()))
    limits = (np.floor(lowest * 10) / 10, 1.0)
    for index, network in enumerate(networks):
        left = 10 + index * pitch
        error = plotted.pick(table, "a", series=network)
        sheet.text(left, top_a + 5.5, style.network_title(network), fontweight="bold")
        if len(error):
            caption = "block error " + number_with_interval(error.iloc[0])
            sheet.text(left, top_a + 8.6, caption, fontsize=style.SMALL_FONT)
        _draw_gram(sheet, grams[network], areas, Box(left, top_a + 14, side, side), limits)
        axes = sheet.axes(Box(left, top_b + 6, side, side))
        means = plotted.pick(table, "b")
        _draw_blocks(axes, means, network, areas, limits=limits, named=index == 0)
        if has_points:
            rows = plotted.pick(table, "c", series=network)
            sheet.text(left, top_c + 5, style.network_title(network), fontsize=style.SMALL_FONT)
            box = Box(left + side / 2 - cube / 2, top_c + 5.5, cube, cube)
            _draw_points(sheet, rows, areas, box)
    bar_left = 10 + (len(networks) - 1) * pitch + side + 2
    for top, label in ((top_a + 14, "cosine similarity"), (top_b + 6, "mean similarity")):
        panels.colour_bar(sheet, Box(bar_left, top, 1.6, side), style.SHARES, limits, label)
    if has_points:
        sheet.panel("c", 0, top_c, "The same patches on the three main principal components")
    return sheet.figure


def _thinned(points: pd.DataFrame) -> pd.DataFrame:
    """Keep evenly spaced points of every network, at most `MAX_POINTS` of each."""
    kept = []
    for _, own in points.groupby("network", sort=False):
        step = max(1, -(-len(own) // MAX_POINTS))
        kept.append(own.iloc[::step])
    return pd.concat(kept) if kept else points


def _draw_gram(
    sheet: Sheet, gram: Gram, areas: Areas, box: Box, limits: tuple[float, float]
) -> None:
    codes = (gram.area + 1).astype(np.intp)
    edge = sheet.axes(Box(box.left - 2.2, box.top, 1.7, box.height))
    edge.imshow(rasters.paint(codes[:, None], areas.palette), aspect="auto")
    roof = sheet.axes(Box(box.left, box.top - 2.2, box.width, 1.7))
    roof.imshow(rasters.paint(codes[None, :], areas.palette), aspect="auto")
    axes = sheet.axes(box)
    axes.imshow(
        gram.values,
        cmap=style.SHARES,
        vmin=limits[0],
        vmax=limits[1],
        aspect="auto",
        interpolation="antialiased",
    )
    for strip in (edge, roof):
        panels.bare_frame(strip)
    panels.bare_frame(axes, style.INK, 0.4)


def _draw_blocks(
    axes: Axes,
    rows: pd.DataFrame,
    network: str,
    areas: Areas,
    *,
    limits: tuple[float, float],
    named: bool,
) -> None:
    names = list(areas.names)
    own = rows[rows["series"].str.startswith(f"{network}|")].copy()
    own["series"] = own["series"].str.slice(len(network) + 1)
    means = plotted.matrix(own, names, names).to_numpy(dtype=np.float64)
    numbers = None
    if len(names) <= panels.MAX_COUNTED:
        numbers = [["" if np.isnan(v) else f"{v:.2f}" for v in line] for line in means]
    ticks = areas.ticks()
    panels.heat(
        axes,
        means,
        ticks if named else [""] * len(ticks),
        ticks,
        cmap=style.SHARES,
        limits=limits,
        numbers=numbers,
    )


def _draw_points(sheet: Sheet, rows: pd.DataFrame, areas: Areas, box: Box) -> None:
    axes: Any = sheet.axes(box, projection="3d")
    assert isinstance(axes, Axes3D)
    axes.patch.set_visible(False)  # it would cover the neighbour's label
    points = plotted.pick(rows, quantity="PC2 (x: PC1, z: PC3)")
    # Areas in turn along the table would cover each other; a fixed shuffle mixes them.
    points = points.iloc[np.random.default_rng(0).permutation(len(points))]
    axes.scatter(
        points["x"],
        points["y"],
        points["z"],
        c=[areas.colours.get(name, style.UNLABELLED) for name in points["item"]],
        s=2.2,
        alpha=0.75,
        linewidths=0,
        depthshade=False,
        rasterized=True,
    )
    for index, axis in enumerate((axes.xaxis, axes.yaxis, axes.zaxis), start=1):
        share = plotted.pick(rows, quantity="share of variance", item=f"PC{index}")["y"]
        label = f"PC{index}" + (f" ({100 * share.iloc[0]:.0f} %)" if len(share) else "")
        axis.set_label_text(label, fontsize=style.SMALL_FONT)
        axis.labelpad = -13
        axis.set_ticklabels([])
        axis.pane.set(facecolor="#F7F8F9", edgecolor="#D5D8DC", linewidth=0.4)
        axis.line.set(color="#B8BEC5", linewidth=0.4)
        axis._axinfo["grid"].update(color="#E2E5E8", linewidth=0.4)
        axis._axinfo["tick"].update(inward_factor=0.0, outward_factor=0.0)
    axes.view_init(elev=22, azim=-58)
    axes.set_box_aspect((1, 1, 0.85), zoom=0.98)
