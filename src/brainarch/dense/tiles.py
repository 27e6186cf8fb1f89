"""Tiles of a cube's grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Tile:
    """Grid pixels that are computed and written together.

    Parameters
    ----------
    index : int
        Number in raster order, counting tiles without a wanted pixel too.
    rows, columns : slice
        The tile on the grid; it starts and ends at chunk borders or the grid's end.
    reach : tuple of slice
        The smallest rectangle of it, in grid indices, that holds its wanted pixels.
    count : int
        Number of wanted pixels.
    """

    index: int
    rows: slice
    columns: slice
    reach: tuple[slice, slice]
    count: int


def cut_tiles(wanted: NDArray[np.bool_], sides: tuple[int, int]) -> list[Tile]:
    """Return the tiles that hold wanted pixels.

    Parameters
    ----------
    wanted : ndarray of bool, shape (rows, columns)
        On the grid.
    sides : tuple of int
        Rows and columns of a tile.
    """
    tiles = []
    starts = [
        (top, left)
        for top in range(0, wanted.shape[0], sides[0])
        for left in range(0, wanted.shape[1], sides[1])
    ]
    for index, (top, left) in enumerate(starts):
        rows = slice(top, min(top + sides[0], wanted.shape[0]))
        columns = slice(left, min(left + sides[1], wanted.shape[1]))
        inside = wanted[rows, columns]
        if inside.any():
            iy, ix = np.nonzero(inside)
            reach = _extent(iy, top), _extent(ix, left)
            tiles.append(Tile(index, rows, columns, reach, len(iy)))
    return tiles


def _extent(places: NDArray[np.intp], offset: int) -> slice:
    return slice(offset + int(places.min()), offset + int(places.max()) + 1)
