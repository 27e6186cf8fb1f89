"""A user's files are followed one by one: whatever changes in one of them is seen."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import zarr

from brainarch.volume.files import files_state

COUNT = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stack").mkdir()
    for z in range(COUNT):
        path = tmp_path / f"stack/z{z:04d}.tif"
        path.write_bytes(bytes([z]))
        os.utime(path, ns=(z * 10**9 + 1, z * 10**9 + 1))
    return tmp_path / "stack"


@pytest.mark.parametrize("pattern", ["", "/*.tif", "/z{z:04d}.tif"])
def test_a_change_of_one_file_is_seen(folder: Path, pattern: str) -> None:
    source = f"{folder}{pattern}"
    before = files_state([source])
    assert before == files_state([source])
    path = folder / "z0007.tif"
    path.write_bytes(b"x")
    for time_ns in (10**18, 5):  # later than all others, or restored from an older copy
        os.utime(path, ns=(time_ns, time_ns))
        assert files_state([source]) != before
    os.utime(path, ns=(7 * 10**9 + 1, 7 * 10**9 + 1))
    assert files_state([source]) == before
    path.write_bytes(b"xx")
    os.utime(path, ns=(7 * 10**9 + 1, 7 * 10**9 + 1))
    assert files_state([source]) != before
    (folder / "notes.txt").touch()  # control: what is no slice changes nothing
    path.write_bytes(b"x")
    os.utime(path, ns=(7 * 10**9 + 1, 7 * 10**9 + 1))
    assert files_state([source]) == before
    path.unlink()
    assert files_state([source]) != before


def test_nothing_there_is_no_state(tmp_path: Path) -> None:
    assert files_state([str(tmp_path / "gone"), str(tmp_path / "z{z}.tif")]) is None
    assert files_state([str(tmp_path / "gone.zarr")]) is None


def test_a_chunk_of_a_zarr_store_that_is_replaced_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "labels.zarr"
    array = zarr.create_array(path, shape=(4, 4), chunks=(2, 2), dtype="uint8")
    array[...] = np.ones((4, 4), np.uint8)
    for entry in path.rglob("*"):
        os.utime(entry, (1, 1))
    before = files_state([str(path)])
    array[3, 3] = 2
    assert files_state([str(path)]) != before
