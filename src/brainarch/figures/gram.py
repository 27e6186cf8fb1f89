"""V5: Gram matrices of several networks, and their main principal components (V)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from brainarch.figures import panels, plotted, rasters, style
from brainarch.figures.panels import Areas
from brainarch.figures.scale import number_with_interval
from brainarch.figures.sheet import Box, Sheet, swatches_height

#: Networks beside each other on one page.
MAX_NETWORKS = 4
#: Points of a scatter plot; more would hide each other.
MAX_POINTS = 3000
#: Representations whose block error says what one is worth: patches alike in nothing, in all.
YARDSTICKS = ("orthogonal", "constant")
COMPONENTS = "The same patches on the three main principal components"
#: Room for the names of areas, in millimetres.
EDGE_MM = 12.0
#: Height of a scatter plot in millimetres.
SCATTER_MM = 24.0
#: What the plotted table calls a patch's components.
POINTS = "PC2 (x: PC1, z: PC3)"


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
    errors: pd.DataFrame, blocks: pd.DataFrame, points: pd.DataFrame, variance: pd.DataFrame
) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    errors : pandas.DataFrame
        Columns network, block_error, low, high, and what orthogonal and constant representations
        would have.
    blocks : pandas.DataFrame
        Columns network, area, other, mean: area-by-area means of the Gram matrix.
    points : pandas.DataFrame
        Columns network, area, pc1, pc2, pc3.
    variance : pandas.DataFrame
        Columns network, component (from 1), share.
    """
    entries: list[dict[str, Any]] = []
    for yardstick in YARDSTICKS:
        entries.append(plotted.entry("a", f"block error, {yardstick}", errors[yardstick].iloc[0]))
    for row in plotted.rows_of(errors):
        entries.append(
            plotted.entry(
                "a", "block error", row.block_error, series=row.network, low=row.low, high=row.high
            )
        )
    for row in plotted.rows_of(blocks):
        pair = {"series": f"{row.network}|{row.area}", "item": row.other}
        entries.append(plotted.entry("b", "mean similarity", row.mean, **pair))
    for row in plotted.rows_of(variance[variance["component"] <= 3]):
        item = f"PC{row.component}"
        entries.append(
            plotted.entry("c", "share of variance", row.share, series=row.network, item=item)
        )
    for row in plotted.rows_of(_thinned(points)):
        place = {"series": row.network, "item": row.area, "x": row.pc1, "z": row.pc3}
        entries.append(plotted.entry("c", POINTS, row.pc2, **place))
    return plotted.table(entries)


@style.styled
def draw(
    table: pd.DataFrame, areas: Areas, grams: Mapping[str, Gram], slices: Sequence[int] = ()
) -> Figure:
    """Draw the figure from its plotted table and the Gram matrices of patches of some slices."""
    networks, legend = list(grams)[:MAX_NETWORKS], areas.swatches()
    alone = len(networks) == 1  # its panels stand beside each other, else below each other
    pitch = (style.CONTENT_MM - (0 if alone else EDGE_MM)) / max(3, len(networks))
    side = 37.0 if alone else min(45.0, pitch - 12)
    top_a = swatches_height(legend, style.CONTENT_MM) + 2
    top_b = top_a if alone else top_a + side + 20
    top_c = top_a if alone else top_b + side + 18
    left_b, left_c = (pitch, 2 * pitch) if alone else (0.0, 0.0)
    bottom = 14 + side + 12 if alone else 10 + 2 * SCATTER_MM + 7
    sheet = Sheet(top_c + bottom)
    sheet.swatches(0, 0, style.CONTENT_MM, legend)

    scores = [plotted.pick(table, "a", f"block error, {name}")["y"].iloc[0] for name in YARDSTICKS]
    known = ", ".join(f"{s:.2f} {name}" for s, name in zip(scores, YARDSTICKS, strict=True))
    known = f"block error: 0 perfect, {known}"
    title = f"Cosine similarity of {style.test_patches(slices)}"
    sheet.panel("a", 0, top_a, "Gram matrix of test patches" if alone else f"{title} ({known})")
    title = "Mean similarity of two areas"
    title += "" if alone else ", each network on its own scale"
    sheet.panel("b", left_b, top_b, title)
    title = "Three main principal components" if alone else COMPONENTS
    sheet.panel("c", left_c, top_c, title)
    lowest = min(0.0, *(float(np.quantile(gram.values, 0.01)) for gram in grams.values()))
    limits = (np.floor(lowest * 10) / 10, 1.0)
    for index, network in enumerate(networks):
        left = EDGE_MM + index * pitch
        error = plotted.pick(table, "a", "block error", series=network)
        sheet.text(left, top_a + 5.5, style.network_title(network), fontweight="bold")
        caption = "block error " + number_with_interval(error.iloc[0])
        sheet.text(left, top_a + 8.6, caption, fontsize=style.SMALL_FONT)
        _draw_gram(sheet, grams[network], areas, Box(left, top_a + 14, side, side), limits)
        means = _means(plotted.pick(table, "b"), network, areas)
        own = (float(np.nanmin(means.to_numpy())), float(np.nanmax(means.to_numpy())))
        text = f"white {own[0]:.2f}, darkest {own[1]:.2f}"
        at = left_b + left, top_b + (10.5 if alone else 5.5)
        sheet.text(*at, text, fontsize=style.SMALL_FONT)
        axes = sheet.axes(Box(left_b + left, top_b + (14 if alone else 9), side, side))
        _draw_blocks(axes, means, areas, limits=own, named=index == 0)
        rows = plotted.pick(table, "c", series=network)
        box = Box(left_c + left, top_c + (14 if alone else 9), side, SCATTER_MM)
        if alone:
            box = box._replace(height=(side - 1.5) / 2)
        else:
            sheet.text(left, top_c + 5.5, style.network_title(network), fontsize=style.SMALL_FONT)
        _draw_points(sheet, rows, areas, box)
    rest = _left_out(table, list(grams)[MAX_NETWORKS:])
    sheet.text(EDGE_MM, top_a + 14 + side + 2, rest, fontsize=style.SMALL_FONT)
    bar = Box(EDGE_MM + (len(networks) - 1) * pitch + side + 2, top_a + 14, 1.6, side)
    panels.colour_bar(sheet, bar, style.SHARES, limits, "" if alone else "cosine similarity")
    if alone:
        sheet.text(0, top_a + 14 + side + 4, known, fontsize=style.SMALL_FONT)
    return sheet.figure


def _left_out(table: pd.DataFrame, networks: Sequence[str]) -> str:
    """Return the block errors of networks for which there is no room."""
    errors = [plotted.pick(table, "a", "block error", series=name).iloc[0] for name in networks]
    named = zip(map(style.network_title, networks), map(number_with_interval, errors), strict=True)
    return f"not drawn, block error: {', '.join(map(' '.join, named))}" if networks else ""


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


def _means(rows: pd.DataFrame, network: str, areas: Areas) -> pd.DataFrame:
    """Return the area-by-area means of a network."""
    own = rows[rows["series"].str.startswith(f"{network}|")]
    own = own.assign(series=own["series"].str.slice(len(network) + 1))
    return plotted.matrix(own, list(areas.names), list(areas.names))


def _draw_blocks(
    axes: Axes,
    means: pd.DataFrame,
    areas: Areas,
    *,
    limits: tuple[float, float],
    named: bool,
) -> None:
    texts = None
    if len(means) <= panels.MAX_COUNTED:
        texts = [["" if np.isnan(v) else f"{v:.2f}" for v in line] for line in means.to_numpy()]
    ticks = areas.ticks()
    rows_named = ticks if named else [""] * len(ticks)
    panels.heat(axes, means, rows_named, ticks, cmap=style.SHARES, limits=limits, texts=texts)


def _draw_points(sheet: Sheet, rows: pd.DataFrame, areas: Areas, box: Box) -> None:
    """Draw the second and the third component below each other, against the first."""
    points = plotted.pick(rows, quantity=POINTS)
    # Areas in turn along the table would cover each other; a fixed shuffle mixes them.
    points = points.iloc[np.random.default_rng(0).permutation(len(points))]
    shares = plotted.pick(rows, quantity="share of variance").set_index("item")["y"]
    names = {item: f"{item} ({100 * share:.0f} %)" for item, share in shares.items()}
    for line, (column, item) in enumerate((("y", "PC2"), ("z", "PC3"))):
        axes = sheet.axes(box._replace(top=box.top + line * (box.height + 1.5)))
        seaborn.scatterplot(
            points,
            x="x",
            y=column,
            hue="item",
            palette=dict(areas.colours),
            s=3.5,
            alpha=0.75,
            linewidth=0,
            legend=False,
            rasterized=True,
            ax=axes,
        )
        axes.set(xticks=[], yticks=[], xlabel=names["PC1"] if line else "", ylabel=names[item])
