"""M3: what each factor follows, and in which areas it is strong (ours)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from brainarch.figures import panels, plotted, style
from brainarch.figures.panels import Areas
from brainarch.figures.sheet import Box, Sheet, fit_text

#: What measures are called.
TITLES = {
    "blob_density": "dark blobs",
    "blob_radius": "their radius",
    "vessel_share": "vessels",
    "fibre_share": "fibres",
    "coherence": "one direction",
    "grey": "grey",
}
_RHO, _SHARE, _TEXT = "Spearman's correlation", "mean over the greatest area's", "description"
#: Heights and widths in millimetres: of a row, of both heat maps, and of what stands between.
_ROW, _HEAT, _GAP = 4.6, (52.0, 46.0), 5.0


def prepare(meaning: pd.DataFrame, atlas: pd.DataFrame, areas: Areas) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    meaning : pandas.DataFrame
        Columns factor, measure, rho, low, high, description.
    atlas : pandas.DataFrame
        Columns kind, name, quantity, mean.
    areas : Areas
    """
    entries = []
    for row in plotted.rows_of(meaning):
        place = {"series": row.factor, "item": row.measure}
        entries.append(plotted.entry("a", _RHO, row.rho, **place, low=row.low, high=row.high))
    for factor, own in meaning.groupby("factor"):
        quantity = f"{_TEXT}: {own['description'].iloc[0]}"
        entries.append(plotted.entry("a", quantity, np.nan, series=factor, item=_TEXT))
        of_areas = atlas[(atlas["kind"] == "area") & (atlas["quantity"] == f"factor {factor}")]
        means = of_areas.set_index("name")["mean"].reindex(list(areas.names))
        greatest = means.max()
        for name, mean in means.items():
            share = mean / greatest if greatest > 0 else np.nan
            entries.append(plotted.entry("b", _SHARE, share, series=factor, item=name))
    return plotted.table(entries)


@style.styled
def draw(table: pd.DataFrame, areas: Areas) -> Figure:
    """Draw the figure from its plotted table."""
    rho, share = plotted.pick(table, "a", _RHO), plotted.pick(table, "b", _SHARE)
    factors, measures = plotted.ordered(rho["series"]), plotted.ordered(rho["item"])
    height = _ROW * len(factors)
    sheet = Sheet(12 + height + 18)
    left = 8.0
    for letter, title, rows, items, names, cmap, limits, width in (
        ("a", "What each factor follows", rho, measures, [TITLES[m] for m in measures],
         style.SIGNED, (-1.0, 1.0), _HEAT[0]),
        ("b", "Mean by area, of the greatest", share, list(areas.names), areas.ticks(),
         style.SHARES, (0.0, 1.0), _HEAT[1]),
    ):  # fmt: skip
        sheet.panel(letter, left - 8 * (letter == "a"), 0, title)
        values = plotted.matrix(rows, factors, items)
        if letter == "a":
            sure = rows.assign(y=rows["low"] * rows["high"] > 0)
            values = values.where(plotted.matrix(sure, factors, items) > 0, 0.0)
            numbers = values.map(lambda rho: f"{rho:.1f}" if abs(rho) >= 0.05 else "")
        else:
            numbers = values.map(panels.short_share)
        many = len(items) > panels.MAX_NUMBERED
        texts = None if many else numbers.to_numpy().tolist()
        axes = sheet.axes(Box(left, 6, width, height))
        shown = factors if letter == "a" else [""] * len(factors)
        panels.heat(axes, values, shown, names, cmap=cmap, limits=limits, texts=texts)
        left += width + _GAP
    for index, factor in enumerate(factors):
        own = table[(table["series"] == factor) & (table["item"] == _TEXT)]["quantity"].iloc[0]
        text = fit_text(own.removeprefix(f"{_TEXT}: "), style.CONTENT_MM - left, style.SMALL_FONT)
        top = 6 + _ROW * (index + 0.5)
        sheet.text(left - 2, top, text, va="center", fontsize=style.SMALL_FONT)
    return sheet.figure
