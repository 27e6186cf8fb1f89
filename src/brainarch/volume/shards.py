"""The shards of a Zarr 3 array, written and read back a chunk at a time: they need little memory.

zarr encodes a whole shard in memory and copies it several times, and all its threads wait for one.
Like this, writing takes less than half the processor time, and threads work at once (measured).

The array's fill value is 0, its keys are the default ones, its codec is ``sharding_indexed`` with
the index at the end and a CRC-32C of it, and within it ``bytes`` (little-endian) and ``zstd`` with
a checksum, or ``crc32c`` where nothing is compressed.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import BinaryIO

import google_crc32c
import numpy as np
from numcodecs.zstd import compress, decompress
from numpy.typing import NDArray

#: What the index says of a chunk that holds nothing but 0, which is not written.
EMPTY = 2**64 - 1

Shape = tuple[int, int, int]


def write_shards(
    folder: Path,
    values: NDArray[np.generic],
    first: int,
    *,
    chunk: Shape,
    shard: Shape,
    zstd_level: int | None,
    threads: int = 1,
) -> None:
    """Write values that fill the shards of one depth.

    Parameters
    ----------
    folder : Path
        Folder of the array.
    values : ndarray, shape (slices, rows, columns)
        At most as many slices as a shard is deep.
    first : int
        Number of the shards along the first axis.
    chunk, shard : tuple of int
        Shapes of a chunk and of a shard, a multiple of it.
    zstd_level : int or None
        Level of the compression; None does not compress.
    threads : int
        Shards written at a time.
    """
    corners = product(
        range(0, values.shape[1], shard[1]),
        range(0, values.shape[2], shard[2]),
    )

    def write(corner: tuple[int, int]) -> None:
        top, left = corner
        part = values[:, top : top + shard[1], left : left + shard[2]]
        path = folder / "c" / str(first) / str(top // shard[1]) / str(left // shard[2])
        _write_shard(path, part, chunk, shard, zstd_level)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(write, corners))


def read_band(
    folder: Path,
    shape: Shape,
    low: int,
    *,
    dtype: np.dtype[np.generic],
    chunk: Shape,
    shard: Shape,
    compressed: bool = True,
) -> NDArray[np.generic]:
    """Return the slices of an array that one layer of chunks holds.

    Parameters
    ----------
    folder : Path
        Folder of the array.
    shape : tuple of int
        Slices, rows and columns of the array.
    low : int
        First slice, a multiple of the depth of a chunk.
    dtype : numpy.dtype
        Type of the values.
    chunk, shard : tuple of int
        Shapes of a chunk and of a shard, a multiple of it.
    compressed : bool
        Whether the chunks are zstd.

    Raises
    ------
    ValueError, RuntimeError, OSError
        If a file is not whole or a checksum is wrong.
    """
    band = np.zeros((min(chunk[0], shape[0] - low), *shape[1:]), dtype=dtype)
    first, layer = low // shard[0], low % shard[0] // chunk[0]
    counts = [whole // side for whole, side in zip(shard, chunk, strict=True)]
    for top, left in product(range(0, shape[1], shard[1]), range(0, shape[2], shard[2])):
        path = folder / "c" / str(first) / str(top // shard[1]) / str(left // shard[2])
        with path.open("rb") as handle:
            index = _read_index(handle, counts)[layer]
            for y, x in np.ndindex(*counts[1:]):
                offset, size = map(int, index[y, x])
                if offset == EMPTY:
                    continue
                handle.seek(offset)
                content = handle.read(size)
                plain = decompress(content) if compressed else _checked(content, handle.name)
                values = np.frombuffer(plain, dtype.newbyteorder("<"))
                rows, columns = top + y * chunk[1], left + x * chunk[2]
                target = band[:, rows : rows + chunk[1], columns : columns + chunk[2]]
                target[:] = values.reshape(chunk)[tuple(map(slice, target.shape))]
    return band


def _read_index(handle: BinaryIO, counts: Sequence[int]) -> NDArray[np.uint64]:
    """Return where in a shard its chunks are: shape (*counts, 2)."""
    length = math.prod(counts) * 16
    handle.seek(-length - 4, os.SEEK_END)
    table = _checked(handle.read(length + 4), handle.name)
    return np.frombuffer(table, "<u8").reshape(*counts, 2)


def _checked(content: bytes, name: str) -> bytes:
    """Return what comes before a CRC-32C of it."""
    plain, checksum = content[:-4], content[-4:]
    if google_crc32c.value(plain) != int.from_bytes(checksum, "little"):
        raise ValueError(f"{name}: wrong checksum")
    return plain


def _checksum(plain: bytes) -> bytes:
    checksum: int = google_crc32c.value(plain)
    return checksum.to_bytes(4, "little")


def _write_shard(
    path: Path, part: NDArray[np.generic], chunk: Shape, shard: Shape, zstd_level: int | None
) -> None:
    """Write one shard, also of nothing but 0: a file that is not there is one that was lost."""
    counts = [whole // side for whole, side in zip(shard, chunk, strict=True)]
    index = np.full((*counts, 2), EMPTY, dtype="<u8")
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = np.zeros(chunk, dtype=part.dtype.newbyteorder("<"))
    end = 0
    with path.open("wb") as handle:
        for place in np.ndindex(*counts):
            corner = [number * side for number, side in zip(place, chunk, strict=True)]
            z, y, x = (slice(low, low + side) for low, side in zip(corner, chunk, strict=True))
            values = part[z, y, x]
            if not values.size:
                continue
            if values.shape != buffer.shape:
                buffer[:] = 0
            buffer[tuple(map(slice, values.shape))] = values
            if not buffer.any():
                continue
            if zstd_level is None:
                plain = buffer.tobytes()
                size = handle.write(plain) + handle.write(_checksum(plain))
            else:
                size = handle.write(compress(buffer, zstd_level, checksum=True))
            index[place] = end, size
            end += size
        places = index.tobytes()
        handle.write(places + _checksum(places))
        handle.flush()
        if hasattr(os, "posix_fadvise"):  # Linux then begins to write at once, without waiting
            os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
