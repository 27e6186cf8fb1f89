"""What a network says of one slice, annotated or not: areas, confidence, novelty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from brainarch.figures import panels, plotted, style
from brainarch.figures.panels import Areas
from brainarch.figures.rasters import Raster
from brainarch.figures.sheet import Box, Sheet, best_grid, swatches_height

#: Resolution of the PNG in pixels per inch: they are looked at on a screen.
DPI = 200
#: Space for all maps of a slice, in millimetres.
TALLEST_MM = 200.0
#: Height of a line of the title.
TITLE_LINE_MM = 4.0
#: Space beside a map, and for its title and colour bar, in millimetres.
GAP_MM = (5.0, 14.0)
#: Opacity of the areas over the tissue.
OVERLAY = 0.5
#: The item that stands for every extracted pixel.
EVERYWHERE = "all"
#: The item that stands for pixels that the network takes for no tissue.
OUTSIDE = "outside"
#: Quantities of the novelty: its largest usual value, and the share of pixels beyond that.
THRESHOLD = "largest usual novelty"
UNUSUAL = "share unlike the training data"


def prepare(
    areas: Areas,
    predicted: NDArray[np.uint8],
    confidence: NDArray[np.float32],
    novelty: NDArray[np.float32],
    threshold: float,
) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    areas : Areas
    predicted : ndarray of uint8, shape (rows, columns)
        Likeliest area of every extracted pixel, one more than there are for what is no tissue;
        0 elsewhere.
    confidence : ndarray of float32, shape (rows, columns)
        Its probability, NaN elsewhere.
    novelty : ndarray of float32, shape (rows, columns)
        Distance from the training data, NaN elsewhere.
    threshold : float
        Largest novelty that is usual.
    """
    masks = {EVERYWHERE: predicted > 0}
    names = (*areas.names, *(OUTSIDE for _ in range(int(predicted.max() > len(areas.names)))))
    masks |= {name: predicted == code for code, name in enumerate(names, start=1)}
    limit = plotted.entry("c", THRESHOLD, threshold)
    return plotted.table([*_entries(masks, confidence, novelty > threshold), limit])


def _entries(
    masks: dict[str, NDArray[np.bool_]],
    confidence: NDArray[np.float32],
    unusual: NDArray[np.bool_],
) -> Iterator[dict[str, Any]]:
    total = np.count_nonzero(masks[EVERYWHERE])
    for name, mask in masks.items():
        pixels = int(np.count_nonzero(mask))
        yield plotted.entry("a", "extracted pixels", pixels, item=name)
        share = pixels / total if total else np.nan
        yield plotted.entry("a", "share of extracted pixels", share, item=name)
        mean = float(confidence[mask].mean(dtype=np.float64)) if pixels else np.nan
        yield plotted.entry("b", "mean confidence", mean, item=name)
        strange = np.count_nonzero(unusual & mask) / pixels if pixels else np.nan
        yield plotted.entry("c", UNUSUAL, strange, item=name)


@style.styled
def draw(
    table: pd.DataFrame,
    areas: Areas,
    *,
    grey: Raster,
    predicted: Raster,
    confidence: Raster,
    novelty: Raster,
    title: str,
) -> Figure:
    """Draw the maps, and a legend with the share of each area.

    Parameters
    ----------
    table : pandas.DataFrame
        The plotted table.
    areas : Areas
    grey, predicted, confidence, novelty : Raster
        The extracted part of the slice, its codes, their probability, and how unlike the training
        data it is.
    title : str
        What the slice is, in one line or more.
    """
    width, shares = style.CONTENT_MM, plotted.pick(table, quantity="share of extracted pixels")
    named = dict(zip(areas.names, areas.swatches(), strict=True))
    named[OUTSIDE] = ("not tissue, as the network sees it", style.NOT_TISSUE)
    legend = [
        (f"{label}: {100 * _value(shares, name):.1f} %", colour)
        for name, (label, colour) in named.items()
        if name in set(shares["item"])
    ]
    if not predicted.values.all():
        legend.append(("not extracted (a: the slice alone)", style.ABSENT))
    usual = float(plotted.pick(table, quantity=THRESHOLD)["y"].iloc[0])
    beyond = _value(plotted.pick(table, quantity=UNUSUAL), EVERYWHERE)
    unlike = f"novelty: {100 * beyond:.1f} % above {usual:.2f}"
    valued = [
        ("b", "confidence", confidence, style.SHARES, (0.0, 1.0)),
        # white up to the threshold: what is coloured is unlike the training data
        ("c", unlike, novelty, style.COEFFICIENTS, (usual, 3 * usual)),
    ]
    top = 10 + TITLE_LINE_MM * title.count("\n")
    room = style.PAGE_MM - 5 - top - swatches_height(legend, width)
    rows, columns, map_width, map_height = best_grid(
        1 + len(valued), predicted.aspect, width, min(TALLEST_MM, room), GAP_MM
    )
    below = top - 5 + rows * (map_height + GAP_MM[1])
    sheet = Sheet(below + swatches_height(legend, width))
    sheet.text(0, 0, title, fontsize=style.FONT + 0.5)

    def box(index: int) -> Box:
        left = index % columns * (map_width + GAP_MM[0])
        return Box(left, top + index // columns * (map_height + GAP_MM[1]), map_width, map_height)

    own = box(0)
    sheet.panel("a", own.left, own.top - 5, "predicted area")
    axes = sheet.axes(own)
    panels.show_grey(axes, grey)
    palette = [*areas.palette, style.NOT_TISSUE]
    panels.show_codes(axes, predicted, palette, background=None, alpha=OVERLAY)
    panels.bare_frame(axes)
    panels.scale_bar(axes)
    for index, (letter, what, raster, cmap, limits) in enumerate(valued, start=1):
        own = box(index)
        sheet.panel(letter, own.left, own.top - 5, what)
        axes = sheet.axes(own)
        panels.show_values(axes, raster, cmap, *limits)
        panels.bare_frame(axes)
        bar = Box(own.left + 2, own.top + own.height + 1.5, min(40.0, own.width - 4), 1.6)
        panels.colour_bar(sheet, bar, cmap, limits, "")
    sheet.swatches(0, below, width, legend)
    return sheet.figure


def _value(rows: pd.DataFrame, name: str) -> float:
    return float(plotted.pick(rows, item=name)["y"].iloc[0])
