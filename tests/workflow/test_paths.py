"""A user's own stack through the workflow: odd paths are quoted, mistakes end in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml
from runs import snakemake

#: A folder's name with everything that a careless shell line trips over.
ODD = "O'Brien's \"brain\" $(touch owned) `touch owned` ü & more"
TABLE = "results/mine/annotations/areas.csv"


@pytest.fixture
def case(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path / ODD
    (folder / "stack").mkdir(parents=True)
    generator = np.random.default_rng(0)
    for z in range(4):
        grey = generator.integers(0, 256, (150, 200), dtype=np.uint8)
        tifffile.imwrite(folder / "stack" / f"z{z:04d}.tif", grey)
        labels = np.repeat([[1, 2]], 100, axis=1).repeat(150, axis=0).astype(np.uint8)
        tifffile.imwrite(folder / f"labels {z}.tif", labels)
    config: dict[str, Any] = {
        "dataset": "mine",
        "title": "Mine & <b>yours</b>",
        "source": "tiff",
        "volume": {"path": f"{ODD}/stack", "shape": [4, 150, 200], "voxel_um": 60},
        "areas": [
            {
                "name": "A",
                "title": "O'Brien's $(touch owned) <b>area</b>",
                "codes": [1],
                "share": 0.3,
            },
            {"name": "B", "title": 'ü "quoted"', "codes": [2], "share": 0.3},
        ],
        "annotations": {"path": f"{ODD}/labels {{z}}.tif", "slices": [0, 1, 2]},
        "sampling": {"train_patches": 10, "eval_patches": 10},
        "splits": {"by": "slices", "train": [0], "val": [1], "test": [2]},
        "extraction": {"slices": [2]},
    }
    return tmp_path, config


def run(case: tuple[Path, dict[str, Any]]) -> tuple[int, str]:
    directory, config = case
    path = directory / "my config.yaml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    done = snakemake("--cores", "1", "--configfile", str(path), "--", TABLE, directory=directory)
    return done.returncode, done.stdout + done.stderr


def test_odd_paths_and_titles_are_only_text(case: tuple[Path, dict[str, Any]]) -> None:
    directory, _ = case
    code, output = run(case)
    assert code == 0, output[-3000:]
    assert (directory / TABLE).exists()
    assert not list(directory.rglob("owned"))
    (frozen,) = (directory / "results/mine/configs").iterdir()
    assert "O'Brien's $(touch owned) <b>area</b>" in frozen.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"volume": {"path": "nowhere"}}, "nowhere"),
        ({"volume": {"shape": [4, 150, 201]}}, "150"),
        ({"annotations": {"path": "gone {z}.tif"}}, "gone 0.tif"),
        ({"areas": [{"name": "A", "title": "A", "codes": [1], "share": 0.3},
                    {"name": "B", "title": "B", "codes": [3]}]}, "code 2"),
    ],
)  # fmt: skip
def test_mistakes_end_in_one_line(
    case: tuple[Path, dict[str, Any]], change: dict[str, Any], expected: str
) -> None:
    for key, value in change.items():
        if isinstance(value, dict):
            case[1][key].update(value)
        else:
            case[1][key] = value
    code, output = run(case)
    lines = [line for line in output.splitlines() if line.startswith("brainarch: error: ")]
    assert code != 0
    assert len(lines) == 1, output[-3000:]
    assert expected in lines[0]
    assert "Traceback" not in output
