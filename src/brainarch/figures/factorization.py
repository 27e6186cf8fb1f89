"""M1: from the dense representation of a slice to factors and their maps (M, Fig. 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from brainarch.figures import panels, plotted, rasters, style
from brainarch.figures.panels import Areas
from brainarch.figures.rasters import Raster
from brainarch.figures.sheet import Box, Sheet, best_grid, fit

#: Opaque value of a map, as a percentile of its own values.
TOP_PERCENTILE = 99.5
#: Maps shown in a stack.
STACK = 5
#: What the plotted table calls the rank of a selected factor.
SELECTED, CONTRADICTED = "rank in selection", "rank in selection, contradicted"
#: And what a factor's part of all coefficients is, squared (basis rows have unit length).
ENERGY = "share of the energy of all factors"
#: Most pixels along a small map.
MAP_SIDE = 700


def prepare(
    basis: pd.DataFrame,
    maps: Mapping[int, Raster],
    selection: pd.DataFrame | None,
    relative_error: float,
) -> pd.DataFrame:
    """Return the plotted table.

    Parameters
    ----------
    basis : pandas.DataFrame
        Columns factor, unit, value: the rows of B, of unit length.
    maps : mapping of int to Raster
        Coefficient map of every factor, NaN where absent.
    selection : pandas.DataFrame, optional
        Columns rank, factor, name, contradicted: which factor was selected for which area.
    relative_error : float
        Of the factorisation.
    """
    entries: list[dict[str, Any]] = []
    entries.append(plotted.entry("b", "relative error of C B", relative_error))
    order = unit_order(basis)
    positions = {unit: position for position, unit in enumerate(order)}
    for row in plotted.rows_of(basis):
        entries.append(
            plotted.entry(
                "b",
                "basis",
                row.value,
                series=f"factor {row.factor}",
                item=f"unit {row.unit}",
                x=positions[row.unit],
            )
        )
    energies = {factor: float(np.nansum(raster.values**2)) for factor, raster in maps.items()}
    whole = sum(energies.values()) or 1.0
    for factor, raster in maps.items():
        series = f"factor {factor}"
        share = energies[factor] / whole
        entries.append(plotted.entry("c", ENERGY, share, series=series))
        top = rasters.robust_top(raster.values, TOP_PERCENTILE)
        entries.append(plotted.entry("c", "coefficient shown darkest", top, series=series))
        present = raster.values[np.isfinite(raster.values)]
        mean = float(present.mean()) if present.size else np.nan
        entries.append(plotted.entry("c", "mean coefficient", mean, series=series))
    if selection is not None:
        for row in plotted.rows_of(selection):
            entries.append(
                plotted.entry(
                    "c",
                    CONTRADICTED if row.contradicted else SELECTED,
                    row.rank,
                    series=f"factor {row.factor}",
                    item=row.name,
                )
            )
    return plotted.table(entries)


def unit_order(basis: pd.DataFrame) -> list[Any]:
    """Return the units by the factor in which they weigh most, the heaviest first."""
    wide = basis.pivot_table(index="factor", columns="unit", values="value", aggfunc="first")
    values = wide.to_numpy()
    order = np.lexsort((-values.max(axis=0), values.argmax(axis=0), values.max(axis=0) <= 0))
    return [wide.columns[index] for index in order]


@style.styled
def draw(
    table: pd.DataFrame,
    areas: Areas,
    units: Sequence[Raster],
    maps: Mapping[int, Raster],
    part: str,
) -> Figure:
    """Draw the figure.

    Parameters
    ----------
    table : pandas.DataFrame
        The plotted table.
    areas : Areas
        For the colours of the areas that factors predict.
    units : sequence of Raster
        Maps of some units of the dense representation.
    maps : mapping of int to Raster
        Coefficient map of every factor.
    part : str
        Which slice and rows.
    """
    width = style.CONTENT_MM
    aspect = next(iter(maps.values())).aspect
    _, columns, map_width, map_height = best_grid(len(maps), aspect, width, 150, (3, 5.5))
    rows = -(-len(maps) // columns)
    maps_top = 47.0
    sheet = Sheet(maps_top + 5 + rows * (map_height + 5.5) + 8)

    n_units = len(plotted.ordered(plotted.pick(table, "b", "basis")["item"]))
    sheet.panel("a", 0, 0, f"{part[:1].upper()}{part[1:]} × {n_units} units")
    _stack(sheet, list(units)[:STACK], Box(0, 5, 48, 34), style.SHARES)
    sheet.text(50, 20, "≈", fontsize=13)
    sheet.text(57, 0.45, f"{len(maps)} coefficients", fontsize=style.FONT + 0.5)
    shown = [maps[factor] for factor in sorted(maps)][:STACK]
    _stack(sheet, shown, Box(57, 5, 48, 34), style.COEFFICIENTS)
    sheet.text(107, 20, "×", fontsize=13)
    error = plotted.pick(table, "b", "relative error of C B")["y"].iloc[0]
    sheet.panel("b", 114, 0, f"Basis, relative error {error:.2f}")
    _draw_basis(sheet, table, Box(121, 5, 50, 33))

    sheet.panel("c", 0, maps_top, "Coefficient map of every factor, its share of the energy")
    for index, factor in enumerate(sorted(maps)):
        left = (index % columns) * (map_width + 3)
        top = maps_top + 8.5 + (index // columns) * (map_height + 5.5)
        own = plotted.pick(table, "c", series=f"factor {factor}")
        _draw_map(sheet, own, areas, maps[factor], Box(left, top, map_width, map_height))
    bottom = maps_top + 5 + rows * (map_height + 5.5)
    panels.colour_bar(
        sheet,
        Box(1.5, bottom + 2.2, 30, 1.6),
        style.COEFFICIENTS,
        (0, 1),
        f"coefficient / its {TOP_PERCENTILE:g}th percentile",
        ticks=[0, 0.5, 1],
    )
    return sheet.figure


def _stack(sheet: Sheet, pictures: list[Raster], box: Box, cmap: Any) -> None:
    """Draw pictures behind each other, shifted, the first in front."""
    if not pictures:
        return
    shift = min(4.0, 0.5 * box.height / len(pictures))
    depth = shift * (len(pictures) - 1)
    size = fit(pictures[0].aspect, box.width - depth, box.height - depth)
    top = box.top + (box.height - size[1] - depth) / 2
    for index in reversed(range(len(pictures))):
        axes = sheet.axes(
            Box(box.left + index * shift, top + depth - index * shift, size[0], size[1])
        )
        raster = pictures[index]
        panels.show_values(axes, raster, cmap, 0, rasters.robust_top(raster.values))
        panels.bare_frame(axes, style.INK, 0.4)


def _draw_basis(sheet: Sheet, table: pd.DataFrame, box: Box) -> None:
    rows = plotted.pick(table, "b", "basis")
    factors = plotted.ordered(rows["series"])
    units = plotted.ordered(rows.sort_values("x", kind="stable")["item"])
    values = plotted.matrix(rows, factors, units)
    top = float(np.nanmax(values.to_numpy())) or 1.0
    axes = sheet.axes(box)
    names = [name.removeprefix("factor ") for name in factors]
    panels.heat(axes, values, names, [], cmap=style.COEFFICIENTS, limits=(0, top))
    every = max(1, len(names) // 15)
    axes.set_yticks(np.arange(0, len(names), every) + 0.5, names[::every])
    axes.tick_params(axis="y", labelsize=style.SMALL_FONT - 1)
    axes.set_ylabel("factor")
    axes.set_xlabel(f"{len(units)} units, by their main factor")
    bar = Box(box.left + box.width + 1.5, box.top, 1.4, box.height)
    panels.colour_bar(sheet, bar, style.COEFFICIENTS, (0, top), "weight")


def _draw_map(sheet: Sheet, rows: pd.DataFrame, areas: Areas, raster: Raster, box: Box) -> None:
    """Draw one factor's map; ``rows`` are what panel c's table says of the factor."""
    factor = rows["series"].iloc[0].removeprefix("factor ")
    top = float(plotted.pick(rows, quantity="coefficient shown darkest")["y"].iloc[0])
    axes = sheet.axes(box)
    panels.show_values(axes, raster, style.COEFFICIENTS, 0, top)
    chosen = rows[rows["quantity"].isin((SELECTED, CONTRADICTED))]
    colour = style.FAINT
    label = factor
    energy = float(plotted.pick(rows, quantity=ENERGY)["y"].iloc[0])
    if len(chosen):
        name = str(chosen["item"].iloc[0])
        if chosen["quantity"].iloc[0] == CONTRADICTED:
            label = f"{factor}  not {style.shorten(name)}"
        else:
            colour, label = areas.colours[name], f"{factor}  {style.shorten(name)}"
    panels.bare_frame(axes, colour, 1.2 if len(chosen) else 0.4)
    weight = "bold" if len(chosen) else "normal"
    label += f"   {100 * energy:.0f} %"
    sheet.text(box.left, box.top - 2.9, label, fontsize=style.SMALL_FONT + 0.3, fontweight=weight)
    if factor == "1":
        panels.scale_bar(axes)
