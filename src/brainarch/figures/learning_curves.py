"""Learning curves: loss and accuracy of every run, with the epoch that was kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from brainarch.figures import panels, plotted, style
from brainarch.figures.sheet import Box, Sheet, swatches_height

#: Runs whose name says what they are.
RUN_TITLES = {"main": "areas as annotated", "permuted": "areas permuted (control)"}
RUN_COLOURS = {
    "main": style.NETWORK_COLOURS["cnn"],
    "permuted": style.NETWORK_COLOURS["texture"],
}
#: Validation is full, training dashed.
_DASHES: dict[str, Any] = {"val": "", "train": (2.5, 1.5)}
#: The circle round the epoch that was kept.
_KEPT: dict[str, Any] = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 4.2,
    "markerfacecolor": "#FFFFFF",
    "markeredgewidth": 1.1,
    "zorder": 4,
}


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
    colours = dict(zip(runs, style.subdivision_palette(len(runs)), strict=True)) | {
        run: colour for run, colour in RUN_COLOURS.items() if run in runs
    }
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
            rows = plotted.pick(table, letter, quantity, run)
            seaborn.lineplot(
                rows,
                x="x",
                y="y",
                style="item",
                dashes=_DASHES,
                color=colours[run],
                marker="o" if rows["x"].nunique() == 1 else "",
                markeredgewidth=0,
                estimator=None,
                legend=False,
                ax=axes,
            )
        axes.set(xlabel="epoch", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        axes.set_ylim(bottom=0, top=1.02 if quantity == "accuracy" else None)
        axes.grid(axis="y")
    for row in plotted.rows_of(plotted.pick(table, "b", "accuracy of the epoch kept")):
        axes.plot(row.x, row.y, **_KEPT, markeredgecolor=colours[row.series])
    panels.chance_line(axes, float(plotted.pick(table, "b", "chance")["y"].iloc[0]))
    _name_lines(axes)
    return sheet.figure


def _name_lines(axes: Axes) -> None:
    lines = [
        Line2D([], [], color=style.INK, linestyle=(0, _DASHES["train"]), label="training"),
        Line2D([], [], color=style.INK, label="validation"),
        Line2D([], [], **_KEPT, markeredgecolor=style.INK, label="kept"),
    ]
    axes.legend(
        handles=lines,
        ncols=3,
        loc="lower right",
        bbox_to_anchor=(1.02, 1.0),
        columnspacing=0.9,
        handlelength=1.8,
    )
