"""Killed at random moments: the same command ends with an undisturbed run's bytes."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from comparing import content, differences, leftovers
from runs import TINY, kill, pretended, snakemake, start
from small_run import (
    LONG,
    RESULTS,
    STAGES,
    run_stage,
    said,
    temporary_folder,
    write_inputs,
)

#: Kills of each stage, and of the chain, in the long tier.
MANY = int(os.environ.get("BRAINARCH_FAULT_KILLS", "10"))
Note = Callable[[str, str, str], None]


def kill_stages(
    undisturbed: tuple[Path, dict[str, float]], directory: Path, kills: int, seed: int, note: Note
) -> None:
    expected, seconds = content(undisturbed[0] / RESULTS), undisturbed[1]
    moments = random.Random(seed)
    write_inputs(directory)
    for name in STAGES:
        hits = 0
        for _ in range(kills if name in LONG else 0):
            hits += run_stage(name, directory, moments.uniform(0, seconds[name])) < 0
        went_on = run_stage(name, directory) == 0
        assert went_on, f"{name} did not go on, seed {seed}: {said(directory)}"
        if name in LONG:
            note(f"{name} killed", f"{hits} of {kills} moments, seed {seed}", "went on")
    found = content(directory / RESULTS)
    assert differences(found, expected) == [], f"seed {seed}"
    assert leftovers(directory) == [], f"seed {seed}"
    assert list(temporary_folder(directory).iterdir()) == [], f"seed {seed}"
    note("stages: files compared", str(len(found)), "same bytes, nothing left")


def test_killed_stages_go_on(
    undisturbed: tuple[Path, dict[str, float]], tmp_path: Path, seed: int, note: Note
) -> None:
    kill_stages(undisturbed, tmp_path, 2, seed, note)


@pytest.mark.faults
def test_stages_killed_often_go_on(
    undisturbed: tuple[Path, dict[str, float]], tmp_path: Path, seed: int, note: Note
) -> None:
    kill_stages(undisturbed, tmp_path, MANY, seed, note)


def wait_for_lock(directory: Path, run: subprocess.Popen[str]) -> None:
    """Wait until a run begins its jobs; what a killed one has left there is of no account."""
    log = directory / ".snakemake/log"
    before = set(log.glob("*.log")) if log.exists() else set()
    while run.poll() is None:
        new = set(log.glob("*.log")) - before
        if any("Select jobs to execute" in path.read_text() for path in new):
            return
        time.sleep(0.05)


@pytest.mark.faults
def test_the_workflow_goes_on(tmp_path: Path, seed: int, note: Note) -> None:
    """Snakemake and its jobs are killed at any moment; a stand-in computes nothing."""
    options = (*TINY, "--", "V3")
    first = pretended(tmp_path)
    moments, hits, cleared = random.Random(seed), 0, 0
    for _ in range(MANY):
        run = start(*options, directory=tmp_path, first=first)
        wait_for_lock(tmp_path, run)
        try:
            said, _ = run.communicate(timeout=moments.uniform(0, 8))
            shutil.rmtree(tmp_path / "results")  # it came to its end: another one begins
        except subprocess.TimeoutExpired:
            said = kill(run)
            hits += 1
        cleared += "its lock is cleared" in said
        assert "cannot be locked" not in said, f"seed {seed}"
    done = snakemake(*options, directory=tmp_path, first=first)
    assert done.returncode == 0, f"seed {seed}: {(done.stdout + done.stderr)[-5000:]}"
    again = snakemake("-n", *options, directory=tmp_path, first=first)
    assert "Nothing to be done" in again.stdout + again.stderr, f"seed {seed}"
    assert leftovers(tmp_path) == [], f"seed {seed}"
    note("workflow killed", f"{hits} of {MANY} moments, seed {seed}", f"{cleared} locks cleared")


@pytest.mark.faults
def test_the_chain_goes_on(
    undisturbed_chain: tuple[Path, float], tmp_path: Path, seed: int, note: Note
) -> None:
    """All of it is killed, Snakemake, its jobs and what they started; in a folder of its own.

    So two runs of one config in two folders are equal, also where one of them was never killed.
    """
    undisturbed, seconds = undisturbed_chain
    killed, temporary = tmp_path / "killed", tmp_path / "temporary"
    for folder in (killed, temporary):
        folder.mkdir()
    moments, hits = random.Random(seed), 0
    for _ in range(MANY):
        run = start(*TINY, directory=killed, TMPDIR=str(temporary))
        wait_for_lock(killed, run)
        time.sleep(moments.uniform(0, 2 * seconds / MANY))
        if run.poll() is None:
            kill(run)
            hits += 1
    done = snakemake(*TINY, directory=killed, TMPDIR=str(temporary))
    assert done.returncode == 0, f"seed {seed}: {(done.stdout + done.stderr)[-5000:]}"
    found = content(killed / "results/test")
    assert differences(found, content(undisturbed / "results/test")) == [], f"seed {seed}"
    assert leftovers(killed) == [], f"seed {seed}"
    assert sorted(path.name for path in temporary.iterdir()) == [], f"seed {seed}"
    note("chain killed", f"{hits} of {MANY} moments, seed {seed}", "went on by itself")
    note("chain in two folders", f"{len(found)} files", "same bytes, nothing left")
