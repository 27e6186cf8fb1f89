"""The stages from files to files, and their one-line refusals."""

import json
import logging

import numpy as np
import pytest
import zarr
from dense_fakes import AREAS, real_network, textured_slice, trained_of

from brainarch.annotations.store import create_labels
from brainarch.dense.cube import Cube
from brainarch.dense.stages import extract_slice, plan_extraction, prove_cube
from brainarch.errors import InputError
from brainarch.network.grey import Normalisation
from brainarch.network.trained import save_network
from brainarch.volume.store import multiscale_attributes

SHAPE = (3, 70, 90)


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
    for code in range(1, 1 + len(AREAS)):
        labels[8:60, 30 * code - 25 : 30 * code] = code
    return labels


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with volume, labels and the real network, untrained."""
    folder = tmp_path_factory.mktemp("files")
    write_volume(folder / "volume.zarr", np.stack([textured_slice(70, 90, s) for s in range(3)]))
    create_labels(folder / "areas.zarr", SHAPE, 1.17, [1]).write_slice(1, areas_image())
    trained = trained_of(real_network(), Normalisation(0.45, 0.2))
    save_network(trained, folder / "network.safetensors")
    return folder


@pytest.fixture(scope="module")
def inputs(files):
    return {"network": files / "network.safetensors", "volume": files / "volume.zarr"}


PLAN = {"stride": 4, "precision": "float32", "memory_mb": 1500, "rows": None}
SLICE = {"z": 1, "where": "labelled", "rows": None, "storage": "float32"}
PROOF = {"windows": 30, "seed": 2020}


@pytest.fixture(scope="module")
def planned(files, inputs):
    plan_extraction(**inputs, plan=files / "plan.json", **PLAN)
    places = {"plan": files / "plan.json", "partial": files / "partial"}
    return {**inputs, **places, "labels": files / "areas.zarr"}


@pytest.fixture(scope="module")
def cube(files, planned):
    extract_slice(**planned, cube=files / "cube.zarr", **SLICE)
    return files / "cube.zarr"


def test_a_plan_is_said(inputs, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        plan_extraction(**inputs, plan=tmp_path / "plan.json", **{**PLAN, "rows": [10, 30]})
    assert "plan: " in caplog.text
    assert json.loads((tmp_path / "plan.json").read_text())["rows"] == [10, 30]


def test_extract_fills_the_labelled_pixels_of_the_grid(cube, planned):
    opened = Cube.open(cube)
    np.testing.assert_array_equal(opened.extracted, areas_image()[::4, ::4] > 0)
    assert (opened.z, opened.stride, opened.units, opened.pixel_um) == (1, 4, 64, 1.17)
    assert not list(planned["partial"].glob("extract-*"))


def test_which_pixels_are_wanted_changes_no_pixel(planned, cube, tmp_path):
    extract_slice(**planned, cube=tmp_path / "all.zarr", **{**SLICE, "where": "all"})
    alone, whole = Cube.open(cube), Cube.open(tmp_path / "all.zarr")
    assert whole.extracted.all()
    block = whole.block(slice(None), slice(None))
    np.testing.assert_allclose(
        block[alone.extracted], alone.read()[2], rtol=0, atol=1e-5 * np.nanmax(block)
    )


def test_prove_passes_and_writes_its_numbers(inputs, cube, tmp_path):
    assert prove_cube(**inputs, cube=cube, proof=tmp_path / "p.json", **PROOF) is None
    proof = json.loads((tmp_path / "p.json").read_text())
    assert proof["exact"]
    assert proof["windows"] == 30
    assert proof["border_windows"] > 0


def test_a_changed_cube_is_one_line(inputs, cube, tmp_path):
    array = zarr.open_group(cube, mode="r+")["representation"]
    honest = array[...]
    array[...] = honest[::-1]
    try:
        problem = prove_cube(**inputs, cube=cube, proof=tmp_path / "p.json", **PROOF)
    finally:
        array[...] = honest
    assert problem is not None
    assert "not exact" in problem
    assert "\n" not in problem
    assert not json.loads((tmp_path / "p.json").read_text())["exact"]


def test_wrong_files_and_settings_are_refused_in_one_line(planned, inputs, cube, tmp_path):
    other = tmp_path / "other.safetensors"
    save_network(trained_of(real_network(seed=1)), other)
    write_volume(tmp_path / "v.zarr", np.zeros(SHAPE, dtype=np.uint8))
    extract = {**planned, "cube": tmp_path / "c.zarr", **SLICE}
    plan = {**inputs, "plan": tmp_path / "p", **PLAN}
    prove = {**inputs, "cube": cube, "proof": tmp_path / "p.json", **PROOF}
    cases = [
        (extract_slice, {**extract, "z": 9}, "slice 9 is outside the volume"),
        (extract_slice, {**extract, "z": 2}, "slice 2 is not annotated"),
        (extract_slice, {**extract, "labels": None}, "needs a label image"),
        (extract_slice, {**extract, "rows": [0, 90]}, "must be a non-empty range within"),
        (extract_slice, {**extract, "storage": "int8"}, "storage int8"),
        (extract_slice, {**extract, "where": "here"}, "where here"),
        (extract_slice, {**extract, "device": "tpu"}, "device tpu"),
        (plan_extraction, {**plan, "stride": 5}, "stride 5"),
        (plan_extraction, {**plan, "precision": "int8"}, "precision int8"),
        (plan_extraction, {**plan, "memory_mb": 5}, "memory of 5 MB"),
        (prove_cube, {**prove, "network": other}, "was extracted from another network"),
        (prove_cube, {**prove, "volume": tmp_path / "v.zarr"}, "extracted from another slice"),
    ]
    for stage, arguments, reason in cases:
        with pytest.raises(InputError, match=reason) as caught:
            stage(**arguments)
        assert "\n" not in str(caught.value)


def test_a_band_of_the_plan_s_rows_equals_the_same_rows_of_the_whole(planned, cube, tmp_path):
    extract_slice(**planned, cube=tmp_path / "band.zarr", **{**SLICE, "rows": [22, 41]})
    opened, whole = Cube.open(tmp_path / "band.zarr"), Cube.open(cube)
    assert opened.y.tolist() == [24, 28, 32, 36, 40]
    a, b = opened.block(slice(None), slice(None)), whole.block(slice(6, 11), slice(None))
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * np.nanmax(b))


def test_tissue_needs_no_labels(planned, tmp_path):
    asked = {**planned, "labels": None, **SLICE, "z": 2, "where": "tissue"}
    extract_slice(**asked, cube=tmp_path / "tissue.zarr")
    assert Cube.open(tmp_path / "tissue.zarr").count > 0
