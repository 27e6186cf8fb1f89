"""A grid of pixels of one slice on disk: a Zarr v3 group with named dimensions.

``y`` and ``x`` are pixel positions of the slice, so that element (i, j) of an array with these
dimensions belongs to pixel (y[i], x[j]) of slice ``z``. Every chunk carries a checksum (CRC-32C),
so that a damaged one is noticed as it is read. The group opens with
``xarray.open_zarr(path, consolidated=False)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec
from zarr.errors import ContainsArrayError, GroupNotFoundError

from brainarch.errors import InputError

#: How chunks are stored: compressed, and the checksum of that behind it.
CODECS = (BloscCodec(cname="lz4", clevel=5, shuffle="shuffle"), Crc32cCodec())


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


@dataclass(frozen=True)
class Layout:
    """A kind of grid.

    Parameters
    ----------
    format : str
        Name and version, stored with every grid.
    title : str
        What it is called in messages.
    maker : str
        What to run for one, in messages.
    arrays : mapping of str to tuple of str
        Arrays that it must hold beside y and x, with the names of their dimensions.
    sparse : str or None
        The array of which only chunks with values are stored; every chunk of the others is there.
    """

    format: str
    title: str
    maker: str
    arrays: Mapping[str, tuple[str, ...]]
    sparse: str | None = None


class Grid:
    """A grid on disk, opened by `Grid.open` or made by a subclass.

    Parameters
    ----------
    group : zarr.Group
        An open group of this layout.
    path : Path
        Where it is, for messages.

    Attributes
    ----------
    attrs : dict
        Everything stored beside the arrays.
    place : Place
        Which pixels of which slice it holds; y and x are int32.
    """

    LAYOUT: ClassVar[Layout]

    def __init__(self, group: zarr.Group, path: Path) -> None:
        self.path = path
        self.attrs: dict[str, Any] = dict(group.attrs)
        self._group = group
        self._arrays: dict[str, zarr.Array[Any]] = {}
        y, x = (np.asarray(self._read(name), dtype=np.int32) for name in ("y", "x"))
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
        layout = cls.LAYOUT
        with _sound(path, "its metadata", layout):
            try:
                group = zarr.open_group(path, mode="r+" if writable else "r", zarr_format=3)
            except (FileNotFoundError, GroupNotFoundError, ContainsArrayError, NotADirectoryError):
                raise InputError(f"{path}: no {layout.title} here; run {layout.maker}") from None
            if group.attrs.get("format") != layout.format:
                raise InputError(
                    f"{path}: no {layout.title} of this version here (expected format "
                    f"{layout.format}); run {layout.maker} again"
                )
            absent = [name for name in ("y", "x", *layout.arrays) if name not in group]
            if absent:
                raise InputError(
                    f"{path}: {layout.title} without {', '.join(absent)}; run {layout.maker} again"
                )
            return cls(group, path)

    @classmethod
    def _make(cls, path: Path, place: Place, attrs: Mapping[str, Any]) -> zarr.Group:
        """Make a group with the positions of its pixels; nothing may stand at ``path``."""
        own = {"z": place.z, "stride": place.stride, "pixel_um": place.pixel_um}
        key = {} if place.key is None else {"key": place.key}
        content = {"format": cls.LAYOUT.format, **own, **key, **attrs}
        group = zarr.create_group(path, zarr_format=3, attributes=content)
        for name, positions in (("y", place.y), ("x", place.x)):
            cls._add_positions(group, name, positions)
        return group

    @classmethod
    def _add_positions(cls, group: zarr.Group, name: str, values: NDArray[np.integer]) -> None:
        """Add the coordinate of a dimension: int32, in one chunk."""
        array = cls._add(group, name, (len(values),), "int32", (len(values),), (name,))
        array[:] = np.asarray(values, dtype=np.int32)

    @classmethod
    def _add(
        cls,
        group: zarr.Group,
        name: str,
        shape: tuple[int, ...],
        dtype: str | np.dtype[Any],
        chunks: tuple[int, ...],
        dimensions: Sequence[str] | None = None,
    ) -> zarr.Array[Any]:
        """Add an array; its chunks hold NaN or 0 where nothing is written."""
        return group.create_array(
            name,
            shape=shape,
            dtype=dtype,
            chunks=tuple(max(1, side) for side in chunks),
            compressors=CODECS,
            fill_value=np.nan if np.dtype(dtype).kind == "f" else 0,
            dimension_names=dimensions or cls.LAYOUT.arrays[name],
            config={"write_empty_chunks": name != cls.LAYOUT.sparse},
        )

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
        self.attrs.update(values)
        self._group.attrs.update(dict(values))

    def _array(self, name: str) -> zarr.Array[Any]:
        """Return an array, to be read or written."""
        if name not in self._arrays:
            array = self._group[name]
            if not isinstance(array, zarr.Array):
                raise TypeError(f"{name} is no array")
            whole = name != self.LAYOUT.sparse
            self._arrays[name] = array.with_config({"write_empty_chunks": whole})
        return self._arrays[name]

    def _read(self, name: str, part: Any = ...) -> NDArray[Any]:
        """Return an array, or a part of it.

        Raises
        ------
        InputError
            If a chunk is damaged, or one is missing that has to be there.
        """
        with _sound(self.path, name, self.LAYOUT):
            array = self._array(name)
            missing = array.nchunks - array.nchunks_initialized if part is ... else 0
            if missing and name != self.LAYOUT.sparse:
                raise ValueError(f"{missing} of {array.nchunks} chunks are missing")
            return np.asarray(array[part])


@contextmanager
def _sound(path: Path, what: str, layout: Layout) -> Iterator[None]:
    """Say in one line what damaged bytes or metadata make zarr raise."""
    try:
        yield
    except (ValueError, KeyError, TypeError, RuntimeError, OSError) as error:
        said = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path}: {what} cannot be read ({said}); run {layout.maker} again"
        ) from None
