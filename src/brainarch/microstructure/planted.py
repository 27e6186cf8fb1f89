"""What was planted in the patches of a phantom: the shares of its masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from brainarch.errors import InputError
from brainarch.microstructure.measures import patch_means
from brainarch.phantom.anatomy import MICROSTRUCTURE_CODES, truth_name

#: Measures of the truth, with the mask of each; where masks overlap, one code stands.
PLANTED = {
    "planted_cells": "cell body",
    "planted_axons": "myelinated axon",
    "planted_vessels": "vessel",
}


def read_truth(truth: Path, kind: str, z: int) -> NDArray[np.uint8]:
    """Read what was planted on a slice: areas, barrels or microstructure.

    Raises
    ------
    InputError
        If the file is missing or cannot be read.
    """
    path = truth / truth_name(kind, z)
    try:
        return np.asarray(tifffile.imread(path))
    except (OSError, ValueError, tifffile.TiffFileError) as error:
        raise InputError(
            f"{path}: what was planted cannot be read ({error}); run `brainarch phantom` again"
        ) from None


def planted_shares(
    truth: Path,
    z: int,
    shape: tuple[int, int],
    y: NDArray[np.integer],
    x: NDArray[np.integer],
) -> dict[str, NDArray[np.float64]]:
    """Return the share of each mask in the patch of every pixel of a grid.

    Parameters
    ----------
    truth : Path
        Folder that `brainarch phantom` wrote.
    z : int
        Slice.
    shape : tuple of int
        Rows and columns of the slice.
    y, x : ndarray of int, shape (n,), (m,)
        Rows and columns of the grid.

    Returns
    -------
    dict of str to ndarray of float64, shape (n, m)
        By the names of `PLANTED`.

    Raises
    ------
    InputError
        If the slice's masks are missing, cannot be read, or are of another volume.
    """
    masks = read_truth(truth, "microstructure", z)
    if masks.shape != shape:
        raise InputError(
            f"{truth}: masks of {masks.shape} pixels, but slice {z} has {shape}; run `brainarch "
            "phantom` again"
        )
    return {
        name: patch_means(masks == MICROSTRUCTURE_CODES[mask], y, x)
        for name, mask in PLANTED.items()
    }
