"""Holes of an annotation: vessels that were cut out, pinholes of a threshold, specks (ours).

A hole of one pixel would make every pixel around it lie at a border. Holes below a stated area
belong to what surrounds them wherever a distance to a border is measured, or asked whether a patch
lies inside; pixels are counted, drawn and learnt from as they were labelled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label


def close_holes(mask: NDArray[np.bool_], largest: int) -> NDArray[np.bool_]:
    """Return the mask of an area without its holes of at most ``largest`` pixels.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)
        Labelled pixels of one area. A hole is what they surround, unlabelled or of another area.
    largest : int
        0 returns the mask.
    """
    parts, small = _holes(mask, largest)
    return np.asarray(mask | small[parts], dtype=np.bool_)


def count_holes(mask: NDArray[np.bool_], largest: int) -> tuple[int, int]:
    """Return how many holes `close_holes` closes, and their pixels."""
    parts, small = _holes(mask, largest)
    return int(small.sum()), int(small[parts].sum())


def _holes(mask: NDArray[np.bool_], largest: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Return the parts of what is not in a mask, and which of them are small holes."""
    # Beyond the edge of the slice nobody knows how large a hole is: it is open.
    parts, _ = label(np.pad(~mask, 1, constant_values=True))
    small = np.bincount(parts.ravel()) <= largest
    small[[0, parts[0, 0]]] = False
    return np.asarray(parts[1:-1, 1:-1], dtype=np.int32), small
