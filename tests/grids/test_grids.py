"""Every store for a grid of pixels: opened alike, readable by others, damage in one line."""

import json
import warnings

import numpy as np
import pytest
import xarray
import zarr
from zarr.codecs import Crc32cCodec

from brainarch.annotations.store import create_labels
from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.grids.grid import Place
from brainarch.grids.labels import on_grid, read_codes
from brainarch.grids.maps import SliceMaps, write_maps

PLACE = Place(7, 2, 1.17, 10 + 2 * np.arange(6), 4 + 2 * np.arange(5), "abc")
CODES = np.arange(30, dtype=np.uint8).reshape(6, 5)
SHARE = np.where(CODES % 3 > 0, CODES / 30, np.nan).astype(np.float32)


def make_cube(path):
    units = np.repeat(SHARE[..., None], 3, axis=2)
    Cube.create(path, PLACE, 3, chunk=4).write(0, 0, units, np.isfinite(SHARE))


def make_coefficients(path):
    iy, ix = np.nonzero(np.isfinite(SHARE))
    C = np.repeat(SHARE[iy, ix][:, None], 2, axis=1)
    CoefficientMaps.create(path, PLACE, 2).write_rows(0, iy, ix, C)


def make_maps(path):
    write_maps(path, {"area": CODES, "share": SHARE}, PLACE, {"areas": ["Ctx"]})


def read_cube(path):
    return Cube.open(path).read()[2]


def read_coefficients(path):
    return CoefficientMaps.open(path).factor_map(1)


def read_share(path):
    return SliceMaps.open(path).read("share")


KINDS = {
    "cube": (Cube, make_cube, read_cube, "representation", "`brainarch extract`"),
    "coefficients": (
        CoefficientMaps, make_coefficients, read_coefficients, "coefficient", "`project`"
    ),
    "maps": (SliceMaps, make_maps, read_share, "share", "the stage that writes it"),
}  # fmt: skip


@pytest.fixture(params=KINDS)
def kind(request, tmp_path):
    """Return class, reader, name of the values and remedy of a kind, and a grid of it."""
    opener, make, read, name, remedy = KINDS[request.param]
    make(tmp_path / "grid.zarr")
    return opener, read, name, remedy, tmp_path / "grid.zarr"


def test_every_grid_says_which_pixels_it_holds(kind):
    opener, _, _, _, path = kind
    grid = opener.open(path)
    assert (grid.z, grid.stride, grid.pixel_um, grid.key, grid.shape) == (7, 2, 1.17, "abc", (6, 5))
    np.testing.assert_array_equal(grid.y, PLACE.y)
    np.testing.assert_array_equal(grid.x, PLACE.x)
    assert grid.y.dtype == grid.x.dtype == np.int32


def test_xarray_finds_names_positions_and_attributes(kind):
    _, _, name, _, path = kind
    (path / ".snakemake_timestamp").touch()  # Snakemake leaves it in every folder that it made
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = xarray.open_zarr(path)
        exact = data[name].sel(y=14, x=6).values.ravel()
        near = data[name].sel(y=13.4, x=6.9, method="nearest").values.ravel()
    assert {"y", "x"} <= set(data[name].dims)
    assert {"y", "x"} <= set(data.coords)
    for found in (exact, near):
        np.testing.assert_array_equal(found, np.full(found.shape, SHARE[2, 1]))
    assert (data.attrs["z"], data.attrs["stride"], data.attrs["pixel_um"]) == (7, 2, 1.17)


def test_every_chunk_has_a_checksum(kind):
    *_, path = kind
    for _, array in zarr.open_group(path, mode="r").arrays():
        assert array.metadata.codecs[-1] == Crc32cCodec()


def one_line(caught, path, remedy):
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    assert remedy in message


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_chunk_is_one_line(kind, damage):
    _, read, name, remedy, path = kind
    chunk = sorted(file for file in (path / name / "c").rglob("*") if file.is_file())[0]
    raw = bytearray(chunk.read_bytes())
    raw[-6] ^= 1
    chunk.write_bytes({"flip": raw, "cut": raw[:9], "empty": b""}[damage])
    with pytest.raises(InputError, match=f"{name} cannot be read.*checksum") as caught:
        read(path)
    one_line(caught, path, remedy)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("cube", name) for name in ("y", "x", "extracted")),
        *(("coefficients", name) for name in ("y", "x", "extracted")),
        *(("maps", name) for name in ("y", "x", "area", "share")),
    ],
    indirect=["kind"],
)
def test_a_lost_chunk_of_what_is_stored_whole_is_one_line(kind, name):
    opener, read, _, remedy, path = kind
    next(file for file in (path / name / "c").rglob("*") if file.is_file()).unlink()
    with pytest.raises(
        InputError, match=f"{name} cannot be read .chunk {name}/c.* is missing"
    ) as caught:
        opener.open(path).read(name) if opener is SliceMaps else read(path)
    one_line(caught, path, remedy)


@pytest.mark.parametrize("place", ["zarr.json", "y/zarr.json"])
def test_damaged_metadata_are_one_line(kind, place):
    opener, _, _, remedy, path = kind
    (path / place).write_text("{")
    with pytest.raises(InputError) as caught:
        opener.open(path)
    one_line(caught, path, remedy)


def test_what_is_no_grid_of_the_kind_is_refused(kind, tmp_path):
    opener, _, _, remedy, path = kind
    title = opener.LAYOUT.title
    with pytest.raises(InputError, match=f"no {title} here") as caught:
        opener.open(tmp_path / "absent.zarr")
    one_line(caught, tmp_path / "absent.zarr", remedy)
    zarr.create_array(tmp_path / "array.zarr", shape=(3,), dtype="int8")
    with pytest.raises(InputError, match=f"no {title} here"):
        opener.open(tmp_path / "array.zarr")
    content = json.loads((path / "zarr.json").read_text())
    content["attributes"]["format"] += "0"
    (path / "zarr.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=f"no {title} of this version") as caught:
        opener.open(path)
    one_line(caught, path, remedy)


def test_a_grid_without_an_attribute_or_array_is_refused(kind):
    opener, _, _, remedy, path = kind
    group = zarr.open_group(path, mode="r+")
    del group["x"]
    with pytest.raises(InputError, match="without x") as caught:
        opener.open(path)
    one_line(caught, path, remedy)
    content = json.loads((path / "zarr.json").read_text())
    del content["attributes"]["stride"]
    (path / "zarr.json").write_text(json.dumps(content))
    with pytest.raises(InputError):
        opener.open(path)


def test_maps_read_back_what_was_written(tmp_path):
    make_maps(tmp_path / "maps.zarr")
    maps = SliceMaps.open(tmp_path / "maps.zarr")
    np.testing.assert_array_equal(maps.read("area"), CODES)
    np.testing.assert_array_equal(maps.read("share"), SHARE)
    assert maps.read("area").dtype == np.uint8
    assert maps.attrs["areas"] == ["Ctx"]
    with pytest.raises(InputError, match="holds no map 'depth'"):
        maps.read("depth")


def test_maps_are_sampled_at_another_grid(tmp_path):
    make_maps(tmp_path / "maps.zarr")
    maps = SliceMaps.open(tmp_path / "maps.zarr")
    found = maps.sample("share", np.array([9, 12, 13, 20, 40]), np.array([4, 12, 14]), np.nan)
    assert found.dtype == np.float32
    assert np.isnan(found[[0, 2, 4]]).all()
    assert np.isnan(found[:, 2]).all()
    np.testing.assert_array_equal(found[1, :2], SHARE[1, [0, 4]])
    np.testing.assert_array_equal(found[3, :2], SHARE[5, [0, 4]])
    codes = maps.sample("area", np.array([10]), np.array([3, 4, 6]), 0)
    assert codes.tolist() == [[0, 0, 1]]
    assert codes.dtype == np.uint8


def test_maps_of_more_than_one_chunk(tmp_path):
    values = np.random.default_rng(0).integers(0, 9, (700, 3)).astype(np.uint8)
    write_maps(
        tmp_path / "m.zarr", {"a": values}, Place(0, 1, 2.0, np.arange(700), np.arange(3)), {}
    )
    maps = SliceMaps.open(tmp_path / "m.zarr")
    np.testing.assert_array_equal(maps.read("a"), values)
    assert maps.key is None


def place_of(y, x):
    return Place(0, 1, 1.17, np.array(y), np.array(x))


def test_on_grid_takes_the_named_pixels():
    labels = np.arange(60).reshape(6, 10)
    assert on_grid(labels, place_of([1, 3], [0, 4, 8]), "a").tolist() == [
        [10, 14, 18],
        [30, 34, 38],
    ]
    with pytest.raises(InputError, match=r"areas: 6 x 10 pixels, but the grid reaches"):
        on_grid(labels, place_of([1, 6], [0]), "areas")


def test_codes_are_those_of_the_grids_slice(tmp_path):
    labels = np.random.default_rng(1).integers(0, 4, (30, 20)).astype(np.uint8)
    create_labels(tmp_path / "areas.zarr", (9, 30, 20), 1.17, [7]).write_slice(7, labels)
    make_maps(tmp_path / "maps.zarr")
    maps = SliceMaps.open(tmp_path / "maps.zarr")
    np.testing.assert_array_equal(
        read_codes(tmp_path / "areas.zarr", maps), labels[np.ix_(PLACE.y, PLACE.x)]
    )
