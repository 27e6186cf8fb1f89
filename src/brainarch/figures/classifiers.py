"""V4: what classifiers read from the representations of several networks (V, Fig. 4)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from brainarch.figures import panels, plotted, style
from brainarch.figures.sheet import Box, Sheet

#: Scores of the Gaussian mixture and their markers: V-measure first, the others beside it.
MIXTURE_SCORES = {"v_measure": "o", "ari": "s", "ami": "D"}
#: Columns of the scores' intervals; the adjusted mutual information has none.
MIXTURE_INTERVALS = {"v_measure": ("low", "high"), "ari": ("ari_low", "ari_high")}
MIXTURE_TITLES = {"v_measure": "V-measure", "ari": "adjusted Rand", "ami": "adjusted MI"}


def prepare(
    classifiers: pd.DataFrame,
    mixture: pd.DataFrame | None,
    noise: pd.DataFrame | None,
    chance: float,
    split: str = "test",
) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    classifiers : pandas.DataFrame
        Columns network, classifier, split, accuracy, low, high.
    mixture : pandas.DataFrame, optional
        Columns network, v_measure, low, high and, if there, ari, ari_low, ari_high and ami.
    noise : pandas.DataFrame, optional
        Columns network, classifier, variance, accuracy, low, high.
    chance : float
        Accuracy of guessing, 1 over the number of areas with equally many patches.
    split : str
        Whose accuracy is shown.
    """
    entries: list[dict[str, Any]] = []
    for row in plotted.rows_of(classifiers[classifiers["split"] == split]):
        entries.append(
            plotted.entry(
                "a",
                "accuracy",
                row.accuracy,
                series=row.network,
                item=row.classifier,
                low=row.low,
                high=row.high,
            )
        )
    entries.append(plotted.entry("a", "chance", chance))
    if mixture is not None:
        for record in mixture.to_dict("records"):
            for score in MIXTURE_SCORES:
                if score not in record:
                    continue
                columns = MIXTURE_INTERVALS.get(score, ())
                interval = {
                    end: record[column]
                    for end, column in zip(("low", "high"), columns, strict=False)
                    if column in record
                }
                entries.append(
                    plotted.entry("b", score, record[score], series=record["network"], **interval)
                )
    if noise is not None:
        for row in plotted.rows_of(noise):
            entries.append(
                plotted.entry(
                    "c",
                    "accuracy",
                    row.accuracy,
                    series=row.network,
                    item=row.classifier,
                    x=row.variance,
                    low=row.low,
                    high=row.high,
                )
            )
        entries.append(plotted.entry("c", "chance", chance))
    return plotted.table(entries)


@style.styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the figure from its plotted table."""
    accuracies = plotted.pick(table, "a", "accuracy")
    mixture = plotted.pick(table, "b")
    noise = plotted.pick(table, "c", "accuracy")
    networks = plotted.ordered(table.loc[table["series"] != "", "series"])
    colours = style.network_colours(networks)
    curves = plotted.ordered(noise["item"])
    wide = len(curves) != 1  # the noise curves then have a line of their own, or are not there
    sheet = Sheet(108 if len(curves) > 1 else 54)
    sheet.swatches(0, 0, sheet.width, [(style.network_title(n), colours[n]) for n in networks])
    tall = 34.0

    sheet.panel("a", 0, 5, "Classifiers, test patches")
    axes = sheet.axes(Box(9, 13, 98 if wide else 62, tall))
    chance = float(plotted.pick(table, "a", "chance")["y"].iloc[0])
    _dots(axes, accuracies, networks, colours)
    axes.set(ylim=(0, 1.02), ylabel="accuracy")
    panels.chance_line(axes, chance)
    if len(mixture):
        left = 114.0 if wide else 75.0
        sheet.panel("b", left, 5, "Gaussian mixture, no labels")
        box = Box(left + 9, 13, 57 if wide else 38, tall)
        _draw_mixture(sheet.axes(box), mixture, networks, colours)
    if curves:
        places = [Box(135, 13, 44, tall)]
        if wide:
            gap = 8.0
            share = (sheet.width - 10 - gap * (len(curves) - 1)) / len(curves)
            places = [Box(9 + i * (share + gap), 69, share, tall) for i in range(len(curves))]
        sheet.panel("c", places[0].left - 9, places[0].top - 8, "Fitted clean, tested noisy")
        for item, place in zip(curves, places, strict=True):
            axes = sheet.axes(place)
            _draw_noise(axes, plotted.pick(noise, item=item), networks, colours)
            title = style.CLASSIFIER_TITLES.get(item, item).replace("\n", " ")
            axes.set_title(title, loc="left", fontsize=style.SMALL_FONT)
            axes.set_ylabel("accuracy")
            panels.chance_line(axes, chance, side="left")
    return sheet.figure


def _dots(axes: Axes, rows: pd.DataFrame, networks: list[str], colours: dict[str, str]) -> None:
    items = plotted.ordered(rows["item"])
    step = min(0.22, 0.7 / max(1, len(networks)))
    for index, network in enumerate(networks):
        own = plotted.pick(rows, series=network)
        x = np.array([items.index(item) for item in own["item"]], dtype=float)
        shift = (index - (len(networks) - 1) / 2) * step
        panels.intervals(axes, x + shift, own, colours[network])
    panels.label_columns(axes, [style.CLASSIFIER_TITLES.get(item, item) for item in items])
    axes.set_xlim(-0.5, len(items) - 0.5)
    axes.tick_params(axis="x", length=0)
    panels.light_grid(axes)


def _draw_mixture(
    axes: Axes, rows: pd.DataFrame, networks: list[str], colours: dict[str, str]
) -> None:
    shown = [network for network in networks if len(plotted.pick(rows, series=network))]
    scores = [score for score in MIXTURE_SCORES if len(plotted.pick(rows, quantity=score))]
    for position, network in enumerate(shown):
        for index, score in enumerate(scores):
            own = plotted.pick(rows, quantity=score, series=network)
            x = np.full(len(own), position + (index - (len(scores) - 1) / 2) * 0.2)
            panels.intervals(
                axes, x, own, colours[network], marker=MIXTURE_SCORES[score], filled=index == 0
            )
    axes.set_xticks(
        range(len(shown)), [style.network_title(name).replace(" ", "\n", 1) for name in shown]
    )
    axes.set(xlim=(-0.5, len(shown) - 0.5), ylabel="agreement with areas")
    low = float(np.nanmin([0.0, *rows["y"], *rows["low"]]))
    axes.set_ylim(min(0.0, low * 1.1), 1.02)
    axes.tick_params(axis="x", length=0)
    handles = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=MIXTURE_SCORES[score],
            markersize=3.2,
            markeredgecolor=style.INK,
            markerfacecolor=style.INK if index == 0 else "#FFFFFF",
            label=MIXTURE_TITLES[score],
        )
        for index, score in enumerate(scores)
    ]
    axes.legend(
        handles=handles,
        ncols=3,
        loc="lower left",
        bbox_to_anchor=(-0.05, 1.0),
        columnspacing=0.7,
        handletextpad=0.0,
    )
    panels.light_grid(axes)


def _draw_noise(
    axes: Axes, rows: pd.DataFrame, networks: list[str], colours: dict[str, str]
) -> None:
    for network in networks:
        own = plotted.pick(rows, series=network).sort_values("x")
        if len(own):
            panels.band(axes, own, colours[network], style.network_title(network))
    variance_axis(axes, np.unique(rows["x"]))
    axes.set(ylim=(0, 1.02), xlabel="variance of added noise")
    panels.light_grid(axes)


def variance_axis(axes: Axes, variances: np.ndarray[Any, Any]) -> None:
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
