from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray
import zarr

from brainarch.embedding import representations
from brainarch.errors import InputError


@pytest.fixture
def content():
    rng = np.random.default_rng(0)
    integers = {name: rng.integers(0, 3, 7).astype(np.int32) for name in ("z", "y", "x", "area")}
    return representations.Representations(
        values=rng.random((7, 4), dtype=np.float32),
        **integers,
        areas=("Ctx", "Größe", "WM"),
        network="cnn",
        unit_names=("a", "b", "c", "d"),
        commensurate=True,
        network_digest="abc",
        seed=5,
    )


def assert_equal(first, second):
    for name in ("values", "z", "y", "x", "area"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
        assert getattr(first, name).dtype == getattr(second, name).dtype
    for name in ("areas", "network", "unit_names", "commensurate", "network_digest", "seed"):
        assert getattr(first, name) == getattr(second, name)


def test_clean_round_trip(content, tmp_path):
    representations.save_representations(content, tmp_path / "test.zarr")
    assert_equal(representations.load_representations(tmp_path / "test.zarr"), content)


def test_noisy_round_trip(content, tmp_path):
    louder = replace(content, values=content.values * 2)
    noisy = representations.NoisyRepresentations(np.array([0.0, 0.1]), (content, louder))
    representations.save_noisy(noisy, tmp_path / "noise.zarr")
    found = representations.load_noisy(tmp_path / "noise.zarr")
    np.testing.assert_array_equal(found.variance, noisy.variance)
    for level, expected in zip(found.levels, noisy.levels, strict=True):
        assert_equal(level, expected)


def test_xarray_reads_it(content, tmp_path):
    representations.save_representations(content, tmp_path / "test.zarr")
    found = xarray.open_zarr(tmp_path / "test.zarr")
    assert found.representation.dims == ("patch", "unit")
    np.testing.assert_array_equal(found.representation, content.values)
    assert found.attrs["areas"] == ["Ctx", "Größe", "WM"]


def test_clean_and_noisy_are_not_mistaken(content, tmp_path):
    representations.save_representations(content, tmp_path / "clean.zarr")
    representations.save_noisy(
        representations.NoisyRepresentations(np.zeros(1), (content,)), tmp_path / "noisy.zarr"
    )
    with pytest.raises(InputError, match="no noisy representations of patches of this version"):
        representations.load_noisy(tmp_path / "clean.zarr")
    with pytest.raises(InputError, match=r"noisy\.zarr: no representations of patches of"):
        representations.load_representations(tmp_path / "noisy.zarr")


def test_missing_and_foreign_stores_are_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.zarr: no representations of patches here"):
        representations.load_representations(tmp_path / "absent.zarr")
    zarr.open_group(tmp_path / "other.zarr", mode="w", zarr_format=3)
    with pytest.raises(InputError, match=r"other\.zarr: no representations of patches of this"):
        representations.load_representations(tmp_path / "other.zarr")
    (tmp_path / "file.zarr").write_text("no")
    with pytest.raises(InputError, match=r"file\.zarr: no representations of patches here"):
        representations.load_representations(tmp_path / "file.zarr")


def test_damage_is_noticed(content, tmp_path):
    path = tmp_path / "test.zarr"
    representations.save_representations(content, path)
    zarr.open_group(path, mode="r+")["area"][0] = 9
    with pytest.raises(InputError, match="area indices outside"):
        representations.load_representations(path)


def test_rows_choose_patches(content):
    chosen = content.rows(np.array([5, 2]))
    np.testing.assert_array_equal(chosen.values, content.values[[5, 2]])
    np.testing.assert_array_equal(chosen.y, content.y[[5, 2]])


@pytest.mark.parametrize("broken", [{"unit_names": ("a",)}, {"z": np.zeros(3)}])
def test_parts_must_agree(content, broken):
    with pytest.raises(ValueError, match=r"unit names|one value"):
        replace(content, **broken)


def test_values_that_are_not_finite_are_refused(content):
    with pytest.raises(ValueError, match="finite"):
        replace(content, values=np.full((7, 4), np.nan, np.float32))
