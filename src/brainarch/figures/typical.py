"""M4 and V8: patches side by side with their places: the most typical ones, and outliers (ours)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from brainarch.embedding.names import CNN
from brainarch.figures import panels, plotted, rasters, style
from brainarch.figures.panels import Areas
from brainarch.figures.rasters import Raster
from brainarch.figures.sheet import Box, Sheet

#: Patches of a line, lines side by side, and sizes in millimetres: space before a line's patches,
#: between patches, for the places below them, and above and below a panel.
SHOWN, _COLUMNS = 5, 2
_NAME, _GAP, _PLACE, _HEAD = 16.0, 0.8, 3.0, 8.0
_LETTERS = {"outlier": "a", "factor": "a", "component": "b", "cluster": "c"}
#: What M4 shows, and V8.
TYPICAL, OUTLIERS = ("factor", "component", "cluster"), ("outlier",)
_TITLES = {
    "outlier": "Test patches least like the training patches of their own area",
    "factor": "Where each factor is strongest",
    "component": "Nearest to the mean of each component",
    "cluster": "Nearest to the mean of each cluster",
}


def prepare(typical: pd.DataFrame) -> pd.DataFrame:
    """Return the plotted table: the patches shown, with their places.

    Parameters
    ----------
    typical : pandas.DataFrame
        Columns kind, name, rank, y, x, value; the first `SHOWN` of each are shown.
    """
    entries = [
        plotted.entry(
            _LETTERS[row.kind], "row of the patch", row.y, series=row.name, item=row.rank, x=row.x,
            z=row.value,
        )
        for row in plotted.rows_of(typical[typical["rank"] <= SHOWN])
    ]  # fmt: skip
    return plotted.table(entries)


def of_outliers(outliers: pd.DataFrame, areas: Areas) -> pd.DataFrame:
    """Return the outliers of the network that is shown as a table that `prepare` takes.

    Parameters
    ----------
    outliers : pandas.DataFrame
        Columns network, z, y, x, area, rank, distance.
    areas : Areas
        For the names; areas without outliers have no line.
    """
    networks = plotted.ordered(outliers["network"])
    shown = CNN if CNN in networks else "".join(networks[:1])
    own = outliers[outliers["network"] == shown]
    short = dict(zip(areas.names, areas.ticks(), strict=True))
    return own.assign(
        kind="outlier", name=own["area"].map(short), value=own["distance"], slice=own["z"]
    )


@style.styled
def draw(
    table: pd.DataFrame,
    patches: Sequence[NDArray[np.generic]],
    pixel_um: float,
    kinds: Sequence[str] = TYPICAL,
) -> Figure:
    """Draw the figure from its plotted table.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `prepare`.
    patches : sequence of ndarray, shape (128, 128)
        The patch of each row of the table.
    pixel_um : float
        Edge of a pixel.
    kinds : sequence of str
        `TYPICAL` or `OUTLIERS`.
    """
    half = (style.CONTENT_MM - 4.0) / _COLUMNS
    names = {kind: plotted.ordered(plotted.pick(table, _LETTERS[kind])["series"]) for kind in kinds}
    lines = {kind: -(-len(own) // _COLUMNS) for kind, own in names.items() if own}
    room = (style.PAGE_MM - _HEAD * len(lines)) / max(1, sum(lines.values()))
    side = min((half - _NAME) / SHOWN - _GAP, room - _PLACE)
    line = side + _PLACE
    placed, top = [], 0.0
    for kind, rows in lines.items():
        places = {name: divmod(i, rows) for i, name in enumerate(names[kind])}
        placed.append((kind, _LETTERS[kind], top, places))
        top += _HEAD + rows * line
    sheet = Sheet(max(top, 20.0))
    limits = rasters.grey_limits(np.stack(patches).astype(np.float32)) if len(patches) else (0, 1)
    for number, (kind, letter, above, places) in enumerate(placed):
        sheet.panel("abc"[number], 0, above, _TITLES[kind])
        own = plotted.pick(table, letter)
        for row, patch in zip(plotted.rows_of(own), _of(patches, table, letter), strict=True):
            column, index = places[row.series]
            left = column * (half + 4.0)
            y = above + 6 + index * line
            if row.item == "1":
                name = row.series if kind in OUTLIERS else f"{kind} {row.series}"
                sheet.text(left, y + side / 2, name, va="center")
            left += _NAME + (int(row.item) - 1) * (side + _GAP)
            axes = sheet.axes(Box(left, y, side, side))
            panels.show_grey(axes, Raster(patch.astype(np.float32), 0, 0, 1, pixel_um), limits)
            panels.bare_frame(axes)
            if number == 0 and row.item == "1" and (column, index) == (0, 0):
                panels.scale_bar(axes, inside=True, length_um=50 if pixel_um < 2 else None)
            sheet.text(
                left + side / 2, y + side + 0.4, f"{row.y:.0f}, {row.x:.0f}", ha="center",
                fontsize=style.SMALL_FONT - 0.7, color=style.FAINT,
            )  # fmt: skip
    return sheet.figure


def _of(
    patches: Sequence[NDArray[np.generic]], table: pd.DataFrame, letter: str
) -> list[NDArray[np.generic]]:
    """Return the patches of a panel's rows."""
    return [patch for patch, panel in zip(patches, table["panel"], strict=True) if panel == letter]
