from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from brainarch.errors import InputError
from brainarch.volume.store import ATTRIBUTE, multiscale_attributes, open_volume


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Path, np.ndarray]:
    path = tmp_path / "it's “v” ü.ome.zarr"
    data = np.arange(4 * 5 * 6, dtype=np.uint16).reshape(4, 5, 6)
    ome = multiscale_attributes("volume", [(2.0, 2.0, 2.0)], [(200.0, 0.0, 0.0)])
    attributes = {"ome": ome, ATTRIBUTE: {"first_slice": 100}}
    group = zarr.create_group(path, zarr_format=3, attributes=attributes)
    group.create_array("0", data=data, chunks=(1, 5, 6), dimension_names=["z", "y", "x"])
    return path, data


def test_reads_what_was_stored(stored):
    path, data = stored
    volume = open_volume(path)
    assert (volume.shape, volume.dtype, volume.pixel_um) == ((4, 5, 6), np.uint16, 2.0)
    assert list(volume.slices) == [100, 101, 102, 103]
    for index, z in enumerate(volume.slices):
        np.testing.assert_array_equal(volume.read_slice(z), data[index])
    block = volume.read_block((101, 103), (1, 5), (2, 4))
    np.testing.assert_array_equal(block, data[1:3, 1:5, 2:4])


@pytest.mark.parametrize("z", [99, 104, 0, -1])
def test_slice_outside_the_volume(stored, z):
    with pytest.raises(InputError) as caught:
        open_volume(stored[0]).read_slice(z)
    assert str(caught.value) == (
        f"{stored[0]}: slice {z} is outside the volume, which has slices 100 to 103"
    )


@pytest.mark.parametrize(
    "block",
    [
        ((100, 100), (0, 5), (0, 6)),
        ((100, 101), (0, 6), (0, 6)),
        ((100, 101), (-1, 5), (0, 6)),
        ((102, 101), (0, 5), (0, 6)),
    ],
)
def test_block_outside_the_volume(stored, block):
    with pytest.raises(InputError, match=r"outside the volume|is not inside"):
        open_volume(stored[0]).read_block(*block)


def test_missing_and_foreign_stores(tmp_path, stored):
    with pytest.raises(InputError, match="no such store"):
        open_volume(tmp_path / "no.zarr")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"not an OME-Zarr 0.4 or 0.5 image"):
        open_volume(tmp_path / "empty")
    zarr.create_group(tmp_path / "plain.zarr", zarr_format=3)
    with pytest.raises(InputError, match=r"not an OME-Zarr 0.4 or 0.5 image"):
        open_volume(tmp_path / "plain.zarr")


def change(path: Path, edit) -> None:
    group = zarr.open_group(path, mode="r+")
    ome = dict(group.attrs["ome"])
    edit(ome["multiscales"][0])
    group.attrs["ome"] = ome


def test_other_axes_units_and_voxels(stored):
    path, _ = stored
    change(path, lambda m: m["axes"][0].update(unit="second"))
    with pytest.raises(InputError, match="axis z is in 'second', no unit of length"):
        open_volume(path)
    change(path, lambda m: m["axes"][0].update(unit="micrometer"))
    step = {"type": "scale", "scale": [4.0, 2.0, 1.0]}
    change(path, lambda m: m["datasets"][0].update(coordinateTransformations=[step]))
    with pytest.raises(InputError, match=r"2 x 1 um \(z, y, x\); pixels must be square"):
        open_volume(path)


def test_other_grey_type(tmp_path):
    ome = multiscale_attributes("volume", [(1.0, 1.0, 1.0)], [(0.0, 0.0, 0.0)])
    group = zarr.create_group(tmp_path / "f.zarr", zarr_format=3, attributes={"ome": ome})
    group.create_array("0", data=np.zeros((2, 3, 4), np.float32), dimension_names=["z", "y", "x"])
    with pytest.raises(InputError, match="grey values are float32; wanted uint8 or uint16"):
        open_volume(tmp_path / "f.zarr")
