"""Stacks as people have them: the right pixels, or one line before anything is written.

Every case goes through the verb. What is written down here is what the files are; the pixels that
must come out are those that were put in, in the order of the slices.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr

from brainarch.cli.main import main
from brainarch.volume.stages import verify_volume

SHAPE = COUNT, ROWS, COLUMNS = 6, 24, 40
GREY = np.random.default_rng(5).integers(0, 200, SHAPE).astype(np.uint8)
NAMES = [f"recon_{i:04d}.tif" for i in range(COUNT)]
DOUBLE = bytes.fromhex("0005160700020000") + b"Mac OS X".ljust(16)

Make = Callable[[Path], object]


def files(names: Sequence[str], images: Any = GREY, **options: Any) -> Make:
    """Return what writes one file a slice."""

    def make(folder: Path) -> None:
        for name, image in zip(names, images, strict=True):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(folder / name, image, **{"metadata": None, **options})

    return make


def file(image: Any, name: str = "s.tif", **options: Any) -> Make:
    """Return what writes one file."""
    return lambda folder: tifffile.imwrite(folder / name, image, **options)


def changed(make: Make, name: str, **tags: Any) -> Make:
    """Return what overwrites tags of the first page of a file."""

    def change(folder: Path) -> None:
        make(folder)
        with tifffile.TiffFile(folder / name, mode="r+") as tiff:
            for tag, value in tags.items():
                tiff.pages[0].tags[tag].overwrite(value)

    return change


def both(*makes: Make) -> Make:
    return lambda folder: [make(folder) for make in makes]


def hidden(folder: Path) -> None:
    files(NAMES)(folder)
    for name in (".DS_Store", "Thumbs.db", *(f"._{name}" for name in NAMES)):
        (folder / name).write_bytes(DOUBLE)


def thumbnails(folder: Path) -> None:
    with tifffile.TiffWriter(folder / "s.tif") as tiff:
        for image in GREY:
            tiff.write(image[::4, ::4].copy(), subfiletype=1, metadata=None)
            tiff.write(image, metadata=None)
            tiff.write(image > 9, subfiletype=4, metadata=None)


def ome_set(
    names: Sequence[str] = tuple(NAMES), planes: Sequence[tuple[int, int]] | None = None
) -> Make:
    """Return what writes files of one plane each, all with the metadata of a set of 2 channels."""
    planes = planes or [(z, 0) for z in range(COUNT)]
    data = "".join(
        f'<TiffData IFD="0" FirstZ="{z}" FirstC="{c}" PlaneCount="1"><UUID FileName="{name}"/>'
        "</TiffData>"
        for name, (z, c) in zip(names, planes, strict=True)
    )
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/'
        f'OME/2016-06"><Image ID="I"><Pixels ID="P" DimensionOrder="XYZCT" Type="uint8" SizeX="40" '
        f'SizeY="24" SizeZ="6" SizeC="2" SizeT="1">{data}</Pixels></Image></OME>'
    )
    return files(NAMES, description=xml.encode())


def ome_count(folder: Path) -> None:
    """One file whose metadata describe two thousand million planes."""
    tifffile.imwrite(folder / "s.tif", GREY, ome=True, metadata={"axes": "ZYX"})
    with tifffile.TiffFile(folder / "s.tif") as tiff:
        xml = tiff.ome_metadata
    xml = xml.replace('PlaneCount="6"', 'PlaneCount="2000000000"')
    tifffile.tiffcomment(folder / "s.tif", xml.encode())


def imagej(axes: str, image: Any = GREY, **more: Any) -> Make:
    metadata = {"axes": axes, **more.pop("metadata", {})}
    return file(image, imagej=True, metadata=metadata, **more)


CALIBRATED = {"resolution": (1 / 0.65, 1 / 0.65), "metadata": {"spacing": 3.0, "unit": "micron"}}
NAN = np.where(np.indices(SHAPE)[1] < 5, np.nan, GREY / 100).astype(np.float32)
FLOAT = ("--window", "0,2.55")
#: Where six files stand, by which pattern: pixels come out in the order of their numbers.
EQUAL: dict[str, tuple[Make, str, tuple[str, ...]]] = {
    "capital and small letters": (
        files([f"{'Zz'[i % 2]}{i:03d}.{'tif' if i % 3 else 'TIF'}" for i in range(COUNT)]),
        "",
        (),
    ),
    "numbers in folders": (files([f"s_{i + 7}/a.tif" for i in range(COUNT)]), "*/a.tif", ("7",)),
    "field in a folder": (
        files([f"s_{i + 7}/a.tif" for i in range(COUNT)]),
        "s_{z}/a.tif",
        ("7",),
    ),
    "another number before": (
        files([f"{9 * i}_{i}.tif" for i in range(COUNT)]),
        "*_{z}.tif",
        (),
    ),
    "any braces": (files([f"{{a}} {name}" for name in NAMES]), "{a} recon_{z:04}.tif", ()),
    "steps": (files([f"{20 * i:06d}.tif" for i in range(COUNT)]), "", ("0", "--file-step=20")),
    "hidden files, folder": (hidden, "", ()),
    "hidden files, pattern": (hidden, "*.tif", ()),
    "hidden files, any": (hidden, "*", ()),
    "hidden files, field": (hidden, "*_{z:04d}.tif", ()),
    "thumbnails and masks": (thumbnails, "s.tif", ()),
    "white is zero": (files(NAMES, 255 - GREY, photometric="miniswhite"), "", ()),
    "plane of a set": (ome_set(), "", ()),
    "renamed plane of a set": (ome_set([f"other{i}" for i in range(COUNT)]), "", ()),
    "times": (imagej("TYX"), "s.tif", ()),
    "calibrated": (
        imagej(
            "ZYX", resolution=(1 / 1.17, 1 / 1.17), metadata={"spacing": 1.17, "unit": "\\u00B5m"}
        ),
        "s.tif",
        (),
    ),
}


def convert(source: Path, out: Path, first: str = "0", *options: str, **declared: Any) -> int:
    """Run the verb; return its exit status."""
    shape = ",".join(map(str, declared.get("shape", SHAPE)))
    arguments = ["convert", f"--input={source}", f"--shape={shape}", f"--first-slice={first}"]
    arguments += [f"--voxel-um={declared.get('voxel_um', 1.17)}", f"--output={out}", *options]
    sys.argv = ["brainarch", *arguments]
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "argv", sys.argv)
    place = tmp_path / "stack"
    place.mkdir()
    return place


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results" / "volume" / "volume.ome.zarr"


def pixels(out: Path) -> np.ndarray:
    return np.asarray(zarr.open_group(out, mode="r")["0"][:])


@pytest.mark.parametrize("case", EQUAL)
def test_slices_in_their_order(case: str, folder: Path, out: Path) -> None:
    make, pattern, options = EQUAL[case]
    make(folder)
    assert convert(folder / pattern, out, *options) == 0
    np.testing.assert_array_equal(pixels(out), GREY)


def six(name: str) -> list[str]:
    return [name.format(i) for i in range(COUNT)]


SUMS = ("9f3", "1a7", "c44", "0b2", "77e", "e10")
STRAY = "is no slice by its name"
UNKNOWN = "order of its files is not known"
#: What is refused, and what the line says.
REFUSED: dict[str, tuple[Make, str, dict[str, Any], str]] = {
    "sign": (files([f"z{i}.tif" for i in range(-3, 3)]), "", {}, "have a sign or a fraction"),
    "sign everywhere": (files([f"a_-{i}.tif" for i in range(6)]), "", {}, "have a sign"),
    "minus and plus as typeset": (
        files(["z\u22122.tif", "z\u22121.tif", "z+0.tif", "z+1.tif", "z+2.tif", "z+3.tif"]),
        "",
        {},
        "their numbers (z+0.tif) have a sign or a fraction",
    ),
    "one fraction": (
        both(files(NAMES), file(GREY[0], "recon_0005.5.tif")),
        "",
        {},
        "their numbers (recon_0005.5.tif) have a sign or a fraction",
    ),
    "fraction": (files([f"z{i / 2:g}.tif" for i in range(6)]), "", {}, "a fraction"),
    "fractions of two lengths": (
        files([f"z0.{n}.tif" for n in (5, 55, 6, 65, 7, 75)]),
        "",
        {},
        "a fraction",
    ),
    "time before": (
        files([f"s_{235950 + 7 * i}_{i}.tif" for i in range(6)]),
        "",
        {},
        "2 numbers differ between their names (s_235950_0.tif, s_235957_1.tif ...); write the path "
        "with {z} where the slice's number stands, perhaps",
    ),
    "checksum before": (files([f"{s}_z{i}.tif" for i, s in enumerate(SUMS)]), "", {}, "*_z{z}.tif"),
    "no number": (files([f"{s}.tif" for s in "abcdef"]), "", {}, UNKNOWN),
    "steps": (files(six("{}0.tif")), "", {}, "go up by 10 (00.tif, 10.tif ...); set volume.file_"),
    "stray": (both(files(NAMES), file(GREY[0], "dark.tif")), "", {}, f"dark.tif: {STRAY}"),
    "stray, declared": (
        both(files(NAMES), file(GREY[0], "MAX_recon.tif")),
        "",
        {"shape": (7, ROWS, COLUMNS)},
        f"MAX_recon.tif: {STRAY}",
    ),
    "copy": (
        both(files(NAMES), file(GREY[0], "recon_0005 - Copy.tif")),
        "*.tif",
        {},
        f"recon_0005 - Copy.tif: {STRAY}",
    ),
    "two of one slice": (
        both(files(NAMES), file(GREY[0], "Recon_005.tif")),
        "",
        {},
        "slice 5 is also in",
    ),
    "channels": (
        imagej("ZCYX", GREY.reshape(3, 2, ROWS, COLUMNS)),
        "s.tif",
        {},
        "holds 2 channels; save one",
    ),
    "channels of one slice": (
        imagej("CYX", GREY[:3]),
        "s.tif",
        {"shape": (3, ROWS, COLUMNS)},
        "holds 3 channels",
    ),
    "four axes": (
        file(GREY.reshape(3, 2, ROWS, COLUMNS), photometric="minisblack"),
        "s.tif",
        {},
        "says that it holds 3 x 2 pages",
    ),
    "planes": (
        file(GREY[:3], photometric="minisblack", planarconfig="separate"),
        "s.tif",
        {},
        "page 0 holds 3 planes (planar configuration 2)",
    ),
    "polarity": (
        both(
            files(NAMES[:5], GREY[:5]),
            files(NAMES[5:], 255 - GREY[5:], photometric="miniswhite"),
        ),
        "",
        {},
        "recon_0005.tif says that 0 is white, recon_0000.tif that 0 is black",
    ),
    "orientation": (
        files(NAMES, extratags=[(274, "H", 1, 6, True)]),
        "",
        {},
        "page 0 states orientation 6",
    ),
    "calibration": (
        imagej("ZYX", **CALIBRATED),
        "s.tif",
        {},
        "state a voxel of 3 x 0.65 x 0.65 um, but 1.17 um was declared",
    ),
    "calibration of one file": (
        both(
            files(NAMES[:5], GREY[:5], imagej=True, resolution=(1, 1), metadata={"unit": "um"}),
            files(NAMES[5:], GREY[5:], imagej=True, resolution=(2, 2), metadata={"unit": "um"}),
        ),
        "",
        {"voxel_um": 1},
        "recon_0005.tif: states a voxel of ? x 0.5 x 0.5 um, but recon_0000.tif of ? x 1 x 1 um",
    ),
    "set of two channels": (
        ome_set(planes=[(z, z // 3) for z in range(COUNT)]),
        "",
        {},
        "recon_0003.tif is of channel 1, but recon_0002.tif of channel 0",
    ),
    "set in another order": (
        ome_set(planes=[(5 - z, 0) for z in range(COUNT)]),
        "",
        {},
        "recon_0001.tif is slice 4, but it comes after recon_0000.tif, slice 5",
    ),
    "planes without end": (ome_count, "s.tif", {}, "describe 2000000000 planes, but the file"),
    "codec": (
        changed(files(NAMES), NAMES[0], Compression=34713),
        "",
        {},
        "cannot be decoded here; save it uncompressed or as LZW, deflate or zstd",
    ),
    "empty strip": (
        changed(files(NAMES, compression="zlib"), NAMES[0], StripByteCounts=0),
        "",
        {},
        "page 0 lacks pixels: a strip or tile of it is empty",
    ),
    "short strip": (
        changed(files(NAMES), NAMES[0], StripByteCounts=ROWS * COLUMNS - 1),
        "",
        {},
        "page 0 lacks pixels",
    ),
    "voxel without end": (files(NAMES), "", {"voxel_um": "inf"}, "wanted a positive number"),
    "NaN": (
        files(NAMES, [*(GREY[:5] / np.float32(100)), NAN[5]], photometric="minisblack"),
        "",
        {"options": FLOAT},
        "recon_0005.tif: page 0 has 200 pixels that are NaN and 0 that are infinite; say in volume",
    ),
    "window beside the values": (
        files(NAMES, GREY.astype(np.uint16) + 5000),
        "",
        {"options": ("--window", "0,1000")},
        "clips 100.0% of the pixels of 6 slices, whose values run from 5000 to",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_one_line_before_anything_is_written(
    case: str, folder: Path, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make, pattern, declared, words = REFUSED[case]
    make(folder)
    assert convert(folder / pattern, out, "0", *declared.get("options", ()), **declared) == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if "error" in line]
    assert len(lines) == 1
    assert words in lines[0]
    assert not out.parent.parent.exists()


def test_nan_takes_the_declared_value(folder: Path, out: Path) -> None:
    files(NAMES, NAN, photometric="minisblack")(folder)
    assert convert(folder, out, "0", *FLOAT, "--nan=0") == 0
    wanted = np.where(np.isnan(NAN), 0, GREY)
    assert np.abs(pixels(out).astype(int) - wanted).max() <= 1
    table = (out.parent / "slices.csv").read_text().splitlines()
    assert [line.split(",")[-1] for line in table] == ["filled", *["200"] * COUNT]
    found = verify_volume(
        volume=out,
        slices=out.parent / "slices.csv",
        source=str(folder),
        sample=None,
        seed=0,
    )
    assert (found.read, found.differences) == (COUNT, [])


def test_what_is_taken_otherwise_than_stated_is_said(
    folder: Path, out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    imagej("TYX")(folder)
    ome_set([f"other{i}" for i in range(COUNT)])(folder)
    tags = {"resolution": (5000, 5000), "resolutionunit": "CENTIMETER"}
    file(GREY, "t.tif", photometric="minisblack", **tags)(folder)
    file(GREY, "u.tif", photometric="minisblack", resolution=(300, 300))(folder)
    with caplog.at_level(logging.WARNING):
        convert(folder / "s.tif", out)
        convert(folder / "t.tif", out)
        convert(folder / "u.tif", out)
        convert(folder / "recon_*.tif", out)
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "s.tif: calls its 6 pages times; they are taken as slices" in said
    assert "t.tif: its resolution tags state pixels of 2 um, but volume.voxel_um is 1.17" in said
    assert "u.tif" not in said
    assert "the OME metadata do not say which plane each file is (recon_0000.tif ...)" in said
