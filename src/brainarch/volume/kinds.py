"""What an input is, told by its name alone: the plan is made before any data are there."""

from __future__ import annotations

import re
from pathlib import Path

#: File name endings of TIFF files, in lower case.
TIFF_SUFFIXES = (".tif", ".tiff")
NRRD_SUFFIX = ".nrrd"
ZARR_SUFFIX = ".zarr"
#: Where the slice number stands in a pattern of file names: ``{z}``, or ``{z:04d}`` with zeros.
SLICE_FIELD = re.compile(r"\{z(?::(?:0[0-9]+)?d)?\}")


def in_zarr(path: str | Path) -> bool:
    """Return whether a path names a Zarr store or something inside one."""
    return any(part.lower().endswith(ZARR_SUFFIX) for part in Path(path).parts)


def is_slice_pattern(source: str | Path) -> bool:
    """Return whether a path has a field ``{z}`` or ``{z:04d}`` for the slice number."""
    return SLICE_FIELD.search(str(source)) is not None and not Path(source).exists()


def is_label_volume(path: str | Path) -> bool:
    """Return whether a path names one file that may hold the labels of many slices."""
    return in_zarr(path) or Path(path).suffix.lower() in (NRRD_SUFFIX, *TIFF_SUFFIXES)
