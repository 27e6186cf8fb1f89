"""Coefficient maps on disk: band by band, equal to the whole at once."""

from __future__ import annotations

import numpy as np
import pytest
import xarray

from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.factors.coefficients import CHUNK_ROWS, CoefficientMaps
from brainarch.factors.nonnegative import nonnegative_coefficients
from brainarch.factors.projection import Residual, project_cube
from brainarch.grids.grid import Place


@pytest.fixture
def cube(tmp_path):
    """A cube of 150 x 20 pixels, stride 2, with a hole and an empty band."""
    rng = np.random.default_rng(0)
    done = rng.random((150, 20)) < 0.7
    done[:, :2] = False
    place = Place(7, 2, 1.17, 10 + 2 * np.arange(150), 4 + 2 * np.arange(20), "abc")
    made = Cube.create(tmp_path / "cube.zarr", place, 6)
    X = np.maximum(rng.normal(size=(150, 20, 6)), 0).astype(np.float32)
    made.write(0, 0, X, done)
    return Cube.open(tmp_path / "cube.zarr"), np.where(done[..., None], X, np.nan), done


@pytest.fixture
def basis():
    values = np.random.default_rng(1).random((3, 6))
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def test_maps_hold_the_coefficients_at_the_right_pixels(cube, basis, tmp_path):
    opened, X, done = cube
    assert len(opened.y) > CHUNK_ROWS, "one band would prove nothing"
    project_cube(opened, basis, tmp_path / "c.zarr", {"fitted": False})
    maps = CoefficientMaps.open(tmp_path / "c.zarr")
    assert (maps.z, maps.stride, maps.factors) == (7, 2, 3)
    assert np.array_equal(maps.extracted, done)
    assert (maps.pixel_um, maps.key, maps.attrs["fitted"]) == (1.17, "abc", False)
    expected, _ = nonnegative_coefficients(X[done], basis)
    stack = np.stack([maps.factor_map(factor) for factor in (1, 2, 3)])
    assert np.array_equal(stack[:, done].T, expected)
    assert np.isnan(stack[:, ~done]).all()


def test_masked_batches_give_the_same_in_raster_order(cube, basis, tmp_path):
    opened, X, done = cube
    project_cube(opened, basis, tmp_path / "c.zarr", {"fitted": False})
    maps = CoefficientMaps.open(tmp_path / "c.zarr")
    mask = np.random.default_rng(3).random(done.shape) < 0.3
    parts = list(maps.batches(mask))
    iy, ix, C = (np.concatenate(part) for part in zip(*parts, strict=True))
    assert np.array_equal(np.stack([iy, ix]), np.nonzero(mask & done))
    assert np.array_equal(C, nonnegative_coefficients(X[mask & done], basis)[0])
    assert np.array_equal(maps.factor_map(2, step=4), maps.factor_map(2)[::4, ::4], equal_nan=True)


def test_the_summary_is_the_closed_form(cube, basis, tmp_path):
    opened, X, done = cube
    summary = project_cube(opened, basis, tmp_path / "c.zarr", {"fitted": False}).summary()
    rows = X[done].astype(np.float64)
    C = nonnegative_coefficients(X[done], basis)[0].astype(np.float64)
    left = rows - C @ basis
    assert summary["rows"] == done.sum()
    assert summary["relative_error"] == pytest.approx(np.linalg.norm(left) / np.linalg.norm(rows))
    assert summary["explained_share"] == pytest.approx(1 - (left**2).sum() / (rows**2).sum())
    centred = ((rows - rows.mean(axis=0)) ** 2).sum()
    assert summary["explained_variance"] == pytest.approx(1 - (left**2).sum() / centred)
    np.testing.assert_allclose(summary["factor_energy"], (C**2).sum(0) / (C**2).sum())


def test_residual_of_an_exact_product_is_zero():
    rng = np.random.default_rng(4)
    C, B = rng.random((40, 3)).astype(np.float32), rng.random((3, 8))
    residual = Residual(8, 3)
    X = C.astype(np.float64) @ B
    residual.add(X.astype(np.float32), C, B)
    assert residual.summary()["relative_error"] < 1e-6


def test_the_maps_open_with_xarray(cube, basis, tmp_path):
    project_cube(cube[0], basis, tmp_path / "c.zarr", {"fitted": False})
    opened = xarray.open_zarr(tmp_path / "c.zarr")
    assert opened["coefficient"].dims == ("factor", "y", "x")
    assert opened["coefficient"].sel(factor=1, y=12, x=6).size == 1


def test_a_basis_of_another_network_is_refused(cube, tmp_path):
    with pytest.raises(InputError, match="6 units, but the basis has 5"):
        project_cube(cube[0], np.ones((2, 5)), tmp_path / "c.zarr", {})


def test_what_is_no_maps_is_refused(cube, tmp_path):
    with pytest.raises(InputError, match="no coefficient maps here"):
        CoefficientMaps.open(tmp_path / "absent.zarr")
    with pytest.raises(InputError, match="no coefficient maps of this version"):
        CoefficientMaps.open(cube[0].path)


def test_a_lost_chunk_is_noticed_by_every_reader(cube, basis, tmp_path):
    project_cube(cube[0], basis, tmp_path / "c.zarr", {"fitted": False})
    (tmp_path / "c.zarr" / "coefficient" / "c" / "1" / "0" / "0").unlink()
    maps = CoefficientMaps.open(tmp_path / "c.zarr")
    assert np.isfinite(maps.factor_map(1)[maps.extracted]).all()
    with pytest.raises(InputError, match=r"c/1/0/0 is missing.*brainarch factorize"):
        maps.factor_map(2)
    with pytest.raises(InputError, match="coefficient/c/1/0/0 is missing"):
        list(maps.batches(maps.extracted))
