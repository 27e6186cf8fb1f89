"""From the name of a channel to the area table, by snakemake and a local server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from boss_server import AREAS, IMAGE, Boss, serving

from brainarch.tables import read_table

ROOT = Path(__file__).parents[2]
SHAPE = (4, 150, 200)
TABLE = "results/tiny/annotations/areas.csv"


def config(boss: Boss) -> dict[str, Any]:
    return {
        "dataset": "tiny",
        "title": "Tiny",
        "source": "prasad2020",
        "volume": {"path": "resources/tiny/stack", "shape": list(SHAPE), "voxel_um": 60},
        "areas": [
            {"name": "VP", "title": "Ventral posterior", "codes": [4], "share": 0.3},
            {"name": "WM", "title": "White matter", "codes": [6, 8], "share": 0.3},
        ],
        "annotations": {
            "path": "resources/tiny/labels/z{z:04d}.tif", "slices": [0, 1, 3], "ignore": [0, 3],
        },
        "download": {"host": boss.address, "image": IMAGE, "areas": AREAS},
        "sampling": {"train_patches": 5, "eval_patches": 5},
        "splits": {"by": "slices", "train": [0], "val": [1], "test": [3]},
        "extraction": {"slices": [3]},
    }  # fmt: skip


def run(
    directory: Path, content: dict[str, Any], *options: str
) -> subprocess.CompletedProcess[str]:
    path = directory / "config.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
            *("--directory", str(directory), "--cores", "1", "--configfile", str(path)),
            *(*options, "--", TABLE),
        ],
        cwd=directory,
        env={**os.environ, "PATH": programs},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def labels() -> np.ndarray:
    volume = np.zeros(SHAPE, dtype=np.uint64)
    for z in (0, 1, 3):
        volume[z, :, 20:60], volume[z, :, 60:100] = 3, 4
        volume[z, :, 100:150], volume[z, :, 150 + 10 * z :] = 6, 8
    return volume


def test_from_a_channels_name_to_the_area_table(tmp_path: Path, labels: np.ndarray) -> None:
    grey = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)
    with serving({IMAGE: grey, AREAS: labels}) as boss:
        boss.always = "500"
        planned = run(tmp_path, config(boss), "--dry-run")
        assert planned.returncode == 0, planned.stderr[-3000:]
        assert boss.headers == []

        boss.always, boss.faults = "", ["cut"]
        done = run(tmp_path, config(boss))
        assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
        fetched = read_table(tmp_path / "results/tiny/download/stack.csv")
        converted = read_table(tmp_path / "results/tiny/volume/slices.csv")
        assert fetched["sha256"].tolist() == converted["sha256"].tolist()
        areas = read_table(tmp_path / TABLE).set_index(["slice", "area"])["pixels"]
        for z in (0, 1, 3):
            assert areas[z, "VP"] == 150 * 40
            assert areas[z, "WM"] == 150 * (100 - 10 * z)

        asked = len(boss.headers)
        again = run(tmp_path, config(boss), "--dry-run")
        assert "Nothing to be done" in again.stdout + again.stderr
        shutil.rmtree(tmp_path / "results")
        from_cache = run(tmp_path, config(boss))
        assert from_cache.returncode == 0, (from_cache.stdout + from_cache.stderr)[-5000:]
        assert len(boss.headers) == asked


def test_a_refusing_server_ends_in_one_line_and_leaves_nothing(
    tmp_path: Path, labels: np.ndarray
) -> None:
    with serving({AREAS: labels}) as boss:
        done = run(tmp_path, config(boss))
    lines = [line for line in done.stdout.splitlines() if line.startswith("brainarch: error: ")]
    assert done.returncode != 0
    assert len(lines) == 1, done.stdout[-3000:]
    assert f"channel {IMAGE}" in lines[0]
    assert "does not have it" in lines[0]
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "resources/tiny/stack").exists()
