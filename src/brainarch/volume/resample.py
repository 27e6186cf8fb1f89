"""Slices of another pixel size: resampled within their plane to the size that a network knows.

Only rows and columns change. Everything here reads a volume slice by slice, so the slices keep
their numbers, their distance and their annotations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from brainarch.errors import InputError

#: Rows that are made at a time, so that the working copies stay small.
BAND_ROWS = 64
#: Part of a pixel that counts as none: what rounding leaves of 100 x 0.65 / 1.3.
NOTHING = 1e-6
#: Largest change of the pixel size either way; beyond it a unit has been mistaken (ours).
MOST = 100.0


@dataclass(frozen=True)
class Resampling:
    """How slices of one pixel size become slices of another one.

    Larger pixels are means over the area that they cover, smaller ones are interpolated linearly
    between the centres (ours). Both begin at the same corner; a last pixel that reaches beyond the
    slice is the mean of what there is, so every pixel of the source counts.

    Parameters
    ----------
    rows, columns : int
        Size of a slice of the source.
    source_um, pixel_um : float
        Side of a pixel before and after, in micrometer.

    Raises
    ------
    InputError
        If a size is not positive, or the two are more than a factor of 100 apart.
    """

    rows: int
    columns: int
    source_um: float
    pixel_um: float

    def __post_init__(self) -> None:
        if min(self.source_um, self.pixel_um) <= 0 or not 1 / MOST <= self.ratio <= MOST:
            raise InputError(
                f"resampling from {self.source_um:g} to {self.pixel_um:g} um: wanted two positive "
                f"sizes in micrometer, at most a factor of {MOST:g} apart"
            )

    @property
    def ratio(self) -> float:
        """Pixels of the source along the side of a new one."""
        return self.pixel_um / self.source_um

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a resampled slice."""
        return _new_count(self.rows, self.ratio), _new_count(self.columns, self.ratio)

    @property
    def shift_um(self) -> float:
        """Distance of the first pixel's centre from the source's first centre, along each axis."""
        return (self.pixel_um - self.source_um) / 2

    @property
    def band_bytes(self) -> int:
        """Memory in bytes of the working copies of one `image`."""
        rows = BAND_ROWS * (max(self.ratio, 1) + 1)
        return int(8 * (rows * self.columns + 2 * BAND_ROWS * self.shape[1]))

    def image(self, image: NDArray[np.generic]) -> NDArray[np.generic]:
        """Resample grey values.

        Parameters
        ----------
        image : ndarray of uint8 or uint16, shape (rows, columns)

        Returns
        -------
        ndarray, shape `shape`
            In the image's own type, rounded half up, computed in float64.
        """
        down, across = self._weights
        result = np.empty(self.shape, dtype=image.dtype)
        for start in range(0, len(result), BAND_ROWS):
            band = down[start : start + BAND_ROWS]
            low, high = int(band.indices.min()), int(band.indices.max()) + 1
            mixed = band[:, low:high] @ image[low:high].astype(np.float64)
            values = (across @ mixed.T).T
            result[start : start + BAND_ROWS] = values + 0.5  # the fraction is cut off
        return result

    def labels(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resample codes: each new pixel takes the code that covers most of it.

        Parameters
        ----------
        labels : ndarray of uint8, shape (rows, columns)

        Returns
        -------
        ndarray of uint8, shape `shape`
            Of codes that cover the same share, the lowest.
        """
        down, across = (overlaps(side, self.ratio) for side in (self.rows, self.columns))
        codes = np.unique(labels)
        winner = np.full(self.shape, codes[0], dtype=labels.dtype)
        most = np.full(self.shape, -np.inf)
        for code in codes:
            share = (across @ (down @ (labels == code).astype(np.float64)).T).T
            better = share > most + NOTHING
            winner[better] = code
            most[better] = share[better]
        return winner

    @cached_property
    def _weights(self) -> tuple[csr_array, csr_array]:
        """Weights of rows and of columns for grey values."""
        make = overlaps if self.ratio > 1 else interpolations
        return make(self.rows, self.ratio), make(self.columns, self.ratio)


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
    low = np.arange(_new_count(count, ratio)) * ratio
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
    centre = (np.arange(_new_count(count, ratio)) + 0.5) * ratio - 0.5
    centre = np.clip(centre, 0, count - 1)
    first = np.floor(centre).astype(int)
    part = centre - first
    pixels = np.stack([first, first + 1], axis=1)
    return _sparse(pixels, np.stack([1 - part, part], axis=1), count)


def _new_count(count: int, ratio: float) -> int:
    return max(1, math.ceil(count / ratio - NOTHING))


def _sparse(pixels: NDArray[np.integer], weights: NDArray[np.float64], count: int) -> csr_array:
    rows = np.repeat(np.arange(len(pixels)), pixels.shape[1])
    kept = (weights > 0).ravel()
    entries = (weights.ravel()[kept], (rows[kept], pixels.ravel()[kept]))
    return csr_array(entries, shape=(len(weights), count))
