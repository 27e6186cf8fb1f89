"""Degradation: accuracy on worse images, by network."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from brainarch.figures import panels, plotted, style
from brainarch.figures.sheet import Box, Sheet

#: Kinds of change in the order of the panels, with the level that changes nothing.
KINDS = {
    "levels": ("grey levels", 256.0),
    "contrast": ("contrast (factor)", 1.0),
    "brightness": ("brightness added", 0.0),
    "blur": ("blur (standard deviation, px)", 0.0),
    "resolution": ("resolution (factor)", 1.0),
}
#: The classifier that is shown.
SHOWN = "logistic"
_COLUMNS = 3


def prepare(degradation: pd.DataFrame, chance: float) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    degradation : pandas.DataFrame
        Columns network, classifier, change, level, accuracy, low, high.
    chance : float
        Accuracy of guessing.
    """
    own = degradation[degradation["classifier"] == SHOWN]
    entries: list[dict[str, Any]] = []
    for kind, (_, unchanged) in KINDS.items():
        rows = own[own["change"].isin([kind, "none"])].fillna({"level": unchanged})
        for row in plotted.rows_of(rows.sort_values(["network", "level"], kind="stable")):
            place = {"series": row.network, "item": kind, "x": row.level}
            ends = {"low": row.low, "high": row.high}
            entries.append(plotted.entry("a", "accuracy", row.accuracy, **place, **ends))
    networks = {name: rank for rank, name in enumerate(plotted.ordered(own["network"]))}
    entries.sort(key=lambda entry: networks[entry["series"]])
    entries.append(plotted.entry("a", "chance", chance))
    return plotted.table(entries)


@style.styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the figure from its plotted table, one panel a kind of change."""
    rows = plotted.pick(table, "a", "accuracy")
    networks = plotted.ordered(rows["series"])
    colours = style.network_colours(networks)
    chance = float(plotted.pick(table, "a", "chance")["y"].iloc[0])
    sheet = Sheet(112)
    sheet.swatches(0, 0, sheet.width, [(style.network_title(n), colours[n]) for n in networks])
    width = (sheet.width - 12 * _COLUMNS) / _COLUMNS
    for index, (kind, (title, _)) in enumerate(KINDS.items()):
        line, column = divmod(index, _COLUMNS)
        axes = sheet.axes(Box(10 + column * (width + 12), 12 + 52 * line, width, 34))
        own = plotted.pick(rows, item=kind)
        panels.curves(axes, own, colours)
        panels.chance_line(axes, chance, side="left")
        ticks = sorted(set(own["x"]))
        if kind in ("levels", "resolution"):
            axes.set_xscale("log", base=2)
            axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(ticks, [f"{value:g}" for value in ticks])
        axes.set(ylim=(0, 1.02), xlabel=title, ylabel="accuracy")
    return sheet.figure
