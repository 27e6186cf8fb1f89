"""After a kill the same command goes on: the lock of a dead run is cleared, one that is held stays.

A stand-in for the command makes the outputs; it waits, or dies, where a test wants it to.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from runs import ROOT, kill, pretended, snakemake, start

WAIT_OR_DIE = """
if [ "$1" = convert ] && [ -e wait ]; then touch waiting; sleep 60; fi
if [ "$1" = convert ] && [ -e die ]; then kill -9 $$; fi
"""
VOLUME = "results/test/volume/volume.ome.zarr"
OPTIONS = ("--cores", "1", "--configfile", str(ROOT / "config/test.yaml"), "--", VOLUME)
CLEARED = "its lock is cleared"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    pretended(tmp_path, WAIT_OR_DIE)
    return tmp_path


def killed_run(directory: Path) -> None:
    """Begin the run and kill it in the middle of a job."""
    (directory / "wait").touch()
    run = start(*OPTIONS, directory=directory, first=directory / "bin")
    while not (directory / "waiting").exists():
        assert run.poll() is None, run.communicate()[0][-3000:]
        time.sleep(0.05)
    # control: while it lives, its lock is held and nobody clears it
    second = snakemake(*OPTIONS, directory=directory, first=directory / "bin")
    assert second.returncode != 0
    assert "cannot be locked" in second.stdout + second.stderr
    kill(run)
    (directory / "wait").unlink()


def test_the_same_command_goes_on_after_a_kill(directory: Path) -> None:
    killed_run(directory)
    again = snakemake(*OPTIONS, directory=directory, first=directory / "bin")
    assert again.returncode == 0, (again.stdout + again.stderr)[-3000:]
    assert CLEARED in again.stderr
    assert (directory / VOLUME).exists()
    third = snakemake(*OPTIONS, directory=directory, first=directory / "bin")
    assert "Nothing to be done" in third.stdout + third.stderr
    assert CLEARED not in third.stderr


def test_a_job_that_was_killed_says_so(directory: Path) -> None:
    (directory / "die").touch()
    run = snakemake(*OPTIONS, directory=directory, first=directory / "bin")
    assert run.returncode == 1
    (line,) = [x for x in run.stderr.splitlines() if x.startswith("convert: killed, most likely")]
    given = re.findall(r"brainarch convert .*--memory-mb (\d+)", run.stdout + run.stderr)
    assert f"its rule asks for {given[0]} MB, this machine has " in line
