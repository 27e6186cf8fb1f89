"""Which pixels of an area are looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter


def inside_mask(mask: NDArray[np.bool_], distance: float) -> NDArray[np.bool_]:
    """Return the pixels of a mask that are farther than ``distance`` from its outside.

    The same as erosion with a disk of that radius (A), with what lies beyond the slice outside, for
    its windows are partly empty.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)
    distance : float
        In pixels; 0 returns the mask.
    """
    if distance <= 0 or not mask.any():
        return mask.copy()
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    far = distance_transform_edt(np.pad(mask[box], 1))[1:-1, 1:-1] > distance
    inside = np.zeros_like(mask)
    inside[box] = far
    return inside


def average_inside(
    values: NDArray[np.floating], mask: NDArray[np.bool_], sigma: float
) -> NDArray[np.float32]:
    """Return the Gaussian average of a map over a mask's pixels, at each of them.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        What lies outside the mask is not looked at.
    mask : ndarray of bool, same shape
        Not empty.
    sigma : float
        Standard deviation in pixels of the map; 0 returns the values themselves.

    Returns
    -------
    ndarray of float32, shape (masked pixels,)
        In raster order.
    """
    if sigma <= 0:
        return values[mask].astype(np.float32)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    inside = mask[box]
    known = np.where(inside, values[box], 0).astype(np.float32)
    weights = gaussian_filter(inside.astype(np.float32), sigma, mode="constant")
    sums = gaussian_filter(known, sigma, mode="constant")
    return np.asarray(sums[inside] / weights[inside], dtype=np.float32)


def draw_pixels(mask: NDArray[np.bool_], most: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return a mask of at most ``most`` of a mask's pixels, drawn without replacement."""
    flat = np.flatnonzero(mask)
    if len(flat) <= most:
        return mask.copy()
    drawn = np.zeros(mask.size, dtype=bool)
    drawn[rng.choice(flat, size=most, replace=False)] = True
    return drawn.reshape(mask.shape)
