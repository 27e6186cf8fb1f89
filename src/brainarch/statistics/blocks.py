"""Spatial blocks, the units of the bootstrap, and how large the errors ask them to be (ours)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.spatial.distance import pdist, squareform

from brainarch.geometry import WINDOW

#: Side of a block: a number of pixels, or what the correlation of the errors asks for.
BlockSide = int | Literal["auto"]

#: Width of a bin of distances, and the largest distance looked at, in pixels.
BIN_PX, FARTHEST_PX = 32, 1024
#: Least part of the variance that neighbours share, so that there is something to measure.
LEAST_PART = 0.1
#: Patches that the correlation is measured on at most; every so manieth is taken.
MOST = 2000
#: Side of a block in correlation lengths: smaller blocks cut too many correlated neighbours apart,
#: larger ones are too few.
LENGTHS = 6
#: Sides are rounded to whole steps of this.
STEP_PX = 32


class Blocks(NamedTuple):
    """Side of a block, and the correlation length that it follows from (NaN if it was given)."""

    side: int
    length: float


def spatial_blocks(
    z: NDArray[np.integer] | int, y: NDArray[np.integer], x: NDArray[np.integer], side: int
) -> NDArray[np.int64]:
    """Return the id of the square block that each pixel lies in.

    Parameters
    ----------
    z : ndarray of int, shape (n,), or int
        Slices.
    y, x : ndarray of int, shape (n,)
        Rows and columns; blocks begin at the first row and column that occur.
    side : int
        Side of a block in pixels.

    Returns
    -------
    ndarray of int64, shape (n,)
        Equal ids exactly within one block; ids are not consecutive.
    """
    if not len(y):
        return np.zeros(0, dtype=np.int64)
    rows = (np.asarray(y, dtype=np.int64) - int(np.min(y))) // side
    columns = (np.asarray(x, dtype=np.int64) - int(np.min(x))) // side
    return (np.asarray(z, dtype=np.int64) * (1 << 20) + rows) * (1 << 20) + columns


def choose_blocks(
    side: BlockSide,
    right: NDArray[np.bool_],
    area: NDArray[np.integer],
    z: NDArray[np.integer],
    y: NDArray[np.integer],
    x: NDArray[np.integer],
) -> Blocks:
    """Return the side that was given, or for ``auto`` the one that the errors ask for.

    Parameters
    ----------
    side : int or "auto"
    right : ndarray of bool, shape (n,)
        Whether the area of each patch was named rightly.
    area, z, y, x : ndarray of int, shape (n,)
        Area and centre of each patch.
    """
    if side != "auto":
        return Blocks(int(side), float("nan"))
    length = correlation_length(right, area, z, y, x)
    steps = np.ceil(LENGTHS * length / STEP_PX) if np.isfinite(length) else 0
    return Blocks(int(max(-(-WINDOW // STEP_PX), steps)) * STEP_PX, length)


def correlation_length(
    values: NDArray[np.generic],
    area: NDArray[np.integer],
    z: NDArray[np.integer],
    y: NDArray[np.integer],
    x: NDArray[np.integer],
) -> float:
    """Return the distance over which errors stay alike, in pixels.

    It is L of c exp(-d / L), fitted by least squares to the correlation of pairs of patches of one
    slice at distance d, each area's mean taken off first, bins weighed by the root of their pairs.
    The rest, 1 - c, is each patch's own.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Whether each patch is right, or any number.
    area, z, y, x : ndarray of int, shape (n,)

    Returns
    -------
    float
        At least `BIN_PX` / 2; NaN where nothing varies.
    """
    every = max(1, -(-len(values) // MOST))
    chosen = np.lexsort((x, y, z))[::every]
    rest = np.asarray(values, dtype=np.float64)[chosen].copy()
    for index in np.unique(area[chosen]):
        own = area[chosen] == index
        rest[own] -= rest[own].mean()
    variance = float(np.mean(rest**2))
    if variance == 0:
        return float("nan")
    bins = FARTHEST_PX // BIN_PX
    pairs, products, far = np.zeros(bins), np.zeros(bins), np.zeros(bins)
    for index in np.unique(z[chosen]):
        own = z[chosen] == index
        if own.sum() < 2:
            continue
        places = np.stack([y[chosen][own], x[chosen][own]], axis=1).astype(np.float64)
        distance = pdist(places)
        product = squareform(np.outer(rest[own], rest[own]), checks=False)
        near = distance < FARTHEST_PX
        at = (distance[near] // BIN_PX).astype(np.int64)
        pairs += np.bincount(at, minlength=bins)
        products += np.bincount(at, product[near], minlength=bins)
        far += np.bincount(at, distance[near], minlength=bins)
    seen = pairs > 0
    if not seen.any():
        return float("nan")
    correlation = products[seen] / pairs[seen] / variance
    (length, _), _ = curve_fit(
        lambda d, scale, part: part * np.exp(-d / scale),
        far[seen] / pairs[seen],
        correlation,
        p0=[float(WINDOW), 0.5],
        sigma=1 / np.sqrt(pairs[seen]),
        bounds=([BIN_PX / 2, LEAST_PART], [FARTHEST_PX, 1.0]),
    )
    return float(length)
