"""`brainarch apply`: the maps that a run would make, and what it refuses or warns of."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tifffile
from typer.testing import CliRunner

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels
from brainarch.application.taken import map_slice
from brainarch.cli.main import app
from brainarch.dense.stages import extract_slice, plan_extraction
from brainarch.errors import InputError
from brainarch.evaluation.novelty import Usual, write_usual
from brainarch.evaluation.stages import predict_slice
from brainarch.grids.maps import SliceMaps
from brainarch.network.trained import save_network
from small_inputs import AREAS, small_network, write_volume

SHAPE = (2, 150, 170)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A network with its description of training data, and a volume of slices 5 and 6."""
    folder = tmp_path_factory.mktemp("apply")
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, SHAPE, dtype=np.uint8)
    grey[:, :, :40] = 0  # no tissue
    write_volume(folder / "volume.zarr", grey, first_slice=5)
    write_volume(folder / "deep.zarr", grey.astype(np.uint16) * 16, first_slice=5)
    trained = small_network()
    (folder / "networks").mkdir()
    save_network(trained, folder / "networks/network.safetensors")
    usual = Usual(np.zeros((3, 64)), np.eye(64), 0.99, 0.05, trained.digest)
    write_usual(usual, folder / "networks/novelty.json")
    return folder


def run(files, *options, network="networks/network.safetensors", volume="volume.zarr", out="maps"):
    given = [files / network, files / volume, "-o", files / out, "--stride=16", "--memory-mb=900"]
    return CliRunner().invoke(app, ["apply", *map(str, given), *options])


@pytest.fixture(scope="module")
def made(files):
    result = run(files, "--slices=6")
    assert result.exit_code == 0, (result.output, result.exception)
    return files / "maps", result.output


def test_the_maps_are_those_of_a_run(files, made, tmp_path):
    """The same slice through the stages of a run, which has labels, splits and a legend."""
    network, volume, plan = (
        files / "networks/network.safetensors",
        files / "volume.zarr",
        tmp_path / "p",
    )
    plan_extraction(
        network=network, volume=volume, plan=plan, stride=16, precision="float32",
        memory_mb=900, rows=None,
    )  # fmt: skip
    extract_slice(
        network=network, plan=plan, volume=volume, cube=tmp_path / "cube.zarr",
        partial=tmp_path / "partial", z=6, where="tissue", rows=None, storage="float32",
    )  # fmt: skip
    for name in ("labels", "splits"):
        labels = create_labels(tmp_path / f"{name}.zarr", SHAPE, 1.17, [5], first_slice=5)
        labels.write_slice(5, np.zeros(SHAPE[1:], np.uint8))
    write_legend(make_legend(list(AREAS)), tmp_path / "legend.csv")
    tables = {name: tmp_path / f"{name}.csv" for name in ("confusion", "metrics", "border", "rim")}
    predict_slice(
        cube=tmp_path / "cube.zarr", network=network, volume=volume,
        novelty=files / "networks/novelty.json",
        labels=tmp_path / "labels.zarr", splits=tmp_path / "splits.zarr",
        legend=tmp_path / "legend.csv", predictions=tmp_path / "none.csv",
        areas=tmp_path / "areas.zarr", average_px=128, copied=[], resamples=10, block_px=64, seed=0,
        **tables,
    )  # fmt: skip
    map_slice(
        cube=tmp_path / "cube.zarr", network=network, volume=volume,
        novelty=files / "networks/novelty.json", areas=tmp_path / "bare.zarr", average_px=128,
    )  # fmt: skip
    one, other = (SliceMaps.open(folder / name) for folder, name in
                  ((tmp_path, "areas.zarr"), (made[0], "z0006_areas.zarr")))  # fmt: skip
    bare = SliceMaps.open(tmp_path / "bare.zarr")
    for name in ("area", "confidence", "averaged", "novelty", "tissue"):
        np.testing.assert_array_equal(one.read(name), other.read(name))
        np.testing.assert_array_equal(one.read(name), bare.read(name))
    assert (one.read("area") > 0).any()


def test_the_same_maps_are_tiff_and_a_picture(made):
    folder, output = made
    maps = SliceMaps.open(folder / "z0006_areas.zarr")
    for name in ("area", "confidence", "novelty"):
        with tifffile.TiffFile(folder / f"z0006_{name}.tif") as tiff:
            page = tiff.pages[0]
            np.testing.assert_array_equal(page.asarray(), maps.read(name))
            top, bottom = page.tags["XResolution"].value
            assert 1e4 / (top / bottom) == pytest.approx(16 * 1.17, rel=1e-6)
    assert (maps.read("area")[:, 0] == 0).all()  # no tissue there
    assert pd.read_csv(folder / "legend.csv")["name"].tolist() == list(AREAS)
    assert output.split()[-1] == str(folder / "z0006_maps.png")
    assert not (folder / ".partial").exists()
    assert (folder / "z0006_maps.png").stat().st_size > 1000


def test_grey_values_unlike_the_trainings_are_a_warning(files, made, caplog):
    """The network was trained on grey of mean 0.45; here it is told of 0.95."""
    trained = small_network()
    bright = replace(trained, normalisation=replace(trained.normalisation, mean=0.95))
    (files / "bright").mkdir()
    save_network(bright, files / "bright/network.safetensors")
    usual = Usual(np.zeros((3, 64)), np.eye(64), 0.99, 0.05, bright.digest)
    write_usual(usual, files / "bright/novelty.json")
    result = run(files, "--slices=5", network="bright/network.safetensors")
    _refused(result, "z0006.zarr: made with another network; choose another folder")
    with caplog.at_level(logging.WARNING):
        result = run(files, "--slices=5", network="bright/network.safetensors", out="bright_maps")
    assert result.exit_code == 0, (result.output, result.exception)
    assert "mean grey" in caplog.text
    (said,) = SliceMaps.open(files / "bright_maps/z0005_areas.zarr").attrs["warnings"]
    assert said.startswith("mean grey")
    assert "--window" in caplog.text


def test_what_cannot_be_named_is_refused_in_one_line(files):
    trained = small_network()
    for name, network in (
        ("large", replace(trained, pixel_um=2.0)),
        ("alone", trained),
    ):
        (files / name).mkdir()
        save_network(network, files / name / "network.safetensors")
    usual = Usual(np.zeros((3, 64)), np.eye(64), 0.99, 0.05, "?")
    write_usual(usual, files / "large/novelty.json")
    cases = [
        ({"network": "alone/network.safetensors"}, "novelty.json: not there"),
        ({"network": "large/network.safetensors"}, "novelty.json: of another network than"),
        ({"network": "networks/gone.safetensors"}, "no such network"),
        ({"volume": "gone.zarr"}, "gone.zarr"),
        ({"volume": "deep.zarr"}, "grey values of uint16, training uint8; make a volume that fits "
         "with `brainarch convert ... --dtype uint8 --window LOW,HIGH`"),
    ]  # fmt: skip
    for changes, reason in cases:
        _refused(run(files, out="refused", **changes), reason)
    large = replace(trained, pixel_um=2.0)
    write_usual(
        Usual(usual.means, usual.precision, 0.99, 0.05, large.digest), files / "large/novelty.json"
    )
    _refused(
        run(files, network="large/network.safetensors", out="refused"),
        "voxel of 1.17 um, training 2 um; make a volume that fits with "
        "`brainarch convert ... --resample-um 2`",
    )
    _refused(run(files, "--slices=9", out="refused"), "slice 9 is outside the volume")
    _refused(run(files, "--slices=x", out="refused"), "--slices x: wanted whole numbers")
    _refused(
        run(files, "--where=labelled", out="refused"), "--where labelled: must be tissue or all"
    )
    assert not (files / "refused").exists()


def _refused(result, reason):
    assert isinstance(result.exception, InputError), (result.output, result.exception)
    assert reason in str(result.exception)
    assert "\n" not in str(result.exception)
