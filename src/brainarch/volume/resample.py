"""Slices of another pixel size: resampled within their plane to the size that a network knows.

Only rows and columns change. Everything here reads a volume slice by slice, so the slices keep
their numbers, their distance and their annotations.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from brainarch.volume.pixel_size import NOTHING, Resampling, new_count

#: Rows that are made at a time, so that the working copies stay small.
BAND_ROWS = 64


def band_bytes(resampling: Resampling) -> int:
    """Return the memory in bytes of the working copies of one `resample_image`."""
    rows = BAND_ROWS * (max(resampling.ratio, 1) + 1)
    return int(8 * (rows * resampling.columns + 2 * BAND_ROWS * resampling.shape[1]))


def resample_image(image: NDArray[np.generic], resampling: Resampling) -> NDArray[np.generic]:
    """Resample grey values.

    Parameters
    ----------
    image : ndarray of uint8 or uint16, shape (rows, columns)
    resampling : Resampling

    Returns
    -------
    ndarray, shape ``resampling.shape``
        In the image's own type, rounded half up, computed in float64.
    """
    down, across = _weights(resampling)
    result = np.empty(resampling.shape, dtype=image.dtype)
    for start in range(0, len(result), BAND_ROWS):
        band = down[start : start + BAND_ROWS]
        low, high = int(band.indices.min()), int(band.indices.max()) + 1
        mixed = band[:, low:high] @ image[low:high].astype(np.float64)
        values = (across @ mixed.T).T
        result[start : start + BAND_ROWS] = values + 0.5  # the fraction is cut off
    return result


def resample_labels(labels: NDArray[np.uint8], resampling: Resampling) -> NDArray[np.uint8]:
    """Resample codes: each new pixel takes the code that covers most of it.

    Parameters
    ----------
    labels : ndarray of uint8, shape (rows, columns)
    resampling : Resampling

    Returns
    -------
    ndarray of uint8, shape ``resampling.shape``
        Of codes that cover the same share, the lowest.
    """
    sides = resampling.rows, resampling.columns
    down, across = (overlaps(side, resampling.ratio) for side in sides)
    codes = np.unique(labels)
    winner = np.full(resampling.shape, codes[0], dtype=labels.dtype)
    most = np.full(resampling.shape, -np.inf)
    for code in codes:
        share = (across @ (down @ (labels == code).astype(np.float64)).T).T
        better = share > most + NOTHING
        winner[better] = code
        most[better] = share[better]
    return winner


def overlaps(count: int, ratio: float) -> csr_array:
    """Return the share of each new pixel that each pixel of the source covers, along one axis.

    Parameters
    ----------
    count : int
        Pixels of the source.
    ratio : float
        Pixels of the source along the side of a new one.

    Returns
    -------
    csr_array, shape (new pixels, count)
        Each row adds up to 1.
    """
    low = np.arange(new_count(count, ratio)) * ratio
    high = np.minimum(low + ratio, count)
    pixels = np.floor(low).astype(int)[:, None] + np.arange(math.ceil(ratio) + 1)
    covered = np.minimum(high[:, None], pixels + 1) - np.maximum(low[:, None], pixels)
    return _sparse(pixels, covered / (high - low)[:, None], count)


def interpolations(count: int, ratio: float) -> csr_array:
    """Return the weights of linear interpolation between pixel centres, along one axis.

    Parameters
    ----------
    count : int
        Pixels of the source.
    ratio : float
        Pixels of the source along the side of a new one.

    Returns
    -------
    csr_array, shape (new pixels, count)
        Each row adds up to 1; beyond the outermost centres the outermost pixel is taken.
    """
    centre = (np.arange(new_count(count, ratio)) + 0.5) * ratio - 0.5
    centre = np.clip(centre, 0, count - 1)
    first = np.floor(centre).astype(int)
    part = centre - first
    pixels = np.stack([first, first + 1], axis=1)
    return _sparse(pixels, np.stack([1 - part, part], axis=1), count)


def _sparse(pixels: NDArray[np.integer], weights: NDArray[np.float64], count: int) -> csr_array:
    rows = np.repeat(np.arange(len(pixels)), pixels.shape[1])
    kept = (weights > 0).ravel()
    entries = (weights.ravel()[kept], (rows[kept], pixels.ravel()[kept]))
    return csr_array(entries, shape=(len(weights), count))


@lru_cache(maxsize=1)
def _weights(resampling: Resampling) -> tuple[csr_array, csr_array]:
    """Return the weights of rows and of columns for grey values."""
    make = overlaps if resampling.ratio > 1 else interpolations
    return make(resampling.rows, resampling.ratio), make(resampling.columns, resampling.ratio)
