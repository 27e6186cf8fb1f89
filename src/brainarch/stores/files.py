"""The files of a group: which chunks must be there, and what is said of a lost or damaged one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, Self

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.core.sync import sync
from zarr.storage import LocalStore

from brainarch.errors import InputError

#: Length of the checksum behind a chunk.
CHECKSUM_BYTES = 4
#: What damaged bytes or metadata make zarr and its codecs raise.
DAMAGE = (ValueError, KeyError, TypeError, RuntimeError, OSError)


class CheckedFiles(LocalStore):
    """A folder that a group is read from; a chunk that is not there is an error.

    Zarr takes such a chunk for one of nothing but the fill value.

    Parameters
    ----------
    root : Path
        The group.
    absent : set of str, optional
        Chunks that may be missing, as ``array/c/0/1``.
    """

    def __init__(self, root: Path, *, absent: set[str] | None = None) -> None:
        super().__init__(root, read_only=True)
        self.absent = set() if absent is None else absent

    def with_read_only(self, read_only: bool = False) -> Self:
        """Return it again: it is for reading only."""
        if not read_only:
            raise ValueError(f"{self.root}: opened for reading")
        return self

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return a file's bytes; see `zarr.abc.store.Store.get`."""
        found = await super().get(key, prototype, byte_range)
        if found is None and "/c/" in key and key not in self.absent:
            raise ValueError(f"chunk {key} is missing")
        return found


class WrittenFiles(LocalStore):
    """A folder that a group is written to; each chunk is read back and must be what was written."""

    async def set(self, key: str, value: Buffer) -> None:
        """Write a file; see `zarr.abc.store.Store.set`.

        Raises
        ------
        InputError
            If a chunk does not read back.
        """
        await super().set(key, value)
        file = self.root / key
        if "/c/" in key and await asyncio.to_thread(file.read_bytes) != value.to_bytes():
            raise InputError(
                f"{file}: does not read back as it was written; check the disk and run this again"
            )


@contextmanager
def sound(path: Path, what: str, remedy: str) -> Iterator[None]:
    """Say in one line what damaged bytes or metadata make zarr raise.

    Parameters
    ----------
    path : Path
        The store.
    what : str
        What is read from it.
    remedy : str
        What mends it.
    """
    try:
        yield
    except DAMAGE as error:
        _settle()
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: {what} cannot be read ({said}); {remedy}") from None


def read_part(array: zarr.Array[Any], part: Any, path: Path, remedy: str) -> NDArray[Any]:
    """Return a part of an array.

    Parameters
    ----------
    array : zarr.Array
    part : int, slice, Ellipsis or a tuple of int and slice
    path : Path
        The store, for the message.
    remedy : str
        What mends it.

    Raises
    ------
    InputError
        If a chunk is damaged or missing; it is named.
    """
    name = array.name.strip("/")
    with sound(path, name, remedy):
        try:
            return np.asarray(array[part])
        except DAMAGE as error:
            chunk = next((key for key, _ in damaged_chunks(array, part)), None)
            if chunk is None or f"{name}/{chunk}" in str(error):
                raise
            raise ValueError(f"chunk {name}/{chunk}: {error}") from None


def damaged_chunks(
    array: zarr.Array[Any], part: Any = ..., threads: int = 1
) -> Iterator[tuple[str, str]]:
    """Yield the key of every file of an array's part that does not read, and why."""

    def fault(index: tuple[int, ...]) -> tuple[str, str] | None:
        place = tuple(slice(i * side, (i + 1) * side) for i, side in zip(index, sides, strict=True))
        try:
            array[place]
        except DAMAGE as error:
            return "/".join(map(str, ("c", *index))), " ".join(str(error).split())[:200]
        return None

    sides = array.shards or array.chunks
    indices = product(*(range(*limits) for limits in _touched(array.shape, sides, part)))
    with ThreadPoolExecutor(threads) as pool:
        yield from (found for found in pool.map(fault, indices) if found is not None)
    _settle()


def chunk_checksums(array: zarr.Array[Any], part: Any, folder: Path) -> str:
    """Return the CRC-32C at the end of every chunk that a part of an array touches.

    Parameters
    ----------
    array : zarr.Array
        Not sharded, its last codec a CRC-32C.
    part : slice, Ellipsis or a tuple of slice
    folder : Path
        The array's.

    Returns
    -------
    str
        Eight hexadecimal digits a chunk in raster order, - for one that is not there.
    """
    found = []
    for index in product(*(range(*limits) for limits in _touched(array.shape, array.chunks, part))):
        try:
            with folder.joinpath("c", *map(str, index)).open("rb") as stream:
                stream.seek(-CHECKSUM_BYTES, os.SEEK_END)
                found.append(stream.read().hex())
        except OSError:  # absent, or shorter than that
            found.append("-")
    return " ".join(found)


def _touched(shape: tuple[int, ...], sides: tuple[int, ...], part: Any) -> list[tuple[int, int]]:
    """Return the first and one past the last chunk that a part touches along each axis."""
    parts = part if isinstance(part, tuple) else (part,)
    if Ellipsis in parts:
        parts = ()
    limits = []
    for axis, (size, side) in enumerate(zip(shape, sides, strict=True)):
        wanted = parts[axis] if axis < len(parts) else slice(None)
        if not isinstance(wanted, slice):
            wanted = slice(int(wanted), int(wanted) + 1)
        low, high, _ = wanted.indices(size)
        limits.append((low // side, max(low // side, -(-high // side))))
    return limits


def _settle() -> None:
    """Wait for reads beside a failed one, which would complain at the exit."""

    async def wait() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    sync(wait())
