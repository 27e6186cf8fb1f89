"""Label efficiency: what linear probes reach with a few labelled blocks of each area."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from brainarch.embedding.names import CNN
from brainarch.figures import panels, plotted, style
from brainarch.figures.sheet import Box, Sheet, swatches_height


def prepare(efficiency: pd.DataFrame, chance: float) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    efficiency : pandas.DataFrame
        Columns network, blocks, every, accuracy, lowest, highest. Of the trained network only the
        row of all blocks is shown: it has learnt from all labels itself.
    chance : float
        Accuracy of guessing.
    """
    entries: list[dict[str, Any]] = []
    for row in plotted.rows_of(efficiency):
        if row.network != CNN or row.every:
            place = {"series": row.network, "item": "all" if row.every else "", "x": row.blocks}
            ends = {"low": row.lowest, "high": row.highest}
            entries.append(plotted.entry("a", "accuracy", row.accuracy, **place, **ends))
    entries.append(plotted.entry("a", "chance", chance))
    return plotted.table(entries)


@style.styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the figure from its plotted table; bars span the draws of blocks."""
    rows = plotted.pick(table, "a", "accuracy")
    networks = plotted.ordered(rows["series"])
    colours = style.network_colours(networks)
    entries = [(style.network_title(network), colours[network]) for network in networks]
    width = style.SINGLE_COLUMN_MM - 2 * style.MARGIN_MM
    first = swatches_height(entries, width) + 3
    sheet = Sheet(first + 62, width=width)
    sheet.swatches(0, 0, width, entries)
    axes = sheet.axes(Box(12, first, width - 14, 48))
    for network in networks:
        own = plotted.pick(rows, series=network)
        if network == CNN:
            axes.axhline(float(own["y"].iloc[0]), color=colours[network], linestyle=(0, (4, 2)))
            continue
        spans = [own["y"] - own["low"], own["high"] - own["y"]]
        axes.errorbar(own["x"], own["y"], spans, color=colours[network], marker="o", elinewidth=0.6)
    panels.chance_line(axes, float(plotted.pick(table, "a", "chance")["y"].iloc[0]))
    ticks = rows.drop_duplicates("x").sort_values("x")
    labels = [item or f"{x:g}" for x, item in zip(ticks["x"], ticks["item"], strict=True)]
    axes.set_xscale("log", base=2)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks["x"].to_list(), labels)
    axes.set(xlabel="labelled blocks of each area", ylabel="accuracy on test patches")
    axes.set_ylim(0, 1.02)
    axes.grid(axis="y")
    return sheet.figure
