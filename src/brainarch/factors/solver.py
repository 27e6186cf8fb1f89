"""Non-negative factorisation X ~ C B by alternating exact coordinate descent, block by block.

Given B, the rows of C are independent: each is improved by sweeps of coordinate descent. What B
needs of X and C are C^T C (k x k) and C^T X (k x units), summed over the blocks, so one pass over X
serves a sweep of every row and any number of sweeps of the basis (hierarchical alternating least
squares; Cichocki & Phan 2009, doi:10.1587/transfun.E92.A.708).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from brainarch.factors.nonnegative import compiled, sweep_tile
from brainarch.factors.rows import Rows

#: Sweeps over the factors in each pass, of every row's coefficients and of the basis.
ROW_SWEEPS, BASIS_SWEEPS = 4, 20
#: Sweeps of every row's coefficients in the first pass, which starts from none.
FIRST_SWEEPS = 40
#: Rows that the compiled loop takes at once: their numbers stay in the nearest cache, and loops of
#: this constant length are worked off eight rows or more at a time.
_LANES = 128


@dataclass
class Descent:
    """How a basis was found.

    Attributes
    ----------
    basis : ndarray of float64, shape (k, units)
    energy : ndarray of float64, shape (k,)
        Sum of squares of c_i b_i over all rows.
    errors : list of float
        Relative error ||X - C B|| / ||X|| after each pass.
    converged : bool
        Whether the tolerance was met before the last pass.
    """

    basis: NDArray[np.float64]
    energy: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    errors: list[float] = field(default_factory=list)
    converged: bool = False


def descend(
    rows: Rows,
    start: NDArray[np.float64],
    energy: float,
    *,
    max_passes: int,
    tolerance: float,
    threads: int,
) -> Descent:
    """Improve a basis until a pass lowers the error by less than a share of it.

    Memory: the coefficients, float32, and a block a thread; X only if ``rows`` holds it.

    Parameters
    ----------
    rows : Rows
        X, non-negative.
    start : ndarray of float64, shape (k, units)
        Basis to start from, non-negative.
    energy : float
        Sum of the squares of X.
    max_passes : int
        Passes over X at most.
    tolerance : float
        Decrease of the error in a pass, as a share of it, at which it stops.
    threads : int
        CPU threads; the result does not depend on them.
    """
    found = Descent(start.copy())
    C = [np.zeros((len(start), size), dtype=np.float32) for size in rows.sizes]
    while len(found.errors) < max_passes and not found.converged:
        sweeps = ROW_SWEEPS if found.errors else FIRST_SWEEPS
        error, CC, CX = _pass(rows, found.basis, C, sweeps, threads)
        found.errors.append(float(np.sqrt(error / energy)))
        found.energy = np.diag(CC) * (found.basis**2).sum(axis=1)
        improve_basis(found.basis, CC, CX)
        if len(found.errors) > 1:
            before, now = found.errors[-2:]
            found.converged = before - now <= tolerance * before
    return found


def _pass(
    rows: Rows, B: NDArray[np.float64], C: list[NDArray[np.float32]], sweeps: int, threads: int
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Improve all coefficients; return ||X - C B||^2, C^T C and C^T X."""
    basis = B.astype(np.float32)
    gram = (B @ B.T).astype(np.float32)

    def work(
        index: int, X: NDArray[np.float32]
    ) -> tuple[float, NDArray[np.float32], NDArray[np.float32]]:
        own = C[index]
        sweep_rows(basis @ X.T, gram, own, sweeps)
        CX = own @ X
        left = X - own.T @ basis
        return float(np.einsum("ij,ij->", left, left, dtype=np.float64)), own @ own.T, CX

    error = 0.0
    CC, CX = np.zeros((len(B), len(B))), np.zeros(B.shape)
    for block_error, block_CC, block_CX in rows.each(work, threads):
        error += block_error
        CC += block_CC
        CX += block_CX
    return error, CC, CX


def improve_basis(B: NDArray[np.float64], CC: NDArray[np.float64], CX: NDArray[np.float64]) -> None:
    """Improve B in place, ``min ||X - C B||`` over B >= 0, by sweeps over its rows.

    Parameters
    ----------
    B : ndarray of float64, shape (k, units)
    CC, CX : ndarray of float64, shape (k, k), (k, units)
        C^T C and C^T X. The row of a factor without coefficients stays as it is.
    """
    for _ in range(BASIS_SWEEPS):
        for t in range(len(B)):
            if CC[t, t] > 0:
                B[t] = np.maximum(B[t] + (CX[t] - CC[t] @ B) / CC[t, t], 0.0)


@compiled()
def sweep_rows(
    right: NDArray[np.float32],
    gram: NDArray[np.float32],
    C: NDArray[np.float32],
    sweeps: int,
) -> None:
    """Improve coefficients in place, ``min ||x - c B||`` over c >= 0 for every row of X.

    Parameters
    ----------
    right : ndarray of float32, shape (k, n)
        B X^T.
    gram : ndarray of float32, shape (k, k)
        B B^T.
    C : ndarray of float32, shape (k, n)
        Coefficients, a column a row of X, so that the innermost loops run over rows.
    sweeps : int
        Sweeps over the factors.
    """
    k, n = C.shape
    left = np.zeros((k, _LANES), dtype=np.float32)  # of the normal equations, B X^T - B B^T C
    own = np.zeros((k, _LANES), dtype=np.float32)
    step = np.zeros(_LANES, dtype=np.float32)
    for start in range(0, n, _LANES):
        size = min(_LANES, n - start)
        for t in range(k):
            for i in range(size):
                left[t, i] = right[t, start + i]
                own[t, i] = C[t, start + i]
        for t in range(k):
            for j in range(k):
                g = gram[t, j]
                for i in range(_LANES):
                    left[t, i] -= g * own[j, i]
        sweep_tile(left, own, gram, step, sweeps)
        for t in range(k):
            for i in range(size):
                C[t, start + i] = own[t, i]
