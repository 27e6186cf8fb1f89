import copy
import json
import shutil

import numpy as np
import pytest
import torch
import zarr
from dense_fakes import narrow_network, trained_of
from extraction_case import run, source_of
from hypothesis import given, settings
from hypothesis import strategies as st

from brainarch.dense import extract as module
from brainarch.dense.cube import Cube
from brainarch.dense.prove import prove
from brainarch.dense.reference import choose_pixels, compare, reaches_beyond
from brainarch.errors import InputError
from brainarch.geometry import WINDOW, cut_windows
from brainarch.grids.grid import Place

SHAPE = (160, 160)


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """Return a wholly extracted square slice: its cube and its grey values."""
    source = source_of(SHAPE)
    folder = tmp_path_factory.mktemp("prove")
    return run(trained_of(narrow_network()), folder, SHAPE, 1, None, source=source), source.grey


def changed(cube, folder, change):
    """Return a copy of a cube whose representation went through ``change``."""
    shutil.copytree(cube.path, folder / "changed.zarr")
    array = zarr.open_group(folder / "changed.zarr", mode="r+")["representation"]
    array.with_config({"write_empty_chunks": True})[...] = change(array[...])
    return Cube.open(folder / "changed.zarr")


def test_an_honest_cube_passes(extracted, narrow):
    cube, grey = extracted
    proof = prove(cube, grey, narrow, 60, seed=0)
    assert proof["exact"]
    assert proof["windows"] == 60
    assert proof["border_windows"] >= 15
    for comparison in proof["cube_against"].values():
        assert comparison["relative_max"] <= 1e-5
        assert comparison["relative_norm"] <= 2e-6
    json.dumps(proof, allow_nan=False)


def test_the_same_seed_draws_the_same_windows(extracted, narrow):
    cube, grey = extracted
    one, two, other = (prove(cube, grey, narrow, 10, seed=seed) for seed in (1, 1, 2))
    assert one == two
    assert one["worst_window"] != other["worst_window"]


def swap_columns(values):
    values = values.copy()
    values[:, :80], values[:, 80:] = values[:, 80:].copy(), values[:, :80].copy()
    return values


def test_a_reference_without_numbers_proves_nothing(extracted, narrow):
    cube, grey = extracted
    broken = copy.deepcopy(narrow)
    with torch.no_grad():
        next(broken.network.trunk.parameters()).fill_(torch.nan)
    assert not prove(cube, grey, broken, 20, seed=0)["passed"]


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.transpose(1, 0, 2),
        lambda values: values[::-1],
        lambda values: values[:, ::-1],
        lambda values: np.roll(values, 1, axis=0),
        lambda values: np.roll(values, 1, axis=1),
        swap_columns,
        lambda values: values[..., ::-1],
        lambda values: values * np.float32(1 + 1e-4),
        lambda values: np.maximum(values, np.float32(1e-3)),
        np.zeros_like,
    ],
)
def test_a_cube_whose_pixels_are_elsewhere_or_wrong_fails(extracted, narrow, tmp_path, change):
    cube, grey = extracted
    proof = prove(changed(cube, tmp_path, change), grey, narrow, 40, seed=0)
    assert not proof["exact"]
    assert "difference" in proof["verdict"]


def test_missing_numbers_fail(extracted, narrow, tmp_path):
    def lose(values):
        values[100:, 100:] = np.nan
        return values

    proof = prove(changed(extracted[0], tmp_path, lose), extracted[1], narrow, 40, seed=0)
    assert not proof["exact"]
    assert "not finite where extracted" in proof["verdict"]
    assert proof["windows_without_numbers"] > 0
    json.dumps(proof, allow_nan=False)


def test_positions_that_are_no_grid_fail(extracted, narrow, tmp_path):
    shutil.copytree(extracted[0].path, tmp_path / "moved.zarr")
    zarr.open_group(tmp_path / "moved.zarr", mode="r+")["y"][...] = np.arange(160)[::-1]
    proof = prove(Cube.open(tmp_path / "moved.zarr"), extracted[1], narrow, 20, seed=0)
    assert not proof["exact"]
    assert "y is no grid" in proof["verdict"]


def test_another_grey_beyond_the_slice_fails(narrow, tmp_path, monkeypatch):
    source = source_of(SHAPE)

    def bright(grey):
        before, after = WINDOW // 2, WINDOW - WINDOW // 2 - 1
        return np.pad(grey, (before, after), constant_values=40)

    monkeypatch.setattr(module, "pad_slice", bright)
    cube = run(narrow, tmp_path, SHAPE, 1, None, source=source)
    assert not prove(cube, source.grey, narrow, 40, seed=0)["exact"]


def test_half_precision_is_judged_by_its_own_rounding(narrow, tmp_path):
    source = source_of(SHAPE, share=0.02)
    cube = run(narrow, tmp_path, SHAPE, 1, None, source=source, storage="float16")
    proof = prove(cube, source.grey, narrow, 40, seed=0)
    assert proof["exact"]
    assert proof["cube_against"]["float64"]["relative_norm"] > 2e-6
    wrong = changed(cube, tmp_path, lambda values: values * np.float16(1.01))
    assert not prove(wrong, source.grey, narrow, 40, seed=0)["exact"]


def test_an_empty_cube_is_refused(narrow, tmp_path):
    cube = Cube.create(tmp_path / "c.zarr", Place(0, 1, 1.17, np.arange(3), np.arange(3)), 5)
    with pytest.raises(InputError, match="no extracted pixel"):
        prove(cube, np.zeros((3, 3), dtype=np.uint8), narrow, 5, seed=0)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 99))
def test_windows_beyond_the_slice_are_those_that_hold_padding(rows, columns, seed):
    rng = np.random.default_rng(seed)
    y, x = rng.integers(rows, size=8), rng.integers(columns, size=8)
    windows = cut_windows(np.ones((rows, columns), dtype=np.uint8), y, x)
    wanted = (windows == 0).any(axis=(1, 2))
    np.testing.assert_array_equal(reaches_beyond((rows, columns), y, x), wanted)


def test_chosen_pixels_are_extracted_different_and_spread(extracted):
    cube, _ = extracted
    iy, ix = choose_pixels(cube, SHAPE, 64, seed=3)
    assert len({*zip(iy.tolist(), ix.tolist(), strict=True)}) == 64
    assert cube.extracted[iy, ix].all()
    # Without border windows, 48 stretches of raster order: none of ten bands is left out.
    assert len(np.unique(iy // 16)) == 10


def test_no_more_windows_than_pixels(extracted):
    iy, _ = choose_pixels(extracted[0], SHAPE, 10**6, seed=0)
    assert len(iy) == SHAPE[0] * SHAPE[1]


def test_compare_measures_what_the_design_defines():
    reference = np.array([[4.0, 0.0], [0.0, 3.0]])
    found = np.array([[4.0, 0.5], [0.0, 0.0]])
    assert compare(found, reference) == {
        "max_difference": 3.0,
        "relative_max": 0.75,
        "relative_norm": pytest.approx(np.sqrt(9.25) / 5),
        "sign_disagreements": 2,
    }
    zeros = np.zeros((2, 2))
    assert compare(zeros, zeros)["relative_norm"] == 0
    assert compare(zeros + 1e-9, zeros)["relative_norm"] > 1
