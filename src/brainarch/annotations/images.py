"""Reading label images drawn by hand: files of one slice, or slices of a label volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from brainarch.annotations import nrrd
from brainarch.errors import InputError
from brainarch.volume.kinds import NRRD_SUFFIX, TIFF_SUFFIXES, in_zarr
from brainarch.volume.stack import open_pages, read_page
from brainarch.volume.store import open_image

#: Modes of PNG images whose pixels are single whole numbers (palette images: the index).
PNG_MODES = ("1", "L", "P", "I", "I;16", "I;16B")


def read_label_image(
    path: Path, z: int | None = None, first_slice: int | None = None, *, transpose: bool = False
) -> NDArray[np.integer]:
    """Read the labels of one slice.

    Parameters
    ----------
    path : Path
        A TIFF, PNG or NRRD file of one slice, or a label volume (NRRD, OME-Zarr, multi-page TIFF),
        of which nothing but the slice is read; whole numbers. The pixels of a palette image are its
        indices.
    z : int, optional
        Number of the slice.
    first_slice : int, optional
        Number of the first slice of a label volume; without it the file holds one slice.
    transpose : bool
        Whether the file holds columns x rows.

    Returns
    -------
    ndarray of int, shape (rows, columns)

    Raises
    ------
    InputError
        If the file is missing, unreadable, in colour, holds other than whole numbers, or has no
        such slice.
    """
    path = Path(path)
    if not path.exists():
        needed = "" if z is None else f"; the labels of slice {z} are declared to be there"
        raise InputError(f"{path}: no such file{needed}")
    place = None if z is None or first_slice is None else _Place(z, first_slice)
    image = _read(path, place)
    if image.dtype == np.bool_:
        image = image.astype(np.uint8)
    if image.dtype.kind not in "iu":
        raise InputError(f"{path}: labels are {image.dtype}; wanted whole numbers, uint8 or uint16")
    return image.T if transpose else image


class _Place(NamedTuple):
    """Which slice of a label volume is meant, and which is its first."""

    z: int
    first_slice: int


def _read(path: Path, place: _Place | None) -> NDArray[Any]:
    """Read a file of one slice, or a slice of a label volume."""
    if in_zarr(path):
        stored = open_image(path)
        return stored.read_slice(_index(path, stored.shape[0], place))
    suffix = path.suffix.lower()
    if suffix == NRRD_SUFFIX:
        header = nrrd.read_header(path)
        slices = header.shape[0] if len(header.shape) == 3 else 1
        return nrrd.read_slice(path, header, _index(path, slices, place))
    if suffix in TIFF_SUFFIXES:
        pages = open_pages(path)
        return read_page(pages[_index(path, len(pages), place)])
    if place is not None:
        raise InputError(
            f"{path}: not a label volume (NRRD, OME-Zarr, TIFF); name one file a slice"
        )
    if suffix == ".png":
        return _read_png(path)
    raise InputError(f"{path}: not a TIFF, PNG, NRRD or OME-Zarr file; export the labels as one")


def _index(path: Path, slices: int, place: _Place | None) -> int:
    """Return the index of a slice in a file of so many."""
    if place is None:
        if slices != 1:
            raise InputError(
                f"{path}: holds {slices} slices; name it without {{z}}, and slices are taken from "
                "it"
            )
        return 0
    if not 0 <= place.z - place.first_slice < slices:
        last = place.first_slice + slices - 1
        raise InputError(
            f"{path}: holds labels of slices {place.first_slice} to {last}, not of slice "
            f"{place.z}; correct the number of its first slice (annotations.first_slice or "
            "layers.first_slice)"
        )
    return place.z - place.first_slice


def _read_png(path: Path) -> NDArray[np.generic]:
    try:
        with Image.open(path) as image:
            mode = image.mode
            pixels = np.asarray(image)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path}: not a readable PNG file ({error})") from None
    if mode not in PNG_MODES or pixels.ndim != 2:
        raise InputError(f"{path}: is a colour image; give labels as whole numbers")
    return pixels
