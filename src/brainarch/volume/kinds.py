"""What an input is, told by its name alone: the plan is made before any data are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

#: File name endings of TIFF files, in lower case.
TIFF_SUFFIXES = (".tif", ".tiff")
NRRD_SUFFIX = ".nrrd"
ZARR_SUFFIX = ".zarr"
#: Endings of files of shapes that were drawn, in lower case.
SHAPES_SUFFIXES = (".geojson", ".json")
#: Orders of the axes of a label file, the one that runs fastest last.
Axes = Literal["zyx", "zxy", "xyz", "xzy", "yxz", "yzx"]
#: Where the slice number stands in a pattern of file names: ``{z}``, or ``{z:04d}`` with zeros.
#: All other braces are letters of a name.
SLICE_FIELD = re.compile(r"\{z(?::(?:0[0-9]+d?|d))?\}")
#: How the address of an object store begins, and no path does.
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def is_url(path: str | Path) -> bool:
    """Return whether a path is the address of an object store, such as ``s3://bucket/key``."""
    return ADDRESS.match(str(path)) is not None


def in_zarr(path: str | Path) -> bool:
    """Return whether a path names a Zarr store or something inside one."""
    return any(part.lower().endswith(ZARR_SUFFIX) for part in Path(path).parts)


def has_slice_field(path: str | Path) -> bool:
    """Return whether a path has a field ``{z}`` or ``{z:04d}`` for the slice number."""
    return SLICE_FIELD.search(str(path)) is not None


def slice_file(pattern: str | Path, z: int) -> str:
    """Return the path that a pattern stands for at one slice."""
    return SLICE_FIELD.sub(lambda field: field[0].format(z=z), str(pattern))


def is_slice_pattern(source: str | Path) -> bool:
    """Return whether a path has a field for the slice number, and is no file that has its name."""
    return has_slice_field(source) and not Path(source).exists()


def has_shapes(path: str | Path) -> bool:
    """Return whether a path names a file of shapes, whose labels are classes and not codes."""
    return Path(path).suffix.lower() in SHAPES_SUFFIXES


def is_label_volume(path: str | Path) -> bool:
    """Return whether a path names one file that may hold the labels of many slices."""
    suffixes = (NRRD_SUFFIX, *TIFF_SUFFIXES, *SHAPES_SUFFIXES)
    return in_zarr(path) or Path(path).suffix.lower() in suffixes
