"""A conversion whose disk fails: it stops in one line, keeps what is done, goes on later."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from brainarch.errors import InputError
from brainarch.volume import convert as module
from brainarch.volume import shards
from brainarch.volume.convert import convert, plan_conversion
from brainarch.volume.stack import open_stack

SLAB = 8


def run(source: Path, output: Path, partial: Path | None = None) -> None:
    stack = open_stack(source)
    plan = plan_conversion(stack.shape, "uint8", 1.17, slab=SLAB)
    folder = output.parent
    convert(stack, plan, output, folder / "slices.csv", partial or folder / ".partial")


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def expected(stack_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    run(stack_folder, folder / "v.ome.zarr")
    return content(folder)


def fail_after(patch: pytest.MonkeyPatch, calls: int, code: int) -> None:
    """Let so many shards be written, then find half of one written and the disk failing."""
    original = shards._write_shard
    left = [calls]

    def write(path: Path, *values: Any) -> None:
        original(path, *values)
        left[0] -= 1
        if left[0] < 0:
            os.truncate(path, path.stat().st_size // 2)
            raise OSError(code, os.strerror(code))

    patch.setattr(shards, "_write_shard", write)


@pytest.mark.parametrize(("calls", "finished"), [(0, 0), (2, 0), (4, 1), (8, 2)])
def test_full_disk_stops_in_one_line_and_goes_on_later(
    stack_folder: Path,
    expected: dict[str, bytes],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    calls: int,
    finished: int,
) -> None:
    output = tmp_path / "v.ome.zarr"
    with pytest.MonkeyPatch.context() as patch:
        fail_after(patch, calls, errno.ENOSPC)
        with pytest.raises(InputError) as caught:
            run(stack_folder, output)
    assert str(caught.value) == (
        f"{output}: the disk is full (No space left on device); finished slabs ({finished}) are "
        f"kept in {tmp_path / '.partial'}: free some space and run the same command again, it goes "
        "on from there"
    )
    assert not output.exists()
    caplog.clear()
    with caplog.at_level(logging.INFO):
        run(stack_folder, output)
    assert (f"going on after {finished} of 3 slabs" in caplog.text) == (finished > 0)
    assert content(tmp_path) == expected


def test_full_disk_while_a_slab_is_noted(
    stack_folder: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    original = module.write_record

    def write(path: Path, value: object) -> None:
        if path.name == "00001.json":
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        original(path, value)

    output = tmp_path / "v.ome.zarr"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "write_record", write)
        with pytest.raises(InputError, match=r"the disk is full .*; finished slabs \(1\) are kept"):
            run(stack_folder, output)
    run(stack_folder, output)
    assert content(tmp_path) == expected


def test_disk_that_turns_read_only_is_told_as_such(
    stack_folder: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    output = tmp_path / "v.ome.zarr"
    with pytest.MonkeyPatch.context() as patch:
        fail_after(patch, 5, errno.EROFS)
        with pytest.raises(InputError, match=r"cannot be written \(Read-only file system\); fin"):
            run(stack_folder, output)
    run(stack_folder, output)
    assert content(tmp_path) == expected


def test_an_error_of_ours_is_not_called_a_full_disk(stack_folder: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fail_after(patch, 4, errno.ENOENT)
        with pytest.raises(FileNotFoundError):
            run(stack_folder, tmp_path / "v.ome.zarr")


@pytest.mark.parametrize("which", ["output", "partial"])
def test_a_place_that_is_a_file_is_refused_before_anything_is_read(
    stack_folder: Path, tmp_path: Path, which: str
) -> None:
    places = {"output": tmp_path / "out", "partial": tmp_path / "unfinished"}
    places[which].write_text("a file")
    with pytest.raises(InputError) as caught:
        run(stack_folder, places["output"] / "v.ome.zarr", places["partial"])
    assert str(caught.value).startswith(f"{places[which]}: cannot be written (")
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("which", ["output", "partial"])
def test_a_folder_without_permission_is_refused_before_anything_is_read(
    stack_folder: Path, tmp_path: Path, which: str
) -> None:
    places = {"output": tmp_path / "out", "partial": tmp_path / "unfinished"}
    places[which].mkdir(mode=0o500)
    with pytest.raises(InputError) as caught:
        run(stack_folder, places["output"] / "v.ome.zarr", places["partial"])
    assert str(caught.value) == (
        f"{places[which]}: cannot be written (Permission denied); change its permissions or give "
        "another place"
    )


def test_two_file_systems_are_refused_before_anything_is_read(
    stack_folder: Path, tmp_path: Path
) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system at hand")
    partial = other / f"brainarch-test-{os.getpid()}"
    try:
        with pytest.raises(InputError, match="on another file system than"):
            run(stack_folder, tmp_path / "v.ome.zarr", partial)
    finally:
        partial.rmdir()
