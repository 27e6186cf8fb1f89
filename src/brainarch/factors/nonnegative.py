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

#: Threads that numba started with.
_MOST_THREADS = int(numba.get_num_threads())

F = TypeVar("F", bound=Callable[..., Any])


def _compiled(function: F) -> F:
    """Compile a loop that is parallel over rows; no fast maths, so results do not depend on it."""
    return cast(F, numba.njit(cache=True, parallel=True)(function))


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


@_compiled
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
    for i in prange(n):
        residual = np.zeros(k)  # of the normal equations, x B^T - c B B^T
        for unit in range(units):
            value = X[i, unit]
            if value != 0:
                for t in range(k):
                    residual[t] += transposed[unit, t] * value
        limit = 0.0
        for t in range(k):
            limit = max(limit, abs(residual[t]))
        limit *= tolerance
        c = np.zeros(k)
        finished = limit == 0.0
        sweep = 0
        while not finished and sweep < max_sweeps:
            largest = 0.0
            for t in range(k):
                if gram[t, t] > 0:
                    step = max(c[t] + residual[t] / gram[t, t], 0.0) - c[t]
                    if step != 0.0:
                        c[t] += step
                        for j in range(k):
                            residual[j] -= gram[t, j] * step
                        largest = max(largest, abs(step) * gram[t, t])
            finished = largest <= limit
            sweep += 1
        unfinished[i] = 0 if finished else 1
        for t in range(k):
            C[i, t] = c[t]
    return C, unfinished
