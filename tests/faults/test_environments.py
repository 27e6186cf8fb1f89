"""Environments that are none of a run's business: its verb does the same in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from allocations import ALLOCATIONS
from comparing import content, differences
from runs import ROOT, snakemake
from small_run import RESULTS

#: A home folder that nobody can make or write, root included.
NO_HOME = {"HOME": "/dev/null/home"}
#: What a shell may say of tasks and nodes that training has not asked for, and of caches.
ENVIRONMENTS = {**ALLOCATIONS, "no home": NO_HOME}


def brainarch(line: list[str], directory: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a verb with more variables than the shell's."""
    return subprocess.run(
        [Path(sys.executable).with_name("brainarch"), *line],
        cwd=directory,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_training_gives_the_same_bytes(
    undisturbed: tuple[Path, dict[str, float]], tmp_path: Path, name: str
) -> None:
    directory = tmp_path / "copy"
    shutil.copytree(undisturbed[0], directory)
    shutil.rmtree(directory / RESULTS / "networks/main")
    line = ["train", "config.yaml", "--run", "main", "--threads", "1", "--device", "cpu"]
    done = brainarch(line, directory, **ENVIRONMENTS[name])
    assert done.returncode == 0, done.stderr[-3000:]
    expected, found = (content(place / RESULTS) for place in (undisturbed[0], directory))
    assert any("networks/main" in str(path) for path in found)
    assert differences(found, expected) == []


@pytest.mark.slow
def test_without_a_home_a_run_is_refused_in_one_line_that_mends_it(tmp_path: Path) -> None:
    """Snakemake itself keeps a cache there."""
    config = str(ROOT / "config/test.yaml")
    done = brainarch(["run", config, "--", "-n"], ROOT, **NO_HOME, XDG_CACHE_HOME="")
    assert done.returncode == 2
    (said,) = done.stderr.splitlines()
    assert said.startswith("brainarch: error: ")
    assert "XDG_CACHE_HOME" in said
    caches = {"XDG_CACHE_HOME": str(tmp_path), "MPLCONFIGDIR": str(tmp_path)}
    done = snakemake("-n", "--configfile", config, directory=tmp_path, **NO_HOME, **caches)
    assert done.returncode == 0, done.stderr[-3000:]
