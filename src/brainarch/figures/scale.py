"""V3: the area map of a whole slice beside its annotation, and how right it is (V, Fig. 3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from brainarch.figures import panels, plotted, rasters, style
from brainarch.figures.panels import Areas
from brainarch.figures.rasters import Raster
from brainarch.figures.sheet import Box, Sheet, best_grid, swatches_height

#: Metrics of an area, and how much its colour is mixed with white in their bars.
METRICS = (("precision", 0.65), ("recall", 0.3), ("f1", 0.0))
METRIC_TITLES = {"precision": "precision", "recall": "recall", "f1": "F1"}
#: Metrics of all areas together, stated above the bars: of every pixel, and of sampled patches,
#: whose areas have equally many.
OVERALL = {"accuracy": "accuracy", "balanced_accuracy": "at equal area weights"}
SAMPLED_OVERALL = {"accuracy": "accuracy"}
#: What position alone would say, beside them.
POSITION = "position_accuracy"
#: Subsets that are everything there is, and what a map's pixels are then called.
MAIN_SUBSETS = {"all": "All labelled pixels", "test": "All pixels of the test part"}


def prepare(
    areas: Areas,
    annotation: Raster,
    prediction: Raster,
    *,
    confusion: pd.DataFrame,
    metrics: pd.DataFrame,
    border: pd.DataFrame,
    sampled_confusion: pd.DataFrame,
    sampled_metrics: pd.DataFrame,
    splits: Raster | None = None,
) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    areas : Areas
    annotation, prediction : Raster
        Label codes; the table holds their pixels per area, as drawn.
    confusion, metrics : pandas.DataFrame
        Of the predicted slice: columns area, predicted, count; and subset, area, metric, value,
        low, high.
    border : pandas.DataFrame
        Columns distance_um_low, distance_um_high, pixels, accuracy.
    sampled_confusion, sampled_metrics : pandas.DataFrame
        Of the sampled test patches, a test of their own.
    splits : Raster, optional
        Codes of the splits, where the slice holds them all.
    """
    entries: list[dict[str, Any]] = []
    for series, raster in (("annotation", annotation), ("prediction", prediction)):
        for name, count in rasters.count_codes(raster.values, areas.names).items():
            entries.append(
                plotted.entry("a", "pixels of the picture", count, series=series, item=name)
            )
    entries += _confusion_entries("b", areas, confusion)
    entries += _metric_entries("c", areas, metrics, (*OVERALL, POSITION))
    entries += _confusion_entries("d", areas, sampled_confusion)
    entries += _metric_entries("e", areas, sampled_metrics, (*SAMPLED_OVERALL, POSITION))
    entries += _border_entries("f", border)
    entries += panels.split_entries(splits)
    return plotted.table(entries)


@style.styled
def draw(
    table: pd.DataFrame,
    areas: Areas,
    annotation: Raster,
    prediction: Raster,
    titles: tuple[str, str] = ("Annotation", "Predicted"),
    splits: Raster | None = None,
) -> Figure:
    """Draw the figure from its plotted table and two label pictures with their titles.

    Splits, where the slice holds them all, are outlined on both.
    """
    width = style.CONTENT_MM
    grounds = {"not labelled": style.UNLABELLED, "not extracted": style.NOT_EXTRACTED}
    legend = areas.swatches([*grounds.items(), *panels.split_swatches(splits)])
    aspect = max(annotation.aspect, prediction.aspect)
    row_height = 65.0
    room = style.PAGE_MM - 2 * row_height - swatches_height(legend, width) - 9
    _, columns, map_width, map_height = best_grid(2, aspect, width, min(97.0, room), (5, 7))
    map_rows = 2 // columns
    maps_bottom = 5 + map_rows * (map_height + 6)
    legend_bottom = maps_bottom + swatches_height(legend, width) + 4
    sheet = Sheet(legend_bottom + 2 * row_height)

    sheet.panel("a", 0, 0)
    for index, (title, raster) in enumerate(zip(titles, (annotation, prediction), strict=True)):
        left = (index % columns) * (map_width + 5)
        top = 4.5 + (index // columns) * (map_height + 6)
        sheet.text(left + 4, top - 4.05, title, fontsize=style.FONT + 0.5)
        axes = sheet.axes(Box(left, top, map_width, map_height))
        panels.show_codes(axes, raster, areas.palette, list(grounds.values())[index])
        if splits is not None:
            panels.outline_splits(axes, splits)
        panels.bare_frame(axes, style.FAINT)
        panels.scale_bar(axes)
    sheet.swatches(0, maps_bottom + 0.5, width, legend)

    subset = plotted.ordered(plotted.pick(table, "c")["series"])
    title = MAIN_SUBSETS.get(subset[0], subset[0]) if subset else MAIN_SUBSETS["all"]
    _draw_confusion(sheet, title, plotted.pick(table, "b"), areas, legend_bottom)
    _draw_metrics(sheet, "c", table, areas, Box(76, legend_bottom, width - 76, row_height))
    top = legend_bottom + row_height
    _draw_confusion(sheet, "Sampled test patches", plotted.pick(table, "d"), areas, top)
    _draw_metrics(sheet, "e", table, areas, Box(76, top, 66, row_height))
    _draw_border(sheet, plotted.pick(table, "f"), Box(145, top, width - 145, row_height))
    return sheet.figure


def _confusion_texts(
    shares: NDArray[np.float64], counts: NDArray[np.float64]
) -> list[list[str]] | None:
    """Return the text of every cell: share and count, share alone, or none for many areas."""
    if len(shares) > panels.MAX_NUMBERED:
        return None
    counted = len(shares) <= panels.MAX_COUNTED

    def cell(share: float, count: float) -> str:
        if not count > 0:
            return ""
        if counted:
            return f"{share:.2f}\n{panels.short_count(count)}"
        return panels.short_share(share)

    return [
        [cell(share, count) for share, count in zip(*lines, strict=True)]
        for lines in zip(shares, counts, strict=True)
    ]


def _confusion_entries(
    panel: str, areas: Areas, confusion: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    counts = confusion.pivot_table(index="area", columns="predicted", values="count", aggfunc="sum")
    counts = counts.reindex(index=list(areas.names), columns=list(areas.names)).fillna(0)
    totals = counts.sum(axis=1)
    for name in areas.names:
        for predicted in areas.names:
            count = float(counts[predicted][name])
            share = count / float(totals[name]) if totals[name] else np.nan
            pair: dict[str, Any] = {"series": name, "item": predicted}
            yield plotted.entry(panel, "share of the area", share, **pair)
            yield plotted.entry(panel, "count", count, **pair)


def _metric_entries(
    panel: str, areas: Areas, metrics: pd.DataFrame, overall: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    subsets = plotted.ordered(metrics["subset"])
    main = "all" if "all" in subsets else subsets[0]
    for row in plotted.rows_of(metrics):
        of_area = row.area in areas.names and row.subset == main
        wanted = [metric for metric, _ in METRICS] if of_area else overall
        if row.metric not in wanted or (row.area not in (*areas.names, "all")):
            continue
        yield plotted.entry(
            panel,
            str(row.metric),
            row.value,
            series=row.subset,
            item=row.area,
            low=row.low,
            high=row.high,
        )


def _border_entries(panel: str, border: pd.DataFrame) -> Iterator[dict[str, Any]]:
    total = border["pixels"].sum()
    for row in plotted.rows_of(border):
        middle = (row.distance_um_low + row.distance_um_high) / 2
        if not np.isfinite(middle):  # the last bin may be open
            middle = row.distance_um_low
        item = f"{row.distance_um_low:g} to {row.distance_um_high:g} um"
        yield plotted.entry(panel, "accuracy", row.accuracy, x=middle, item=item)
        share = row.pixels / total if total else np.nan
        yield plotted.entry(panel, "share of labelled pixels", share, x=middle, item=item)


def overall_caption(rows: pd.DataFrame) -> str:
    """Return the accuracies of a metrics panel, with their intervals, as one line a subset."""
    lines = []
    for subset in plotted.ordered(rows["series"]):
        parts = []
        for metric, title in OVERALL.items():
            found = plotted.pick(rows, quantity=metric, series=subset, item="all")
            if len(found):
                parts.append(f"{title} {number_with_interval(found.iloc[0])}")
        if parts:
            what = "" if subset in MAIN_SUBSETS else f"{subset.partition(', ')[2] or subset}: "
            lines.append(what + ", ".join(parts))
    copied = plotted.pick(rows, quantity=POSITION)
    if len(copied):
        lines.append(f"training annotation copied: {number_with_interval(copied.iloc[0])}")
    return "\n".join(lines)


def number_with_interval(row: pd.Series[Any]) -> str:
    """Return ``0.83 [0.80, 0.86]``, or the number alone without an interval."""
    text = f"{row['y']:.2f}"
    if np.isfinite(row["low"]) and np.isfinite(row["high"]):
        text += f" [{row['low']:.2f}, {row['high']:.2f}]"
    return text


def _draw_confusion(sheet: Sheet, title: str, rows: pd.DataFrame, areas: Areas, top: float) -> None:
    letter = str(rows["panel"].iloc[0])
    names = list(areas.names)
    shares = plotted.matrix(plotted.pick(rows, quantity="share of the area"), names, names)
    counts = plotted.matrix(plotted.pick(rows, quantity="count"), names, names)
    sheet.panel(letter, 0, top, title)
    axes = sheet.axes(Box(14, top + 5, 44, 44))
    texts = _confusion_texts(shares.to_numpy(), counts.to_numpy())
    ticks = areas.ticks()
    panels.heat(axes, shares, ticks, ticks, cmap=style.SHARES, limits=(0, 1), texts=texts)
    axes.set_xlabel("predicted area")
    axes.set_ylabel("annotated area")
    panels.colour_bar(
        sheet,
        Box(60, top + 5, 1.6, 44),
        style.SHARES,
        (0, 1),
        "share of the area",
        ticks=[0, 0.5, 1],
    )


def _draw_metrics(sheet: Sheet, letter: str, table: pd.DataFrame, areas: Areas, box: Box) -> None:
    rows = plotted.pick(table, letter)
    sheet.panel(letter, box.left, box.top)
    sheet.text(box.left + 4, box.top + 0.7, overall_caption(rows), fontsize=style.SMALL_FONT)
    axes = sheet.axes(Box(box.left + 9, box.top + 14, box.width - 10, 35))
    _metric_bars(axes, rows, areas)
    shades = [
        Patch(facecolor=style.lighten(style.INK, share), label=METRIC_TITLES[metric])
        for metric, share in METRICS
    ]
    axes.legend(
        handles=shades, ncols=3, loc="lower left", bbox_to_anchor=(0, 1.0), columnspacing=1.2
    )


def _metric_bars(axes: Axes, rows: pd.DataFrame, areas: Areas) -> None:
    """Draw precision, recall and F1 of every area as bars with intervals."""
    share = 0.8 / len(METRICS)
    for position, name in enumerate(areas.names):
        for index, (metric, pale) in enumerate(METRICS):
            found = plotted.pick(rows, quantity=metric, item=name)
            if found.empty:
                continue
            row = found.iloc[0]
            x = position + (index - (len(METRICS) - 1) / 2) * share
            axes.bar(
                x, row["y"], width=share * 0.92, color=style.lighten(areas.colours[name], pale)
            )
            axes.vlines(x, row["low"], row["high"], color=style.INK, linewidth=0.6)
    panels.label_columns(axes, areas.ticks())
    axes.set(xlim=(-0.55, len(areas.names) - 0.45), ylim=(0, 1), ylabel="score")
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y")


def _draw_border(sheet: Sheet, rows: pd.DataFrame, box: Box) -> None:
    sheet.panel("f", box.left, box.top, "Accuracy near borders")
    axes = sheet.axes(Box(box.left + 8, box.top + 11, box.width - 10, 38))
    accuracy = plotted.pick(rows, quantity="accuracy")
    shares = plotted.pick(rows, quantity="share of labelled pixels")
    axes.bar(
        np.arange(len(shares)),
        shares["y"],
        width=0.85,
        color="#DDE3E9",
        label="share of pixels",
    )
    axes.plot(
        np.arange(len(accuracy)),
        accuracy["y"],
        color=style.NETWORK_COLOURS["cnn"],
        marker="o",
        label="accuracy",
    )
    edges = [text.split(" ")[0] for text in accuracy["item"]]
    every = max(1, -(-len(edges) // 6))
    axes.set_xticks(np.arange(0, len(edges), every) - 0.5, edges[::every])
    axes.set(ylim=(0, 1.02), xlim=(-0.7, len(edges) - 0.3), xlabel="distance to border (µm)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=1)
    axes.grid(axis="y")
