"""Learning curves: loss and accuracy of every run, with the epoch that was kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from brainarch.figures import panels, plotted, style
from brainarch.figures.sheet import Box, Sheet, swatches_height

#: Runs whose name says what they are.
RUN_TITLES = {"main": "areas as annotated", "permuted": "areas permuted (control)"}
#: Validation is full, training pale and dashed.
_DASHES: dict[str, Any] = {"val": "-", "train": (0, (2.5, 1.5))}


def prepare(curves: Mapping[str, pd.DataFrame], chance: float) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    curves : mapping of str to pandas.DataFrame
        By run: columns epoch, split, loss, accuracy.
    chance : float
        Accuracy of guessing.
    """
    entries: list[dict[str, Any]] = []
    for run, frame in curves.items():
        for row in plotted.rows_of(frame.sort_values(["split", "epoch"])):
            place = {"series": run, "item": row.split, "x": row.epoch}
            entries.append(plotted.entry("a", "loss", row.loss, unit="nats", **place))
            entries.append(plotted.entry("b", "accuracy", row.accuracy, **place))
        best = best_epoch(frame)
        place = {"series": run, "item": "val", "x": best["epoch"]}
        entries.append(plotted.entry("b", "accuracy of the epoch kept", best["accuracy"], **place))
    entries.append(plotted.entry("b", "chance", chance))
    return plotted.table(entries)


def best_epoch(curve: pd.DataFrame) -> pd.Series[Any]:
    """Return the row of the first epoch with the best validation accuracy (V)."""
    validation = curve[curve["split"] == "val"].sort_values("epoch")
    row: pd.Series[Any] = validation.iloc[int(validation["accuracy"].to_numpy().argmax())]
    return row


@style.styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the figure from its plotted table."""
    runs = plotted.ordered(table.loc[table["series"] != "", "series"])
    palette = style.component_palette(len(runs))
    colours = {run: palette[index] for index, run in enumerate(runs)}
    if "main" in colours:
        colours["main"] = style.NETWORK_COLOURS["cnn"]
    if "permuted" in colours:
        colours["permuted"] = style.NETWORK_COLOURS["texture"]
    entries = [(RUN_TITLES.get(run, run), colours[run]) for run in runs]
    width = style.SINGLE_COLUMN_MM - 2 * style.MARGIN_MM
    first = swatches_height(entries, width) + 3
    sheet = Sheet(first + 94, width=width)
    sheet.swatches(0, 0, width, entries)
    for letter, quantity, label, top in (
        ("a", "loss", "cross entropy (nats)", first),
        ("b", "accuracy", "accuracy", first + 48),
    ):
        sheet.panel(letter, 0, top, quantity.capitalize())
        axes = sheet.axes(Box(10, top + 6, width - 11, 32))
        for run in runs:
            _draw_run(axes, plotted.pick(table, letter, series=run), quantity, colours[run])
        axes.set(xlabel="epoch", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        axes.set_ylim(bottom=0, top=1.02 if quantity == "accuracy" else None)
        panels.light_grid(axes)
        if quantity == "accuracy":
            chance = float(plotted.pick(table, "b", "chance")["y"].iloc[0])
            panels.chance_line(axes, chance)
            _name_lines(axes)
    return sheet.figure


def _draw_run(axes: Axes, rows: pd.DataFrame, quantity: str, colour: str) -> None:
    for split, dashes in _DASHES.items():
        own = plotted.pick(rows, quantity=quantity, item=split).sort_values("x")
        shade = colour if split == "val" else style.lighten(colour, 0.35)
        marker = "o" if len(own) == 1 else ""
        axes.plot(own["x"], own["y"], color=shade, linestyle=dashes, marker=marker)
    best = plotted.pick(rows, quantity="accuracy of the epoch kept")
    axes.plot(
        best["x"],
        best["y"],
        linestyle="none",
        marker="o",
        markersize=4.2,
        markerfacecolor="#FFFFFF",
        markeredgecolor=colour,
        markeredgewidth=1.1,
        zorder=4,
    )


def _name_lines(axes: Axes) -> None:
    lines = [
        Line2D([], [], color=style.INK, linestyle=_DASHES["train"], label="training"),
        Line2D([], [], color=style.INK, linestyle=_DASHES["val"], label="validation"),
        Line2D(
            [],
            [],
            linestyle="none",
            marker="o",
            markersize=4.2,
            markerfacecolor="#FFFFFF",
            markeredgecolor=style.INK,
            label="kept",
        ),
    ]
    axes.legend(
        handles=lines,
        ncols=3,
        loc="lower right",
        bbox_to_anchor=(1.02, 1.0),
        columnspacing=0.9,
        handlelength=1.8,
    )
