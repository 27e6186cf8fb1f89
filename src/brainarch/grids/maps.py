"""Maps of one slice: predicted areas, clusters, components, depth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainarch.atomic import replacing
from brainarch.errors import InputError
from brainarch.grids.grid import Grid, Layout, Place

#: Side of a chunk in grid pixels.
CHUNK = 512


class SliceMaps(Grid):
    """Maps on disk, each an array (y, x); see `Grid`. Open them with ``SliceMaps.open``."""

    LAYOUT = Layout("brainarch-map-2", "map", "the stage that writes it", {})

    def read(self, name: str) -> NDArray[Any]:
        """Return one of the maps, shape (rows, columns).

        Raises
        ------
        InputError
            If there is no map of that name, or it is damaged.
        """
        if name not in self._group:
            raise InputError(f"{self.path}: holds no map {name!r}; name the map that does")
        return self._read(name)

    def sample(
        self, name: str, y: NDArray[np.integer], x: NDArray[np.integer], outside: float
    ) -> NDArray[Any]:
        """Return a map at the pixels of another grid.

        Parameters
        ----------
        name : str
            Which map.
        y, x : ndarray of int, shape (rows,), (columns,)
            Pixel positions of the grid's rows and columns.
        outside : float
            Value of pixels that this map does not have.

        Returns
        -------
        ndarray, shape (rows, columns)
        """
        values = self.read(name)
        rows, has_row = _find(self.y, y)
        columns, has_column = _find(self.x, x)
        found = values[np.ix_(rows, columns)]
        return np.where(has_row[:, None] & has_column[None, :], found, outside).astype(values.dtype)


def write_maps(
    path: Path, maps: Mapping[str, NDArray[Any]], place: Place, attrs: Mapping[str, Any]
) -> None:
    """Write maps of one slice in one step.

    Parameters
    ----------
    path : Path
        Where the store goes.
    maps : mapping of str to ndarray, shape (rows, columns)
        The maps by name; float maps hold NaN and integer maps 0 where they say nothing.
    place : Place
        Which pixels of which slice they hold.
    attrs : mapping
        JSON values that are stored beside them.
    """
    chunks = (min(CHUNK, place.shape[0]), min(CHUNK, place.shape[1]))
    with replacing(path) as temporary:
        group = SliceMaps._make(temporary, place, attrs)
        for name, values in maps.items():
            array = SliceMaps._add(group, name, values.shape, values.dtype, chunks, ("y", "x"))
            array[...] = values


def _find(
    have: NDArray[np.integer], wanted: NDArray[np.integer]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    index = np.minimum(np.searchsorted(have, wanted), len(have) - 1)
    return index, have[index] == wanted
