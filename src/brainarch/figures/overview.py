"""V1: the method in one picture, every part of it taken from the data (V, Fig. 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Polygon, Rectangle
from numpy.typing import NDArray

from brainarch.figures import panels, plotted, rasters, style
from brainarch.figures.panels import Areas
from brainarch.figures.rasters import Raster
from brainarch.figures.sheet import Box, Sheet, fit, swatches_height
from brainarch.geometry import PATCH, PATCH_BEFORE
from brainarch.seeds import generator

#: A slice taller than this share of its width has its two maps beside each other.
TALL = 0.5
#: Patches of each area whose representations are shown.
PATCHES = 12
_BLOCK = ("#C9D7E6", "#A9BFD6", "#E3EBF3")
_BLOCK_EDGE = "#5F7C9B"


@dataclass(frozen=True)
class Shown:
    """Representations of real patches, as the figure shows them.

    Parameters
    ----------
    values : ndarray of float32, shape (patches, units)
        Patches by area, units by the area that they prefer.
    area : ndarray of int, shape (patches,)
        Index of each patch's area.
    units : ndarray of int, shape (units,)
        Which unit stands in each column.
    example : int
        Row of the patch that is shown as a picture.
    y, x : int
        Its centre pixel.
    """

    values: NDArray[np.float32]
    area: NDArray[np.integer]
    units: NDArray[np.integer]
    example: int
    y: int
    x: int


def arrange(
    values: NDArray[np.float32],
    area: NDArray[np.integer],
    y: NDArray[np.integer],
    x: NDArray[np.integer],
    *,
    inside: NDArray[np.floating],
    n_areas: int,
    seed: int,
) -> Shown:
    """Choose patches and order them by area, and units by the area in which they are most active.

    Parameters
    ----------
    values : ndarray of float32, shape (n, units)
    area, y, x : ndarray of int, shape (n,)
        Area index and centre pixel of each patch.
    inside : ndarray of float, shape (n,)
        Share of each patch inside its area; the example has about the largest.
    n_areas : int
    seed : int
    """
    rng = generator(seed, "overview patches")
    rows = []
    for index in range(n_areas):
        own = np.flatnonzero(area == index)
        rows.append(np.sort(rng.permutation(own)[:PATCHES]))
    chosen = np.concatenate(rows)
    present = [index for index in range(n_areas) if (area == index).any()]
    means = np.stack([values[area == index].mean(axis=0) for index in present])
    # Units by preferred area; within an area, the most selective first; silent units last.
    strength = means.max(axis=0) / np.maximum(means.sum(axis=0), 1e-12)
    units = np.lexsort((-strength, means.argmax(axis=0), means.max(axis=0) <= 0))
    shown_area = area[chosen]
    # The example lies well inside its area, and towards the lower left, below which it is enlarged.
    pure = inside[chosen] >= 0.995 * inside[chosen].max()
    far = np.where(pure, x[chosen] - 0.25 * y[chosen], np.inf)
    example = int(far.argmin())
    return Shown(
        values=values[chosen][:, units],
        area=shown_area,
        units=units,
        example=example,
        y=int(y[chosen[example]]),
        x=int(x[chosen[example]]),
    )


def prepare(
    areas: Areas, annotation: Raster, prediction: Raster | None, layers: pd.DataFrame, shown: Shown
) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    areas : Areas
    annotation, prediction : Raster
        Label codes of one slice; the table holds their pixels per area, as drawn.
    layers : pandas.DataFrame
        See `brainarch.figures.network_shapes.layer_shapes`.
    shown : Shown
    """
    entries: list[dict[str, Any]] = []
    maps = [("a", annotation), *([("e", prediction)] if prediction is not None else [])]
    for panel, raster in maps:
        for name, count in rasters.count_codes(raster.values, areas.names).items():
            entries.append(plotted.entry(panel, "pixels of the picture", count, item=name))
    name = areas.names[int(shown.area[shown.example])]
    entries.append(
        plotted.entry("b", "row of the patch centre", shown.y, unit="px", item=name, x=shown.x)
    )
    for row in plotted.rows_of(layers):
        place = {"series": row.name, "item": row.kind, "x": row.kernel, "z": row.size}
        entries.append(
            plotted.entry("c", "channels (x: kernel in px, z: side in px)", row.channels, **place)
        )
    for index, values in enumerate(shown.values):
        series = f"patch {index} {areas.names[int(shown.area[index])]}"
        for column, value in enumerate(values):
            unit = f"unit {shown.units[column]}"
            entries.append(
                plotted.entry("d", "activation", value, series=series, item=unit, x=column)
            )
    return plotted.table(entries)


@style.styled
def draw(
    table: pd.DataFrame,
    areas: Areas,
    *,
    grey: Raster,
    annotation: Raster,
    prediction: Raster | None,
    patch: NDArray[Any],
    shown: Shown,
    z: int,
    predicted_part: str = "",
) -> Figure:
    """Draw the figure.

    Parameters
    ----------
    table : pandas.DataFrame
        The plotted table.
    areas : Areas
    grey, annotation, prediction : Raster
        The slice, its areas, and the predicted areas, left out if missing.
    patch : ndarray, shape (128, 128)
        Grey values of the example patch.
    shown : Shown
    z : int
        The slice.
    predicted_part : str
        Which pixels of which rows the predictions are of.
    """
    width = style.CONTENT_MM
    legend = areas.swatches([("not extracted", style.NOT_EXTRACTED)] if prediction else [])
    beside = grey.aspect > TALL and prediction is not None
    map_width, map_height = fit(grey.aspect, (width - 6) / 2 if beside else width, 70)
    predicted_size = (map_width, map_height)
    if prediction is not None:
        predicted_size = fit(prediction.aspect, map_width, map_height)
    chain_top = 5 + map_height + 8
    chain_bottom = chain_top + 44
    map_top = 0.0 if beside else chain_bottom + 2
    legend_top = chain_bottom + 1
    if prediction is not None and not beside:
        legend_top = map_top + 5 + predicted_size[1] + 4
    sheet = Sheet(legend_top + swatches_height(legend, width))

    sheet.panel("a", 0, 0, f"Slice z = {z} and its annotated areas")
    whole = sheet.axes(Box(0, 5, map_width, map_height))
    panels.show_grey(whole, grey)
    panels.show_codes(whole, annotation, areas.palette, background=None, alpha=0.35)
    panels.outline(whole, annotation, areas.palette)
    if prediction is not None:
        _frame_part(whole, prediction, grey)
    panels.bare_frame(whole)
    panels.scale_bar(whole)

    colour = areas.palette[int(shown.area[shown.example])]
    sheet.panel("b", 0, chain_top, f"Patch, {PATCH * grey.pixel_um:.0f} µm")
    small = sheet.axes(Box(0, chain_top + 5, 30, 30))
    panels.show_grey(small, Raster(patch.astype(np.float32), 0, 0, 1, grey.pixel_um))
    panels.bare_frame(small, colour, 1.2)
    panels.scale_bar(small, inside=True)
    _magnify(sheet, whole, small, shown, pixel_um=grey.pixel_um, colour=colour)

    sheet.panel("c", 36, chain_top, "Convolutional network")
    network = sheet.bare(Box(36, chain_top + 5, 88, 39))
    vector = shown.values[shown.example]
    limit = float(np.percentile(shown.values, 99.5)) or 1.0
    _draw_network(network, plotted.pick(table, "c"), areas, vector / limit)

    sheet.panel("d", 130, chain_top, f"Representation: {shown.values.shape[1]} units")
    _draw_representation(sheet, areas, shown, limit, Box(129, chain_top + 5, 51, 30))

    if prediction is not None:
        left = (width + 6) / 2 if beside else 0.0
        sheet.panel("e", left, map_top, f"Area predicted at {predicted_part}")
        axes = sheet.axes(Box(left, map_top + 5, *predicted_size))
        panels.show_codes(axes, prediction, areas.palette, style.NOT_EXTRACTED)
        panels.bare_frame(axes, style.FAINT)
        panels.scale_bar(axes)
    sheet.swatches(0, legend_top, width, legend)
    return sheet.figure


def _frame_part(axes: Axes, part: Raster, whole: Raster) -> None:
    """Frame the part of a slice that was predicted, if it is clearly not all of it."""
    left, right, bottom, top = part.extent
    if part.values.size * part.step**2 > 0.8 * whole.values.size * whole.step**2:
        return
    axes.add_patch(
        Rectangle(
            (left, top),
            right - left,
            bottom - top,
            fill=False,
            edgecolor="#FFFFFF",
            linewidth=0.8,
            linestyle=(0, (4, 2)),
        )
    )


def _magnify(
    sheet: Sheet, whole: Axes, small: Axes, shown: Shown, *, pixel_um: float, colour: str
) -> None:
    """Frame the patch on the slice and tie the frame to its enlargement."""
    left, top = (shown.x - PATCH_BEFORE) * pixel_um, (shown.y - PATCH_BEFORE) * pixel_um
    side = PATCH * pixel_um
    for edge, linewidth in (("#FFFFFF", 1.6), (colour, 0.9)):
        whole.add_patch(
            Rectangle((left, top), side, side, fill=False, edgecolor=edge, linewidth=linewidth)
        )
    for corner, end in (((left, top + side), (0.0, 1.0)), ((left + side, top + side), (1.0, 1.0))):
        line = ConnectionPatch(
            xyA=corner,
            coordsA=whole.transData,
            xyB=end,
            coordsB=small.transAxes,
            color=style.FAINT,
            linewidth=0.5,
            linestyle=(0, (3, 2)),
        )
        sheet.figure.add_artist(line)


def _stages(layers: pd.DataFrame) -> list[dict[str, Any]]:
    """Merge every convolution with the pooling that follows it; keep linear layers."""
    stages: list[dict[str, Any]] = []
    for row in plotted.rows_of(layers):
        if row.item == "pool" and stages:
            stages[-1]["pooled"] = int(row.z)
        elif row.item in ("conv", "linear"):
            stages.append(
                {
                    "kind": row.item,
                    "kernel": int(row.x),
                    "channels": int(row.y),
                    "size": int(row.z),
                    "pooled": None,
                }
            )
    return stages


def _draw_network(
    axes: Axes, layers: pd.DataFrame, areas: Areas, vector: NDArray[np.floating]
) -> None:
    """Draw blocks for convolutions, sides by the root of their pixels, and bars for vectors."""
    stages = _stages(layers)
    sizes = [stage["pooled"] or stage["size"] for stage in stages if stage["kind"] == "conv"]
    first = max(sizes, default=1)
    width, height = axes.get_xlim()[1], axes.get_ylim()[0]
    floor, tallest = height - 9.0, height - 14.0
    pitch = width / max(1, len(stages))
    for index, stage in enumerate(stages):
        centre = (index + 0.5) * pitch
        if stage["kind"] == "conv":
            size = stage["pooled"] or stage["size"]
            side = tallest * np.sqrt(size / first)
            thick = 0.5 + 0.55 * np.log2(stage["channels"] + 1)
            _block(axes, centre, floor, side, thick)
            above = f"{stage['kernel']}×{stage['kernel']}"
            below = f"{stage['channels']}\n{size}×{size}"
        else:
            above = "linear"
            below = str(stage["channels"])
            bar = tallest * min(1.0, 0.2 + 0.08 * np.log2(stage["channels"]))
            last = index == len(stages) - 1
            if last:
                _cells(axes, centre, floor, bar, areas.palette)
                below = f"{len(areas.names)}\nareas"
            elif stage["channels"] == len(vector):
                colours = [style.SHARES(Normalize(0, 1, clip=True)(value)) for value in vector]
                _cells(axes, centre, floor, bar, colours)
                below += "\nunits"
            else:
                _cells(axes, centre, floor, bar, [_BLOCK[1]])
        axes.text(
            centre, floor + 1.2, below, ha="center", va="top", fontsize=style.SMALL_FONT - 0.3
        )
        axes.text(
            centre,
            1.0,
            above,
            ha="center",
            va="top",
            fontsize=style.SMALL_FONT - 0.3,
            color=style.FAINT,
        )


def _block(axes: Axes, centre: float, floor: float, side: float, thick: float) -> None:
    """Draw one box in oblique view; its depth is foreshortened."""
    into = np.array([0.30 * side, -0.20 * side])
    tall = side * 0.8  # so that front and depth together are as tall as the side
    corner = np.array([centre - (thick + into[0]) / 2, floor])
    right, up = np.array([thick, 0.0]), np.array([0.0, -tall])
    faces = (
        (corner, right, up, _BLOCK[1]),
        (corner + up, right, into, _BLOCK[2]),
        (corner + right, into, up, _BLOCK[0]),
    )
    for start, first, second, colour in faces:
        outline = [start, start + first, start + first + second, start + second]
        axes.add_patch(
            Polygon(
                outline,
                closed=True,
                facecolor=colour,
                edgecolor=_BLOCK_EDGE,
                linewidth=0.4,
                joinstyle="round",
            )
        )


def _cells(axes: Axes, centre: float, floor: float, height: float, colours: list[Any]) -> None:
    """Draw a vector as a column of cells."""
    step = height / len(colours)
    for index, colour in enumerate(colours):
        axes.add_patch(
            Rectangle(
                (centre - 1.1, floor - height + index * step),
                2.2,
                step,
                facecolor=colour,
                edgecolor="none",
            )
        )
    axes.add_patch(
        Rectangle(
            (centre - 1.1, floor - height),
            2.2,
            height,
            fill=False,
            edgecolor=_BLOCK_EDGE,
            linewidth=0.4,
        )
    )


def _draw_representation(sheet: Sheet, areas: Areas, shown: Shown, limit: float, box: Box) -> None:
    strip = sheet.axes(Box(box.left, box.top, 1.8, box.height))
    codes = (shown.area + 1).astype(np.intp)[:, None]
    strip.imshow(rasters.paint(codes, areas.palette), aspect="auto")
    panels.bare_frame(strip)
    strip.set_ylabel("patches, by area", fontsize=style.SMALL_FONT, labelpad=1.5)
    axes = sheet.axes(Box(box.left + 2.4, box.top, box.width - 11.6, box.height))
    axes.imshow(
        shown.values, cmap=style.SHARES, vmin=0, vmax=limit, aspect="auto", interpolation="nearest"
    )
    panels.bare_frame(axes, style.FAINT, 0.4)
    axes.set_xlabel("units, by preferred area", fontsize=style.SMALL_FONT)
    bar = Box(box.left + box.width - 8, box.top, 1.4, box.height)
    panels.colour_bar(sheet, bar, style.SHARES, (0, limit), "activation")
