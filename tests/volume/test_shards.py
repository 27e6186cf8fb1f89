"""Our shards against zarr's own reader and writer, and against tensorstore."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorstore
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec

from brainarch.volume.shards import read_band, write_shards

CHUNK, SHARD = (4, 16, 16), (8, 48, 32)


CODECS = {3: ZstdCodec(level=3, checksum=True), None: Crc32cCodec()}


def create(folder: Path, shape: tuple[int, int, int], dtype: str, level=3) -> zarr.Array:
    return zarr.create_array(
        folder,
        shape=shape,
        dtype=dtype,
        chunks=CHUNK,
        shards=SHARD,
        compressors=CODECS[level],
        fill_value=0,
    )


def write(folder: Path, data: np.ndarray, threads: int = 1, level=3) -> None:
    for number, start in enumerate(range(0, data.shape[0], SHARD[0])):
        part = data[start : start + SHARD[0]]
        write_shards(
            folder, part, number, chunk=CHUNK, shard=SHARD, zstd_level=level, threads=threads
        )


def sparse(shape: tuple[int, int, int], dtype: str) -> np.ndarray:
    """Return noise with whole chunks and a whole shard of zeros."""
    data = np.random.default_rng(3).integers(1, np.iinfo(dtype).max, shape).astype(dtype)
    data[:, :16, :16] = 0
    data[:8, :48, 32:64] = 0
    return data


def read(folder: Path, data: np.ndarray, level=3) -> np.ndarray:
    form = {"dtype": data.dtype, "chunk": CHUNK, "shard": SHARD}
    bands = [
        read_band(folder, data.shape, low, compressed=level is not None, **form)
        for low in range(0, data.shape[0], CHUNK[0])
    ]
    return np.concatenate(bands)


@pytest.mark.parametrize("level", CODECS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", ">u2"])
@pytest.mark.parametrize("shape", [(8, 48, 64), (11, 50, 70), (1, 5, 3)])
def test_zarr_reads_what_we_write(tmp_path, shape, dtype, level):
    data = sparse(shape, dtype)
    array = create(tmp_path / "a", shape, np.dtype(dtype).newbyteorder("=").name, level)
    write(tmp_path / "a", data, threads=3, level=level)
    np.testing.assert_array_equal(array[:], data)
    np.testing.assert_array_equal(read(tmp_path / "a", data, level), data)


@pytest.mark.parametrize("level", CODECS)
def test_we_read_what_zarr_writes(tmp_path, level):
    data = sparse((11, 50, 70), "uint16")
    array = create(tmp_path / "a", data.shape, "uint16", level)
    array.with_config({"write_empty_chunks": True})[:] = data
    np.testing.assert_array_equal(read(tmp_path / "a", data, level), data)


def test_zeros_take_an_index_alone_and_a_lost_file_is_no_zeros(tmp_path):
    data = sparse((8, 48, 64), "uint8")
    write(tmp_path / "a", data)
    chunks = np.prod([whole // side for whole, side in zip(SHARD, CHUNK, strict=True)])
    empty = tmp_path / "a/c/0/0/1"
    assert empty.stat().st_size == 16 * chunks + 4
    empty.unlink()
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "a", data)


@pytest.mark.parametrize("level", CODECS)
@pytest.mark.parametrize("where", [20, -8, -2])
def test_one_wrong_byte_is_found(tmp_path, where, level):
    data = sparse((8, 48, 32), "uint8")
    write(tmp_path / "a", data, level=level)
    shard = tmp_path / "a/c/0/0/0"
    content = bytearray(shard.read_bytes())
    content[where] ^= 1
    shard.write_bytes(content)
    with pytest.raises((ValueError, RuntimeError)):
        read(tmp_path / "a", data, level)


@pytest.mark.parametrize("size", [0, 3, 500])
def test_a_cut_file_is_found(tmp_path, size):
    data = sparse((8, 48, 32), "uint8")
    write(tmp_path / "a", data)
    shard = tmp_path / "a/c/0/0/0"
    shard.write_bytes(shard.read_bytes()[:size])
    with pytest.raises((ValueError, RuntimeError, OSError)):
        read(tmp_path / "a", data)


def test_tensorstore_reads_what_we_write(tmp_path):
    data = sparse((11, 50, 70), "uint16")
    create(tmp_path / "a", data.shape, "uint16")
    write(tmp_path / "a", data)
    store = {"driver": "file", "path": str(tmp_path / "a")}
    array = tensorstore.open({"driver": "zarr3", "kvstore": store, "open": True}).result()
    np.testing.assert_array_equal(array.read().result(), data)
