from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

from brainarch.errors import InputError
from brainarch.volume.stack import open_stack
from brainarch.volume.tiff import read_header, read_pages


def numbered(count: int, dtype: str = "uint8", shape: tuple[int, int] = (5, 7)) -> list[np.ndarray]:
    return [np.full(shape, value + 1, dtype=dtype) for value in range(count)]


def order_read(source: str | Path, first: int = 0) -> list[int]:
    stack = open_stack(source, first)
    return stack.read(0, stack.shape[0])[:, 0, 0].tolist()


def message(source: str | Path, first: int = 0) -> str:
    with pytest.raises(InputError) as caught:
        open_stack(source, first)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "names",
    [
        [f"z{i}.tif" for i in range(1, 13)],
        [f"brain2019_s3_z{i:03d}_8bit.TIFF" for i in range(1, 13)],
        [f"{i}.tif" for i in range(1, 13)],
    ],
)
def test_numbers_in_names_give_the_order(write_slices, names):
    assert order_read(write_slices(names, numbered(12)), 1) == list(range(1, 13))


def test_other_files_are_left_alone(write_slices):
    folder = write_slices(["z0.tif", "z1.tif", "._z2.tif"], numbered(3))
    (folder / "notes.txt").write_text("x")
    assert order_read(folder) == [1, 2]


def test_pattern_and_odd_paths(write_slices, tmp_path):
    folder = write_slices(["z0.tif", "z1.tif", "mask0.tif"], numbered(3))
    odd = folder.rename(tmp_path / "it's a “Gehirn” ü")
    assert order_read(f"{odd}/z*.tif") == [1, 2]
    assert order_read(f"{tmp_path}/*/z?.tif") == [1, 2]
    bracket = odd.rename(tmp_path / "a [1]")
    assert order_read(f"{bracket}/z*.tif") == [1, 2]  # what exists is no pattern
    (bracket / "mask0.tif").unlink()
    assert order_read(bracket) == [1, 2]


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bigtiff": True},
        {"byteorder": ">"},
        {"compression": "zlib", "tile": (16, 16)},
        {"imagej": True},
    ],
)
def test_one_multipage_file(tmp_path, dtype, options):
    data = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (6, 40, 30)).astype(dtype)
    tifffile.imwrite(
        tmp_path / "s.tif", data, photometric="minisblack", **{"metadata": None, **options}
    ) if "imagej" not in options else tifffile.imwrite(
        tmp_path / "s.tif", data, imagej=True, metadata={"axes": "ZYX"}
    )
    stack = open_stack(tmp_path / "s.tif")
    assert stack.shape == data.shape
    assert stack.dtype == np.dtype(dtype)
    assert stack.dtype.isnative
    for threads in (1, 3):
        np.testing.assert_array_equal(stack.read_slab(1, 6, threads).values, data[1:6])


def test_imagej_file_that_describes_only_its_first_page(tmp_path):
    """As ImageJ writes stacks beyond 4 GB: one page, the pixels of all slices behind it."""
    data = np.random.default_rng(0).integers(0, 65535, (6, 40, 30)).astype(np.uint16)
    path = tmp_path / "s.tif"
    description = "ImageJ=1.53\nimages=6\nslices=6\n"
    tifffile.imwrite(path, data[0], description=description, metadata=None, byteorder=">")
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages.first.dataoffsets[0]
    content = path.read_bytes()
    path.write_bytes(content[:offset] + data.astype(">u2").tobytes())
    with tifffile.TiffFile(path) as tiff:
        assert len(tiff.pages) == 1
    stack = open_stack(path)
    np.testing.assert_array_equal(stack.read(2, 6), data[2:])
    path.write_bytes(path.read_bytes()[:-1])
    assert open_stack(path).shape == (1, 40, 30)  # cut off: no longer the six slices declared


def test_missing_slice_is_named(write_slices):
    folder = write_slices(["z0003.tif", "z0004.tif", "z0007.tif"], numbered(3))
    assert message(folder, 3) == (
        f"{folder}: slice 5 is missing between z0004.tif and z0007.tif; add its file"
    )


def test_two_files_of_one_slice(write_slices):
    folder = write_slices(["z1.tif", "z2.tif", "z02.tif"], numbered(3))
    assert message(folder, 1) == (
        f"{folder / 'z2.tif'}: slice 2 is also in z02.tif; keep one file a slice"
    )


def test_first_number_must_be_as_declared(write_slices):
    folder = write_slices(["z1.tif", "z2.tif"], numbered(2))
    assert message(folder) == (
        f"{folder / 'z1.tif'}: the file numbers begin at 1, but slice 0 was declared the first; "
        "set volume.first_slice to 1 or add the missing files"
    )


def test_wrong_paths(tmp_path):
    assert message(tmp_path / "no") == (
        f"{tmp_path / 'no'}: no such file or folder; its folder is empty"
    )
    assert message(tmp_path / "a/no") == (
        f"{tmp_path / 'a/no'}: no such file or folder; there is no folder {tmp_path / 'a'}"
    )
    assert message(tmp_path / "z*.tif") == f"{tmp_path / 'z*.tif'}: no file matches this pattern"
    none = f"{tmp_path}: no TIFF file (*.tif, *.tiff) in this folder"
    assert message(tmp_path) == f"{none}, which is empty"
    (tmp_path / "z1.png").touch()
    assert message(tmp_path) == f"{none}; it holds 1 .png files, save them as TIFF"
    (tmp_path / "z1").mkdir()
    (tmp_path / "z1" / "a.TIF").touch()
    assert message(tmp_path) == (
        f"{none}; its folders hold some, name one of them or all by a pattern: "
        f"{tmp_path / '*' / '*.TIF'}"
    )


def test_different_shapes(write_slices):
    images = numbered(2) + numbered(1, shape=(5, 8))
    folder = write_slices(["z0.tif", "z1.tif", "z2.tif"], images)
    assert message(folder) == (
        f"{folder / 'z2.tif'}: is 5 x 8 uint8, but z0.tif is 5 x 7 uint8; all slices must agree"
    )


def test_different_types(write_slices):
    images = numbered(1) + numbered(1, dtype="uint16")
    folder = write_slices(["z0.tif", "z1.tif"], images)
    assert message(folder) == (
        f"{folder / 'z1.tif'}: is 5 x 7 uint16, but z0.tif is 5 x 7 uint8; all slices must agree"
    )


def test_other_grey_types(write_slices):
    folder = write_slices(["z0.tif"], numbered(1, dtype="float32"))
    assert message(folder) == (
        f"{folder / 'z0.tif'}: grey values are float32; wanted uint8 or uint16, or an intensity "
        "window that says which values become black and white (volume.window)"
    )


@pytest.mark.parametrize("palette", [False, True])
def test_colour(tmp_path, palette):
    path = tmp_path / "c.tif"
    if palette:
        colours = np.zeros((3, 256), dtype=np.uint16)
        tifffile.imwrite(path, np.zeros((5, 7), np.uint8), photometric="palette", colormap=colours)
    else:
        tifffile.imwrite(path, np.zeros((5, 7, 3), np.uint8), photometric="rgb")
    assert message(path) == f"{path}: is a colour image; give greyscale slices"


def test_several_slices_in_a_folder_file(write_slices):
    images = [np.zeros((4, 5, 7), np.uint8), np.zeros((5, 7), np.uint8)]
    folder = write_slices(["z0.tif", "z1.tif"], images, photometric="minisblack")
    assert message(folder) == (
        f"{folder / 'z0.tif'}: holds 4 slices; a folder's files must hold one each, or give a "
        "multi-page file on its own"
    )


def test_truncated(write_slices):
    folder = write_slices(["z0.tif", "z1.tif"], numbered(2, shape=(50, 70)))
    path = folder / "z1.tif"
    content = path.read_bytes()
    path.write_bytes(content[:-1000])
    assert message(folder) == (f"{path}: truncated: page 0 is not whole; copy the file again")


@pytest.mark.parametrize("content", [b"", b"II*\x00", b"not an image at all", bytes(500)])
def test_unreadable(tmp_path, content):
    path = tmp_path / "z0.tif"
    path.write_bytes(content)
    assert re.match(rf"{re.escape(str(path))}: not a readable TIFF file \(.+\); .+$", message(path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "(empty); copy or save it again"),
        (b"\x89PNG\r\n", "(a PNG image); save it in the format of its name"),
        (b"version https://git-lfs.github.com/spec/v1", "(a pointer of Git LFS); fetch the file"),
        (b"<!DOCTYPE html>", "(a web page); download the file itself"),
    ],
)
def test_what_a_file_is_instead(tmp_path, content, words):
    path = tmp_path / "z0.tif"
    path.write_bytes(content)
    assert message(path).startswith(f"{path}: not a readable TIFF file {words}")


def test_damaged_pixels(tmp_path):
    path = tmp_path / "z0.tif"
    data = np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)
    tifffile.imwrite(path, data, compression="zlib", metadata=None)
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages.first.dataoffsets[0]
    content = bytearray(path.read_bytes())
    content[offset : offset + 40] = bytes(40)
    path.write_bytes(content)
    stack = open_stack(path)
    with pytest.raises(InputError, match=r"page 0 cannot be decoded .*; copy"):
        stack.read(0, 1)


def test_file_that_changes_between_header_and_pixels(write_slices):
    folder = write_slices(["z0.tif", "z1.tif"], numbered(2))
    stack = open_stack(folder)
    tifffile.imwrite(folder / "z1.tif", np.zeros((6, 7), np.uint8))
    with pytest.raises(InputError) as caught:
        stack.read(0, 2)
    assert str(caught.value) == (f"{folder / 'z1.tif'}: changed while it was read; convert again")


def test_label_images_may_be_of_any_type(tmp_path):
    for dtype in ("uint8", "int32", "float32"):
        tifffile.imwrite(tmp_path / "l.tif", np.ones((5, 7), dtype))
        header = read_header(tmp_path / "l.tif", grey=False)
        (image,) = read_pages(header.pages)
        assert image.dtype == header.dtype == np.dtype(dtype)
