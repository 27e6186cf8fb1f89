"""`brainarch verify`: stores, networks and datasets read again, byte for byte."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from brainarch.annotations.store import create_labels
from brainarch.cli import verify as verbs
from brainarch.config.read import read_config
from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.grids.grid import Place
from brainarch.grids.maps import write_maps
from brainarch.network.trained import save_network
from brainarch.pipeline.pipeline import Pipeline
from brainarch.reporting.runtime import read_verified
from small_inputs import small_network

CONFIG = Path(__file__).parents[2] / "config/test.yaml"


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(verbs.verify)
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    """Return a dataset with labels, a map and the cube that it says it comes from."""
    pipeline = Pipeline(read_config(CONFIG), Pipeline.read(CONFIG, str(tmp_path)).results)
    pipeline.freeze()
    results, config = pipeline.results, pipeline.config
    z = config.extraction.slices[0]
    annotated = list(config.annotations.slices)
    labels = create_labels(
        Path(results.areas), (max(annotated) + 1, 20, 30), 1.17, annotated, first_slice=0
    )
    for number in annotated:
        labels.write_slice(number, np.ones((20, 30), dtype=np.uint8))
    place = Place(z, 1, 1.17, np.arange(4), np.arange(5), "key")
    identity = {"network": "n", "plan": "p", "slice": "s"}
    attrs = {"where": config.extraction.where, "identity": identity}
    cube = Cube.create(Path(results.cube(z)), place, 2, attrs, storage=config.extraction.storage)
    cube.write(0, 0, np.ones((4, 5, 2), dtype=np.float32), np.ones((4, 5), dtype=bool))
    areas = {"area": np.ones((4, 5), dtype=np.uint8)}
    write_maps(Path(results.prediction(z, "areas.zarr")), areas, place, {}, "`brainarch predict`")
    return pipeline


def test_a_sound_dataset(pipeline: Pipeline) -> None:
    folder = Path(pipeline.results.folder)
    (folder / ".partial" / "x.zarr").mkdir(parents=True)  # unfinished work is left alone
    (folder / ".partial" / "x.zarr" / "zarr.json").write_text("{")
    for target in (str(folder), str(CONFIG)):
        result = run(target, "--threads=2", f"--results={folder.parent}")
        assert result.exit_code == 0, result.output
        lines = result.output.splitlines()
        assert sum(line.endswith("sound, of this config") for line in lines) == 3
        assert lines[-1] == "verify: 4 of 4 sound"
    noted = json.loads(Path(pipeline.results.verified).read_text())
    assert (noted["read"], noted["wrong"]) == (4, [])
    assert "4 stores and files read, none wrong" in read_verified(Path(pipeline.results.verified))
    assert read_verified(folder / "absent.json") == "never"


def test_damage_and_loss_are_named_and_the_rest_is_read(pipeline: Pipeline) -> None:
    results, z = pipeline.results, pipeline.config.extraction.slices[0]
    chunk = Path(results.cube(z)) / "representation" / "c" / "0" / "0" / "0"
    raw = bytearray(chunk.read_bytes())
    raw[20] ^= 1
    chunk.write_bytes(raw)
    (Path(results.areas) / "0" / "c" / str(pipeline.config.annotations.slices[0])).rename(
        Path(results.folder) / ".gone"
    )
    result = run(results.folder)
    assert isinstance(result.exception, InputError)
    assert str(result.exception).startswith(f"{results.folder}: 2 of 4 are wrong; ")
    cube, areas = (
        next(line for line in result.output.splitlines() if str(path) in line)
        for path in (results.cube(z), results.areas)
    )
    assert "dense cube, damaged: representation/c/0/0/0: Stored and computed checksum" in cube
    assert "labels, damaged: 0/c/" in areas
    assert "is missing" in areas
    assert len(json.loads(Path(results.verified).read_text())["wrong"]) == 2


def test_what_is_of_another_config_is_told(pipeline: Pipeline) -> None:
    results, z = pipeline.results, pipeline.config.extraction.slices[0]
    other = Place(z, 1, 1.17, np.arange(4), np.arange(5), "another")
    areas = {"area": np.ones((4, 5), dtype=np.uint8)}
    write_maps(Path(results.prediction(z, "areas.zarr")), areas, other, {})
    save_network(small_network(), Path(results.network("main")))  # of three other areas
    result = run(results.folder)
    assert str(result.exception).startswith(f"{results.folder}: 3 of 5 are wrong")
    assert "map, sound, but of another dense cube (another, not key)" in result.output
    assert "network, sound, but of another set of areas" in result.output
    assert "dense cube, sound, but of another network" in result.output


def test_one_store_or_network(pipeline: Pipeline, tmp_path: Path) -> None:
    network = tmp_path / "n.safetensors"
    save_network(small_network(), network)
    for path in (Path(pipeline.results.areas), network):
        result = run(str(path))
        assert result.exit_code == 0
        assert result.output.splitlines()[-1] == "verify: 1 of 1 sound"
    raw = bytearray(network.read_bytes())
    raw[-5] ^= 1
    network.write_bytes(raw)
    assert "damaged, or changed since it was written" in run(str(network)).output


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    for arguments, said in (
        ([], "give a store, a network, a dataset or a config"),
        ([str(tmp_path), f"--volume={tmp_path}"], "give a store"),
        ([str(tmp_path / "absent")], "nothing is here"),
        ([str(tmp_path)], "no run has left its config here"),
        ([str(CONFIG), f"--results={tmp_path}"], "no results are here"),
    ):
        result = run(*arguments)
        assert isinstance(result.exception, InputError)
        assert said in str(result.exception)
    shutil.rmtree(tmp_path)
