"""What selected factors share with each other, and how much of the slice they give back.

M selects factors that have "minimal information with each other while still being able to
reconstruct as much of the entire sample as possible"; here both are measured, beside random choices
of as many factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb, log

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import mutual_info_score

from brainarch.factors.nonnegative import nonnegative_coefficients
from brainarch.factors.solver import sweep_rows

#: Bins of a coefficient, each with as many pixels as ties allow.
BINS = 16
#: Random choices that a selection is compared with.
CHOICES = 200
#: Sweeps after which the coefficients of a choice have settled.
SWEEPS = 100

PAIR_COLUMNS = {
    "factor": "factor, from 1",
    "other": "another one",
    "correlation": "Pearson correlation of their coefficients over the sampled pixels",
    "mutual_information": f"mutual information of the two in {BINS} bins each (bits)",
}
CHOICE_COLUMNS = {
    "target": "area or layer",
    "rule": "by which the factors were selected",
    "factors": "the selected factors",
    "share": "1 - ||X - C B||^2 / ||X||^2 with these factors alone, C fitted again",
    "share_median": "the same for random choices of as many factors: median",
    "share_95": "their 95th percentile",
    "share_above": "random choices that give back less, as a share of them",
    "share_all": "the same with all factors",
    "information": "mean mutual information of two of these factors (bits)",
    "information_median": "the same for random choices: median",
    "information_5": "their 5th percentile",
    "information_below": "random choices that share more with each other, as a share of them",
}


class FactorSample:
    """Sampled pixels, described by factors.

    Parameters
    ----------
    X : ndarray of float32, shape (n, units)
        Representations.
    B : ndarray of float64, shape (k, units)
        Basis.
    threads : int
    """

    def __init__(self, X: NDArray[np.float32], B: NDArray[np.float64], threads: int = 1) -> None:
        C, _ = nonnegative_coefficients(X, B, threads)
        self._right = np.ascontiguousarray((X.astype(np.float64) @ B.T).T)
        self._gram = B @ B.T
        self._energy = float(np.einsum("ij,ij->", X, X, dtype=np.float64))
        self.factors = len(B)
        varied = C.std(axis=0) > 0
        self.correlation = np.full((len(B), len(B)), np.nan)
        self.correlation[np.ix_(varied, varied)] = np.atleast_2d(np.corrcoef(C[:, varied].T))
        self.information = mutual_information(C)

    def share(self, factors: Sequence[int]) -> float:
        """Return how much of ||X||^2 some factors (from 0) give back on their own."""
        chosen = list(factors)
        right = self._right[chosen]
        gram = self._gram[np.ix_(chosen, chosen)]
        C = np.zeros(right.shape, dtype=np.float32)
        sweep_rows(right.astype(np.float32), gram.astype(np.float32), C, SWEEPS)
        found = C.astype(np.float64)
        left = 2 * np.einsum("ij,ij->", right, found) - np.einsum("ij,ij->", found, gram @ found)
        return float(left) / self._energy

    def shared(self, factors: Sequence[int]) -> float:
        """Return the mean mutual information of two of some factors (from 0); NaN of one."""
        pairs = list(combinations(factors, 2))
        return float(np.mean([self.information[pair] for pair in pairs])) if pairs else np.nan

    def compare(self, factors: Sequence[int], rng: np.random.Generator) -> dict[str, float]:
        """Compare some factors (from 0) with random choices; keys as in `CHOICE_COLUMNS`."""
        choices = random_choices(self.factors, len(factors), rng)
        shares = np.array([self.share(choice) for choice in choices])
        shared = np.array([self.shared(choice) for choice in choices])
        share, information = self.share(factors), self.shared(factors)
        return {
            "share": share,
            "share_median": float(np.median(shares)),
            "share_95": float(np.percentile(shares, 95)),
            "share_above": float((shares < share).mean()),
            "share_all": self.share(range(self.factors)),
            "information": information,
            "information_median": float(np.median(shared)),
            "information_5": float(np.percentile(shared, 5)),
            "information_below": float((shared > information).mean()),
        }

    def pairs(self) -> pd.DataFrame:
        """Return correlation and mutual information of every two factors."""
        rows = [
            {
                "factor": one + 1,
                "other": other + 1,
                "correlation": self.correlation[one, other],
                "mutual_information": self.information[one, other],
            }
            for one, other in combinations(range(self.factors), 2)
        ]
        return pd.DataFrame(rows, columns=list(PAIR_COLUMNS))


def mutual_information(C: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mutual information of every two columns, in bits.

    Parameters
    ----------
    C : ndarray, shape (n, k)
        Each column is cut at its quantiles into at most `BINS` bins; equal values stay together.

    Returns
    -------
    ndarray of float64, shape (k, k)
        Symmetric; a column's entropy on the diagonal.
    """
    edges = np.quantile(C, np.arange(1, BINS) / BINS, axis=0).T
    codes = [
        np.searchsorted(np.unique(edge), column, side="left")
        for edge, column in zip(edges, C.T, strict=True)
    ]
    found = np.zeros((len(codes), len(codes)))
    for one in range(len(codes)):
        for other in range(one, len(codes)):
            bits = mutual_info_score(codes[one], codes[other]) / log(2)
            found[one, other] = found[other, one] = bits
    return found


def random_choices(total: int, count: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Return random choices of ``count`` of ``total``: all if they are few, else `CHOICES`."""
    if comb(total, count) <= CHOICES:
        return list(combinations(range(total), count))
    found: dict[tuple[int, ...], None] = {}
    while len(found) < CHOICES:
        found[tuple(sorted(int(i) for i in rng.choice(total, count, replace=False)))] = None
    return list(found)
