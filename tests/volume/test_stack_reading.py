"""What a user's TIFF files may be like: compressions, numbered names, OME metadata, damage."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from brainarch.errors import InputError
from brainarch.volume.stack import check_voxel, open_stack

GREY = np.random.default_rng(3).integers(0, 40, (5, 48, 64)).astype(np.uint8)


def message(source: str | Path, first: int = 0) -> str:
    with pytest.raises(InputError) as caught:
        open_stack(source, first)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "deflate"},
        {"compression": "deflate", "predictor": True},
        {"compression": "lzw"},
        {"compression": "zstd"},
        {"compression": "packbits"},
        {"compression": "lzma"},
        {"compression": "lzw", "byteorder": ">"},
        {"tile": (16, 32)},
        {"tile": (32, 16), "compression": "zstd", "bigtiff": True},
        {"rowsperstrip": 7, "byteorder": ">"},
    ],
    ids=str,
)
def test_every_compression_gives_the_same_pixels(tmp_path, dtype, options):
    grey = GREY.astype(dtype) * (1 if dtype == "uint8" else 1000)
    tifffile.imwrite(tmp_path / "s.tif", grey, photometric="minisblack", metadata=None, **options)
    stack = open_stack(tmp_path / "s.tif")
    assert (stack.shape, stack.dtype, stack.source_dtype) == (grey.shape, grey.dtype, grey.dtype)
    np.testing.assert_array_equal(stack.read(0, 5), grey)


def numbered(folder: Path, names: list[str]) -> Path:
    folder.mkdir()
    for index, name in enumerate(names):
        tifffile.imwrite(folder / name, GREY[index])
    return folder


def test_pattern_with_the_slice_number(tmp_path):
    """Nothing but the pattern tells which files are meant, and which number is the slice's."""
    folder = numbered(tmp_path / "a 'Gehirn' [1] ü", ["s1_z0158_v9.tif", "s2_z0159_v3.tif"])
    for index, z in enumerate((158, 159, 160)):
        tifffile.imwrite(folder / f"scan z{z:04d} (8bit).tif", GREY[index])
        tifffile.imwrite(folder / f"scan z{z} (8bit).tif", GREY[4])
    padded = open_stack(f"{folder}/scan z{{z:04d}} (8bit).tif", 158)
    np.testing.assert_array_equal(padded.read(1, 2)[0], GREY[1])
    assert [page.path.name for page in padded.pages][1] == "scan z0159 (8bit).tif"
    plain = open_stack(folder / "scan z{z} (8bit).tif", 158)
    np.testing.assert_array_equal(plain.read(1, 2)[0], GREY[4])
    assert plain.shape[0] == 3


def test_pattern_names_what_is_missing(tmp_path):
    folder = numbered(tmp_path / "scan", ["z0157.tif", "z0158.tif", "z0160.tif"])
    pattern = folder / "z{z:04d}.tif"
    assert message(pattern, 157) == (
        f"{folder}: slice 159 is missing between z0158.tif and z0160.tif; add its file"
    )
    (folder / "z0160.tif").unlink()
    assert message(pattern, 150) == (
        f"{folder / 'z0157.tif'}: the file numbers begin at 157, but slice 150 was declared the "
        "first; set volume.first_slice to 157 or add the missing files"
    )
    (folder / "z0157.tif").unlink()
    assert open_stack(pattern, 158).shape[0] == 1
    assert "begin at 158" in message(pattern, 0)  # one file alone is checked too
    assert message(folder / "y{z}.tif") == f"{folder}/y{{z}}.tif: no file matches this pattern"
    assert message(tmp_path / "no" / "z{z}.tif").endswith("no file matches this pattern")


def test_folder_whose_name_looks_like_a_pattern(tmp_path):
    folder = numbered(tmp_path / "scan {z}", ["z0.tif", "z1.tif"])
    assert open_stack(folder).shape[0] == 2
    assert open_stack(folder / "z{z}.tif").shape[0] == 2  # what exists is a name
    assert message(folder / "z{z}_{z}.tif").endswith("wanted {z} or {z:04d} once")


def write_ome(path: Path, data: np.ndarray = GREY, **metadata) -> Path:
    tifffile.imwrite(path, data, ome=True, photometric="minisblack", metadata=metadata)
    return path


def sizes(value: float, unit: str | None, axes: str = "ZYX") -> dict[str, object]:
    found: dict[str, object] = {"axes": "ZYX"}
    for axis in axes:
        found[f"PhysicalSize{axis}"] = value
        if unit is not None:
            found[f"PhysicalSize{axis}Unit"] = unit
    return found


@pytest.mark.parametrize(
    ("value", "unit"),
    [(1.17, "µm"), (1.17, None), (1170.0, "nm"), (0.00117, "mm"), (11700.0, "Å")],
)
def test_voxel_size_of_ome_tiff(tmp_path, value, unit):
    path = write_ome(tmp_path / "brain ü.ome.tif", **sizes(value, unit))
    stack = open_stack(path)
    assert stack.sides_um == pytest.approx((1.17, 1.17, 1.17))
    np.testing.assert_array_equal(stack.read(0, 5), GREY)
    check_voxel(stack, 1.17)
    with pytest.raises(InputError) as caught:
        check_voxel(stack, 0.65)
    assert str(caught.value) == (
        f"{path}: its metadata state a voxel of 1.17 um, but 0.65 um was declared; correct the "
        "declaration (volume.voxel_um) or the metadata"
    )


def test_metadata_in_the_wrong_unit_are_noticed(tmp_path):
    stack = open_stack(write_ome(tmp_path / "s.ome.tif", **sizes(1.17, "mm")))
    with pytest.raises(InputError, match=r"state a voxel of 1170 um, but 1\.17 um was"):
        check_voxel(stack, 1.17)
    path = write_ome(tmp_path / "t.ome.tif", **sizes(1.17, "pixel"))
    content = path.read_bytes().replace(b'Unit="pixel"', b'Unit="furlo"')
    path.write_bytes(content)
    assert message(path) == (
        f"{path}: its metadata give the voxel's size in 'furlo', which is no known unit of length; "
        "write µm, nm or mm there"
    )


@pytest.mark.parametrize("metadata", [{"axes": "ZYX"}, sizes(1.0, "pixel")])
def test_ome_tiff_that_states_no_size(tmp_path, metadata, caplog):
    path = write_ome(tmp_path / "s.ome.tif", **metadata)
    stack = open_stack(path)
    assert stack.sides_um == (None, None, None)
    check_voxel(stack, 0.3)
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: its OME metadata state no physical voxel size; the declared one is taken"
    ]


def test_slices_further_apart_than_pixels(tmp_path):
    metadata = sizes(1.17, "µm") | {"PhysicalSizeZ": 2.0}
    with pytest.raises(InputError) as caught:
        check_voxel(open_stack(write_ome(tmp_path / "a.ome.tif", **metadata)), 1.17)
    assert str(caught.value) == (
        f"{tmp_path / 'a.ome.tif'}: its metadata state a voxel of 2 x 1.17 x 1.17 um, but 1.17 um "
        "was declared; say volume.voxel_um: [2, 1.17, 1.17] (z, y, x) or correct the metadata"
    )
    check_voxel(open_stack(tmp_path / "a.ome.tif"), (2.0, 1.17, 1.17))
    flat = {key: value for key, value in metadata.items() if not key.startswith("PhysicalSizeZ")}
    check_voxel(open_stack(write_ome(tmp_path / "f.ome.tif", **flat)), (40.0, 1.17, 1.17))
    wide = metadata | {"PhysicalSizeX": 1.3}
    with pytest.raises(InputError, match=r"2 x 1\.17 x 1\.3 um, .*pixels must be square"):
        check_voxel(open_stack(write_ome(tmp_path / "w.ome.tif", **wide)), 1.17)


def test_ome_tiff_that_is_no_single_stack(tmp_path):
    two = np.stack([GREY, GREY], axis=1)
    assert message(write_ome(tmp_path / "c.ome.tif", two, axes="ZCYX")) == (
        f"{tmp_path / 'c.ome.tif'}: holds 2 channels; save one of them as its own file"
    )
    with tifffile.TiffWriter(tmp_path / "i.ome.tif", ome=True) as tiff:
        for data in (GREY, GREY):
            tiff.write(data, photometric="minisblack", metadata={"axes": "ZYX"})
    assert message(tmp_path / "i.ome.tif") == (
        f"{tmp_path / 'i.ome.tif'}: holds 2 images; give a file of one image"
    )


def test_pages_of_ome_tiff_may_be_in_another_order(tmp_path):
    """Slices are where the metadata say, as another reader of the same file finds them."""
    path = write_ome(tmp_path / "s.ome.tif", **sizes(1.0, "µm"))
    with tifffile.TiffFile(path) as tiff:
        xml = tiff.ome_metadata
    planes = "".join(f'<TiffData IFD="{i}" FirstZ="{4 - i}"/>' for i in range(5))
    before, _, rest = xml.partition("<TiffData")
    changed = before + planes + rest.partition("/>")[2]
    tifffile.tiffcomment(path, changed.encode())
    with tifffile.TiffFile(path) as tiff:
        reference = tiff.series[0].asarray()
    np.testing.assert_array_equal(reference, GREY[::-1])
    np.testing.assert_array_equal(open_stack(path).read(0, 5), reference)


def test_folder_of_ome_tiffs(tmp_path):
    for z in range(3):
        write_ome(tmp_path / f"z{z}.ome.tif", GREY[z], PhysicalSizeX=2.0, PhysicalSizeY=2.0)
    stack = open_stack(tmp_path)
    assert (stack.shape, stack.sides_um) == ((3, 48, 64), (None, 2.0, 2.0))
    np.testing.assert_array_equal(stack.read(0, 3), GREY[:3])


@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"compression": "lzw"}], ids=str)
def test_truncated_file_is_named_with_its_page(tmp_path, options):
    """Wherever a file is cut: one line, or all pixels; never fewer slices, never other pixels."""
    path, whole = tmp_path / "s.tif", tmp_path / "whole.tif"
    tifffile.imwrite(whole, GREY, photometric="minisblack", metadata=None, **options)
    content = whole.read_bytes()
    refused = []
    for cut in [*range(0, len(content), len(content) // 50), len(content) - 1]:
        path.write_bytes(content[:cut])
        try:
            found = open_stack(path).read(0, 5)
        except InputError as error:
            refused.append(str(error))
        else:
            np.testing.assert_array_equal(found, GREY)
    assert len(refused) >= 50
    wanted = re.compile(f"{re.escape(str(path))}: (truncated: page |not a readable TIFF file)")
    assert all(wanted.match(line) for line in refused)
    path.write_bytes(content[: len(content) // 2])
    assert "truncated: page " in message(path)


def test_corrupt_page_is_named(tmp_path):
    path = tmp_path / "s.tif"
    tifffile.imwrite(path, GREY, photometric="minisblack", compression="deflate", metadata=None)
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages[3].dataoffsets[0]
    content = bytearray(path.read_bytes())
    content[offset : offset + 30] = bytes(30)
    path.write_bytes(content)
    stack = open_stack(path)
    np.testing.assert_array_equal(stack.read(0, 3), GREY[:3])
    with pytest.raises(InputError, match=r"s.tif: page 3 cannot be decoded \(.*\); copy"):
        stack.read(0, 5)


def test_pages_that_differ_are_named(tmp_path):
    with tifffile.TiffWriter(tmp_path / "s.tif") as tiff:
        for image in (GREY[0], GREY[1], GREY[2][:40]):
            tiff.write(image, photometric="minisblack", metadata=None)
    assert message(tmp_path / "s.tif") == (
        f"{tmp_path / 's.tif'}: page 2 differs from page 0 in shape or type; all slices must agree"
    )


def test_empty_image(tmp_path):
    """A file of no bytes, and one whose header declares an image of no rows."""
    (tmp_path / "a.tif").write_bytes(b"")
    assert message(tmp_path / "a.tif").startswith(f"{tmp_path / 'a.tif'}: not a readable TIFF file")
    width, length, bits, compression, photometric, offset, count = 256, 257, 258, 259, 262, 273, 279
    tags = {width: 7, length: 0, bits: 8, compression: 1, photometric: 1, offset: 8, count: 0}
    content = b"II*\0" + struct.pack("<IH", 8, len(tags))
    for tag, value in tags.items():
        content += struct.pack("<HHII", tag, 4, 1, value)
    (tmp_path / "b.tif").write_bytes(content + bytes(4))
    assert message(tmp_path / "b.tif") == (
        f"{tmp_path / 'b.tif'}: is empty (0 x 7 pixels); save it again"
    )
