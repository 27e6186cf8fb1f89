"""V4: what classifiers read from the representations of several networks (V, Fig. 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from brainarch.figures import panels, plotted, style
from brainarch.figures.sheet import Box, Sheet

#: Scores of the Gaussian mixture, and the columns of their intervals; the adjusted mutual
#: information has none.
SCORES = {"v_measure": ("low", "high"), "ari": ("ari_low", "ari_high"), "ami": ()}
SCORE_TITLES = {
    "v_measure": "V-measure",
    "ari": "adjusted\nRand index",
    "ami": "adjusted mutual\ninformation",
}
#: Whose accuracy is shown.
SPLIT = "test"


def prepare(
    classifiers: pd.DataFrame,
    mixture: pd.DataFrame,
    noise: pd.DataFrame,
    differences: pd.DataFrame,
    chance: float,
) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    classifiers : pandas.DataFrame
        Columns network, classifier, split, accuracy, low, high.
    mixture : pandas.DataFrame
        Columns network, v_measure, low, high, ari, ari_low, ari_high, ami.
    noise : pandas.DataFrame
        Columns network, classifier, variance, accuracy, low, high.
    differences : pandas.DataFrame
        Columns network, classifier, other_network, difference, low, high.
    chance : float
        Accuracy of guessing, 1 over the number of areas with equally many patches.
    """
    entries: list[dict[str, Any]] = []
    for row in plotted.rows_of(classifiers[classifiers["split"] == SPLIT]):
        place = {"series": row.network, "item": row.classifier, "low": row.low, "high": row.high}
        entries.append(plotted.entry("a", "accuracy", row.accuracy, **place))
    entries.append(plotted.entry("a", "chance", chance))
    for record in mixture.to_dict("records"):
        for score, columns in SCORES.items():
            ends = {end: record[name] for end, name in zip(("low", "high"), columns, strict=False)}
            entries.append(
                plotted.entry("b", score, record[score], series=record["network"], **ends)
            )
    for row in plotted.rows_of(noise):
        place = {"series": row.network, "item": row.classifier, "low": row.low, "high": row.high}
        entries.append(plotted.entry("c", "accuracy", row.accuracy, x=row.variance, **place))
    entries.append(plotted.entry("c", "chance", chance))
    for row in plotted.rows_of(differences):
        ends = {"low": row.low, "high": row.high}
        place = {"series": row.other_network, "item": row.classifier, **ends}
        entries.append(plotted.entry("d", "difference", row.difference, **place))
    return plotted.table(entries)


@style.styled
def draw(table: pd.DataFrame, slices: Sequence[int] = ()) -> Figure:
    """Draw the figure from its plotted table; the patches are of some slices."""
    noise = plotted.pick(table, "c", "accuracy")
    chance = float(plotted.pick(table, "a", "chance")["y"].iloc[0])
    networks = plotted.ordered(table.loc[table["series"] != "", "series"])
    colours = style.network_colours(networks)
    differences = plotted.pick(table, "d")
    sheet = Sheet(162 if len(differences) else 108)
    sheet.swatches(0, 0, sheet.width, [(style.network_title(n), colours[n]) for n in networks])
    tall = 34.0

    sheet.panel("a", 0, 5, f"Classifiers, {style.test_patches(slices)}")
    axes = sheet.axes(Box(9, 13, 98, tall))
    found = panels.dots(axes, plotted.pick(table, "a", "accuracy"), "item", colours)
    panels.label_columns(axes, [style.CLASSIFIER_TITLES.get(name, name) for name in found])
    axes.set(ylim=(0, 1.02), ylabel="accuracy")
    panels.chance_line(axes, chance)

    sheet.panel("b", 114, 5, "Gaussian mixture, no labels; the same patches")
    axes = sheet.axes(Box(123, 13, 57, tall))
    scores = plotted.pick(table, "b")
    found = panels.dots(axes, scores, "quantity", colours)
    panels.label_columns(axes, [SCORE_TITLES[name] for name in found])
    lowest = float(np.nanmin([0.0, *scores["y"], *scores["low"]]))
    axes.set(ylim=(lowest * 1.1, 1.02), ylabel="agreement with areas")

    fitted = plotted.ordered(noise["item"])
    gap = 8.0
    width = (sheet.width - 10 - gap * (len(fitted) - 1)) / len(fitted)
    fewer = "fewer of these patches, so that clean accuracies differ from panel a"
    sheet.panel("c", 0, 61, f"Fitted clean, tested noisy: {fewer}")
    for index, name in enumerate(fitted):
        axes = sheet.axes(Box(9 + index * (width + gap), 69, width, tall))
        own = plotted.pick(noise, item=name)
        panels.curves(axes, own, colours)
        _variance_axis(axes, np.unique(own["x"]))
        axes.set(ylim=(0, 1.02), xlabel="variance of added noise", ylabel="accuracy")
        title = style.CLASSIFIER_TITLES.get(name, name).replace("\n", " ")
        axes.set_title(title, loc="left", fontsize=style.SMALL_FONT)
        panels.chance_line(axes, chance, side="left")
    if len(differences):
        _draw_differences(sheet, differences, colours, Box(9, 125, sheet.width - 9, 28))
    return sheet.figure


def _draw_differences(sheet: Sheet, rows: pd.DataFrame, colours: dict[str, str], box: Box) -> None:
    """Draw paired differences of accuracies, by classifier and by what is subtracted."""
    title = "On the trained network, minus on another (its own colour: minus its own last layer)"
    sheet.panel("d", 0, box.top - 9, title)
    axes = sheet.axes(box)
    found = panels.dots(axes, rows, "item", colours)
    panels.label_columns(axes, [style.CLASSIFIER_TITLES.get(name, name) for name in found])
    axes.axhline(0, color=style.CHANCE, linewidth=0.7, linestyle=(0, (4, 2)), zorder=1)
    axes.set(ylabel="difference of accuracy")


def _variance_axis(axes: Axes, variances: NDArray[np.floating]) -> None:
    """Space variances by their square root and name those that have room."""
    axes.set_xscale("function", functions=(lambda v: np.sqrt(np.clip(v, 0, None)), np.square))
    largest = float(variances.max())
    named: list[float] = []
    for value in sorted(variances):
        room = (np.sqrt(value) - np.sqrt(named[-1])) / np.sqrt(largest) if named else 1.0
        if room > 0.12:
            named.append(float(value))
    axes.set_xticks(named, [f"{value:g}" for value in named])
    axes.set_xticks([float(value) for value in variances], minor=True)
    axes.set_xlim(-0.0002 * largest, largest * 1.03)
