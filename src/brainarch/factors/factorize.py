"""The basis of the representation: non-negative matrix factorisation X ~ C B (M)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import non_negative_factorization
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from brainarch.errors import InputError
from brainarch.factors.nonnegative import unit_rows
from brainarch.seeds import derived_seed

#: Factors (M).
FACTORS = 15
#: Most iterations of the solver (ours).
MAX_ITERATIONS = 200
#: Relative change of the projected gradient at which the solver stops (ours, scikit-learn's).
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Basis:
    """A fitted basis.

    Attributes
    ----------
    values : ndarray of float64, shape (k, units)
        Rows of unit length, in the order of the energy that they explain, largest first; a factor
        that the data do not need is a row of zeros at the end.
    iterations : int
        Iterations used.
    converged : bool
        Whether the solver stopped by its tolerance before the last iteration.
    """

    values: NDArray[np.float64]
    iterations: int
    converged: bool


def fit_basis(
    X: NDArray[np.float32],
    factors: int = FACTORS,
    *,
    seed: int = 0,
    max_iterations: int = MAX_ITERATIONS,
    tolerance: float = TOLERANCE,
    threads: int = 1,
) -> Basis:
    """Fit X ~ C B with non-negative C and B, scikit-learn's coordinate descent from NNDSVDa.

    The order of the factors is deterministic: by ``sum(c_i ** 2)`` of the fit, descending, with
    unit rows of B, so factor 1 explains the most (ours).

    Parameters
    ----------
    X : ndarray of float32, shape (n, units)
        Representations, non-negative.
    factors : int
        k (M: 15).
    seed : int
        Of the randomised SVD that the start is made from.
    max_iterations, tolerance : int, float
        Of the solver.
    threads : int
        Threads of matrix products.

    Raises
    ------
    InputError
        If X has negative values, is all zero, or has fewer rows or units than factors.
    """
    n, units = X.shape
    if factors > min(n, units):
        raise InputError(
            f"--factors {factors}: more than the cube has pixels ({n}) or units ({units}); "
            "ask for fewer"
        )
    low, high = float(X.min()), float(X.max())
    if not (low >= 0 and np.isfinite(high)):
        raise InputError(
            f"cube: values from {low:g} to {high:g}; NMF needs finite non-negative ones "
            "(the representation after the ReLU)"
        )
    if high == 0:
        raise InputError("cube: every unit is 0 at every pixel; train the network again")
    # The functional form skips the estimator's final n x units reconstruction, which would double
    # the memory.
    with threadpool_limits(limits=threads), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        W, H, iterations = non_negative_factorization(
            X,
            n_components=factors,
            init="nndsvda",
            solver="cd",
            max_iter=max_iterations,
            tol=tolerance,
            random_state=derived_seed(seed, "factorize"),
        )
    length = np.linalg.norm(H.astype(np.float64), axis=1)
    energy = np.einsum("ij,ij->j", W, W, dtype=np.float64) * length**2
    order = np.argsort(-energy, kind="stable")
    _, values = unit_rows(np.zeros((1, factors)), H[order])
    values[energy[order] == 0] = 0.0
    return Basis(values, int(iterations), int(iterations) < max_iterations)
