"""Coefficient maps of one slice on disk: a Zarr v3 group with named dimensions.

``coefficient`` (factor, y, x) is float32, NaN where the slice was not extracted; ``factor`` counts
from 1; ``extracted``, ``y`` and ``x`` are those of the dense cube that the maps come from. The
group opens with ``xarray.open_zarr(path, consolidated=False)``.
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

#: Rows of a chunk: a band of rows is written at once.
CHUNK_ROWS = 128
#: Columns of a chunk.
CHUNK_COLUMNS = 2048
#: Version of this layout, in the group's attributes.
FORMAT = "brainarch-coefficients-1"

_NAMES = {
    "coefficient": ("factor", "y", "x"),
    "extracted": ("y", "x"),
    "factor": ("factor",),
    "y": ("y",),
    "x": ("x",),
}


class CoefficientMaps:
    """Coefficient maps on disk, opened by `CoefficientMaps.open` or made by ``create``.

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
        The grid pixels that hold coefficients.
    factors : int
        Number of factors; they are called 1 ... factors.
    attrs : dict
        z, stride, fitted (whether the basis was fitted on this slice), relative_error and more.
    """

    def __init__(self, group: zarr.Group, path: Path) -> None:
        self.path = path
        self.attrs: dict[str, Any] = dict(group.attrs)
        self.z = int(self.attrs["z"])
        self.stride = int(self.attrs["stride"])
        self._group = group
        self._coefficient = _array(group, "coefficient", path)
        self._extracted = _array(group, "extracted", path)
        self.factors = int(self._coefficient.shape[0])
        self.y: NDArray[np.int32] = np.asarray(_array(group, "y", path)[:])
        self.x: NDArray[np.int32] = np.asarray(_array(group, "x", path)[:])
        self.extracted: NDArray[np.bool_] = np.asarray(self._extracted[:])

    @classmethod
    def open(cls, path: Path) -> CoefficientMaps:
        """Open maps for reading.

        Raises
        ------
        InputError
            If there are none at ``path``, or they are of another layout or not whole.
        """
        try:
            group = zarr.open_group(path, mode="r", zarr_format=3)
        except (FileNotFoundError, GroupNotFoundError, ContainsArrayError, NotADirectoryError):
            raise InputError(
                f"{path}: no coefficient maps here; run `brainarch factorize` or `project`"
            ) from None
        absent = [name for name in _NAMES if name not in group]
        if group.attrs.get("format") != FORMAT or absent:
            raise InputError(
                f"{path}: not coefficient maps of this version (expected format {FORMAT}); "
                "run `brainarch factorize` or `project` again"
            )
        return cls(group, path)

    @classmethod
    def create(
        cls,
        path: Path,
        y: NDArray[np.integer],
        x: NDArray[np.integer],
        factors: int,
        attrs: Mapping[str, Any],
    ) -> CoefficientMaps:
        """Make empty maps; no pixel holds coefficients yet.

        Parameters
        ----------
        path : Path
            A place where nothing stands.
        y, x : ndarray of int, shape (rows,), (columns,)
            Pixel positions of the grid's rows and columns.
        factors : int
            Number of factors.
        attrs : mapping
            JSON values; ``z`` and ``stride`` at least.
        """
        group = zarr.create_group(path, zarr_format=3, attributes={"format": FORMAT, **attrs})
        rows, columns = len(y), len(x)
        chunks = (CHUNK_ROWS, min(CHUNK_COLUMNS, columns))
        _make(group, "coefficient", (factors, rows, columns), "float32", (1, *chunks))
        _make(group, "extracted", (rows, columns), "bool", chunks)
        for name, values in (("factor", np.arange(1, factors + 1)), ("y", y), ("x", x)):
            array = _make(group, name, (len(values),), "int32", (len(values),))
            array[:] = np.asarray(values, dtype=np.int32)
        return cls(group, path)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return len(self.y), len(self.x)

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
        self._coefficient[:, rows] = block
        self._extracted[rows] = done
        self.extracted[rows] = done

    def factor_map(self, factor: int, step: int = 1) -> NDArray[np.float32]:
        """Return the map of a factor (from 1) on every ``step``-th row and column of the grid."""
        whole = np.asarray(self._coefficient[factor - 1], dtype=np.float32)
        return whole[::step, ::step]

    def batches(
        self, mask: NDArray[np.bool_]
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]]:
        """Yield the coefficients of masked pixels by bands of rows, in raster order.

        Parameters
        ----------
        mask : ndarray of bool, shape (rows, columns)
            Wanted pixels of the grid; those without coefficients are left out.

        Yields
        ------
        iy, ix : ndarray of int, shape (n,)
            Grid rows and columns.
        C : ndarray of float32, shape (n, factors)
            Coefficients. Bands without a wanted pixel are left out.
        """
        wanted = mask & self.extracted
        for start in range(0, len(self.y), CHUNK_ROWS):
            iy, ix = np.nonzero(wanted[start : start + CHUNK_ROWS])
            if len(iy) == 0:
                continue
            band = np.asarray(self._coefficient[:, start : start + CHUNK_ROWS], dtype=np.float32)
            yield iy + start, ix, np.ascontiguousarray(band[:, iy, ix].T)

    def update_attrs(self, attrs: Mapping[str, Any]) -> None:
        """Add attributes to maps that were made by `create`."""
        self._group.attrs.update(dict(attrs))
        self.attrs.update(attrs)


def _array(group: zarr.Group, name: str, path: Path) -> zarr.Array[Any]:
    array = group[name]
    if not isinstance(array, zarr.Array):
        raise InputError(f"{path}: {name} is not an array; run `brainarch factorize` again")
    return array


def _make(
    group: zarr.Group, name: str, shape: tuple[int, ...], dtype: str, chunks: tuple[int, ...]
) -> zarr.Array[Any]:
    return group.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=tuple(max(1, side) for side in chunks),
        compressors=BloscCodec(cname="lz4", clevel=5, shuffle="shuffle"),
        fill_value=np.nan if dtype.startswith("float") else 0,
        dimension_names=_NAMES[name],
    )
