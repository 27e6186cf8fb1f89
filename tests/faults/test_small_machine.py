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

from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stage import flat

pytestmark = pytest.mark.faults

Note = Callable[[str, str, str], None]
#: How much of the disk is free, in kB, one after the other until it is enough.
FREE_KB = (64, 512, 4_000, 32_000, 128_000, 512_000)
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


def results_without(name: str, undisturbed: Path, directory: Path) -> None:
    """Copy the results of all stages and remove those of one."""
    shutil.copytree(undisturbed / RESULTS, directory / RESULTS)
    for path in flat(STAGES[name](Pipeline.read(directory / "config.yaml")).outputs):
        if (directory / path).is_dir():
            shutil.rmtree(directory / path)
        else:
            (directory / path).unlink()


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


@pytest.mark.parametrize("name", LONG)
def test_a_small_disk(
    undisturbed: tuple[Path, object],
    tmp_path: Path,
    disk: Callable[[str], None],
    name: str,
    note: Note,
) -> None:
    """A stage has a disk of its own, which is larger after every failure."""
    disk("size=512m")
    results_without(name, undisturbed[0], tmp_path)
    used = -(-shutil.disk_usage(tmp_path / "results").used // 1024)
    refused = 0
    for free in FREE_KB:
        disk(f"size={used + free}k")
        if (status := run_stage(name, tmp_path)) == 0:
            break
        assert status == 2, said(tmp_path)
        line = one_line(tmp_path)
        assert "results/small" in line, line
        assert FULL.search(line), line
        refused += 1
    assert status == 0
    assert refused > 0
    found = content(tmp_path / RESULTS)
    assert differences(found, content(undisturbed[0] / RESULTS)) == []
    assert leftovers(tmp_path) == []
    note(f"{name} on a full disk", f"{refused} times", "one line each, went on, same bytes")


def test_a_read_only_disk(
    undisturbed: tuple[Path, object], tmp_path: Path, disk: Callable[[str], None], note: Note
) -> None:
    disk("size=256m")
    results_without("extract", undisturbed[0], tmp_path)
    disk("ro")
    for name in STAGES:
        assert run_stage(name, tmp_path) == 2, said(tmp_path)
        line = one_line(tmp_path)
        assert "Read-only file system" in line, line
        assert "results/small" in line, line
    note("results on a read-only disk", f"{len(STAGES)} stages", "one line each")


@pytest.mark.parametrize("name", LONG)
def test_too_little_memory(
    undisturbed: tuple[Path, object], tmp_path: Path, name: str, note: Note
) -> None:
    """A limit on addresses stops a process before the machine is in danger."""
    write_inputs(tmp_path)
    results_without(name, undisturbed[0], tmp_path)
    refused = 0
    for spare in SPARES_MB:
        status = run_stage(name, tmp_path, spare_mb=spare)
        if status != 0:
            assert status == 2, f"{spare} MB: {status} {said(tmp_path)}"
            assert "out of memory" in one_line(tmp_path)
            refused += 1
    assert refused, "no limit was small enough"
    assert run_stage(name, tmp_path) == 0, said(tmp_path)
    found = content(tmp_path / RESULTS)
    assert differences(found, content(undisturbed[0] / RESULTS)) == []
    assert leftovers(tmp_path) == []
    note(f"{name} with too little memory", f"{refused} of {len(SPARES_MB)} limits", "one line each")
