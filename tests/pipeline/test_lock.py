"""Snakemake's lock is cleared when the run that took it is dead, and never else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brainarch.pipeline.lock import DirectoryLock

RESULTS = "results/mine"


def locks(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / ".snakemake/locks").glob("*"))


def lock(directory: Path, number: int, output: str) -> None:
    """Write what Snakemake writes."""
    folder = directory / ".snakemake/locks"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number}.input.lock").write_text("input.tif\n")
    (folder / f"{number}.output.lock").write_text(f"{output}\n")


def test_the_lock_of_a_dead_run_is_cleared_and_that_of_another_workflow_stays(
    tmp_path: Path,
) -> None:
    run = DirectoryLock(tmp_path, RESULTS)
    run.note(on_cluster=False)
    lock(tmp_path, 0, "results/mine/volume/slices.csv")
    lock(tmp_path, 1, "elsewhere/table.csv")
    del run  # as the end of its process does
    assert DirectoryLock(tmp_path, RESULTS).cleared
    assert locks(tmp_path) == ["1.input.lock", "1.output.lock"]
    assert not DirectoryLock(tmp_path, RESULTS).cleared


def test_the_lock_of_a_living_run_stays(tmp_path: Path) -> None:
    run = DirectoryLock(tmp_path, RESULTS)
    lock(tmp_path, 0, "results/mine/volume/slices.csv")
    second = DirectoryLock(tmp_path, RESULTS)
    assert not second.cleared
    del run  # the second lives
    assert not DirectoryLock(tmp_path, RESULTS).cleared
    assert len(locks(tmp_path)) == 2
    del second
    assert DirectoryLock(tmp_path, RESULTS).cleared


@pytest.mark.parametrize("change", [{"host": "another machine"}, {"cluster": True}])
def test_a_lock_that_may_be_held_out_of_sight_stays(
    tmp_path: Path, change: dict[str, object]
) -> None:
    run = DirectoryLock(tmp_path, RESULTS)
    run.note(on_cluster=bool(change.get("cluster")))
    lock(tmp_path, 0, "results/mine/volume/slices.csv")
    del run
    note = tmp_path / ".snakemake/brainarch.lock"
    note.write_text(json.dumps(json.loads(note.read_text()) | change))
    assert not DirectoryLock(tmp_path, RESULTS).cleared
    assert len(locks(tmp_path)) == 2
