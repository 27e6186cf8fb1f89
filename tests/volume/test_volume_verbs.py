"""Converting as a stage does it, and as the verb does it with a config or with explicit paths."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
import yaml
from making import make_volume
from typer.testing import CliRunner, Result

from brainarch.cli.volume import register
from brainarch.errors import InputError
from brainarch.volume.stages import link_image
from brainarch.volume.store import open_volume


def run(verb: str, *arguments: str | Path) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, [verb, *map(str, arguments)])


def refusal(verb: str, *arguments: str | Path) -> str:
    result = run(verb, *arguments)
    assert isinstance(result.exception, InputError), result.output
    assert "\n" not in str(result.exception)
    return str(result.exception)


def test_it_says_what_it_will_need(stack_folder, grey, tmp_path, caplog):
    output = tmp_path / "it's “r” ü" / "volume" / "v.ome.zarr"
    with caplog.at_level(logging.INFO):
        make_volume(f"{stack_folder}/z*.tif", output, grey.shape, threads=2)
    assert "1 slabs of 24 slices, 3 levels, predicted memory " in caplog.text
    assert " of 2000 MB" in caplog.text
    np.testing.assert_array_equal(open_volume(output).read_slice(19), grey[19])
    assert (output.parent / "slices.csv").exists()
    assert [path.name for path in output.parent.parent.iterdir()] == ["volume"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"shape": (21, 300, 530)},
            "{folder}: the data are 20 x 300 x 530 uint8, but 21 x 300 x 530 uint8 was declared; "
            "correct the declaration (volume.shape: [20, 300, 530]) or the data",
        ),
        (
            {"dtype": "uint16"},
            "{folder}: the data are 20 x 300 x 530 uint8, but 20 x 300 x 530 uint16 was declared; "
            "correct the declaration (volume.dtype: uint8) or the data",
        ),
        (
            {"first_slice": 3},
            "{folder}/z0000.tif: the file numbers begin at 0, but slice 3 was declared the first; "
            "set volume.first_slice to 0 or add the missing files",
        ),
    ],
)
def test_mistakes_are_found_before_anything_is_written(stack_folder, tmp_path, settings, message):
    with pytest.raises(InputError) as caught:
        make_volume(
            stack_folder, tmp_path / "r" / "v.ome.zarr", **{"shape": (20, 300, 530), **settings}
        )
    assert str(caught.value) == message.format(folder=stack_folder)
    assert not any(tmp_path.iterdir())


@pytest.fixture
def config(stack_folder: Path, tmp_path: Path) -> Path:
    content: dict[str, Any] = {
        "dataset": "mine",
        "title": "Mine",
        "source": "tiff",
        "volume": {
            "path": str(stack_folder),
            "shape": [20, 300, 530],
            "voxel_um": 1.17,
            "compression": "none",
        },
        "sampling": {"min_gap_um": 0},
        "areas": [{"name": name, "title": name, "codes": [i]} for i, name in enumerate("ABC", 1)],
        "annotations": {"path": "{z}.tif", "slices": [0, 1, 2]},
        "splits": {"by": "slices", "train": [0], "val": [1], "test": [2]},
        "extraction": {"slices": [2]},
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def test_a_config_and_explicit_paths_make_the_same_volume(stack_folder, config, tmp_path):
    result = run("convert", config, "--results", tmp_path / "results", "--memory-mb=500")
    assert result.exit_code == 0, (result.output, result.exception)
    places = [f"--input={stack_folder}", f"--output={tmp_path / 'own' / 'v.ome.zarr'}"]
    sizes = ["--shape=20,300,530", "--voxel-um=1.17", "--compression=none"]
    result = run("convert", *places, *sizes, "--memory-mb=500")
    assert result.exit_code == 0, (result.output, result.exception)
    one, other = tmp_path / "results/mine/volume", tmp_path / "own"
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert len(files) == 9
    for file in files:
        renamed = str(file).replace("volume.ome.zarr", "v.ome.zarr")
        assert (one / file).read_bytes() == (other / renamed).read_bytes(), file
    assert {path.name for path in tmp_path.iterdir()} == {"config.yaml", "results", "own"}


def test_a_config_or_explicit_paths_but_not_both(config):
    assert refusal("convert", config, "--dtype=uint8") == (
        f"{config} and --dtype: give a config or such options, not both"
    )
    assert refusal("import-annotations", config, "--kind=areas", "--axes=zxy") == (
        f"{config} and --axes: give a config or such options, not both"
    )
    assert refusal("convert", "--input=x", "--shape=1,2,3") == (
        "--voxel-um is missing; give it, or a config instead"
    )
    assert refusal("import-annotations") == "--volume is missing; give it, or a config instead"
    assert refusal("import-annotations", config).startswith("--kind: areas or layers")
    assert refusal("import-annotations", config, "--kind=layers").startswith("layers: the config")


@pytest.mark.parametrize("shape", ["20,300", "20,300,0", "a,b,c", "20 300 530"])
def test_shapes_that_make_no_sense(stack_folder, tmp_path, shape):
    options = (f"--input={stack_folder}", f"--output={tmp_path / 'v.zarr'}", "--voxel-um=1")
    message = refusal("convert", *options, f"--shape={shape}")
    assert message.startswith(f"--shape {shape}: wanted ")


@pytest.mark.parametrize("window", ["1,0", "1,1", "1", "a,b", "0,inf", "nan,1", "1,2,3"])
def test_windows_that_make_no_sense(stack_folder, tmp_path, window):
    options = [f"--input={stack_folder}", f"--output={tmp_path / 'v.zarr'}", "--voxel-um=1"]
    options += ["--shape=20,300,530", f"--window={window}"]
    assert refusal("convert", *options) == (
        f"--window {window}: wanted LOW,HIGH, two numbers, the lower one first"
    )


def test_a_volume_never_replaces_its_source_or_a_strangers_folder(tmp_path: Path) -> None:
    given = {"shape": (4, 5, 6), "dtype": "uint16", "voxel_um": 2.0, "first_slice": 0}
    stack, strange = tmp_path / "stack", tmp_path / "strange"
    for folder in (stack, strange):
        folder.mkdir()
        (folder / "thesis.txt").write_text("mine")
    for place, message in ((stack, "is the source itself"), (strange, "is no Zarr store")):
        with pytest.raises(InputError, match=message):
            link_image(source=str(stack), volume=place, **given)
        assert (place / "thesis.txt").read_text() == "mine"
