"""The basis of the representation: non-negative matrix factorisation X ~ C B (M)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.decomposition import non_negative_factorization
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from brainarch.errors import InputError
from brainarch.factors.nonnegative import unit_rows
from brainarch.seeds import derived_seed
from brainarch.tables import read_table, write_table

BASIS_COLUMNS = {
    "factor": "factor, from 1, in the order of the energy that it explains in the fit",
    "unit": "unit of the representation, from 0",
    "value": "entry of the basis B; each factor has unit length",
}


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
    factors: int,
    *,
    max_iterations: int,
    tolerance: float,
    seed: int,
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
    max_iterations : int
        Iterations of the solver at most.
    tolerance : float
        Relative change of the projected gradient at which the solver stops.
    seed : int
        Of the randomised SVD that the start is made from.
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
            f"factorization.factors {factors}: more than the cube has pixels ({n}) or units "
            f"({units}); "
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


def write_basis(values: NDArray[np.float64], path: Path) -> None:
    """Write a basis, shape (k, units), as a table (factor, unit, value)."""
    k, units = values.shape
    factor, unit = np.meshgrid(np.arange(1, k + 1), np.arange(units), indexing="ij")
    frame = pd.DataFrame({"factor": factor.ravel(), "unit": unit.ravel(), "value": values.ravel()})
    write_table(frame, path, BASIS_COLUMNS)


def read_basis(path: Path) -> NDArray[np.float64]:
    """Read a basis table; float64, shape (k, units).

    Raises
    ------
    InputError
        If the file is missing, malformed or has negative entries.
    """
    frame = read_table(path)
    if list(frame.columns) != list(BASIS_COLUMNS):
        raise InputError(f"{path}: not a basis table (columns factor, unit, value)")
    wide = frame.pivot_table(index="factor", columns="unit", values="value", aggfunc="first")
    values = wide.to_numpy(dtype=np.float64)
    factors, units = np.asarray(wide.index), np.asarray(wide.columns)
    whole = np.array_equal(factors, np.arange(1, len(factors) + 1))
    whole = whole and np.array_equal(units, np.arange(len(units)))
    if not whole or len(frame) != values.size or not bool((values >= 0).all()):
        raise InputError(
            f"{path}: a basis needs one non-negative value for each factor (from 1) and unit "
            "(from 0); run `brainarch factorize` again"
        )
    return values
