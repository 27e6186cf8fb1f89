"""Grey values of a whole volume: its histogram, and brightness and tissue from slice to slice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from brainarch.figures import panels, plotted, style
from brainarch.figures.sheet import Box, Sheet

#: Most bars of the histogram; wider ones where there are more grey values.
BARS = 256
#: Percentiles marked in the histogram.
MARKED = ("percentile_1", "percentile_50", "percentile_99")

_BAR_COLOUR = "#8FA3B8"
_THRESHOLD_COLOUR = "#D55E00"
_LINE_COLOUR = style.NETWORK_COLOURS["cnn"]


def prepare(summary: pd.DataFrame, histogram: pd.DataFrame, slices: pd.DataFrame) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    summary : pandas.DataFrame
        Columns quantity, value.
    histogram : pandas.DataFrame
        Columns grey, voxels: every grey value.
    slices : pandas.DataFrame
        Columns slice, mean, std, tissue_share.
    """
    entries: list[dict[str, Any]] = []
    values = dict(zip(summary["quantity"], summary["value"], strict=True))
    voxels = histogram["voxels"].to_numpy(dtype=np.int64)
    used = int(values["maximum"]) + 1
    width = max(1, -(-used // BARS))
    padded = np.zeros(-(-used // width) * width, dtype=np.int64)
    padded[:used] = voxels[:used]
    for index, count in enumerate(padded.reshape(-1, width).sum(axis=1)):
        share = float(count) / float(voxels.sum())
        entries.append(plotted.entry("a", "share of voxels", share, item=width, x=index * width))
    for name in (*MARKED, "tissue_threshold"):
        entries.append(plotted.entry("a", name, values[name], unit="grey value"))
    for row in plotted.rows_of(slices):
        low, high = row.mean - row.std, row.mean + row.std
        entries.append(
            plotted.entry(
                "b", "mean grey value", row.mean, unit="raw", x=row.slice, low=low, high=high
            )
        )
        entries.append(plotted.entry("c", "tissue", row.tissue_share, x=row.slice))
    return plotted.table(entries)


@style.styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the figure from its plotted table; low and high are one standard deviation away."""
    width = style.SINGLE_COLUMN_MM - 2 * style.MARGIN_MM
    sheet = Sheet(134, width=width)
    sheet.panel("a", 0, 0, "Grey values of all voxels")
    axes = sheet.axes(Box(11, 8, width - 12, 32))
    bars = plotted.pick(table, "a", "share of voxels")
    step = float(bars["item"].iloc[0])
    axes.bar(bars["x"], bars["y"], width=step, align="edge", color=_BAR_COLOUR, linewidth=0)
    axes.set(xlabel="grey value (raw)", ylabel="share of voxels")
    axes.set_xlim(0, float(bars["x"].max()) + step)
    threshold = float(plotted.pick(table, "a", "tissue_threshold")["y"].iloc[0])
    axes.axvline(threshold, color=_THRESHOLD_COLOUR, linewidth=0.9)
    marks = [float(plotted.pick(table, "a", name)["y"].iloc[0]) for name in MARKED]
    for mark in marks:
        axes.axvline(mark, color=style.CHANCE, linewidth=0.7, linestyle=(0, (4, 2)))
    named = ", ".join(name.split("_")[1] for name in MARKED)
    sheet.text(
        width,
        4.6,
        f"tissue above {threshold:g} (orange); dashed: percentiles {named}",
        ha="right",
        fontsize=style.SMALL_FONT,
    )
    for letter, title, label, quantity, top in (
        ("b", "Mean and standard deviation of a slice", "grey value (raw)", "mean grey value", 48),
        ("c", "Tissue", "share of the slice", "tissue", 92),
    ):
        rows = plotted.pick(table, letter, quantity)
        sheet.panel(letter, 0, top, title)
        axes = sheet.axes(Box(11, top + 6, width - 12, 28))
        panels.curves(axes, rows, {"": _LINE_COLOUR}, marker="o" if len(rows) == 1 else "")
        axes.set(xlabel="slice", ylabel=label)
        axes.set_ylim(bottom=0, top=1.02 if letter == "c" else None)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    return sheet.figure
