"""Maps of one slice on disk: a Zarr v3 group of (y, x) arrays with their pixel positions.

Depth, clusters and components are stored like this. ``y`` and ``x`` are pixel positions of the
slice; the group opens with ``xarray.open_zarr(path, consolidated=False)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec
from zarr.errors import ContainsArrayError, GroupNotFoundError

from brainarch.atomic import replacing
from brainarch.errors import InputError

#: Version of this layout, in the group's attributes.
FORMAT = "brainarch-map-1"
#: Side of a chunk in grid pixels.
CHUNK = 512


class SliceMap:
    """Maps on disk, opened by `open_map`.

    Parameters
    ----------
    group : zarr.Group
        An open group of this layout.
    path : Path
        Where it is, for messages.

    Attributes
    ----------
    z : int
        The slice.
    y, x : ndarray of int32, shape (rows,), (columns,)
        Pixel positions of the grid's rows and columns, ascending.
    attrs : dict
        z, stride, area and more.
    """

    def __init__(self, group: zarr.Group, path: Path) -> None:
        self.path = path
        self.attrs: dict[str, Any] = dict(group.attrs)
        self.z = int(self.attrs["z"])
        self._group = group
        self.y: NDArray[np.int32] = self.read("y").astype(np.int32)
        self.x: NDArray[np.int32] = self.read("x").astype(np.int32)

    @property
    def stride(self) -> int:
        """Distance of neighbouring grid pixels in pixels of the slice."""
        return int(self.attrs["stride"])

    def read(self, name: str) -> NDArray[Any]:
        """Return one of the maps, shape (rows, columns).

        Raises
        ------
        InputError
            If there is no map of that name.
        """
        array = self._group.get(name)
        if not isinstance(array, zarr.Array):
            raise InputError(f"{self.path}: holds no map {name!r}; name the map that does")
        return np.asarray(array[...])

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


def write_map(
    path: Path,
    maps: Mapping[str, NDArray[Any]],
    y: NDArray[np.integer],
    x: NDArray[np.integer],
    attrs: Mapping[str, Any],
) -> None:
    """Write maps of one slice in one step.

    Parameters
    ----------
    path : Path
        Where the store goes.
    maps : mapping of str to ndarray, shape (rows, columns)
        The maps by name; float maps hold NaN and integer maps 0 where they say nothing.
    y, x : ndarray of int, shape (rows,), (columns,)
        Pixel positions of the grid's rows and columns.
    attrs : mapping
        JSON values; ``z`` and ``stride`` at least.
    """
    with replacing(path) as temporary:
        group = zarr.create_group(temporary, zarr_format=3, attributes={"format": FORMAT, **attrs})
        for name, positions in (("y", y), ("x", x)):
            _add(group, name, np.asarray(positions, dtype=np.int32), (name,))
        for name, values in maps.items():
            _add(group, name, values, ("y", "x"))


def open_map(path: Path) -> SliceMap:
    """Open maps for reading.

    Raises
    ------
    InputError
        If there are none at ``path`` or they are of another layout.
    """
    try:
        group = zarr.open_group(path, mode="r", zarr_format=3)
    except (FileNotFoundError, GroupNotFoundError, ContainsArrayError, NotADirectoryError):
        raise InputError(f"{path}: no map here; run the stage that writes it") from None
    if group.attrs.get("format") != FORMAT:
        raise InputError(f"{path}: not a map of this version (expected format {FORMAT})")
    return SliceMap(group, path)


def _add(group: zarr.Group, name: str, values: NDArray[Any], names: tuple[str, ...]) -> None:
    array = group.create_array(
        name,
        shape=values.shape,
        dtype=values.dtype,
        chunks=tuple(max(1, min(CHUNK, side)) for side in values.shape),
        compressors=BloscCodec(cname="lz4", clevel=5, shuffle="shuffle"),
        fill_value=np.nan if values.dtype.kind == "f" else 0,
        dimension_names=names,
    )
    array[...] = values


def _find(
    have: NDArray[np.integer], wanted: NDArray[np.integer]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    index = np.minimum(np.searchsorted(have, wanted), len(have) - 1)
    return index, have[index] == wanted
