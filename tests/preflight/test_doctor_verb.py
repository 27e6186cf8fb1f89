"""The verb: what it prints, what it writes, when it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import typer
import yaml
from typer.testing import CliRunner, Result

from brainarch.cli.preflight import doctor
from brainarch.needs.machine import Machine
from brainarch.preflight import examine


@pytest.fixture
def case(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path / "stack 'ü'"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for z in range(4):
        grey = generator.integers(0, 256, (150, 200), dtype=np.uint8)
        tifffile.imwrite(folder / f"z{z:04d}.tif", grey)
        labels = np.repeat([[1, 2]], 100, axis=1).repeat(150, axis=0).astype(np.uint8)
        tifffile.imwrite(tmp_path / f"labels {z}.tif", labels)
    return tmp_path, {
        "dataset": "mine",
        "title": "Mine",
        "source": "tiff",
        "volume": {"path": str(folder), "shape": [4, 150, 200], "voxel_um": 60},
        "areas": [
            {"name": "A", "title": "A", "codes": [1], "share": 0.3},
            {"name": "B", "title": "B", "codes": [2], "share": 0.3},
        ],
        "annotations": {"path": str(tmp_path / "labels {z}.tif"), "slices": [0, 1, 2]},
        "sampling": {"train_patches": 10, "eval_patches": 10},
        "splits": {"by": "slices", "train": [0], "val": [1], "test": [2]},
        "extraction": {"slices": [2]},
    }


def run(folder: Path, config: dict[str, Any], *more: str) -> Result:
    app = typer.Typer()
    app.command()(doctor)
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return CliRunner().invoke(app, [str(path), f"--results={folder / 'results'}", *more])


def errors(result: Result) -> list[str]:
    start = "brainarch: error: "
    return [line.removeprefix(start) for line in result.output.splitlines() if start in line]


def test_a_good_config_is_ready(case: tuple[Path, dict[str, Any]]) -> None:
    folder, config = case
    output = folder / "preflight.json"
    result = run(folder, config, f"--output={output}")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == "ready"
    assert "slice 2: A 15,000 px; B 15,000 px" in result.output
    assert "4 x 150 x 200 uint8, slices 0 to 3" in result.output
    assert "128 x 128 px, 7680 x 7680 um" in result.output
    content = json.loads(output.read_text())
    assert content["problems"] == []
    cube = next(need for need in content["needs"] if need["stage"] == "extract")
    # 30,000 labelled pixels of 64 float32 units, and 2 % for the file system
    assert cube["disk_mb"] == pytest.approx(1.02 * (30_000 * 64 * 4 + 30_000) / 1e6, abs=0.06)
    assert not (folder / "results").exists()


def test_each_mistake_is_one_line_and_all_are_told(case: tuple[Path, dict[str, Any]]) -> None:
    folder, config = case
    config["volume"]["shape"] = [4, 150, 201]
    config["areas"][1]["codes"] = [3]
    config["annotations"]["slices"] = [0, 1, 2, 3]
    (folder / "labels 3.tif").unlink()
    result = run(folder, config)
    assert result.exit_code == 2
    found = errors(result)
    assert len(found) == 3, result.output
    assert "but 4 x 150 x 201 uint8 was declared" in found[0]
    assert found[1].startswith(f"{folder / 'labels 3.tif'}: no such file; its folder has labels ")
    assert "code 2 (15,000 px) is not in the legend" in found[2]
    assert found[2].endswith("(likewise slices 1, 2)")
    assert "ready" not in result.output.splitlines()


def test_disk_that_is_not_there_is_refused(
    case: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, config = case
    needed = json.loads(
        (run(folder, config, f"--output={folder / 'p.json'}"), (folder / "p.json").read_text())[1]
    )["disk_needed_mb"]
    monkeypatch.setattr(examine, "free_disk_mb", lambda path: needed + 2)
    assert run(folder, config).exit_code == 0
    monkeypatch.setattr(examine, "free_disk_mb", lambda path: needed - 2)
    result = run(folder, config)
    assert result.exit_code == 2
    (line,) = errors(result)
    assert line.startswith(f"{folder / 'results/mine'}: the run needs up to {needed} MB of disk")
    assert f"but {needed - 2} MB are free" in line


def test_results_that_are_there_need_no_more_disk(
    case: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, config = case
    output = folder / "p.json"
    run(folder, config, f"--output={output}")
    before = json.loads(output.read_text())["disk_needed_mb"]
    trained = folder / "results/mine/networks/main"
    trained.mkdir(parents=True)
    (trained / "network.safetensors").write_bytes(bytes(20_000_000))
    result = run(folder, config, f"--output={output}")
    assert json.loads(output.read_text())["disk_needed_mb"] == pytest.approx(before - 20, abs=1)
    (line,) = (line for line in result.output.splitlines() if line.startswith("train "))
    assert line.endswith("20 MB")


def test_memory_is_compared_unless_a_cluster_runs_the_stages(
    case: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, config = case
    monkeypatch.setattr(examine, "look_at_machine", lambda: Machine(2, 8000.0, 1000.0, "none"))
    result = run(folder, config)
    assert result.exit_code == 2
    found = errors(result)
    assert (
        "extract: needs about 1.7 GB of memory, but 1.0 GB are free; end other programs, lower "
        "extraction.memory_mb, or use a larger machine" in found
    )
    assert all(": needs about " in line for line in found)
    assert run(folder, config, "--no-memory").exit_code == 0


def test_slices_that_the_run_fetches_need_not_be_there(
    case: tuple[Path, dict[str, Any]],
) -> None:
    folder, config = case
    config["volume"]["path"] = str(folder / "later")
    config["annotations"]["path"] = str(folder / "later" / "{z}.tif")
    config["download"] = {"image": "a/b/image", "areas": "a/b/areas"}
    result = run(folder, config)
    assert result.exit_code == 0, result.output
    assert "fetched by the run from a/b/image, 0 of 4 there" in result.output
    assert "download" in result.output
    config["download"] = {"image": "a/b/image"}
    (line,) = errors(run(folder, config))
    assert f"0.tif: no such file; there is no folder {folder / 'later'} (likewise" in line


def test_the_phantom_needs_no_files(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    config = yaml.safe_load((root / "config/test.yaml").read_text())
    result = run(tmp_path, config, "--no-memory")
    assert result.exit_code == 0, result.output
    assert "phantom   " in result.output


def test_it_says_how_long_each_stage_takes_and_all(case: tuple[Path, dict[str, Any]]) -> None:
    folder, config = case
    output = folder / "p.json"
    result = run(folder, config, f"--output={output}")
    content = json.loads(output.read_text())
    assert {"convert", "train", "extract", "report"} <= {n["stage"] for n in content["needs"]}
    assert all(need["seconds"] > 0 for need in content["needs"])
    longest = max(need["seconds"] for need in content["needs"])
    assert longest <= content["seconds"] <= sum(n["seconds"] * n["jobs"] for n in content["needs"])
    assert "in all on these" in result.output


def change(config: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    section, _, last = key.partition(".")
    return config | {section: config[section] | {last: value} if last else value}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (
            "sampling.train_patches",
            900_000,
            "splits.train (slice 0): A has 14,687 places whose patch of 128 x 128 px lies inside "
            "it by 30%, but 900,000 patches are asked for; lower sampling.train_patches, or name "
            "more slices",
        ),
        (
            "sampling.eval_patches",
            15_001,
            "splits.val (slice 1): A has 15,000 pixels, but 15,001 patches are asked for; lower "
            "sampling.eval_patches, or name more slices",
        ),
        (
            "areas",
            [
                {"name": "A", "title": "A", "codes": [1], "share": 0.99},
                {"name": "B", "title": "B", "codes": [2], "share": 0.3},
            ],
            "splits.train (slice 0): A has 0 places whose patch of 128 x 128 px lies inside it by "
            "99%, but 10 patches are asked for; give A a smaller share in areas, e.g. share: 0.75",
        ),
        (
            "splits",
            {"by": "blocks", "slice": 0},
            "splits.slice: A has room for 2 patches that share no pixel on slice 0, but three "
            "splits need 3 each; give it a smaller share in areas, lower splits.min_independent, "
            "or split by whole slices",
        ),
        ("extraction.memory_mb", 256, "extraction.memory_mb: memory of 256 MB: the smallest tile"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_made(
    case: tuple[Path, dict[str, Any]], key: str, value: object, expected: str
) -> None:
    folder, config = case
    result = run(folder, change(config, key, value))
    assert result.exit_code == 2
    assert any(line.startswith(expected) for line in errors(result)), result.output


def test_an_area_that_a_split_lacks_is_told_once(case: tuple[Path, dict[str, Any]]) -> None:
    folder, config = case
    tifffile.imwrite(folder / "labels 1.tif", np.ones((150, 200), dtype=np.uint8))
    (line,) = errors(run(folder, config))
    assert "slice 1" in line
    assert "val" in line
    assert re.search(r"\bB\b.*leave .* out", line)


def test_grey_values_that_use_little_of_the_range_get_a_window(
    case: tuple[Path, dict[str, Any]],
) -> None:
    folder, config = case
    generator = np.random.default_rng(0)
    for z, path in enumerate(sorted((folder / "stack 'ü'").iterdir())):
        tifffile.imwrite(path, generator.integers(100, 4096, (150, 200)).astype(np.uint16) + z)
    config["volume"]["dtype"] = "uint16"
    (line,) = errors(run(folder, config))
    assert line.startswith("volume: slices 0, 2, 3 use grey values 10")
    window = line.partition("volume.window: ")[2]
    low, high = json.loads(window)
    assert 100 <= low < 110
    assert 4085 < high < 4100
    config["volume"] |= {"dtype": "uint8", "window": [low, high]}
    assert run(folder, config).exit_code == 0


def test_few_blocks_and_unused_codes_are_warned_of(case: tuple[Path, dict[str, Any]]) -> None:
    folder, config = case
    config["areas"][1]["codes"] = [2, 7]
    result = run(folder, config)
    assert result.exit_code == 0, result.output
    assert "the labels of the test slices lie in 4 blocks of 134 px" in result.output
    assert "brainarch: warning: areas: code 7 of B is on no annotated slice" in result.output


def test_it_imports_no_torch() -> None:
    program = (
        "import sys; import brainarch.preflight.examine; "
        "sys.exit(1 if 'torch' in sys.modules else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
