"""Label files of one slice and label volumes, written by other libraries."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from brainarch.annotations import nrrd
from brainarch.annotations.images import LabelFiles, read_label_image
from brainarch.errors import InputError
from brainarch.volume.store import multiscale_attributes

#: Three slices of 5 x 7 pixels, every pixel its own code.
CODES = np.arange(3 * 5 * 7, dtype=np.uint16).reshape(3, 5, 7)
HEADER = "type: ushort\nendian: little\ndimension: 3\nsizes: 7 5 3\nencoding: {}\n"


def read(path: Path, z: int | None = None, first: int | None = None, axes: str | None = None):
    return read_label_image(path, z, LabelFiles(first_slice=first, axes=axes))


def message(path: Path, *place: int) -> str:
    with pytest.raises(InputError) as caught:
        read(path, *place)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write_nrrd(path: Path, header: str, data: bytes) -> Path:
    path.write_bytes(b"NRRD0004\n" + header.encode() + b"\n" + data)
    return path


@pytest.fixture
def pynrrd():
    return pytest.importorskip("nrrd", reason="pynrrd, the reference reader, is not installed")


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", ">u2", "int32", "int64"])
def test_nrrd_of_another_library(tmp_path, pynrrd, encoding, dtype):
    path = tmp_path / "labels ü.nrrd"
    codes = CODES.astype(dtype)
    header = {
        "encoding": encoding,
        "space": "left-posterior-superior",
        "space directions": np.diag([1.17, 1.17, 1.17]),
        "comment": "drawn by hand: carefully",
    }
    pynrrd.write(str(path), codes, header, index_order="C")
    for index in range(3):
        found = read(path, 100 + index, 100)
        assert found.dtype.isnative
        np.testing.assert_array_equal(found, CODES[index])
    pynrrd.write(str(path), codes[1], {"encoding": encoding}, index_order="C")
    np.testing.assert_array_equal(read_label_image(path), CODES[1])
    pynrrd.write(str(path), codes[1], {"encoding": encoding})  # y fastest, as pynrrd by default
    np.testing.assert_array_equal(read(path, axes="zxy"), CODES[1])
    pynrrd.write(str(path), codes[1:2], {"encoding": encoding}, index_order="C")
    np.testing.assert_array_equal(read_label_image(path, 8), CODES[1])  # a volume of one slice


def test_nrrd_by_hand(tmp_path):
    """The format's definition, byte by byte: x fastest, an empty line before the data."""
    path = write_nrrd(
        tmp_path / "l.nrrd",
        "# made by hand\r\nTYPE: unsigned short\nkey:=type: float\nendian: big\ndimension: 2\n"
        "sizes: 3 2\nencoding: gz\n",
        gzip.compress(bytes([0, 1, 0, 2, 0, 3, 1, 0, 1, 1, 1, 2])),
    )
    np.testing.assert_array_equal(read_label_image(path), [[1, 2, 3], [256, 257, 258]])


def test_nrrd_reads_no_more_than_a_slice(tmp_path, monkeypatch):
    path = write_nrrd(tmp_path / "l.nrrd", HEADER.format("raw"), CODES.tobytes())
    header = nrrd.read_header(path)
    assert (header.shape, header.dtype) == ((3, 5, 7), "<u2")
    path.write_bytes(path.read_bytes()[:-1])
    np.testing.assert_array_equal(read(path, 1, 0), CODES[1])
    assert message(path, 2, 0) == (
        f"{path}: its data end within slice 2 of the file, though 210 bytes are declared; copy the "
        "file again"
    )


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (HEADER.format("ascii"), "its encoding is ascii; save it as raw or gzip"),
        (HEADER.format("raw\ndata file: l.raw"), "its data stand elsewhere (data file); save"),
        (HEADER.format("raw").replace("ushort", "block"), "labels are of type block; wanted whole"),
        (HEADER.format("raw").replace("7 5 3", "7 5"), "its sizes are '7 5'; wanted 2 or 3 of"),
        (HEADER.format("raw").replace("7 5 3", "7 0 3"), "its sizes are '7 0 3'; wanted 2 or 3 of"),
        (HEADER.format("raw").replace("type", "kind"), "not a readable NRRD file (its header has"),
        (HEADER.format("gzip"), "its data are damaged ("),
    ],
)
def test_nrrd_that_is_not_read(tmp_path, header, wanted):
    path = write_nrrd(tmp_path / "l.nrrd", header, CODES.tobytes())
    assert message(path, 0, 0).startswith(f"{path}: {wanted}")


def test_files_that_are_no_nrrd(tmp_path):
    path = tmp_path / "l.nrrd"
    for content in (b"", b"PNG", bytes(500)):
        path.write_bytes(content)
        assert message(path) == (f"{path}: not a readable NRRD file (it does not begin with NRRD)")


def test_fractions(tmp_path, pynrrd):
    pynrrd.write(str(tmp_path / "l.nrrd"), np.ones((5, 7), np.float32))
    assert message(tmp_path / "l.nrrd") == (
        f"{tmp_path / 'l.nrrd'}: labels are float32; wanted whole numbers, uint8 or uint16"
    )


def write_labels(path: Path, codes: np.ndarray, version: str) -> Path:
    ome = multiscale_attributes("labels", [(2.0, 2.0, 2.0)], [(0.0, 0.0, 0.0)])
    ome["image-label"] = {}
    if version == "0.5":
        group = zarr.create_group(path, zarr_format=3, attributes={"ome": ome})
    else:
        own = {"multiscales": [ome["multiscales"][0] | {"version": "0.4"}], "image-label": {}}
        group = zarr.create_group(path, zarr_format=2, attributes=own)
    group.create_array("0", data=codes, chunks=(1, 5, 7))
    return path


@pytest.mark.parametrize(
    ("version", "dtype"), [("0.4", "uint8"), ("0.4", ">u2"), ("0.5", "uint8"), ("0.5", "int32")]
)
def test_ome_zarr_labels(tmp_path, version, dtype):
    path = write_labels(tmp_path / "v.zarr" / "labels" / "areas", CODES.astype(dtype), version)
    found = read(path, 12, 10)
    np.testing.assert_array_equal(found, CODES[2])
    assert found.dtype.isnative


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32"])
def test_multi_page_tiff_labels(tmp_path, dtype):
    path = tmp_path / "l.tif"
    tifffile.imwrite(path, CODES.astype(dtype), photometric="minisblack", compression="zlib")
    for z in (10, 11, 12):
        np.testing.assert_array_equal(read(path, z, 10), CODES[z - 10])


def test_slices_that_a_label_volume_has_not(tmp_path):
    stored = write_labels(tmp_path / "l.zarr", CODES, "0.5")
    file = write_nrrd(tmp_path / "l.nrrd", HEADER.format("raw"), CODES.tobytes())
    pages = tmp_path / "l.tif"
    tifffile.imwrite(pages, CODES, photometric="minisblack")
    for path in (stored, file, pages):
        for z in (9, 13):
            assert message(path, z, 10) == (
                f"{path}: holds labels of slices 10 to 12, not of slice {z}; correct the number of "
                "its first slice (annotations.first_slice or layers.first_slice)"
            )
        assert message(path, 10) == (
            f"{path}: holds 3 slices; name it without {{z}}, and slices are taken from it"
        )


def test_a_picture_is_no_label_volume(tmp_path):
    Image.fromarray(CODES[0]).save(tmp_path / "l.png")
    assert message(tmp_path / "l.png", 10, 10) == (
        f"{tmp_path / 'l.png'}: not a label volume (NRRD, OME-Zarr, TIFF, GeoJSON); name one file "
        "a slice"
    )
