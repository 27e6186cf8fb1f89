"""Narrowing grey values: an explicit intensity window becomes the whole range of a smaller type."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Pixels that are narrowed at a time, so that the working copies stay small.
BAND_PIXELS = 1 << 19


class Narrowed(NamedTuple):
    """A narrowed picture and what the window did to it.

    Attributes
    ----------
    values : ndarray of uint8 or uint16, shape (rows, columns)
    below, above : int
        Pixels outside the window, which became black and white.
    not_a_number, infinite : int
        Pixels that have no place in any window; their values here mean nothing.
    """

    values: NDArray[np.generic]
    below: int
    above: int
    not_a_number: int
    infinite: int


def can_narrow(source: np.dtype[Any], target: np.dtype[Any]) -> bool:
    """Return whether a window makes sense: real numbers that the target type cannot all hold."""
    return source.kind in "iuf" and not np.can_cast(source, target)


def narrow(
    image: NDArray[np.generic], window: tuple[float, float], dtype: np.dtype[Any]
) -> Narrowed:
    """Map a window of grey values linearly to the whole range of an unsigned type (ours).

    ``low`` becomes 0, ``high`` the largest value; values between are rounded half up, computed in
    float64; values outside are clipped and counted.

    Parameters
    ----------
    image : ndarray, shape (rows, columns)
        Real numbers.
    window : tuple of float
        The values that become black and white, low < high.
    dtype : numpy.dtype
        uint8 or uint16.
    """
    low, high = window
    top = float(np.iinfo(dtype).max)
    values = np.empty(image.shape, dtype=dtype)
    below = above = not_a_number = infinite = 0
    rows = max(1, BAND_PIXELS // max(1, image.shape[1]))
    for start in range(0, image.shape[0], rows):
        band = image[start : start + rows].astype(np.float64)
        if image.dtype.kind == "f":
            strange = ~np.isfinite(band)
            if strange.any():
                missing = int(np.isnan(band).sum())
                not_a_number += missing
                infinite += int(strange.sum()) - missing
                band[strange] = low
        below += int((band < low).sum())
        above += int((band > high).sum())
        np.clip(band, low, high, out=band)
        band -= low
        band /= high - low
        band *= top
        band += 0.5
        values[start : start + rows] = band  # the fraction is cut off
    return Narrowed(values, below, above, not_a_number, infinite)
