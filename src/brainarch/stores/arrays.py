"""A Zarr 3 group of named arrays on disk.

Every chunk carries a CRC-32C, every chunk that must be there is there, and the metadata have a
digest: what is read is what was written, or one line says that it is not. A group opens with
``xarray.open_zarr(path)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec

from brainarch.errors import InputError
from brainarch.stores import metadata
from brainarch.stores.files import (
    CheckedFiles,
    WrittenFiles,
    chunk_checksums,
    damaged_chunks,
    read_part,
    sound,
)

#: How chunks are stored: compressed, and the checksum of that behind it.
CODECS = (BloscCodec(cname="lz4", clevel=5, shuffle="shuffle"), Crc32cCodec())
#: The attribute that names what makes a store, where stores of a kind come from several stages.
MADE_BY = "made_by"


@dataclass(frozen=True)
class Layout:
    """A kind of store.

    Parameters
    ----------
    format : str
        Name and version, stored with every store.
    title : str
        What it is called in messages.
    maker : str
        What to run for one, in messages.
    arrays : mapping of str to tuple of str
        Arrays that it must hold, with the names of their dimensions.
    sparse : str or None
        The array of which only chunks with values are stored; every chunk of the others is there.
    """

    format: str
    title: str
    maker: str
    arrays: Mapping[str, tuple[str, ...]]
    sparse: str | None = None


class ArrayStore:
    """A store of arrays, opened by `ArrayStore.open` or made by `ArrayStore.create`.

    Attributes
    ----------
    path : Path
    layout : Layout
    attrs : dict
        Everything stored beside the arrays.
    """

    def __init__(self, group: zarr.Group, path: Path, layout: Layout) -> None:
        self.path = path
        self.layout = layout
        self.attrs: dict[str, Any] = dict(group.attrs)
        self.attrs.pop(metadata.DIGEST, None)
        self._group = group
        self._arrays: dict[str, zarr.Array[Any]] = {}

    @classmethod
    def open(cls, path: Path, layout: Layout, *, writable: bool = False) -> Self:
        """Open a store, by default for reading only.

        Raises
        ------
        InputError
            If there is none at ``path``, or it is of another layout, not whole or damaged.
        """
        again = f"run {layout.maker} again"
        with sound(path, "its metadata", again):
            found = metadata.read_metadata(path) if (path / metadata.FILE).is_file() else {}
            root = found.get("", {})
            if root.get("node_type") != "group":
                raise InputError(f"{path}: no {layout.title} here; run {layout.maker}")
            form = root.get("attributes", {}).get("format")
            if form != layout.format:
                raise InputError(
                    f"{path}: no {layout.title} of this version here (format {form}, expected "
                    f"{layout.format}); {again}"
                )
            absent = [name for name in layout.arrays if name not in found]
            if absent:
                raise InputError(f"{path}: {layout.title} without {', '.join(absent)}; {again}")
            metadata.check_metadata(found)
            files = WrittenFiles(path) if writable else CheckedFiles(path)
            mode: Literal["r", "r+"] = "r+" if writable else "r"
            group = zarr.open_group(files, mode=mode, zarr_format=3, use_consolidated=False)
            return cls(group, path, layout)

    @classmethod
    def create(cls, path: Path, layout: Layout, attrs: Mapping[str, Any]) -> Self:
        """Make a store without arrays at a path where nothing stands; then `add`, then `finish`."""
        content = {"format": layout.format, **attrs}
        files = WrittenFiles(path)
        return cls(zarr.create_group(files, zarr_format=3, attributes=content), path, layout)

    def __contains__(self, name: str) -> bool:
        """Return whether there is an array of that name."""
        return name in self._group

    @property
    def remedy(self) -> str:
        """What mends it, for messages."""
        return f"run {self.attrs.get(MADE_BY, self.layout.maker)} again"

    def names(self) -> list[str]:
        """Return the names of the arrays."""
        return sorted(self._group.array_keys())

    def add(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: str | np.dtype[Any],
        chunks: tuple[int, ...],
        dimensions: Sequence[str] | None = None,
    ) -> zarr.Array[Any]:
        """Add an array; its chunks hold NaN or 0 where nothing is written."""
        return self._group.create_array(
            name,
            shape=shape,
            dtype=dtype,
            chunks=tuple(max(1, side) for side in chunks),
            compressors=CODECS,
            fill_value=np.nan if np.dtype(dtype).kind == "f" else 0,
            dimension_names=dimensions or self.layout.arrays[name],
            config={"write_empty_chunks": name != self.layout.sparse},
        )

    def put(
        self,
        name: str,
        values: NDArray[Any],
        dimensions: Sequence[str] | None = None,
        chunk: int | None = None,
    ) -> None:
        """Add an array with its values, in chunks of at most ``chunk`` along every axis."""
        sides = values.shape if chunk is None else tuple(min(n, chunk) for n in values.shape)
        array = self.add(name, values.shape, values.dtype, sides, dimensions)
        if values.size:
            array[...] = values

    def finish(self, values: Mapping[str, Any] | None = None) -> None:
        """Write the digest of the metadata, once all arrays exist, and further attributes."""
        metadata.write_attributes(self.path, values or {}, consolidate=True)
        self.attrs.update(values or {})

    def array(self, name: str) -> zarr.Array[Any]:
        """Return an array, to be described or written."""
        if name not in self._arrays:
            array = self._group[name]
            if not isinstance(array, zarr.Array):
                raise TypeError(f"{name} is no array")
            whole = name != self.layout.sparse
            self._arrays[name] = array.with_config({"write_empty_chunks": whole})
        return self._arrays[name]

    def read(self, name: str, part: Any = ...) -> NDArray[Any]:
        """Return an array, or a part of it.

        Raises
        ------
        InputError
            If a chunk is damaged, or one is missing that has to be there.
        """
        with sound(self.path, name, self.remedy):
            array = self.array(name)
        return read_part(array, part, self.path, self.remedy)

    def checksums(self, name: str, part: Any = ...) -> str:
        """Return the checksums of an array's chunks; see `chunk_checksums`."""
        return chunk_checksums(self.array(name), part, self.path / name)

    def leave_out(self, name: str, filled: NDArray[np.bool_]) -> None:
        """Say that chunks of an array may be missing where none of these pixels lies.

        Parameters
        ----------
        name : str
            An array with dimensions y and x among others.
        filled : ndarray of bool, shape (rows, columns)
            Pixels that hold values.
        """
        files = self._group.store
        if not isinstance(files, CheckedFiles):
            return
        array = self.array(name)
        dimensions = self.layout.arrays[name]
        grid = [-(-n // side) for n, side in zip(array.shape, array.chunks, strict=True)]
        sides = dict(zip(dimensions, array.chunks, strict=True))
        for index in np.ndindex(*grid):
            place = dict(zip(dimensions, index, strict=True))
            y, x = (
                slice(place[axis] * sides[axis], (place[axis] + 1) * sides[axis])
                for axis in ("y", "x")
            )
            if not filled[y, x].any():
                files.absent.add("/".join(map(str, (name, "c", *index))))

    def faults(self, threads: int = 1) -> list[str]:
        """Return one line for every chunk that is damaged or missing, read all of them."""
        return [
            f"{name}/{chunk}: {why}"
            for name in self.names()
            for chunk, why in damaged_chunks(self.array(name), threads=threads)
        ]
