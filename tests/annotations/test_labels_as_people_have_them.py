"""Label files as people have them: the right codes, one line, or a warning."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from brainarch.annotations.images import LabelFiles, read_label_image
from brainarch.annotations.rims import FEWEST, Rim, describe_rims, find_rims
from brainarch.errors import InputError

SHAPE = COUNT, ROWS, COLUMNS = 4, 12, 20
CODES = np.random.default_rng(2).integers(0, 4, SHAPE).astype(np.uint8)
CUBE = np.random.default_rng(3).integers(0, 4, (12, 12, 12)).astype(np.uint8)
VOLUME = LabelFiles(SHAPE, first_slice=0)

Make = Callable[[Path], object]


def nrrd(codes: np.ndarray, order: str = "zyx", **fields: Any) -> Make:
    """Return what writes an NRRD file whose axes stand in an order, the last runs fastest."""

    def make(path: Path) -> None:
        stored = codes.transpose(["zyx"[-codes.ndim :].index(axis) for axis in order])
        lines = [
            "NRRD0004",
            "type: uchar",
            f"dimension: {codes.ndim}",
            f"sizes: {' '.join(map(str, stored.shape[::-1]))}",
            "encoding: raw",
            *(f"{key.replace('_', ' ')}: {value}" for key, value in fields.items() if key != "own"),
            *fields.get("own", ()),
        ]
        path.write_bytes("\n".join(lines).encode() + b"\n\n" + stored.tobytes())

    return make


def tiff(codes: np.ndarray, **options: Any) -> Make:
    return lambda path: tifffile.imwrite(path, codes, **{"metadata": None, **options})


def png(codes: np.ndarray, bits: int) -> Make:
    """Return what writes a grey PNG of so many bits a pixel, by the format's definition."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    def make(path: Path) -> None:
        digits = np.unpackbits(codes[..., None], axis=2)[..., -bits:].reshape(len(codes), -1)
        rows = b"".join(b"\0" + row.tobytes() for row in np.packbits(digits, axis=1))
        head = struct.pack(">IIBBBBB", codes.shape[1], codes.shape[0], bits, 0, 0, 0, 0)
        parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)

    return make


def plane(size: tuple[int, int] = (ROWS, COLUMNS), axes: str | None = None) -> LabelFiles:
    return LabelFiles((COUNT, *size), axes=axes)


STRAIGHT = {
    "space": "left-posterior-superior",
    "space_directions": "(1.17,0,0) (0,1.17,0) (0,0,3)",
    "space_origin": "(0,0,0)",
}
SAID = LabelFiles(SHAPE, first_slice=0, axes="xyz")
#: File, how it is written, how it is read, and the codes of slice 2.
EQUAL: dict[str, tuple[str, Make, LabelFiles, np.ndarray]] = {
    **{
        f"nrrd {axes}": (
            "l.nrrd",
            nrrd(CODES, axes),
            LabelFiles(SHAPE, first_slice=0, axes=axes),
            CODES[2],
        )
        for axes in ("zyx", "zxy", "xyz", "xzy", "yxz", "yzx")
    },
    "nrrd as usual": ("l.nrrd", nrrd(CODES), VOLUME, CODES[2]),
    "nrrd cube by its directions": (
        "l.nrrd",
        nrrd(CUBE, **STRAIGHT),
        LabelFiles(CUBE.shape, first_slice=0),
        CUBE[2],
    ),
    "nrrd cube as said": (
        "l.nrrd",
        nrrd(CUBE, "xyz"),
        LabelFiles(CUBE.shape, first_slice=0, axes="xyz"),
        CUBE[2],
    ),
    "nrrd towards the right, negative": (
        "l.nrrd",
        nrrd(CUBE, space="RAS", space_directions="(-1,0,0) (0,-1,0) (0,0,1)"),
        LabelFiles(CUBE.shape, first_slice=0),
        CUBE[2],
    ),
    "nrrd plane as said": ("l.nrrd", nrrd(CODES[2], "xy"), plane(axes="xyz"), CODES[2]),
    "nrrd of some slices": (
        "l.nrrd",
        nrrd(CODES[1:]),
        LabelFiles(SHAPE, first_slice=1, stated=True),
        CODES[2],
    ),
    "tiff, columns x rows": ("l.tif", tiff(CODES[2].T.copy()), plane(axes="zxy"), CODES[2]),
    "tiff volume": ("l.tif", tiff(CODES, photometric="minisblack"), VOLUME, CODES[2]),
    **{f"png of {bits} bits": ("l.png", png(CODES[2], bits), plane(), CODES[2]) for bits in (2, 4)},
    "png of one bit": ("l.png", png(CODES[2] % 2, 1), plane(), CODES[2] % 2),
}


@pytest.mark.parametrize("case", EQUAL)
def test_codes_as_they_were_drawn(case: str, tmp_path: Path) -> None:
    name, make, files, codes = EQUAL[case]
    make(tmp_path / name)
    np.testing.assert_array_equal(read_label_image(tmp_path / name, 2, files), codes)


#: File, how it is written, how it is read, and what the line says.
REFUSED: dict[str, tuple[str, Make, LabelFiles, str]] = {
    "nrrd reversed": ("l.nrrd", nrrd(CODES, "xyz"), VOLUME, "they fit xyz; set annotations.axes"),
    "nrrd cube": (
        "l.nrrd",
        nrrd(CUBE),
        LabelFiles(CUBE.shape, first_slice=0),
        "they fit zyx and zxy and xyz; set annotations.axes",
    ),
    "nrrd square": (
        "l.nrrd",
        nrrd(CUBE[0], "yx"),
        plane((12, 12)),
        "they fit yx and zxy; set annot",
    ),
    "nrrd mirrored": (
        "l.nrrd",
        nrrd(CODES, space="LPS", space_directions="(-1,0,0) (0,-1,0) (0,0,1)"),
        VOLUME,
        "its space directions (-1,0,0) (0,-1,0) (0,0,1) turn or mirror it",
    ),
    "nrrd oblique": (
        "l.nrrd",
        nrrd(CODES, space="LPS", space_directions="(1,0.1,0) (0,1,0) (0,0,1)"),
        VOLUME,
        "turn or mirror it",
    ),
    "nrrd cropped": (
        "l.nrrd",
        nrrd(CODES[:, 2:], own=["Segmentation_ReferenceImageExtentOffset:=0 2 0"]),
        VOLUME,
        "are 10 x 20 px, but the volume's slices are 12 x 20 px; use labels drawn on this volume; "
        "it is cropped and begins at 0 2 0",
    ),
    "nrrd of some slices": (
        "l.nrrd",
        nrrd(CODES[1:]),
        VOLUME,
        "holds 3 slices, but the volume 4; say in annotations.first_slice",
    ),
    "nrrd of colours": (
        "l.nrrd",
        nrrd(CODES, kinds="RGB-color domain domain"),
        VOLUME,
        "its axes are of kind RGB-color domain domain",
    ),
    "nrrd that claims to be huge": (
        "l.nrrd",
        lambda path: path.write_bytes(
            b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4000000 4000000 4\nencoding: gzip\n\n"
        ),
        VOLUME,
        "are 4000000 x 4000000 px, but the volume's slices are 12 x 20 px",
    ),
    "tiff pages as another axis": (
        "l.tif",
        tiff(CODES, photometric="minisblack"),
        SAID,
        "axes xyz are only for NRRD files",
    ),
    "tiff with loss": (
        "l.tif",
        tiff(CODES[2], compression="jpeg"),
        plane(),
        "labels are stored with loss (JPEG)",
    ),
    "tiff with loss, another": (
        "l.tif",
        tiff(CODES[2], compression="jpeg2000"),
        plane(),
        "labels are stored with loss (JPEG 2000)",
    ),
    "tiff upside down": (
        "l.tif",
        tiff(CODES[2], extratags=[(274, "H", 1, 4, True)]),
        plane(),
        "states orientation 4",
    ),
    "tiff with 0 as white": (
        "l.tif",
        tiff(CODES[2], photometric="miniswhite"),
        plane(),
        "says that 0 is white",
    ),
    "tiff of planes": (
        "l.tif",
        tiff(CODES[:3], photometric="rgb", planarconfig="separate"),
        VOLUME,
        "page 0 holds 3 planes (planar configuration 2)",
    ),
    "tiff of some slices": (
        "l.tif",
        tiff(CODES[:3], photometric="minisblack"),
        VOLUME,
        "holds 3 slices, but the volume 4",
    ),
    "png that is a JPEG": (
        "l.png",
        lambda path: Image.fromarray(CODES[2]).save(path, format="JPEG"),
        plane(),
        "not a readable PNG file (a JPEG image); save it in the format of its name",
    ),
    "a negative code": (
        "l.tif",
        tiff(CODES[2].astype(np.int16) - 1),
        plane(),
        "has the code -1; codes are 0 or more",
    ),
    "png that is turned": (
        "l.png",
        lambda path: Image.fromarray(CODES[2]).save(path, exif=_exif(6)),
        plane(),
        "states orientation 6",
    ),
    "png of another size": (
        "l.png",
        png(CODES[2, :, :-1], 4),
        plane(),
        "labels of slice 2 are 12 x 19 px, but the volume's slices are 12 x 20 px",
    ),
}


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = orientation
    return exif


@pytest.mark.parametrize("case", REFUSED)
def test_one_line_says_what_is_wrong(case: str, tmp_path: Path) -> None:
    name, make, files, words = REFUSED[case]
    make(tmp_path / name)
    with pytest.raises(InputError) as caught:
        read_label_image(tmp_path / name, 2, files)
    assert "\n" not in str(caught.value)
    assert words in str(caught.value)


def test_png_larger_than_pillow_likes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its limit is made small here; a file beyond the true one takes seconds."""
    png(CODES[2], 4)(tmp_path / "l.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(tmp_path / "l.png")
    np.testing.assert_array_equal(read_label_image(tmp_path / "l.png", 2, plane()), CODES[2])
    assert Image.MAX_IMAGE_PIXELS == 10


def drawn(side: int = 1) -> np.ndarray:
    """Return three areas with straight and slanting borders, each pixel ``side`` times."""
    y, x = np.indices((80, 120)) // side
    image = np.zeros(y.shape, np.uint8)
    image[(x > 15 // side) & (y > 10 // side)] = 1
    image[(x > y) & (y > 10 // side) & (x > 50 // side)] = 3
    image[(x < 40 // side) & (y > 50 // side)] = 2
    return image


def smoothed(fine: np.ndarray, factor: int) -> np.ndarray:
    """Return an image made smaller by means, rounded: what smooth edges leave."""
    rows, columns = (size // factor for size in fine.shape)
    parts = fine[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor)
    return np.round(parts.mean(axis=(1, 3))).astype(np.uint8)


def test_hard_edges_have_no_rims() -> None:
    assert find_rims(drawn()) == []
    assert find_rims(np.zeros((30, 40), np.uint8)) == []
    wide = np.repeat([0, 1, 2, 3, 0], [20, 5, 6, 20, 9])[None].repeat(40, axis=0)
    assert find_rims(wide.astype(np.uint8)) == []  # thin areas, but drawn


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_a_planted_rim_is_counted_to_the_pixel(width: int) -> None:
    row = np.repeat([1, 2, 3, 2, 0], [30, width, 40, 20, 20]).astype(np.uint8)
    image = row[None].repeat(50, axis=0)
    assert find_rims(image) == [Rim(2, 50 * width, 1, 3)]
    assert describe_rims(find_rims(image), {1: "A", 2: "B"}) == (
        f"B (2) has {50 * width} px in thin rims between A (1) and 3"
    )


def test_smooth_edges_leave_rims() -> None:
    fine = np.kron(drawn(), np.ones((4, 4), np.uint8))
    fine = np.roll(fine, (2, 2), axis=(0, 1))
    image = smoothed(fine, 4)
    nobody_drew = (image == 2) & (drawn() != 2)
    (rim,) = [rim for rim in find_rims(image) if rim.code == 2]
    assert rim.pixels >= FEWEST
    assert 0.5 * nobody_drew.sum() <= rim.pixels <= 1.5 * nobody_drew.sum()
    assert (rim.lower, rim.higher) == (1, 3)
