"""How many factors: bi-cross-validation, stability and sparsity on a sample of the pixels.

Bi-cross-validation (Owen & Perry 2009, doi:10.1214/08-AOAS227) holds out pixels and units at once:
a basis is fitted without both, the held-out pixels get their coefficients from the units that were
kept, the held-out units their basis from the pixels that were kept, and the product is compared
with what neither has seen. Unlike the error of the fit, it rises again with factors that describe
nothing but the sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from brainarch.factors.basis import mixed_rows, nndsvd
from brainarch.factors.nonnegative import nonnegative_coefficients, unit_rows
from brainarch.factors.rows import Rows
from brainarch.factors.solver import descend
from brainarch.seeds import generator

#: Pixels of the sample at most.
SAMPLE_ROWS = 4096
#: Into how many parts units are cut; pixels are cut into two.
UNIT_FOLDS = 2

RANK_COLUMNS = {
    "factors": "number of factors k",
    "pixels": "pixels of the sample",
    "relative_error": "||X - C B|| / ||X|| of the best start on the sample",
    "held_out_error": "the same of held-out units at held-out pixels, over all folds",
    "held_out_low": "least of one fold",
    "held_out_high": "greatest of one fold",
    "starts_cosine": "mean cosine of the other starts' factors with those of the best, matched one "
    "to one; empty with one start",
    "halves_cosine": "the same of the factors of both halves of the pixels",
    "zero_share": "coefficients that are exactly 0, as a share",
}


@dataclass(frozen=True)
class Descending:
    """How bases are fitted; as in the config's section ``factorization``."""

    starts: int
    max_iterations: int
    tolerance: float

    def fit(
        self, X: NDArray[np.float32], start: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float]:
        """Return the basis, rows of unit length, and its relative error."""
        energy = float(np.einsum("ij,ij->", X, X, dtype=np.float64))
        found = descend(
            Rows.of(X),
            start,
            energy,
            max_passes=self.max_iterations,
            tolerance=self.tolerance,
            threads=1,
        )
        return unit_rows(np.zeros((1, len(start))), found.basis)[1], found.errors[-1]


def measure_rank(
    X: NDArray[np.float32],
    half: NDArray[np.bool_],
    factors: int,
    descending: Descending,
    seed: int,
) -> dict[str, float]:
    """Fit a number of factors to a sample; keys as in `RANK_COLUMNS`.

    Parameters
    ----------
    X : ndarray of float32, shape (n, units)
        Representations, non-negative.
    half : ndarray of bool, shape (n,)
        Which half of the pixels each is of; both hold more pixels than factors.
    factors : int
        k, at most half of the units.
    descending : Descending
    seed : int
        Of the random starts and of the parts that units are cut into.
    """
    rng = generator(seed, f"rank {factors}")
    starts = [nndsvd(X, factors)]
    starts += [mixed_rows(X, factors, rng) for _ in range(1, descending.starts)]
    tried = [descending.fit(X, start) for start in starts]
    best = min(range(len(tried)), key=lambda index: tried[index][1])
    basis, error = tried[best]
    others = [matched_cosine(basis, own) for i, (own, _) in enumerate(tried) if i != best]
    C, _ = nonnegative_coefficients(X, basis)
    halves = [descending.fit(part, nndsvd(part, factors))[0] for part in (X[half], X[~half])]
    held = [
        hold_out(X, half == side, part, factors, descending)
        for side in (False, True)
        for part in unit_parts(X.shape[1], generator(seed, "rank units"))
    ]
    left, energy = np.array(held).T
    folds = np.sqrt(left / energy)
    return {
        "factors": factors,
        "pixels": len(X),
        "relative_error": error,
        "held_out_error": float(np.sqrt(left.sum() / energy.sum())),
        "held_out_low": float(folds.min()),
        "held_out_high": float(folds.max()),
        "starts_cosine": float(np.mean(others)) if others else np.nan,
        "halves_cosine": matched_cosine(*halves),
        "zero_share": float((C == 0).mean()),
    }


def unit_parts(units: int, rng: np.random.Generator) -> list[NDArray[np.bool_]]:
    """Cut units at random into `UNIT_FOLDS` parts: a mask of each."""
    part = rng.permutation(np.arange(units) % UNIT_FOLDS)
    return [part == index for index in range(UNIT_FOLDS)]


def hold_out(
    X: NDArray[np.float32],
    rows: NDArray[np.bool_],
    units: NDArray[np.bool_],
    factors: int,
    descending: Descending,
) -> tuple[float, float]:
    """Predict held-out units at held-out pixels; return the squared error and the squares of both.

    Parameters
    ----------
    X : ndarray of float32, shape (n, units)
    rows, units : ndarray of bool, shape (n,), (units,)
        What is held out.
    factors : int
    descending : Descending
    """
    kept = np.ascontiguousarray(X[np.ix_(~rows, ~units)])
    basis, _ = descending.fit(kept, nndsvd(kept, factors))
    C, _ = nonnegative_coefficients(kept, basis)
    there, _ = nonnegative_coefficients(X[np.ix_(rows, ~units)], basis)
    other, _ = nonnegative_coefficients(X[np.ix_(~rows, units)].T, C.T)
    truth = X[np.ix_(rows, units)].astype(np.float64)
    left = truth - there.astype(np.float64) @ other.T
    return float((left**2).sum()), float((truth**2).sum())


def matched_cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the mean cosine of two bases' rows of unit length, matched one to one."""
    cosines = one @ other.T
    return float(cosines[linear_sum_assignment(cosines, maximize=True)].mean())


def sweep_ranks(
    rows: Rows, ranks: list[int], descending: Descending, *, seed: int, threads: int
) -> pd.DataFrame:
    """Compare numbers of factors on a sample of the rows; columns as `RANK_COLUMNS`.

    The halves of the pixels are every other block of the rows, so that both see all of a slice and
    hardly a pixel of one has its patch in common with one of the other.

    Raises
    ------
    InputError
        As `Rows.examined`.
    """
    sample, _ = rows.examined(SAMPLE_ROWS, threads)
    X = sample.whole()
    every = -(-rows.count // SAMPLE_ROWS)
    block = np.searchsorted(np.cumsum(rows.sizes), np.arange(len(X)) * every, side="right")
    half = np.unique(block, return_inverse=True)[1] % 2 == 1
    if not half.any():  # one block
        half = np.arange(len(X)) >= len(X) // 2
    found = [measure_rank(X, half, k, descending, seed) for k in ranks]
    return pd.DataFrame(found, columns=list(RANK_COLUMNS))
