"""What a changed key makes run again: the stages that use it and what follows, nothing else.

The runs are made by a stand-in for the command, which makes the outputs and computes nothing.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from runs import ROOT, planned_jobs, snakemake

Content = dict[str, Any]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory in which the tiny config has run."""
    directory = tmp_path_factory.mktemp("reruns")
    command = directory / "bin/brainarch"
    command.parent.mkdir()
    stand_in = Path(__file__).with_name("stand_in.py")
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" "$@"\n')
    command.chmod(0o755)
    config = str(ROOT / "config/test.yaml")
    options = ("--cores", "2", "--configfile", config)
    done = snakemake(*options, directory=directory, first=command.parent)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return directory


def planned(directory: Path, edit: Callable[[Content], None]) -> set[str]:
    """Return the rules that would run again after an edit."""
    content = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    edit(content)
    edited = directory / "edited.yaml"
    edited.write_text(yaml.safe_dump(content))
    done = snakemake("-n", "--configfile", str(edited), directory=directory)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    return set() if "Nothing to be done" in output else set(planned_jobs(output)) - {"all"}


def swap_splits(content: Content) -> None:
    splits = content["splits"]
    splits["val"], splits["test"] = splits["test"], splits["val"]


def swap_counts(content: Content) -> None:
    counts = content["sampling"]
    counts["train_patches"], counts["eval_patches"] = (
        counts["eval_patches"],
        counts["train_patches"],
    )


def test_swapped_values_rerun_all_that_uses_them(finished: Path) -> None:
    """Snakemake compares the set of parameters' values; a swap leaves that set as it is."""
    learning = {"sample", "train", "evaluate", "embed", "extract", "factorize", "report"}
    assert planned(finished, swap_splits) >= learning
    assert planned(finished, swap_counts) >= learning


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda content: None, set()),
        (lambda content: content.update(title="Another"), {"explore", "report"}),
        (
            lambda content: content["areas"][0].update(title="Another"),
            {"draw_maps", "figure", "explore", "report"},
        ),
        (lambda content: content["extraction"].update(proof_windows=200), {"prove", "report"}),
        (
            lambda content: content["discovery"].update(inside_px=8),
            {
                "cluster_area",
                "find_components",
                "sweep_components",
                "profile",
                "compare_layers",
                "match_components",
                "explain_factors",
                "figure",
                "explore",
                "report",
            },
        ),
    ],
)
def test_an_edit_reruns_what_uses_it(
    finished: Path, edit: Callable[[Content], None], expected: set[str]
) -> None:
    assert planned(finished, edit) == expected


@pytest.mark.slow
def test_a_whole_run_moves_what_is_asked_for_no_more(finished: Path, tmp_path: Path) -> None:
    """A dry run and a run of a part leave it, as they may be for trying another config."""
    directory = tmp_path / "copy"
    shutil.copytree(finished, directory, symlinks=True)
    content = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    *kept, gone = content["extraction"]["slices"]
    content["extraction"]["slices"] = kept
    (directory / "edited.yaml").write_text(yaml.safe_dump(content))
    cube = f"dense/cnn/z{gone:04d}.zarr"
    results = directory / "results/test"

    def told(*arguments: str) -> list[str]:
        options = ("--cores", "2", "--configfile", "edited.yaml")
        done = snakemake(*options, *arguments, directory=directory, first=directory / "bin")
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        return [line for line in done.stderr.splitlines() if "/stale/" in line]

    assert told("-n") == []
    assert told("--", "report") == []
    assert (results / cube).exists()
    (said,) = told()
    assert cube in said
    assert not (results / cube).exists()
    (moment,) = (results / "stale").iterdir()
    assert (moment / cube).exists()
