"""A grid of pixels of one slice on disk: a Zarr v3 group with named dimensions.

``y`` and ``x`` are pixel positions of the slice, so that element (i, j) of an array with these
dimensions belongs to pixel (y[i], x[j]) of slice ``z``. See `brainarch.stores.arrays` for what is
checked as it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from brainarch.stores.arrays import ArrayStore, Layout

#: The arrays of every grid, with the names of their dimensions.
POSITIONS = {"y": ("y",), "x": ("x",)}


@dataclass(frozen=True, eq=False)
class Place:
    """Which pixels of which slice a grid holds.

    Parameters
    ----------
    z : int
        Number of the slice.
    stride : int
        Distance of neighbouring grid pixels in pixels of the slice.
    pixel_um : float
        Side of a pixel of the slice in micrometer.
    y, x : ndarray of int, shape (rows,), (columns,)
        Pixel positions of the grid's rows and columns, ascending.
    key : str or None
        Identity of the dense cube that the values come from; None where they come from no cube.
    """

    z: int
    stride: int
    pixel_um: float
    y: NDArray[np.integer]
    x: NDArray[np.integer]
    key: str | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return len(self.y), len(self.x)


class Grid:
    """A grid on disk, opened by `Grid.open` or made by a subclass.

    Parameters
    ----------
    store : ArrayStore
        A store of this layout.

    Attributes
    ----------
    path : Path
        Where it is.
    attrs : dict
        Everything stored beside the arrays.
    place : Place
        Which pixels of which slice it holds; y and x are int32.
    """

    LAYOUT: ClassVar[Layout]

    def __init__(self, store: ArrayStore) -> None:
        self.path = store.path
        self.attrs = store.attrs
        self._store = store
        y, x = (np.asarray(store.read(name), dtype=np.int32) for name in ("y", "x"))
        z, stride, pixel_um = (self.attrs[name] for name in ("z", "stride", "pixel_um"))
        self.place = Place(int(z), int(stride), float(pixel_um), y, x, self.attrs.get("key"))

    @classmethod
    def open(cls, path: Path, *, writable: bool = False) -> Self:
        """Open a grid, by default for reading only.

        Raises
        ------
        InputError
            If there is none at ``path``, or it is of another layout, not whole or damaged.
        """
        return cls(ArrayStore.open(path, cls.LAYOUT, writable=writable))

    @classmethod
    def _make(cls, path: Path, place: Place, attrs: Mapping[str, Any]) -> ArrayStore:
        """Make a store with the positions of its pixels; nothing may stand at ``path``."""
        own = {"z": place.z, "stride": place.stride, "pixel_um": place.pixel_um}
        key = {} if place.key is None else {"key": place.key}
        store = ArrayStore.create(path, cls.LAYOUT, {**own, **key, **attrs})
        for name, positions in (("y", place.y), ("x", place.x)):
            store.put(name, np.asarray(positions, dtype=np.int32))
        return store

    @property
    def z(self) -> int:
        """Number of the slice."""
        return self.place.z

    @property
    def stride(self) -> int:
        """Distance of neighbouring grid pixels in pixels of the slice."""
        return self.place.stride

    @property
    def pixel_um(self) -> float:
        """Side of a pixel of the slice in micrometer."""
        return self.place.pixel_um

    @property
    def key(self) -> str | None:
        """Identity of the dense cube that the values come from."""
        return self.place.key

    @property
    def y(self) -> NDArray[np.integer]:
        """Pixel positions of the grid's rows: int32, shape (rows,)."""
        return self.place.y

    @property
    def x(self) -> NDArray[np.integer]:
        """Pixel positions of the grid's columns: int32, shape (columns,)."""
        return self.place.x

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return self.place.shape

    def annotate(self, values: Mapping[str, Any]) -> None:
        """Add JSON values to what is stored beside the arrays."""
        self._store.finish(values)

    def faults(self, threads: int = 1) -> list[str]:
        """Return one line for every chunk that is damaged or missing; all of them are read."""
        return self._store.faults(threads)
