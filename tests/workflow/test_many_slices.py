"""Hundreds of slices: each is followed, and no command line grows with their number."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from runs import planned_jobs, pretended, snakemake

SLICES = 600
#: Characters of the longest command line; the numbers of 600 slices alone are more.
LONGEST = 300
TABLE = "results/mine/annotations/areas.csv"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with slices, their label images and a command that only pretends."""
    directory = tmp_path_factory.mktemp("many")
    pretended(directory)
    for name in ("stack", "labels"):
        (directory / name).mkdir()
    for z in range(SLICES):
        (directory / f"stack/z{z:04d}.tif").touch()
        (directory / f"labels/z{z:04d}.tif").touch()
    return directory


def config(directory: Path) -> str:
    """Write a config with every slice annotated."""
    content: dict[str, Any] = {
        "dataset": "mine",
        "title": "Mine",
        "source": "tiff",
        "volume": {"path": "stack", "shape": [SLICES, 150, 200], "voxel_um": 60},
        "areas": [
            {"name": "A", "title": "A", "codes": [1]},
            {"name": "B", "title": "B", "codes": [2]},
        ],
        "annotations": {"path": "labels/z{z:04d}.tif", "slices": list(range(SLICES))},
        "splits": {"by": "slices", "train": [0], "val": [1], "test": [2]},
        "extraction": {"slices": [2]},
    }
    path = directory / "config.yaml"
    path.write_text(yaml.safe_dump(content))
    return str(path)


def test_no_command_line_grows_and_every_file_is_followed(directory: Path) -> None:
    path = config(directory)
    plan = snakemake("-n", "-p", "--configfile", path, directory=directory)
    assert plan.returncode == 0, (plan.stdout + plan.stderr)[-3000:]
    lines = [line for line in plan.stdout.splitlines() if "brainarch " in line]
    assert len(lines) > 20
    assert max(map(len, lines)) < LONGEST

    targets = ("--configfile", path, "--", TABLE)
    done = snakemake("--cores", "1", *targets, directory=directory, first=directory / "bin")
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]

    def planned() -> set[str]:
        plan = snakemake("-n", *targets, directory=directory)
        output = plan.stdout + plan.stderr
        assert plan.returncode == 0, output[-3000:]
        return set() if "Nothing to be done" in output else set(planned_jobs(output))

    # a slice that is replaced by a copy which keeps its older time
    grey = directory / "stack/z0299.tif"
    before = grey.stat()
    os.utime(grey, (before.st_atime, before.st_mtime - 1000))
    assert planned() == {"convert", "import_areas"}
    os.utime(grey, ns=(before.st_atime_ns, before.st_mtime_ns))
    # what was made of files that are gone stays
    (directory / "stack").rename(directory / "archive")
    assert planned() == set()
