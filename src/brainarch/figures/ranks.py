"""M5: how many factors: held-out error, stability and sparsity by their number (ours)."""

from __future__ import annotations

import pandas as pd
import seaborn
from matplotlib.figure import Figure

from brainarch.figures import plotted, style
from brainarch.figures.sheet import Box, Sheet

#: Column, panel and name of every line.
_LINES = (
    ("relative_error", "a", "fit"),
    ("held_out_error", "a", "held out"),
    ("starts_cosine", "b", "other starts"),
    ("halves_cosine", "b", "halves of the pixels"),
    ("zero_share", "c", "zeros"),
)
READ = ("factors", *(column for column, _, _ in _LINES), "held_out_low", "held_out_high")
_TITLES = {
    "a": ("Error", "relative error"),
    "b": ("Stability", "mean matched cosine"),
    "c": ("Sparsity", "share of coefficients at 0"),
}
_CHOSEN = "factors of this run"


def prepare(ranks: pd.DataFrame, chosen: int) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    ranks : pandas.DataFrame
        Columns as `READ`.
    chosen : int
        Number of factors of the run.
    """
    entries = []
    for column, letter, name in _LINES:
        for _, row in ranks.iterrows():
            held = column == "held_out_error"
            ends = {"low": row["held_out_low"], "high": row["held_out_high"]} if held else {}
            place = {"series": name, "x": row["factors"]}
            entries.append(plotted.entry(letter, _TITLES[letter][1], row[column], **place, **ends))
    entries.append(plotted.entry("a", _CHOSEN, chosen, x=chosen))
    return plotted.table(entries)


@style.styled
def draw(table: pd.DataFrame) -> Figure:
    """Draw the figure from its plotted table."""
    sheet = Sheet(52)
    width = (style.CONTENT_MM - 2 * 14) / 3
    chosen = float(plotted.pick(table, "a", _CHOSEN)["y"].iloc[0])
    for number, (letter, (title, label)) in enumerate(_TITLES.items()):
        left = number * (width + 14)
        sheet.panel(letter, left, 0, title)
        axes = sheet.axes(Box(left + 9, 6, width - 10, 36))
        rows = plotted.pick(table, letter, label)
        names = plotted.ordered(rows["series"])
        colours = dict(zip(names, style.subdivision_palette(len(names)), strict=True))
        seaborn.lineplot(
            rows, x="x", y="y", hue="series", palette=colours, marker="o", markeredgewidth=0,
            estimator=None, legend="auto" if len(names) > 1 else False, ax=axes,
        )  # fmt: skip
        band = rows.dropna(subset=["low"])
        if len(band):
            colour = colours[band["series"].iloc[0]]
            axes.fill_between(
                band["x"], band["low"], band["high"], color=colour, alpha=0.2, linewidth=0
            )
        axes.axvline(chosen, color=style.CHANCE, linestyle="--", linewidth=0.7)
        axes.set(xlabel="factors", ylabel=label)
        axes.set_ylim(0, 1.02 if letter != "a" else None)
        if axes.get_legend() is not None:
            axes.legend(frameon=False, title=None)
    return sheet.figure
