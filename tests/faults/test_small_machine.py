"""A small disk, a read-only one and too little memory: one line each, and it goes on later."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from comparing import content, differences, leftovers
from small_run import LONG, RESULTS, STAGES, run_stage, said, write_inputs

pytestmark = pytest.mark.faults

Note = Callable[[str, str, str], None]
#: Sizes of the small disk in MB; a training alone needs more than 100.
SIZES = (1, 4, 40, 90, 256)
#: What a full disk is called.
FULL = re.compile("no space left|disk is full", re.IGNORECASE)
#: Memory that a stage may take, in MB.
SPARES_MB = (20, 60, 150, 400)


def one_line(directory: Path) -> str:
    """Return the line that a stage ended with, and nothing but it."""
    text = said(directory)
    assert "Traceback" not in text, text[-3000:]
    (line,) = [x for x in text.splitlines() if x.startswith("brainarch: error: ")]
    return line


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("undisturbed")
    write_inputs(directory)
    for name in STAGES:
        assert run_stage(name, directory) == 0, said(directory)
    return directory


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Mount a disk of its own for the results; what it returns mounts it anew with options."""
    results = tmp_path / "results"
    results.mkdir()
    write_inputs(tmp_path)

    def mount(options: str) -> None:
        how = f"remount,{options}" if results.is_mount() else options
        command = ["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(results)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"mounting is not possible here: {done.stderr.strip()}")

    yield mount
    if results.is_mount():
        subprocess.run(["umount", str(results)], check=True)


def test_a_small_disk(
    undisturbed: Path, tmp_path: Path, disk: Callable[[str], None], note: Note
) -> None:
    sizes = iter(SIZES)
    disk(f"size={next(sizes)}m")
    for name in STAGES:
        refused = 0
        while (status := run_stage(name, tmp_path)) != 0:
            assert status == 2, said(tmp_path)
            line = one_line(tmp_path)
            assert "results/small" in line, line
            assert FULL.search(line), line
            disk(f"size={next(sizes)}m")
            refused += 1
        note(f"{name} on a full disk", f"{refused} times", "one line each, went on")
    found = content(tmp_path / RESULTS)
    assert differences(found, content(undisturbed / RESULTS)) == []
    assert leftovers(tmp_path) == []
    note("full disk: files compared", str(len(found)), "same bytes, nothing left")


def test_a_read_only_disk(
    undisturbed: Path, tmp_path: Path, disk: Callable[[str], None], note: Note
) -> None:
    disk("size=256m")
    shutil.copytree(undisturbed / RESULTS, tmp_path / RESULTS)
    shutil.rmtree(tmp_path / RESULTS / "dense/cnn/z0020.zarr")
    disk("ro")
    for name in STAGES:
        assert run_stage(name, tmp_path) == 2, said(tmp_path)
        line = one_line(tmp_path)
        assert "Read-only file system" in line, line
        assert "results/small" in line, line
    note("results on a read-only disk", f"{len(STAGES)} stages", "one line each")


@pytest.mark.parametrize("name", LONG)
def test_too_little_memory(undisturbed: Path, tmp_path: Path, name: str, note: Note) -> None:
    """A limit on addresses stops a process before the machine is in danger."""
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / RESULTS / "dense/cnn/z0020.zarr")
    refused = 0
    for spare in SPARES_MB:
        status = run_stage(name, tmp_path, spare_mb=spare)
        if status != 0:
            assert status == 2, f"{spare} MB: {status} {said(tmp_path)}"
            assert "out of memory" in one_line(tmp_path)
            refused += 1
    assert refused, "no limit was small enough"
    assert run_stage(name, tmp_path) == 0, said(tmp_path)
    if name == "extract":
        found = content(tmp_path / RESULTS)
        assert differences(found, content(undisturbed / RESULTS)) == []
    assert leftovers(tmp_path) == []
    note(f"{name} with too little memory", f"{refused} of {len(SPARES_MB)} limits", "one line each")
