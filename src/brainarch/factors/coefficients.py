"""Coefficient maps of one slice on disk.

``coefficient`` (factor, y, x) is float32, NaN where the slice was not extracted; ``factor`` counts
from 1; ``extracted``, ``y`` and ``x`` are those of the dense cube that the maps come from. See
`brainarch.grids.grid` for the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from brainarch.errors import InputError
from brainarch.grids.extracted import EXTRACTED, EXTRACTED_DIMENSIONS, ExtractedGrid
from brainarch.grids.grid import POSITIONS, Place
from brainarch.stores.arrays import Layout

#: Rows of a chunk: a band of rows is written at once.
CHUNK_ROWS = 128
#: Columns of a chunk.
CHUNK_COLUMNS = 2048

_VALUES = "coefficient"


class CoefficientMaps(ExtractedGrid):
    """Coefficient maps on disk, opened by ``open`` or made by ``create``; see `ExtractedGrid`.

    Their attributes are fitted (whether the basis was fitted on this slice), basis (its digest),
    relative_error and more.
    """

    LAYOUT = Layout(
        "brainarch-coefficients-2",
        "coefficient maps",
        "`brainarch factorize` or `project`",
        {
            **POSITIONS,
            _VALUES: ("factor", "y", "x"),
            EXTRACTED: EXTRACTED_DIMENSIONS,
            "factor": ("factor",),
        },
        sparse=_VALUES,
    )

    @classmethod
    def create(
        cls, path: Path, place: Place, factors: int, attrs: Mapping[str, Any] | None = None
    ) -> Self:
        """Make empty maps; no pixel holds coefficients yet.

        Parameters
        ----------
        path : Path
            A place where nothing stands.
        place : Place
            The grid.
        factors : int
            Number of factors.
        attrs : mapping, optional
            JSON values that are stored beside them.
        """
        store = cls._make(path, place, attrs or {})
        chunks = (CHUNK_ROWS, min(CHUNK_COLUMNS, place.shape[1]))
        store.add(_VALUES, (factors, *place.shape), "float32", (1, *chunks))
        cls._add_extracted(store, place.shape, chunks)
        store.put("factor", np.arange(1, factors + 1, dtype=np.int32))
        store.finish()
        return cls(store)

    @property
    def factors(self) -> int:
        """Number of factors; they are called 1 ... factors."""
        return int(self._store.array(_VALUES).shape[0])

    def write_rows(
        self, start: int, iy: NDArray[np.intp], ix: NDArray[np.intp], C: NDArray[np.floating]
    ) -> None:
        """Write the band of `CHUNK_ROWS` grid rows that begins at row ``start``.

        Parameters
        ----------
        start : int
            Multiple of `CHUNK_ROWS`.
        iy, ix : ndarray of int, shape (n,)
            Grid rows, all inside the band, and columns.
        C : ndarray, shape (n, factors)
            Coefficients of these pixels; the band's other pixels hold none.
        """
        rows = slice(start, min(start + CHUNK_ROWS, len(self.y)))
        block = np.full((self.factors, rows.stop - start, len(self.x)), np.nan, dtype=np.float32)
        block[:, iy - start, ix] = C.T
        done = np.zeros(block.shape[1:], dtype=bool)
        done[iy - start, ix] = True
        self._write((slice(None), rows), block, (rows, slice(None)), done)

    def factor_map(self, factor: int, step: int = 1) -> NDArray[np.float32]:
        """Return the map of a factor (from 1) on every ``step``-th row and column of the grid.

        Raises
        ------
        InputError
            If a chunk is damaged or missing.
        """
        return self._store.read(_VALUES, factor - 1)[::step, ::step]

    def batches(
        self, mask: NDArray[np.bool_], desc: str | None = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]]:
        """Yield the coefficients of masked pixels by bands of rows, in raster order.

        Parameters
        ----------
        mask : ndarray of bool, shape (rows, columns)
            Wanted pixels of the grid; those without coefficients are left out.
        desc : str, optional
            What a progress bar says; without, none is shown.

        Yields
        ------
        iy, ix : ndarray of int, shape (n,)
            Grid rows and columns.
        C : ndarray of float32, shape (n, factors)
            Coefficients. Bands without a wanted pixel are left out.

        Raises
        ------
        InputError
            If a chunk is damaged or missing.
        """
        for iy, ix in self._bands(CHUNK_ROWS, mask, desc):
            start = int(iy[0]) // CHUNK_ROWS * CHUNK_ROWS
            band = self._store.read(_VALUES, (slice(None), slice(start, start + CHUNK_ROWS)))
            yield iy, ix, np.ascontiguousarray(band[:, iy - start, ix].T)


def open_together(paths: Sequence[Path]) -> list[CoefficientMaps]:
    """Open the maps of several slices that are looked at together.

    Raises
    ------
    InputError
        If a slice stands there twice, or the maps are of different bases.
    """
    maps = [CoefficientMaps.open(path) for path in paths]
    slices = [own.z for own in maps]
    if len(set(slices)) != len(slices):
        raise InputError(f"{paths[0]}: of slices {slices} one stands there twice; each slice once")
    for own in maps:
        if own.attrs.get("basis") != maps[0].attrs.get("basis"):
            raise InputError(
                f"{own.path}: coefficients of another basis than {maps[0].path}; run `brainarch "
                "project` again with one basis"
            )
    return maps
