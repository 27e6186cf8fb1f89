"""Calibration: how far the network's confidence is its share of right answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from brainarch.figures import plotted, style
from brainarch.figures.sheet import Box, Sheet

#: What the network says, and what it says with the fitted temperature.
STATES = {"raw": "as the network says", "scaled": "with the temperature"}
_COLOURS = {"raw": style.NETWORK_COLOURS["texture"], "scaled": style.NETWORK_COLOURS["cnn"]}
#: Fewest patches of a bin that is shown; the table of the run has all.
LEAST = 10
#: Area of a point: of few patches, and more for a share of all (points squared).
_SMALL, _LARGE = 4.0, 120.0


def prepare(reliability: pd.DataFrame, summary: Mapping[str, Any]) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    reliability : pandas.DataFrame
        Columns state, patches, confidence, accuracy.
    summary : mapping
        temperature, and of each state the expected_calibration_error.
    """
    entries: list[dict[str, Any]] = []
    for row in plotted.rows_of(reliability[reliability["patches"] >= LEAST]):
        place = {"series": row.state, "x": row.confidence}
        entries.append(plotted.entry("a", "accuracy", row.accuracy, z=row.patches, **place))
    for state in STATES:
        error = summary[state]["expected_calibration_error"]
        entries.append(plotted.entry("a", "expected calibration error", error, series=state))
    entries.append(plotted.entry("a", "temperature", summary["temperature"]))
    return plotted.table(entries)


@style.styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the figure from its plotted table; the area of a point is its share of the patches."""
    width = style.SINGLE_COLUMN_MM - 2 * style.MARGIN_MM
    sheet = Sheet(96, width=width)
    temperature = float(plotted.pick(table, "a", "temperature")["y"].iloc[0])
    for number, (state, title) in enumerate(STATES.items()):
        error = plotted.pick(table, "a", "expected calibration error", state)["y"].iloc[0]
        text = f"{title}: expected calibration error {error:.3f}"
        text += f" (T = {temperature:.2f})" if state == "scaled" else ""
        sheet.swatches(0, 5.0 * number, width, [(text, _COLOURS[state])])
    axes = sheet.axes(Box(12, 14, width - 14, width - 14))
    axes.plot([0, 1], [0, 1], color=style.INK, linewidth=0.5, linestyle=(0, (4, 3)))
    for state in STATES:
        rows = plotted.pick(table, "a", "accuracy", state)
        sizes = _SMALL + _LARGE * rows["z"] / rows["z"].sum()
        axes.plot(rows["x"], rows["y"], color=_COLOURS[state])
        axes.scatter(rows["x"], rows["y"], s=sizes, color=_COLOURS[state], linewidths=0, zorder=3)
    axes.set(xlim=(0, 1.03), ylim=(0, 1.03))
    axes.set(xlabel="confidence", ylabel="share that is right")
    return sheet.figure
