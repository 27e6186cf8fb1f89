"""Grids of which only some pixels hold values: those that were extracted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainarch.grids.grid import Grid
from brainarch.progress import progress
from brainarch.stores.arrays import ArrayStore

#: Name of the array that says which pixels they are, and its dimensions.
EXTRACTED = "extracted"
EXTRACTED_DIMENSIONS = ("y", "x")


class ExtractedGrid(Grid):
    """A grid of extracted pixels; see `Grid`.

    Attributes
    ----------
    extracted : ndarray of bool, shape (rows, columns)
        The grid pixels that hold values.
    """

    def __init__(self, store: ArrayStore) -> None:
        super().__init__(store)
        self.extracted: NDArray[np.bool_] = store.read(EXTRACTED)
        assert self.LAYOUT.sparse is not None
        store.leave_out(self.LAYOUT.sparse, self.extracted)

    @classmethod
    def _add_extracted(
        cls, store: ArrayStore, shape: tuple[int, int], chunks: tuple[int, int]
    ) -> None:
        """Add the array that says where values are: nowhere yet."""
        store.add(EXTRACTED, shape, "bool", chunks)[...] = False

    @property
    def count(self) -> int:
        """Number of extracted pixels."""
        return int(self.extracted.sum())

    def _write(
        self, part: Any, values: NDArray[Any], place: tuple[slice, slice], done: NDArray[np.bool_]
    ) -> None:
        """Write a part of the values, and which pixels of a rectangle they belong to."""
        assert self.LAYOUT.sparse is not None
        self._store.array(self.LAYOUT.sparse)[part] = values
        self._store.array(EXTRACTED)[place] = done
        self.extracted[place] = done

    def _bands(
        self, rows: int, mask: NDArray[np.bool_] | None, desc: str | None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the extracted pixels (of a mask) by bands of rows; no band without any.

        With a description, a progress bar is shown.
        """
        wanted = self.extracted if mask is None else self.extracted & mask
        starts = range(0, len(self.y), rows)
        for start in starts if desc is None else progress(starts, desc, unit="band"):
            iy, ix = np.nonzero(wanted[start : start + rows])
            if len(iy):
                yield iy + start, ix
