import json

import numpy as np
import pytest
import typer
import zarr
from dense_fakes import AREAS, checkpoint_of, real_network, textured_slice
from typer.testing import CliRunner

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels
from brainarch.cli.dense import register
from brainarch.dense import extract as extraction
from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.network.checkpoint import save_checkpoint
from brainarch.network.grey import Normalisation
from brainarch.tables import read_columns, read_table
from brainarch.volume.store import multiscale_attributes

SHAPE = (3, 70, 90)


@pytest.fixture(scope="module")
def app():
    made = typer.Typer(pretty_exceptions_enable=False)
    register(made)
    return made


def write_volume(path, grey):
    scale = (1.17, 1.17, 1.17)
    ome = multiscale_attributes("volume", [scale], [(0.0, 0.0, 0.0)])
    group = zarr.create_group(path, zarr_format=3, attributes={"ome": ome, "brainarch": {}})
    array = group.create_array(
        "0", shape=grey.shape, dtype=grey.dtype, chunks=(1, 70, 90), dimension_names=("z", "y", "x")
    )
    array[...] = grey


def areas_image():
    """Return labels: three areas side by side, unlabelled round them."""
    labels = np.zeros(SHAPE[1:], dtype=np.uint8)
    for code in (1, 2, 3):
        labels[8:60, 30 * code - 25 : 30 * code] = code
    return labels


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with volume, labels, splits, legend and the real network's checkpoint."""
    folder = tmp_path_factory.mktemp("files")
    write_volume(folder / "volume.zarr", np.stack([textured_slice(70, 90, s) for s in range(3)]))
    labels = areas_image()
    create_labels(folder / "areas.zarr", SHAPE, 1.17, [1]).write_slice(1, labels)
    splits = np.zeros(SHAPE[1:], dtype=np.uint8)
    splits[20:50][labels[20:50] > 0] = 3
    create_labels(folder / "splits.zarr", SHAPE, 1.17, [1]).write_slice(1, splits)
    write_legend(make_legend(AREAS), folder / "legend.csv")
    checkpoint = checkpoint_of(real_network(), Normalisation(0.45, 0.2))
    save_checkpoint(checkpoint, folder / "network.safetensors")
    return folder


def call(app, verb, /, **options):
    arguments = [verb]
    for name, value in options.items():
        arguments += [f"--{name.rstrip('_').replace('_', '-')}", str(value)]
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def inputs(files):
    return {"checkpoint": files / "network.safetensors", "volume": files / "volume.zarr"}


@pytest.fixture(scope="module")
def planned(app, files, inputs):
    call(app, "plan", **inputs, stride=4, memory_mb=1500, output=files / "plan.json")
    return {**inputs, "plan": files / "plan.json", "partial": files / "partial"}


@pytest.fixture(scope="module")
def cube(app, files, planned):
    path = files / "cube.zarr"
    call(app, "extract", **planned, labels=files / "areas.zarr", slice_=1, output=path)
    return path


def test_extract_fills_the_labelled_pixels_of_the_grid(cube):
    opened = Cube.open(cube)
    np.testing.assert_array_equal(opened.extracted, areas_image()[::4, ::4] > 0)
    assert (opened.z, opened.stride, opened.units) == (1, 4, 64)


def test_many_slices_in_one_go_are_those_extracted_alone(app, files, planned, cube, monkeypatch):
    loaded = []
    load = extraction.load_checkpoint
    monkeypatch.setattr(extraction, "load_checkpoint", lambda path: loaded.append(0) or load(path))
    outputs = [files / f"many{z}.zarr" for z in (1, 2)]
    arguments = ["extract", "--where", "all", "--slice", "1", "--slice", "2"]
    for path in outputs:
        arguments += ["--output", str(path)]
    for name, value in planned.items():
        arguments += [f"--{name}", str(value)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert len(loaded) == 1
    one, two = (Cube.open(path) for path in outputs)
    assert (one.z, two.z) == (1, 2)
    assert not list(planned["partial"].glob("extract-*"))
    alone = Cube.open(cube)
    block = one.block(slice(None), slice(None))
    np.testing.assert_allclose(
        block[alone.extracted], alone.read()[2], rtol=0, atol=1e-5 * np.nanmax(block)
    )
    assert not np.array_equal(block, two.block(slice(None), slice(None)))


@pytest.mark.parametrize("outputs", [["a"], ["a", "a"], ["a", "b", "c"]])
def test_slices_and_outputs_must_pair_up(app, planned, tmp_path, outputs):
    arguments = ["extract", "--where", "all", "--slice", "1", "--slice", "2"]
    for name in outputs:
        arguments += ["--output", str(tmp_path / name)]
    for name, value in planned.items():
        arguments += [f"--{name}", str(value)]
    with pytest.raises(InputError, match="2 slices need as many different outputs"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_prove_passes_and_writes_its_numbers(app, inputs, cube, tmp_path):
    result = call(app, "prove", **inputs, cube=cube, windows=30, output=tmp_path / "p.json")
    assert result.exit_code == 0
    proof = json.loads((tmp_path / "p.json").read_text())
    assert proof["exact"]
    assert proof["windows"] == 30
    assert proof["border_windows"] > 0


def test_prove_ends_with_status_1_and_one_line(app, inputs, cube, tmp_path):
    array = zarr.open_group(cube, mode="r+")["representation"]
    honest = array[...]
    array[...] = honest[::-1]
    try:
        result = call(app, "prove", **inputs, cube=cube, windows=20, output=tmp_path / "p.json")
    finally:
        array[...] = honest
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("brainarch: ")
    assert "not exact" in result.stderr.splitlines()[-1]
    assert not json.loads((tmp_path / "p.json").read_text())["exact"]


def predict(app, files, cube, prefix, **options):
    call(
        app,
        "predict",
        cube=cube,
        checkpoint=files / "network.safetensors",
        legend=files / "legend.csv",
        output_prefix=prefix,
        **options,
    )


def test_predict_judges_the_test_pixels(app, files, cube, tmp_path):
    prefix = tmp_path / "z0001"
    options = {"labels": files / "areas.zarr", "splits": files / "splits.zarr"}
    predict(app, files, cube, prefix, **options)
    group = zarr.open_group(f"{prefix}_areas.zarr", mode="r")
    opened = Cube.open(cube)
    np.testing.assert_array_equal(group["area"][...] > 0, opened.extracted)
    np.testing.assert_array_equal(np.isfinite(group["confidence"][...]), opened.extracted)
    metrics = read_table(tmp_path / "z0001_metrics.csv")
    assert set(metrics["subset"]) == {"test"}
    inside = areas_image()[::4, ::4] > 0
    inside[: 20 // 4] = inside[-(-50 // 4) :] = False
    confusion = read_table(tmp_path / "z0001_confusion.csv")
    assert confusion["count"].sum() == inside.sum()
    assert set(read_columns(tmp_path / "z0001_border.csv")) == {
        "distance_um_low", "distance_um_high", "pixels", "accuracy",
    }  # fmt: skip
    # Without splits all labelled pixels count.
    predict(app, files, cube, prefix, labels=files / "areas.zarr")
    assert read_table(tmp_path / "z0001_confusion.csv")["count"].sum() == opened.count
    assert set(read_table(tmp_path / "z0001_metrics.csv")["subset"]) == {"labelled"}


def test_predict_without_annotation_still_draws_the_map(app, files, cube, tmp_path):
    predict(app, files, cube, tmp_path / "z")
    assert (zarr.open_group(tmp_path / "z_areas.zarr", mode="r")["area"][...] > 0).any()
    assert read_table(tmp_path / "z_confusion.csv")["count"].sum() == 0


def test_wrong_files_are_refused_in_one_line(app, files, planned, inputs, cube, tmp_path):
    other = tmp_path / "other.safetensors"
    save_checkpoint(checkpoint_of(real_network(seed=1)), other)
    write_legend(make_legend(["Ctx", "Str"]), tmp_path / "two.csv")
    extract = {**planned, "output": tmp_path / "c.zarr", "labels": files / "areas.zarr"}
    prove = {**inputs, "cube": cube, "output": tmp_path / "p.json"}
    one = {"cube": cube, "output_prefix": tmp_path / "z", "legend": files / "legend.csv"}
    write_volume(tmp_path / "v.zarr", np.zeros(SHAPE, dtype=np.uint8))
    cases = [
        ("extract", {**extract, "slice_": 9}, "slice 9 is outside the volume"),
        ("extract", {**extract, "slice_": 2}, "slice 2 is not annotated"),
        ("extract", {**extract, "slice_": 1, "rows": "0:90"}, "must be a non-empty range within"),
        ("extract", {**extract, "slice_": 1, "rows": "10"}, "wanted first:end"),
        ("extract", {**extract, "slice_": 1, "storage": "int8"}, "storage int8"),
        ("extract", {**extract, "slice_": 1, "where": "here"}, "where here"),
        ("extract", {**extract, "slice_": 1, "device": "tpu"}, "device tpu"),
        ("plan", {**inputs, "output": tmp_path / "p", "stride": 5}, "stride 5"),
        ("plan", {**inputs, "output": tmp_path / "p", "precision": "int8"}, "precision int8"),
        ("plan", {**inputs, "output": tmp_path / "p", "algorithm": "fft"}, "algorithm fft"),
        ("plan", {**inputs, "output": tmp_path / "p", "memory_mb": 5}, "memory of 5 MB"),
        ("prove", {**prove, "checkpoint": other}, "was extracted from another checkpoint"),
        ("prove", {**prove, "volume": tmp_path / "v.zarr"}, "was extracted from another slice"),
        ("predict", {**one, "checkpoint": other}, "was extracted from another checkpoint"),
        ("predict", {**one, "checkpoint": inputs["checkpoint"], "legend": tmp_path / "two.csv"},
         "trained on 3 areas"),
    ]  # fmt: skip
    for verb, options, reason in cases:
        with pytest.raises(InputError, match=reason) as caught:
            call(app, verb, **options)
        assert "\n" not in str(caught.value)


def test_a_band_of_the_plan_s_rows_equals_the_same_rows_of_the_whole(app, files, planned, cube):
    band = files / "band.zarr"
    areas = {"labels": files / "areas.zarr"}
    call(app, "extract", **planned, **areas, slice_=1, rows="22:41", output=band)
    opened, whole = Cube.open(band), Cube.open(cube)
    assert opened.y.tolist() == [24, 28, 32, 36, 40]
    a, b = opened.block(slice(None), slice(None)), whole.block(slice(6, 11), slice(None))
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * np.nanmax(b))


def test_tissue_needs_no_labels(app, planned, tmp_path):
    call(app, "extract", **planned, slice_=2, where="tissue", output=tmp_path / "tissue.zarr")
    assert Cube.open(tmp_path / "tissue.zarr").count > 0
