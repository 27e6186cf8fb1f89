import numpy as np
import pytest
import xarray
import zarr

from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.grids.grid import Place


@pytest.fixture
def filled(tmp_path):
    """Return a cube of several chunks with holes, what was written, and where."""
    rng = np.random.default_rng(0)
    place = Place(7, 2, 1.17, np.arange(10, 330, 2), np.arange(0, 300, 2), "abc")
    done = rng.random(place.shape) < 0.4
    done[40:120] = False
    units = np.where(done[..., None], rng.random((*done.shape, 3)), np.nan).astype(np.float32)
    cube = Cube.create(tmp_path / "cube.zarr", place, 3, chunk=32)
    for row in range(0, 160, 32):
        for column in range(0, 150, 64):
            part = np.s_[row : row + 32, column : column + 64]
            # What is not extracted may hold anything.
            cube.write(row, column, np.nan_to_num(units[part], nan=9.0), done[part])
    return Cube.open(cube.path), units, done


def test_reads_back_what_was_written(filled):
    cube, units, done = filled
    assert (cube.z, cube.stride, cube.units, cube.shape) == (7, 2, 3, (160, 150))
    assert (cube.pixel_um, cube.key) == (1.17, "abc")
    assert cube.count == done.sum()
    np.testing.assert_array_equal(cube.extracted, done)
    iy, ix, X = cube.read()
    np.testing.assert_array_equal(np.argwhere(done), np.stack([iy, ix], axis=1))
    np.testing.assert_array_equal(X, units[done])
    np.testing.assert_array_equal(cube.block(slice(3, 9), slice(5, 7)), units[3:9, 5:7])


@pytest.mark.parametrize("rows", [1, 17, 128, 1000])
def test_batches_are_read_in_pieces(filled, rows):
    cube, _, _ = filled
    pieces = list(cube.batches(rows))
    assert all(len(piece[0]) for piece in pieces)
    for whole, parts in zip(cube.read(), zip(*pieces, strict=True), strict=True):
        np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_masked_batches_hold_only_what_is_wanted(filled):
    cube, units, done = filled
    mask = np.random.default_rng(1).random(done.shape) < 0.2
    iy, ix, X = (np.concatenate(part) for part in zip(*cube.batches(50, mask), strict=True))
    np.testing.assert_array_equal(np.argwhere(done & mask), np.stack([iy, ix], axis=1))
    np.testing.assert_array_equal(X, units[done & mask])


def test_opens_in_xarray_with_names_and_positions(filled):
    cube, units, _ = filled
    data = xarray.open_zarr(cube.path)
    assert data.representation.dims == ("y", "x", "unit")
    np.testing.assert_array_equal(data.representation.sel(y=20, x=4), units[5, 2])
    assert data.extracted.dtype == bool
    assert data.attrs["z"] == 7


def test_half_precision_storage(tmp_path):
    place = Place(0, 1, 1.17, np.arange(2), np.arange(3))
    cube = Cube.create(tmp_path / "c.zarr", place, 4, storage="float16")
    cube.write(0, 0, np.full((2, 3, 4), 1 / 3, dtype=np.float32), np.ones((2, 3), dtype=bool))
    again = Cube.open(cube.path)
    assert again.storage == "float16"
    X = again.read()[2]
    assert X.dtype == np.float32
    np.testing.assert_array_equal(X, np.float32(np.float16(1 / 3)))


def test_a_lost_chunk_with_extracted_pixels_is_noticed(filled):
    cube, _, done = filled
    assert done[:32, :32].any()
    (cube.path / "representation" / "c" / "0" / "0" / "0").unlink()
    with pytest.raises(InputError, match=r"c/0/0/0 is missing.*brainarch extract"):
        Cube.open(cube.path).read()


def test_what_is_no_cube_is_refused(tmp_path):
    with pytest.raises(InputError, match="no dense cube here; run `brainarch extract`"):
        Cube.open(tmp_path / "absent.zarr")
    zarr.create_group(tmp_path / "other.zarr", zarr_format=3)
    with pytest.raises(InputError, match="no dense cube of this version"):
        Cube.open(tmp_path / "other.zarr")
