"""The dense cube of one slice on disk: a Zarr v3 group with named dimensions.

``representation`` (y, x, unit) holds the network's units on the cube's grid, NaN where a pixel
was not extracted; ``extracted`` (y, x) says where it was; ``y`` and ``x`` are the pixel positions
of the grid's rows and columns, so that element (i, j) belongs to pixel (y[i], x[j]) of slice ``z``.
The group opens with ``xarray.open_zarr(path, consolidated=False)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec
from zarr.errors import ContainsArrayError, GroupNotFoundError

from brainarch.errors import InputError

#: Side of a chunk in grid pixels; tiles of the extraction are multiples of it.
CHUNK = 128
#: Version of this layout, in the group's attributes.
FORMAT = "brainarch-cube-1"
#: Dtypes that the representation may be stored in.
STORAGE = ("float32", "float16")

_NAMES = {
    "representation": ("y", "x", "unit"),
    "extracted": ("y", "x"),
    "y": ("y",),
    "x": ("x",),
    "unit": ("unit",),
}


class Cube:
    """A dense cube on disk, opened by `Cube.open` or made by `Cube.create`.

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
    stride : int
        Distance of neighbouring grid pixels in pixels of the slice.
    y, x : ndarray of int32, shape (rows,), (columns,)
        Pixel positions of the grid's rows and columns.
    extracted : ndarray of bool, shape (rows, columns)
        The grid pixels that hold a representation.
    attrs : dict
        Everything stored beside the arrays: z, stride, where, rows, voxel_um, precision, storage,
        key, plan, measured_error.
    """

    def __init__(self, group: zarr.Group, path: Path) -> None:
        self.path = path
        self.attrs: dict[str, Any] = dict(group.attrs)
        self.z = int(self.attrs["z"])
        self.stride = int(self.attrs["stride"])
        self._group = group
        self._representation = _array(group, "representation")
        self._extracted = _array(group, "extracted")
        self.y: NDArray[np.int32] = np.asarray(_array(group, "y")[:])
        self.x: NDArray[np.int32] = np.asarray(_array(group, "x")[:])
        self.extracted: NDArray[np.bool_] = np.asarray(self._extracted[:])

    @classmethod
    def open(cls, path: Path, *, writable: bool = False) -> Cube:
        """Open a cube, by default for reading only.

        Raises
        ------
        InputError
            If there is none at ``path``, or it is of another layout or not whole.
        """
        try:
            group = zarr.open_group(path, mode="r+" if writable else "r", zarr_format=3)
        except (FileNotFoundError, GroupNotFoundError, ContainsArrayError, NotADirectoryError):
            raise InputError(f"{path}: no dense cube here; run `brainarch extract`") from None
        if group.attrs.get("format") != FORMAT:
            raise InputError(
                f"{path}: not a dense cube of this version (expected format {FORMAT}); "
                "run `brainarch extract` again"
            )
        absent = [name for name in _NAMES if name not in group]
        if absent:
            raise InputError(
                f"{path}: dense cube without {', '.join(absent)}; run `brainarch extract` again"
            )
        return cls(group, path)

    @classmethod
    def create(
        cls,
        path: Path,
        y: NDArray[np.integer],
        x: NDArray[np.integer],
        units: int,
        attrs: Mapping[str, Any],
        *,
        storage: str = "float32",
        chunk: int = CHUNK,
    ) -> Cube:
        """Make an empty cube; nothing is extracted yet.

        Parameters
        ----------
        path : Path
            A place where nothing stands.
        y, x : ndarray of int, shape (rows,), (columns,)
            Pixel positions of the grid's rows and columns.
        units : int
            Length of a representation.
        attrs : mapping
            JSON values; ``z`` and ``stride`` at least.
        storage : {"float32", "float16"}
            Dtype of the representation on disk.
        chunk : int
            Side of a chunk in grid pixels.
        """
        group = zarr.create_group(
            path, zarr_format=3, attributes={"format": FORMAT, "storage": storage, **attrs}
        )
        rows, columns = len(y), len(x)
        _make(group, "representation", storage, (rows, columns, units), (chunk, chunk, units))
        _make(group, "extracted", "bool", (rows, columns), (chunk, chunk))
        for name, values in (("y", y), ("x", x), ("unit", np.arange(units))):
            array = _make(group, name, "int32", (len(values),), (len(values),))
            array[:] = np.asarray(values, dtype=np.int32)
        return cls(group, path)

    @property
    def units(self) -> int:
        """Length of a representation."""
        return int(self._representation.shape[2])

    @property
    def storage(self) -> str:
        """Dtype of the representation on disk."""
        return str(self._representation.dtype)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return len(self.y), len(self.x)

    @property
    def count(self) -> int:
        """Number of extracted pixels."""
        return int(self.extracted.sum())

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
        if not done.all():
            block = np.where(done[..., None], block, np.float32(np.nan))
        self._representation[area] = block
        self._extracted[area] = done
        self.extracted[area] = done

    def annotate(self, values: Mapping[str, Any]) -> None:
        """Add JSON values to what is stored beside the arrays."""
        self.attrs.update(values)
        self._group.attrs.update(values)

    def block(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return a rectangle of the grid, shape (h, w, units), float32, NaN where not extracted."""
        return np.asarray(self._representation[rows, columns], dtype=np.float32)

    def extracted_block(self, rows: slice, columns: slice) -> NDArray[np.bool_]:
        """Return which pixels of a rectangle are extracted, as it stands on disk."""
        return np.asarray(self._extracted[rows, columns])

    def batches(
        self, rows: int = CHUNK
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]]:
        """Yield the extracted pixels by bands of ``rows`` grid rows, in raster order.

        Yields
        ------
        iy, ix : ndarray of int, shape (n,)
            Grid rows and columns; ``cube.y[iy]`` and ``cube.x[ix]`` are the pixels.
        X : ndarray of float32, shape (n, units)
            Representations. Bands without an extracted pixel are left out.
        """
        for start in range(0, len(self.y), rows):
            iy, ix = np.nonzero(self.extracted[start : start + rows])
            if len(iy) == 0:
                continue
            band = slice(start, min(start + rows, len(self.y)))
            reached = slice(int(ix.min()), int(ix.max()) + 1)
            values = self.block(band, reached)
            yield iy + start, ix, values[iy, ix - reached.start]

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
    what : {"checkpoint", "slice"}
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


def _array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    array = group[name]
    if not isinstance(array, zarr.Array):
        raise InputError(f"{group.path or 'cube'}: {name} is not an array; extract again")
    return array


def _make(
    group: zarr.Group, name: str, dtype: str, shape: tuple[int, ...], chunks: tuple[int, ...]
) -> zarr.Array[Any]:
    return group.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=chunks,
        compressors=BloscCodec(cname="lz4", clevel=5, shuffle="shuffle"),
        fill_value=np.nan if dtype.startswith("float") else 0,
        dimension_names=_NAMES[name],
    )
