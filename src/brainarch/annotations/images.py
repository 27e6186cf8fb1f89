"""Reading label images drawn by hand: TIFF or PNG files of whole numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from brainarch.errors import InputError
from brainarch.volume.stack import SUFFIXES, read_image

#: Modes of PNG images whose pixels are single whole numbers (palette images: the index).
PNG_MODES = ("1", "L", "P", "I", "I;16", "I;16B")


def read_label_image(path: Path) -> NDArray[np.integer]:
    """Read a label image.

    Parameters
    ----------
    path : Path
        A TIFF or PNG file of one slice, whole numbers. The pixels of a palette image are its
        indices.

    Returns
    -------
    ndarray of int, shape (rows, columns)

    Raises
    ------
    InputError
        If the file is missing, unreadable, in colour, or holds other than whole numbers.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix.lower() in SUFFIXES:
        image: NDArray[Any] = read_image(path)
    elif path.suffix.lower() == ".png":
        image = _read_png(path)
    else:
        raise InputError(f"{path}: not a TIFF or PNG file; export the labels as one of them")
    if image.dtype == np.bool_:
        image = image.astype(np.uint8)
    if image.dtype.kind not in "iu":
        raise InputError(f"{path}: labels are {image.dtype}; wanted whole numbers, uint8 or uint16")
    return image


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
