"""M3: what each factor follows, where it is strong, and what an area's parts are made of (ours)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.colors import Colormap
from matplotlib.figure import Figure

from brainarch.figures import panels, plotted, style
from brainarch.figures.panels import Areas
from brainarch.figures.sheet import Box, Sheet, fit_text, text_width
from brainarch.microstructure.meaning import certain

#: What measures are called.
TITLES = {
    "blob_density": "dark blobs",
    "blob_radius": "their radius",
    "vessel_share": "vessels",
    "fibre_share": "fibres",
    "coherence": "one direction",
    "grey": "grey",
    "depth": "depth",
    "planted_cells": "cells planted",
    "planted_axons": "axons planted",
    "planted_vessels": "vessels planted",
}
_RHO, _SHARE, _TEXT = "Spearman's correlation", "mean over the greatest area's", "description"
_SURE, _RATIO = "certain", "mean over that of the whole area"
_AUROC = "AUROC of the selected factor"
#: Sizes in millimetres: of a row at most, of a column, and of what stands between.
_ROW, _COLUMN, _GAP = 4.6, 6.2, 5.0
#: Most that the columns of all areas take, in millimetres.
_WIDEST = 62.0


def prepare(
    meaning: pd.DataFrame,
    atlas: pd.DataFrame,
    selection: pd.DataFrame,
    sensitivity: pd.DataFrame,
    areas: Areas,
) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    meaning : pandas.DataFrame
        Columns factor, measure, rho, low, high, p, description.
    atlas : pandas.DataFrame
        Columns kind, name, quantity, mean, low, high, pixels.
    selection, sensitivity : pandas.DataFrame
        Columns area, factor, auroc; of the first rule, of the second threshold, lambda.
    areas : Areas
    """
    entries = []
    for row, sure in zip(plotted.rows_of(meaning), certain(meaning), strict=True):
        place = {"series": row.factor, "item": row.measure}
        entries.append(plotted.entry("a", _RHO, row.rho, **place, low=row.low, high=row.high))
        entries.append(plotted.entry("a", _SURE, sure, **place))
    for factor, own in meaning.groupby("factor"):
        quantity = f"{_TEXT}: {own['description'].iloc[0]}"
        entries.append(plotted.entry("a", quantity, np.nan, series=factor, item=_TEXT))
        of_areas = atlas[(atlas["kind"] == "area") & (atlas["quantity"] == f"factor {factor}")]
        means = of_areas.set_index("name")["mean"].reindex(list(areas.names))
        greatest = means.max()
        for name, mean in means.items():
            share = mean / greatest if greatest > 0 else np.nan
            entries.append(plotted.entry("b", _SHARE, share, series=factor, item=name))
    measures = plotted.ordered(meaning["measure"])
    inside = atlas[atlas["kind"].isin(["component", "cluster"])]
    inside = inside[inside["quantity"].isin(measures) & (inside["pixels"] > 0)]
    for (kind, measure), own in inside.groupby(["kind", "quantity"], sort=False):
        whole = float(np.average(own["mean"], weights=own["pixels"]))
        for row in plotted.rows_of(own):
            place = {"series": f"{kind} {row.name}", "item": measure}
            ends = {"low": row.low / whole, "high": row.high / whole} if whole else {}
            ratio = row.mean / whole if whole else np.nan
            entries.append(plotted.entry("c", _RATIO, ratio, **place, **ends))
    chosen = [("AUROC", own) for own in plotted.rows_of(selection) if own.rule == "auroc"]
    named = sensitivity.rename(columns={"lambda": "weight"})
    chosen += [(f"{own.threshold}, {own.weight:g}", own) for own in plotted.rows_of(named)]
    for rule, own in chosen:
        place = {"series": rule, "item": own.area, "x": own.factor}
        entries.append(plotted.entry("d", _AUROC, own.auroc, **place))
    return plotted.table(entries)


@style.styled
def draw(table: pd.DataFrame, areas: Areas) -> Figure:
    """Draw the figure from its plotted table."""
    rho, share, ratio = (
        plotted.pick(table, letter, quantity)
        for letter, quantity in (("a", _RHO), ("b", _SHARE), ("c", _RATIO))
    )
    factors, measures = plotted.ordered(rho["series"]), plotted.ordered(rho["item"])
    parts, titles = plotted.ordered(ratio["series"]), [TITLES[name] for name in measures]
    rules = plotted.ordered(plotted.pick(table, "d")["series"])
    lower = max(len(parts), len(rules))
    line = min(_ROW, (style.PAGE_MM - 54) / (len(factors) + lower))
    height, top = line * len(factors), line * len(factors) + 28
    sheet = Sheet(top + 6 + line * lower + 20)
    left, width = 8.0, _COLUMN * len(measures)
    sheet.panel("a", 0, 0, "What each factor follows")
    values = plotted.matrix(rho, factors, measures)
    sure = plotted.matrix(plotted.pick(table, "a", _SURE), factors, measures) > 0
    values = values.where(sure, 0.0)
    texts = values.map(lambda rho: f"{rho:.1f}" if abs(rho) >= 0.05 else "")
    _heat(sheet, Box(left, 6, width, height), values, factors, titles, style.SIGNED, (-1, 1), texts)
    left += width + _GAP
    sheet.panel("b", left, 0, "Mean by area")
    values = plotted.matrix(share, factors, list(areas.names))
    box = Box(left, 6, min(_COLUMN * len(areas.names), _WIDEST), height)
    texts = values.map(panels.short_share)
    _heat(sheet, box, values, [""] * len(factors), areas.ticks(), style.SHARES, (0, 1), texts)
    left += box.width + _GAP
    for index, factor in enumerate(factors):
        own = table[(table["series"] == factor) & (table["item"] == _TEXT)]["quantity"].iloc[0]
        text = fit_text(own.removeprefix(f"{_TEXT}: "), style.CONTENT_MM - left, style.SMALL_FONT)
        middle = 6 + line * (index + 0.5)
        sheet.text(left - 2, middle, text, va="center", fontsize=style.SMALL_FONT)
    if parts:
        sheet.panel("c", 0, top, "Components and clusters, over the area's mean")
        values = plotted.matrix(ratio, parts, measures)
        texts = values.map(lambda mean: f"{mean:.2f}")
        box = Box(20, top + 6, width, line * len(parts))
        _heat(sheet, box, values, parts, titles, style.SIGNED, (0.5, 1.5), texts)
    rows = plotted.pick(table, "d")
    values = plotted.matrix(rows, rules, list(areas.names))
    numbers = plotted.matrix(rows.assign(y=rows["x"]), rules, list(areas.names)).astype(object)
    texts = numbers.map(lambda x: f"{x:.0f}", na_action="ignore").fillna("")
    wide = min(_COLUMN * len(areas.names), _WIDEST)
    box = Box(style.CONTENT_MM - wide, top + 6, wide, line * len(rules))
    title = "Factor of each area, by rule"
    room = text_width(title, style.FONT + 0.5) + 6  # a few areas are narrower than it
    left = min(box.left - 14, style.CONTENT_MM - room)
    sheet.panel("cd"[bool(parts)], left, top, title)
    _heat(sheet, box, values, rules, areas.ticks(), style.SIGNED, (0.0, 1.0), texts)
    return sheet.figure


def _heat(
    sheet: Sheet,
    box: Box,
    values: pd.DataFrame,
    rows: Sequence[str],
    columns: Sequence[str],
    cmap: Colormap,
    limits: tuple[float, float],
    texts: pd.DataFrame,
) -> None:
    """Draw a matrix, with texts in its cells where they have room."""
    shown = None if len(columns) > panels.MAX_NUMBERED else texts.to_numpy().tolist()
    panels.heat(sheet.axes(box), values, rows, columns, cmap=cmap, limits=limits, texts=shown)
