"""Patches that share no pixel: how many fit into a region, and the first of an order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainarch.geometry import PATCH


def pack_patches(centres: NDArray[np.bool_], size: int = PATCH) -> NDArray[np.int64]:
    """Choose patches that share no pixel, as many as a greedy packing finds.

    Going through the allowed centres row by row, each one is taken whose patch touches no patch
    taken before (first fit). The eight ways to go (from either end of the rows and of the columns,
    rows first or columns first) are tried and the one that takes most is kept. The number is a
    lower bound of the largest possible one (ours).

    Parameters
    ----------
    centres : ndarray of bool, shape (rows, columns)
        Pixels that may be the centre of a patch.
    size : int
        Side of a patch in pixels.

    Returns
    -------
    ndarray of int64, shape (n, 2)
        Row and column of the centres taken, sorted.
    """
    best = np.empty((0, 2), dtype=np.int64)
    rows, columns = np.flatnonzero(centres.any(axis=1)), np.flatnonzero(centres.any(axis=0))
    if not rows.size:
        return best
    top, left = rows[0], columns[0]
    region = centres[top : rows[-1] + 1, left : columns[-1] + 1]
    high, wide = region.shape
    for flip_y in (False, True):
        for flip_x in (False, True):
            for transpose in (False, True):
                view = region[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
                taken = _first_fit(view.T if transpose else view, size)
                if transpose:
                    taken = taken[:, ::-1]
                if len(taken) > len(best):
                    y = high - 1 - taken[:, 0] if flip_y else taken[:, 0]
                    x = wide - 1 - taken[:, 1] if flip_x else taken[:, 1]
                    best = np.stack([y + top, x + left], axis=1)
    return best[np.lexsort((best[:, 1], best[:, 0]))]


def take_apart(
    order: NDArray[np.integer],
    places: NDArray[np.integer],
    count: int,
) -> NDArray[np.intp]:
    """Take patches in an order, leaving out those that share a pixel with one taken before.

    Parameters
    ----------
    order : ndarray of int, shape (m,)
        Rows of ``places``, the first choice first.
    places : ndarray of int, shape (n, 3)
        Slice, row and column of each patch's pixel.
    count : int
        Patches taken at most.

    Returns
    -------
    ndarray of int, shape (at most count,)
    """
    left = np.asarray(order, dtype=np.intp)
    taken: list[np.intp] = []
    while len(left) and len(taken) < count:
        taken.append(left[0])
        away = np.abs(places[left] - places[left[0]])
        left = left[(away[:, 0] > 0) | (away[:, 1:] >= PATCH).any(axis=1)]
    return np.array(taken, dtype=np.intp)


def _first_fit(centres: NDArray[np.bool_], size: int) -> NDArray[np.int64]:
    """Take centres row by row, each at least ``size`` from those before along one of the axes."""
    columns = centres.shape[1]
    # Finding the next byte of a buffer is much quicker than numpy's search, and this runs often.
    buffer = bytearray(centres.tobytes())
    free = np.frombuffer(buffer, dtype=np.uint8).reshape(centres.shape)
    taken: list[tuple[int, int]] = []
    at = buffer.find(1)
    while at >= 0:
        y, x = divmod(at, columns)
        taken.append((y, x))
        free[y : y + size, max(0, x - size + 1) : x + size] = 0
        at = buffer.find(1, at)
    return np.array(taken, dtype=np.int64).reshape(-1, 2)
