"""The dense cube of one slice on disk: the network's units on a grid of pixels.

``representation`` (y, x, unit) holds them, NaN where a pixel was not extracted; ``extracted``
(y, x) says where it was. See `brainarch.grids.grid` for the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from brainarch.errors import InputError
from brainarch.grids.extracted import EXTRACTED, EXTRACTED_DIMENSIONS, ExtractedGrid
from brainarch.grids.grid import POSITIONS, Place
from brainarch.stores.arrays import Layout

#: Side of a chunk in grid pixels; tiles of the extraction are multiples of it.
CHUNK = 128
#: Dtypes that the representation may be stored in.
STORAGE = ("float32", "float16")

_UNITS = "representation"


class Cube(ExtractedGrid):
    """A dense cube on disk, opened by `Cube.open` or made by `Cube.create`; see `ExtractedGrid`.

    Its attributes are where, rows, precision, storage, plan, identity, warnings, measured_error.
    """

    LAYOUT = Layout(
        "brainarch-cube-2",
        "dense cube",
        "`brainarch extract`",
        {
            **POSITIONS,
            _UNITS: ("y", "x", "unit"),
            EXTRACTED: EXTRACTED_DIMENSIONS,
            "unit": ("unit",),
        },
        sparse=_UNITS,
    )

    @classmethod
    def create(
        cls,
        path: Path,
        place: Place,
        units: int,
        attrs: Mapping[str, Any] | None = None,
        *,
        storage: str = "float32",
        chunk: int = CHUNK,
    ) -> Self:
        """Make an empty cube; nothing is extracted yet.

        Parameters
        ----------
        path : Path
            A place where nothing stands.
        place : Place
            The grid.
        units : int
            Length of a representation.
        attrs : mapping, optional
            JSON values that are stored beside it.
        storage : {"float32", "float16"}
            Dtype of the representation on disk.
        chunk : int
            Side of a chunk in grid pixels.
        """
        store = cls._make(path, place, {"storage": storage, **(attrs or {})})
        store.add(_UNITS, (*place.shape, units), storage, (chunk, chunk, units))
        cls._add_extracted(store, place.shape, (chunk, chunk))
        store.put("unit", np.arange(units, dtype=np.int32))
        store.finish()
        return cls(store)

    @property
    def units(self) -> int:
        """Length of a representation."""
        return int(self._store.array(_UNITS).shape[2])

    @property
    def storage(self) -> str:
        """Dtype of the representation on disk."""
        return str(self._store.array(_UNITS).dtype)

    def write(
        self, row: int, column: int, block: NDArray[np.floating], done: NDArray[np.bool_]
    ) -> None:
        """Write a rectangle of the grid; the rest of its chunks is not touched.

        Parameters
        ----------
        row, column : int
            Grid index of its upper left pixel; at a chunk's border when several writers work.
        block : ndarray, shape (h, w, units)
            Representations; whatever stands where ``done`` is false is stored as NaN.
        done : ndarray of bool, shape (h, w)
            The pixels of the rectangle that are extracted.
        """
        height, width = done.shape
        area = (slice(row, row + height), slice(column, column + width))
        if not np.isnan(block[~done]).all():
            block = np.where(done[..., None], block, np.float32(np.nan))
        self._write(area, block, area, done)

    def block(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return a rectangle of the grid, shape (h, w, units), float32, NaN where not extracted."""
        return np.asarray(self._store.read(_UNITS, (rows, columns)), dtype=np.float32)

    def checksums(self, rows: slice, columns: slice) -> str:
        """Return the checksums of the chunks of a rectangle, as they stand on disk."""
        return self._store.checksums(_UNITS, (rows, columns))

    def extracted_block(self, rows: slice, columns: slice) -> NDArray[np.bool_]:
        """Return which pixels of a rectangle are extracted, as it stands on disk."""
        return self._store.read(EXTRACTED, (rows, columns))

    def chunks(self) -> list[tuple[slice, slice]]:
        """Return the rows and columns of every chunk with an extracted pixel, in raster order."""
        height, width = self._store.array(_UNITS).chunks[:2]
        return [
            part
            for top in range(0, self.shape[0], height)
            for left in range(0, self.shape[1], width)
            if self.extracted[part := (slice(top, top + height), slice(left, left + width))].any()
        ]

    def pixels(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return the extracted pixels of a rectangle in raster order, shape (n, units), float32.

        Raises
        ------
        InputError
            If a chunk is damaged or missing.
        """
        return self.block(rows, columns)[self.extracted[rows, columns]]

    def batches(
        self,
        rows: int = CHUNK,
        mask: NDArray[np.bool_] | None = None,
        desc: str | None = None,
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]]:
        """Yield the extracted pixels by bands of ``rows`` grid rows, in raster order.

        Parameters
        ----------
        rows : int
            Rows of a band.
        mask : ndarray of bool, shape (rows, columns), optional
            The grid pixels that are wanted; all by default.
        desc : str, optional
            What a progress bar says; without, none is shown.

        Yields
        ------
        iy, ix : ndarray of int, shape (n,)
            Grid rows and columns; ``cube.y[iy]`` and ``cube.x[ix]`` are the pixels.
        X : ndarray of float32, shape (n, units)
            Representations. Bands without a wanted pixel are left out.

        Raises
        ------
        InputError
            If a chunk is damaged or missing.
        """
        for iy, ix in self._bands(rows, mask, desc):
            top, left = int(iy[0]), int(ix.min())
            block = self.block(slice(top, int(iy[-1]) + 1), slice(left, int(ix.max()) + 1))
            yield iy, ix, block[iy - top, ix - left]

    def read(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
        """Return all extracted pixels in raster order.

        Returns
        -------
        iy, ix : ndarray of int, shape (n,)
            Grid rows and columns.
        X : ndarray of float32, shape (n, units)
            Representations: n * units * 4 bytes of memory.
        """
        iy, ix = np.nonzero(self.extracted)
        X = np.empty((len(iy), self.units), dtype=np.float32)
        filled = 0
        for _, _, values in self.batches():
            X[filled : filled + len(values)] = values
            filled += len(values)
        return iy, ix, X


def require_source(cube: Cube, what: str, digest: str, path: Path) -> None:
    """Raise `InputError` unless a cube was extracted from what has this digest.

    Parameters
    ----------
    cube : Cube
    what : {"network", "slice"}
    digest : str
        SHA-256 of what is at hand.
    path : Path
        Where that comes from, for the message.
    """
    if cube.attrs.get("identity", {}).get(what) != digest:
        raise InputError(
            f"{path}: {cube.path} was extracted from another {what}; give the one it came from or "
            "extract again"
        )
