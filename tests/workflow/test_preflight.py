"""The look before the run: it refuses before anything is made, and it causes no rerun."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml
from runs import planned_jobs, snakemake

TABLE = "results/mine/annotations/areas.csv"


@pytest.fixture
def case(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    (tmp_path / "stack").mkdir()
    generator = np.random.default_rng(0)
    for z in range(4):
        grey = generator.integers(0, 256, (150, 200), dtype=np.uint8)
        tifffile.imwrite(tmp_path / "stack" / f"z{z:04d}.tif", grey)
        labels = np.repeat([[1, 2]], 100, axis=1).repeat(150, axis=0).astype(np.uint8)
        tifffile.imwrite(tmp_path / f"labels {z}.tif", labels)
    return tmp_path, {
        "dataset": "mine",
        "title": "Mine",
        "source": "tiff",
        "volume": {"path": "stack", "shape": [4, 150, 200], "voxel_um": 60},
        "areas": [
            {"name": "A", "title": "A", "codes": [1], "share": 0.3},
            {"name": "B", "title": "B", "codes": [2], "share": 0.3},
        ],
        "annotations": {"path": "labels {z}.tif", "slices": [0, 1, 2]},
        "sampling": {"train_patches": 10, "eval_patches": 10},
        "splits": {"by": "slices", "train": [0], "val": [1], "test": [2]},
        "extraction": {"slices": [2]},
    }


def run(case: tuple[Path, dict[str, Any]], *more: str) -> tuple[int, str]:
    directory, config = case
    path = directory / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    options = ("--cores", "1", *more, "--configfile", str(path), "--", TABLE)
    done = snakemake(*options, directory=directory)
    return done.returncode, done.stdout + done.stderr


def test_it_refuses_before_anything_is_made_and_causes_no_rerun(
    case: tuple[Path, dict[str, Any]],
) -> None:
    directory, config = case
    hidden = directory / "labels 2.tif"
    hidden.rename(directory / "elsewhere.tif")
    code, output = run(case)
    assert code != 0
    assert "brainarch: error: labels 2.tif: no such file" in output
    assert not (directory / "results/mine/volume").exists()
    (directory / "elsewhere.tif").rename(hidden)

    code, output = run(case)
    assert code == 0, output[-3000:]
    log = (directory / "results/mine/logs/preflight.log").read_text()
    assert "4 x 150 x 200 uint8, slices 0 to 3" in log
    assert log.rstrip().endswith("ready")

    # What only the check reads changes nothing; the disk is another since the volume was made.
    config["title"] = "Another"
    config["training"] = {"steps": 3}
    config["extraction"]["stride"] = 4
    _, output = run(case, "-n")
    assert "Nothing to be done" in output

    # Control: another volume is checked anew, and made anew.
    config["volume"]["voxel_um"] = 61
    _, output = run(case, "-n")
    assert set(planned_jobs(output)) == {"preflight", "convert", "import_areas"}
    config["volume"]["voxel_um"] = 60

    # Control: new labels are imported again, and nothing before them is done again.
    later = (directory / TABLE).stat().st_mtime + 100
    tifffile.imwrite(hidden, np.full((150, 200), 2, dtype=np.uint8))
    os.utime(hidden, (later, later))
    _, output = run(case, "-n")
    assert set(planned_jobs(output)) == {"import_areas"}
