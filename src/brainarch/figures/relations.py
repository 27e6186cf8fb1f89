"""V7: areas as a hierarchy, and variability within areas against between areas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import dendrogram, leaves_list

from brainarch.figures import panels, plotted, style
from brainarch.figures.panels import Areas
from brainarch.figures.sheet import Box, Sheet, swatches_height

#: Network whose areas are shown, if it is one of those compared; else the first.
SHOWN = "cnn"
#: Measures of two areas: title, and whether larger means more alike.
MEASURES = {
    "separation": ("Distance of means over spread", False),
    "mahalanobis": ("Mahalanobis distance of means", False),
    "cka": ("Likeness of variability (CKA)", True),
}
#: The parts of the variance and their colours.
PARTS = {"within": "#1F3A5F", "between": "#C98B4B"}
#: Category of all areas together.
ALL = "all"
_ROWS_A, _ROWS_B = 66.0, 41.0


def prepare(
    relations: pd.DataFrame, hierarchy: pd.DataFrame, variability: pd.DataFrame
) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    relations : pandas.DataFrame
        Columns network, area, other, low, high (of the separation) and the `MEASURES`.
    hierarchy : pandas.DataFrame
        Columns network, measure, step, left, right, height, size, cophenetic.
    variability : pandas.DataFrame
        Columns network, area and, each with ``_low`` and ``_high``, within, between and
        share_between.
    """
    networks = plotted.ordered(variability["network"])
    shown = SHOWN if SHOWN in networks else networks[0]
    entries: list[dict[str, Any]] = []
    trees = hierarchy[hierarchy["network"] == shown]
    own = relations[relations["network"] == shown].to_dict("records")
    for measure in plotted.ordered(trees["measure"]):
        for row in own:
            ends = {end: row[end] for end in ("low", "high") if measure == "separation"}
            place = {"series": row["area"], "item": row["other"], **ends}
            entries.append(plotted.entry("a", measure, row[measure], **place))
        steps = trees[trees["measure"] == measure].to_dict("records")
        for row in steps:
            place = {"series": row["left"], "item": row["right"], "x": row["step"]}
            joined = plotted.entry("a", f"{measure}, joined at", row["height"], **place)
            entries.append(joined | {"z": float(row["size"])})
        entries.append(plotted.entry("a", f"{measure}, cophenetic", steps[0]["cophenetic"]))
    for row in variability.to_dict("records"):
        place = {"item": row["area"]}
        for part in PARTS if row["network"] == shown else ():
            ends = {end: row[f"{part}_{end}"] for end in ("low", "high")}
            entries.append(
                plotted.entry("b", "squared distance", row[part], series=part, **place, **ends)
            )
        ends = {end: row[f"share_between_{end}"] for end in ("low", "high")}
        place["series"] = row["network"]
        entries.append(
            plotted.entry("c", "share of variance", row["share_between"], **place, **ends)
        )
    return plotted.table(entries)


@style.styled
def draw(table: pd.DataFrame, areas: Areas, slices: Sequence[int] = ()) -> Figure:
    """Draw the figure from its plotted table; the patches are of some slices."""
    networks = plotted.ordered(plotted.pick(table, "c")["series"])
    title = style.network_title(SHOWN if SHOWN in networks else networks[0])
    measures = [name for name in MEASURES if len(plotted.pick(table, "a", name))]
    colours = style.network_colours(networks)
    legend = [(style.network_title(network), colours[network]) for network in networks]
    top = _ROWS_A + 6 if measures else 0.0
    keys = swatches_height(legend, 87)
    sheet = Sheet(top + 6 + keys + _ROWS_B)

    if measures:
        text = "areas joined by three measures; darker is more alike"
        sheet.panel("a", 0, 0, f"{title}, {style.test_patches(slices)}: {text}")
    for index, measure in enumerate(measures):
        _draw_measure(sheet, plotted.pick(table, "a"), measure, 60.0 * index)

    sheet.panel("b", 0, top, f"{title}: squared distance from the means")
    parts = [("of patches, within the area", PARTS["within"])]
    parts.append(("of its mean, between areas", PARTS["between"]))
    sheet.swatches(9, top + 5, 80, parts)
    box = Box(9, top + 6 + keys + 2, 76, 28)
    _draw_dots(sheet, plotted.pick(table, "b"), PARTS, areas, box, "squared distance")

    sheet.panel("c", 93, top, "Share of the variance that lies between areas")
    sheet.swatches(102, top + 5, 78, legend)
    axes_box = box._replace(left=102)
    _draw_dots(sheet, plotted.pick(table, "c"), colours, areas, axes_box, "share between", 1.02)
    return sheet.figure


def _draw_measure(sheet: Sheet, rows: pd.DataFrame, measure: str, left: float) -> None:
    """Draw one measure's tree above its matrix, both in the tree's order of areas."""
    title, alike = MEASURES[measure]
    pairs = plotted.pick(rows, quantity=measure)
    steps = plotted.pick(rows, quantity=f"{measure}, joined at")
    fits = float(plotted.pick(rows, quantity=f"{measure}, cophenetic")["y"].iloc[0])
    names = plotted.ordered(pairs["series"])
    tree = np.column_stack([steps[["series", "item"]].astype(float), steps["y"], steps["z"]])
    found = dendrogram(tree, no_plot=True)
    side = 36.0
    sheet.text(left + 12, 5.5, title, fontweight="bold", fontsize=style.SMALL_FONT)
    if np.isfinite(fits):
        sheet.text(left + 12, 8.5, f"cophenetic correlation {fits:.2f}", fontsize=style.SMALL_FONT)
    branches = sheet.axes(Box(left + 12, 12.5, side, 9))
    for x, y in zip(found["icoord"], found["dcoord"], strict=True):
        branches.plot(x, y, color=style.INK, linewidth=0.8, solid_joinstyle="miter")
    branches.set(xlim=(0, 10 * len(names)), ylim=(0, None))
    panels.bare_frame(branches)

    order = [names[leaf] for leaf in leaves_list(tree).tolist()]
    values = plotted.matrix(pairs, order, order)
    values = values.mask(np.eye(len(order), dtype=bool), 1.0 if alike else 0.0)
    limits = (0.0, 1.0 if alike else float(np.nanmax(values.to_numpy())))
    texts = None
    if len(order) <= panels.MAX_COUNTED:
        digits = 2 if alike else 1
        texts = [["" if np.isnan(v) else f"{v:.{digits}f}" for v in line] for line in values.values]
    ticks = style.shorten_all(order, 9)
    cmap = style.SHARES if alike else style.SHARES.reversed()
    axes = sheet.axes(Box(left + 12, 22.5, side, side))
    panels.heat(axes, values, ticks, ticks, cmap=cmap, limits=limits, texts=texts)
    bar = Box(left + 12 + side + 1.5, 22.5, 1.4, side)
    panels.colour_bar(sheet, bar, cmap, limits, "")


def _draw_dots(
    sheet: Sheet,
    rows: pd.DataFrame,
    colours: dict[str, str],
    areas: Areas,
    box: Box,
    label: str,
    upper: float | None = None,
) -> None:
    axes = sheet.axes(box)
    found = panels.dots(axes, rows, "item", colours)
    short = dict(zip(areas.names, areas.ticks(), strict=True)) | {ALL: ALL}
    panels.label_columns(axes, [short.get(name, name) for name in found])
    axes.set(ylabel=label, ylim=(0, upper))
