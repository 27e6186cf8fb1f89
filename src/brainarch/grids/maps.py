"""Maps of one slice: predicted areas, clusters, components, depth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainarch.atomic import replacing
from brainarch.errors import InputError
from brainarch.grids.grid import POSITIONS, Grid, Place
from brainarch.stores.arrays import MADE_BY, Layout

#: Side of a chunk in grid pixels.
CHUNK = 512


class SliceMaps(Grid):
    """Maps on disk, each an array (y, x); see `Grid`. Open them with ``SliceMaps.open``."""

    LAYOUT = Layout("brainarch-map-2", "map", "the stage that writes it", POSITIONS)

    def read(self, name: str) -> NDArray[Any]:
        """Return one of the maps, shape (rows, columns).

        Raises
        ------
        InputError
            If there is no map of that name, or it is damaged.
        """
        if name not in self._store:
            raise InputError(f"{self.path}: holds no map {name!r}; name the map that does")
        return self._store.read(name)

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
    path: Path,
    maps: Mapping[str, NDArray[Any]],
    place: Place,
    attrs: Mapping[str, Any],
    made_by: str | None = None,
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
    made_by : str, optional
        What to run for them again, in messages.
    """
    made = {} if made_by is None else {MADE_BY: made_by}
    with replacing(path) as temporary:
        store = SliceMaps._make(temporary, place, {**attrs, **made})
        for name, values in maps.items():
            store.put(name, values, ("y", "x"), CHUNK)
        store.finish()


def _find(
    have: NDArray[np.integer], wanted: NDArray[np.integer]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    index = np.minimum(np.searchsorted(have, wanted), len(have) - 1)
    return index, have[index] == wanted
