"""The basis of the representation: non-negative matrix factorisation X ~ C B (M)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.errors import InputError
from brainarch.factors.nonnegative import unit_rows
from brainarch.factors.rows import Rows
from brainarch.factors.solver import Descent, descend
from brainarch.seeds import generator
from brainarch.tables import read_table, write_table

#: Rows of the sample at most.
SAMPLE_ROWS = 16384
#: The sample is followed to this share of the tolerance: its passes cost little, those over all
#: rows become few.
SAMPLE_TOLERANCE = 1 / 3
#: Rows of X that are mixed into a row of a random start.
MIXED = 8

CURVE_COLUMNS = {
    "start": "which start, from 1 (NNDSVD); that of the basis stands there a second time",
    "pixels": "pixels that were looked at: a sample, then all",
    "pass": "pass over them, from 1",
    "relative_error": "||X - C B|| / ||X|| after it",
}
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
    curve : DataFrame
        Columns as `CURVE_COLUMNS`.
    passes : int
        Passes over all rows.
    converged : bool
        Whether the solver stopped by its tolerance before the last pass.
    """

    values: NDArray[np.float64]
    curve: pd.DataFrame
    passes: int
    converged: bool


def fit_basis(
    rows: Rows,
    factors: int,
    *,
    starts: int,
    max_iterations: int,
    tolerance: float,
    seed: int,
    threads: int = 1,
) -> Basis:
    """Fit X ~ C B with non-negative C and B.

    Every start runs on a sample of the rows, the best of them then on all rows, so that few passes
    over a large cube are needed; what is minimised, and when it is done, is decided on all rows.
    The first start is NNDSVD, the others are mixtures of random rows.

    The order of the factors is deterministic: by ``sum(c_i ** 2)`` of the fit, descending, with
    unit rows of B, so factor 1 explains the most (ours).

    Parameters
    ----------
    rows : Rows
        X, representations, non-negative.
    factors : int
        k (M: 15).
    starts : int
        Starts that are tried.
    max_iterations : int
        Passes over the rows at most, of the sample and of all.
    tolerance : float
        Decrease of the error in a pass, as a share of it, at which the solver stops.
    seed : int
        Of the random starts.
    threads : int
        CPU threads; the result does not depend on them.

    Raises
    ------
    InputError
        If X has values that are negative or not finite, is all zero, or has fewer rows or units
        than factors.
    """
    if factors > min(rows.count, rows.units):
        raise InputError(
            f"factorization.factors {factors}: more than the {rows.count} pixels or {rows.units} "
            "units; ask for fewer"
        )
    rows = rows.held(threads)
    sample, energy = rows.examined(SAMPLE_ROWS, threads)
    limits: dict[str, Any] = {"max_passes": max_iterations, "threads": threads}
    X = sample.whole()
    own = float(np.einsum("ij,ij->", X, X, dtype=np.float64))
    rng = generator(seed, "factorize")
    tried = [
        descend(sample, start, own, tolerance=tolerance * SAMPLE_TOLERANCE, **limits)
        for start in (nndsvd(X, factors), *(mixed_rows(X, factors, rng) for _ in range(1, starts)))
    ]
    best = min(range(len(tried)), key=lambda start: tried[start].errors[-1])
    last = descend(rows, tried[best].basis, energy, tolerance=tolerance, **limits)
    order = np.argsort(-last.energy, kind="stable")
    _, values = unit_rows(np.zeros((1, factors)), last.basis[order])
    values[last.energy[order] == 0] = 0.0
    curve = pd.concat(
        [_curve(start, sample.count, found) for start, found in enumerate(tried, 1)]
        + [_curve(best + 1, rows.count, last)],
        ignore_index=True,
    )
    return Basis(values, curve, len(last.errors), last.converged)


def nndsvd(X: NDArray[np.float32], factors: int) -> NDArray[np.float64]:
    """Start from the singular vectors of X, each the larger of its signs.

    They come from the Gram matrix of the units. See Boutsidis & Gallopoulos 2008,
    doi:10.1016/j.patcog.2007.09.010.

    Parameters
    ----------
    X : ndarray of float32, shape (n, units)
    factors : int
        k, at most n and units.

    Returns
    -------
    ndarray of float64, shape (k, units)
        Rows of unit length; zeros hold a hundredth of their row's mean, so that no two are apart.
    """
    gram = X.T.astype(np.float64) @ X
    V = np.linalg.eigh(gram)[1][:, ::-1][:, :factors]
    U = X @ V

    def sizes(sign: int) -> NDArray[np.float64]:
        return np.asarray(
            np.linalg.norm(np.maximum(sign * U, 0), axis=0)
            * np.linalg.norm(np.maximum(sign * V, 0), axis=0)
        )

    B = np.maximum(V * np.where(sizes(1) >= sizes(-1), 1, -1), 0).T
    B += 0.01 * B.mean(axis=1, keepdims=True)
    return np.asarray(B / np.linalg.norm(B, axis=1, keepdims=True))


def mixed_rows(
    X: NDArray[np.float32], factors: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Start from means of a few random rows of X; as `nndsvd`."""
    rows = rng.integers(0, len(X), (factors, MIXED))
    B = X[rows].mean(axis=1, dtype=np.float64) + 1e-6 * float(X.max())
    return np.asarray(B / np.linalg.norm(B, axis=1, keepdims=True))


def _curve(start: int, pixels: int, found: Descent) -> pd.DataFrame:
    passes = np.arange(1, len(found.errors) + 1)
    frame = {"start": start, "pixels": pixels, "pass": passes, "relative_error": found.errors}
    return pd.DataFrame(frame)


def basis_digest(values: NDArray[np.float64]) -> str:
    """Return what tells bases apart: the SHA-256 of the values."""
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


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
