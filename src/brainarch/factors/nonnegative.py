"""Non-negative coefficients of given factors, and the scale of factors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import prange
from numpy.typing import NDArray

#: A row is solved when no coefficient moves by more than this share of the largest correlation.
TOLERANCE = 1e-8
#: Most sweeps over the factors of a row; rows that need more are counted.
MAX_SWEEPS = 5000
#: Sweeps that many rows make side by side before each goes on until it has settled.
FIRST_SWEEPS = 64
#: Rows side by side.
_LANES = 64

#: Threads that numba started with.
_MOST_THREADS = int(numba.get_num_threads())

F = TypeVar("F", bound=Callable[..., Any])


def compiled(**options: Any) -> Callable[[F], F]:
    """Compile a loop; no fast maths, so results do not depend on how it is compiled."""
    return cast(Callable[[F], F], numba.njit(cache=True, nogil=True, **options))


def unit_rows(
    C: NDArray[np.floating], B: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scale the rows of B to unit length and put the scale into C; the product stays the same.

    Parameters
    ----------
    C : ndarray, shape (n, k)
        Coefficients.
    B : ndarray, shape (k, units)
        Basis. A row of zeros stays one, and its coefficients become 0.

    Returns
    -------
    C, B : ndarray of float64
        Rescaled (ours: thresholds, colours and mixtures depend on the scale).
    """
    length = np.linalg.norm(np.asarray(B, dtype=np.float64), axis=1)
    safe = np.where(length > 0, length, 1.0)
    return np.asarray(C, dtype=np.float64) * length, np.asarray(B, dtype=np.float64) / safe[:, None]


def nonnegative_coefficients(
    X: NDArray[np.floating], B: NDArray[np.floating], threads: int = 1
) -> tuple[NDArray[np.float32], int]:
    """Solve ``min ||x - c B||`` over c >= 0 for every row x of X.

    Cyclic coordinate descent in float64, row by row, to convergence, so that coefficients that are
    not needed are exactly 0 and a row's result depends neither on its batch nor on the threads.

    Parameters
    ----------
    X : ndarray, shape (n, units)
        Representations, non-negative.
    B : ndarray, shape (k, units)
        Basis.
    threads : int
        CPU threads.

    Returns
    -------
    C : ndarray of float32, shape (n, k)
        Coefficients.
    unfinished : int
        Rows that needed more than `MAX_SWEEPS` sweeps; 0 for any basis of practical use.
    """
    basis = np.asarray(B, dtype=np.float64)
    before = numba.get_num_threads()
    numba.set_num_threads(max(1, min(threads, _MOST_THREADS)))
    try:
        C, unfinished = _descend(
            np.ascontiguousarray(X, dtype=np.float32),
            np.ascontiguousarray(basis.T),
            basis @ basis.T,
            TOLERANCE,
            MAX_SWEEPS,
        )
    finally:
        numba.set_num_threads(before)
    return C, int(unfinished.sum())


@compiled()
def sweep_tile(
    left: NDArray[np.floating],
    C: NDArray[np.floating],
    gram: NDArray[np.floating],
    step: NDArray[np.floating],
    sweeps: int,
) -> None:
    """Improve coefficients of a few rows side by side, in place, by coordinate descent.

    Parameters
    ----------
    left : ndarray, shape (k, lanes)
        Of the normal equations, B X^T - B B^T C; kept up to date.
    C : ndarray, shape (k, lanes)
        Coefficients, a column a row of X: the innermost loops run over rows.
    gram : ndarray, shape (k, k)
        B B^T.
    step : ndarray, shape (lanes,)
        Room for one step; all four arrays of one dtype.
    sweeps : int
        Sweeps over the factors.
    """
    k, lanes = C.shape
    for _ in range(sweeps):
        for t in range(k):
            if gram[t, t] > 0:
                d = gram[t, t]
                for i in range(lanes):
                    new = max(C[t, i] + left[t, i] / d, 0 * d)
                    step[i] = new - C[t, i]
                    C[t, i] = new
                for j in range(k):
                    g = gram[j, t]
                    for i in range(lanes):
                        left[j, i] -= g * step[i]


@compiled()
def _settle(
    left: NDArray[np.float64],
    c: NDArray[np.float64],
    gram: NDArray[np.float64],
    limit: float,
    max_sweeps: int,
) -> bool:
    """Improve the coefficients of one row until no step is above the limit, if that comes."""
    k = len(c)
    for _ in range(max_sweeps):
        largest = 0.0
        for t in range(k):
            if gram[t, t] > 0:
                step = max(c[t] + left[t] / gram[t, t], 0.0) - c[t]
                if step != 0.0:
                    c[t] += step
                    for j in range(k):
                        left[j] -= gram[t, j] * step
                    largest = max(largest, abs(step) * gram[t, t])
        if largest <= limit:
            return True
    return False


@compiled(parallel=True)
def _descend(
    X: NDArray[np.float32],
    transposed: NDArray[np.float64],
    gram: NDArray[np.float64],
    tolerance: float,
    max_sweeps: int,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    n, units = X.shape
    k = gram.shape[0]
    C = np.zeros((n, k), dtype=np.float32)
    unfinished = np.zeros(n, dtype=np.uint8)
    for tile in prange((n + _LANES - 1) // _LANES):
        start = tile * _LANES
        size = min(_LANES, n - start)
        left, own = np.zeros((k, _LANES)), np.zeros((k, _LANES))
        x = np.zeros(_LANES)
        for unit in range(units):
            for i in range(size):
                x[i] = X[start + i, unit]
            for t in range(k):
                b = transposed[unit, t]
                for i in range(_LANES):
                    left[t, i] += b * x[i]
        limits = np.zeros(_LANES)
        for t in range(k):
            for i in range(_LANES):
                limits[i] = max(limits[i], abs(left[t, i]) * tolerance)
        # as many sweeps for every row, then each on its own: its company changes nothing
        sweep_tile(left, own, gram, x, FIRST_SWEEPS)
        for i in range(size):
            row, c = left[:, i].copy(), own[:, i].copy()
            if limits[i] > 0 and not _settle(row, c, gram, limits[i], max_sweeps):
                unfinished[start + i] = 1
            for t in range(k):
                C[start + i, t] = c[t]
    return C, unfinished
