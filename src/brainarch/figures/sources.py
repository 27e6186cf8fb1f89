"""What figures read from files, reduced to what a page can show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.annotations.store import Labels
from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.figures import rasters
from brainarch.figures.rasters import Raster
from brainarch.grids.extracted import ExtractedGrid
from brainarch.grids.grid import Grid
from brainarch.grids.maps import SliceMaps
from brainarch.tables import read_table
from brainarch.volume.store import Volume

#: Rows [first, stop) and columns [first, stop) of a slice.
PixelBox = tuple[int, int, int, int]


def read_columns(path: Path, *needed: str) -> pd.DataFrame:
    """Read a table that has to have some columns.

    Raises
    ------
    InputError
        If the table is missing or empty, or lacks one of the columns.
    """
    return read_table(path, *needed)


def grey_picture(volume: Volume, z: int, box: PixelBox | None = None) -> Raster:
    """Return a slice, or the part of it in a box, for drawing."""
    grey, row, column = _cut(volume.read_slice(z), box)
    return rasters.grey_raster(grey, volume.pixel_um, row=row, column=column)


def label_picture(labels: Labels, z: int, box: PixelBox | None = None) -> Raster:
    """Return the codes of a slice, or of the part of it in a box, for drawing."""
    codes, row, column = _cut(labels.read_slice(z), box)
    return rasters.label_raster(codes, labels.pixel_um, row=row, column=column)


def code_picture(maps: SliceMaps, name: str, codes: NDArray[np.integer] | None = None) -> Raster:
    """Return a map of codes, or codes made of it, cropped to where there are any.

    Raises
    ------
    InputError
        If it has none.
    """
    codes = maps.read(name) if codes is None else codes
    if not (codes > 0).any():
        raise InputError(f"{maps.path}: the map {name} is empty")
    top, bottom, left, right = rasters.filled_box(codes > 0)
    picture = rasters.label_raster(codes[top:bottom, left:right], maps.pixel_um)
    return _placed(picture, maps, (slice(top, bottom), slice(left, right)))


def value_picture(maps: SliceMaps, name: str) -> Raster:
    """Return a map of numbers, cropped to where it has any.

    Raises
    ------
    InputError
        If it has none.
    """
    values = maps.read(name)
    if not np.isfinite(values).any():
        raise InputError(f"{maps.path}: the map {name} is empty")
    top, bottom, left, right = rasters.filled_box(np.isfinite(values))
    picture = rasters.grey_raster(values[top:bottom, left:right], maps.pixel_um)
    return _placed(picture, maps, (slice(top, bottom), slice(left, right)))


def factor_pictures(
    maps: CoefficientMaps,
    factors: Iterable[int],
    box: PixelBox | None = None,
    max_side: int = rasters.MAX_SIDE,
) -> dict[int, Raster]:
    """Return coefficient maps for drawing, cropped to the extracted pixels or to a box.

    One map is in memory at a time, and the pictures.
    """
    grid = _grid_box(maps, box)
    pictures = {}
    for factor in factors:
        if not 1 <= factor <= maps.factors:
            raise InputError(f"{maps.path}: has no factor {factor}, only 1 to {maps.factors}")
        picture = rasters.grey_raster(maps.factor_map(factor)[grid], maps.pixel_um, max_side)
        pictures[factor] = _placed(picture, maps, grid)
    return pictures


def unit_pictures(cube: Cube, count: int, max_side: int = 500) -> list[Raster]:
    """Return maps of the units of a dense cube that differ most, thinned to a grid.

    The first is the unit that varies most; each further one is the unit that is least correlated
    with those before it among the more varying half.
    """
    grid = _grid_box(cube)
    shape = cube.extracted[grid].shape
    step = rasters.step_for(shape, max_side)
    thin = (-(-shape[0] // step), -(-shape[1] // step))
    top, left = grid[0].start, grid[1].start
    values = np.full((*thin, cube.units), np.nan, dtype=np.float32)
    for iy, ix, X in cube.batches():
        row, column = iy - top, ix - left
        keep = (row % step == 0) & (column % step == 0)
        values[row[keep] // step, column[keep] // step] = X[keep]
    chosen = _differing(values[np.isfinite(values[..., 0])], count)
    return [
        _placed(Raster(values[..., unit], 0, 0, step, cube.pixel_um), cube, grid) for unit in chosen
    ]


def extracted_box(grid: ExtractedGrid) -> PixelBox:
    """Return the part of the slice that was extracted."""
    rows, columns = _grid_box(grid)
    return (
        int(grid.y[rows.start]),
        int(grid.y[rows.stop - 1]) + grid.stride,
        int(grid.x[columns.start]),
        int(grid.x[columns.stop - 1]) + grid.stride,
    )


def shown_part(grid: Grid) -> str:
    """Return which slice and rows a grid is of, for a title."""
    return f"slice z = {grid.z}, rows {grid.y[0]} to {grid.y[-1]}"


def widened(box: PixelBox, shape: tuple[int, int], margin: int) -> PixelBox:
    """Add a margin to a box, within a slice's rows and columns."""
    top, bottom, left, right = box
    return (
        max(0, top - margin),
        min(shape[0], bottom + margin),
        max(0, left - margin),
        min(shape[1], right + margin),
    )


def _cut(picture: NDArray[Any], box: PixelBox | None) -> tuple[NDArray[Any], int, int]:
    if box is None:
        return picture, 0, 0
    top, bottom, left, right = box
    return picture[top:bottom, left:right], top, left


def _grid_box(grid: ExtractedGrid, box: PixelBox | None = None) -> tuple[slice, slice]:
    """Return the grid rows and columns of a box, or of all extracted pixels."""
    if not grid.count:
        raise InputError(
            f"{grid.path}: no pixel is extracted; run `brainarch extract` on labelled rows"
        )
    if box is None:
        top, bottom, left, right = rasters.filled_box(grid.extracted)
        return slice(top, bottom), slice(left, right)
    rows = np.searchsorted(grid.y, box[:2])
    columns = np.searchsorted(grid.x, box[2:])
    if rows[0] == rows[1] or columns[0] == columns[1]:
        raise InputError(
            f"{grid.path}: holds no pixel of rows {box[0]}:{box[1]}, {box[2]}:{box[3]}"
        )
    return slice(int(rows[0]), int(rows[1])), slice(int(columns[0]), int(columns[1]))


def _placed(picture: Raster, grid: Grid, part: tuple[slice, slice]) -> Raster:
    """Give a picture of a part of a grid its place in the slice."""
    return replace(
        picture,
        row=int(grid.y[part[0].start]),
        column=int(grid.x[part[1].start]),
        step=picture.step * grid.stride,
    )


def _differing(X: NDArray[np.float32], count: int) -> list[int]:
    deviation = X.std(axis=0)
    order = np.argsort(-deviation, kind="stable")
    candidates = [int(unit) for unit in order[: max(count, len(order) // 2)] if deviation[unit] > 0]
    if not candidates:
        return [int(unit) for unit in order[:count]]
    scaled = (X[:, candidates] - X[:, candidates].mean(axis=0)) / deviation[candidates]
    similar = np.abs(scaled.T @ scaled) / len(X)
    taken = [0]
    while len(taken) < min(count, len(candidates)):
        closest = similar[:, taken].max(axis=1)
        closest[taken] = np.inf
        taken.append(int(closest.argmin()))
    return [candidates[index] for index in taken]
