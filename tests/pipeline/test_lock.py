"""Snakemake's lock is cleared when the run that took it is dead, and never else."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path

import pytest

from brainarch.pipeline import orphans
from brainarch.pipeline.lock import DirectoryLock

RESULTS = "results/mine"


def begin(directory: Path, temporary: str = "snakemakeabcd_123") -> DirectoryLock:
    return DirectoryLock(directory, RESULTS, directory / temporary)


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
    run = begin(tmp_path)
    run.note("local")
    lock(tmp_path, 0, "results/mine/volume/slices.csv")
    lock(tmp_path, 1, "elsewhere/table.csv")
    del run  # as the end of its process does
    assert begin(tmp_path).cleared
    assert locks(tmp_path) == ["1.input.lock", "1.output.lock"]
    assert not begin(tmp_path).cleared


def test_the_lock_of_a_living_run_stays(tmp_path: Path) -> None:
    run = begin(tmp_path)
    lock(tmp_path, 0, "results/mine/volume/slices.csv")
    second = begin(tmp_path)
    assert not second.cleared
    del run  # the second lives
    assert not begin(tmp_path).cleared
    assert len(locks(tmp_path)) == 2
    del second
    assert begin(tmp_path).cleared


@pytest.mark.parametrize("change", [{"host": "another machine"}, {"executor": "cluster-generic"}])
def test_a_lock_that_may_be_held_out_of_sight_stays(
    tmp_path: Path, change: dict[str, object]
) -> None:
    run = begin(tmp_path)
    run.note(str(change.get("executor", "local")))
    lock(tmp_path, 0, "results/mine/volume/slices.csv")
    del run
    note = tmp_path / ".snakemake/brainarch.lock"
    note.write_text(json.dumps(json.loads(note.read_text()) | change))
    assert not begin(tmp_path).cleared
    assert len(locks(tmp_path)) == 2


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where stand-ins for SLURM's commands find the jobs: number|folder|comment."""
    jobs = tmp_path / "jobs"
    scripts = {
        "squeue": f'cat "{jobs}"',
        # ends the jobs whose numbers are given
        "scancel": f'for n in "$@"; do sed -i "/^$n|/d" "{jobs}"; done',
    }
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, line in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return jobs


def killed_on_slurm(directory: Path) -> None:
    run = begin(directory)
    run.note("slurm")
    lock(directory, 0, "results/mine/volume/slices.csv")
    del run


def test_jobs_that_a_dead_run_left_with_slurm_are_cancelled_and_no_others(
    tmp_path: Path, slurm: Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    others = ["7|/elsewhere|rule_train_wildcards_main", f"8|{here}|", f"9|{here}|my own job"]
    own = [f"5|{here}|rule_extract_wildcards_104", f"6|{here}|group_maps"]
    slurm.write_text("\n".join([*own, *others]) + "\n")
    killed_on_slurm(here)
    run = begin(here)
    assert run.cleared
    assert run.cancelled == 2
    assert slurm.read_text().splitlines() == others


def test_where_slurm_does_not_answer_the_lock_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    killed_on_slurm(tmp_path)
    assert not begin(tmp_path).cleared
    assert len(locks(tmp_path)) == 2


def test_jobs_that_do_not_end_keep_the_lock(
    tmp_path: Path, slurm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "END", 0.1)
    slurm.write_text(f"5|{tmp_path}|rule_train\n")
    (tmp_path / "bin/scancel").write_text("#!/bin/sh\n")
    killed_on_slurm(tmp_path)
    assert not begin(tmp_path).cleared


def test_temporary_folders_of_dead_runs_are_removed_and_no_others(tmp_path: Path) -> None:
    names = ["snakemakeaaaaaaaa", "snakemakebbbbbbbb", "snakemakecccccccc", "my_snakemake", "mine"]
    for name in names:
        (tmp_path / name / "source-cache").mkdir(parents=True)
    runs = [begin(tmp_path, name) for name in names[:2]]
    assert all((tmp_path / name).exists() for name in names), "both live"
    del runs
    own = tmp_path / ".snakemake/brainarch.temporary"
    others = [json.dumps(["another machine", str(tmp_path / names[2])])]
    odd = [json.dumps([platform.node(), str(tmp_path / name)]) for name in names[3:]]
    own.write_text("\n".join([own.read_text().strip(), *others, *odd, '["cut sh']))
    begin(tmp_path)
    assert [(tmp_path / name).exists() for name in names] == [False, False, True, True, True]
    assert others[0] in own.read_text()
