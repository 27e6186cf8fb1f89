"""Agreement of two maps of codes, and the same beside spatial nulls."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import xlogy
from sklearn.metrics.cluster import expected_mutual_information

from brainarch.seeds import generator
from brainarch.statistics.spatial_nulls import (
    MIN_MAPS,
    PERCENTILE,
    block_surrogates,
    depth_surrogates,
    shift_surrogates,
)

#: Bins of the depth null.
DEPTH_BINS = 200
#: Nulls that all must be exceeded for a finding to be called above nulls.
DECISIVE = ("shift", "block")

AGREEMENT_COLUMNS = {
    "slice": "slice",
    "statistic": "agreement of components and layers: ami, v_measure or ari",
    "null": "surrogate layers: shift (torus), block (shuffled), depth (circular in depth)",
    "value": "agreement with the true layers (null depth: with what depth alone predicts)",
    "pixels": "pixels compared",
    "maps": "surrogates found",
    "median": "median agreement with the surrogates",
    "null_99": "99th percentile of the agreement with the surrogates",
    "p": "share of surrogates at least as high, the true layers counted in",
    "above": "value above null_99",
    "above_nulls": "value above null_99 of both shift and block: a finding (DESIGN)",
}

Codes = NDArray[np.integer]


def contingency(a: Codes, b: Codes) -> NDArray[np.int64]:
    """Count the pixels that two maps share, by code.

    Parameters
    ----------
    a, b : ndarray of int, same shape
        Codes from 1; pixels with 0 in either are left out.

    Returns
    -------
    ndarray of int64, shape (codes of a, codes of b)
        Codes without a pixel are left out.
    """
    both = (a > 0) & (b > 0)
    if not both.any():
        return np.zeros((0, 0), dtype=np.int64)
    rows, columns = int(a.max()), int(b.max())
    flat = (a[both].astype(np.int64) - 1) * columns + (b[both].astype(np.int64) - 1)
    table = np.bincount(flat, minlength=rows * columns).reshape(rows, columns)
    kept = table[np.ix_(table.sum(axis=1) > 0, table.sum(axis=0) > 0)]
    return np.asarray(kept, dtype=np.int64)


def agreement(table: NDArray[np.int64]) -> dict[str, float]:
    """Return AMI, V-measure and ARI of a contingency table; NaN if it is empty.

    They equal scikit-learn's, from the table instead of the labels, so that hundreds of nulls are
    cheap. AMI and ARI are corrected for the agreement of independent pixels, which maps are not:
    hence the nulls.
    """
    n = int(table.sum())
    if n == 0:
        return {"ami": float("nan"), "v_measure": float("nan"), "ari": float("nan")}
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    if len(rows) == 1 and len(columns) == 1:
        return {"ami": 1.0, "v_measure": 1.0, "ari": 1.0}
    entropy_a, entropy_b = _entropy(rows), _entropy(columns)
    mutual = max(0.0, entropy_a + entropy_b - _entropy(table.ravel()))
    expected = float(expected_mutual_information(table, n))
    mean = (entropy_a + entropy_b) / 2
    scale = mean - expected
    scale = np.copysign(max(abs(scale), np.finfo(np.float64).eps), scale)
    homogeneity = mutual / entropy_a if entropy_a > 0 else 1.0
    completeness = mutual / entropy_b if entropy_b > 0 else 1.0
    total = homogeneity + completeness
    return {
        "ami": float((mutual - expected) / scale),
        "v_measure": 2 * homogeneity * completeness / total if total > 0 else 0.0,
        "ari": _adjusted_rand(table),
    }


def compare_with_nulls(
    values: Codes,
    labels: Codes,
    *,
    block: int,
    count: int,
    seed: int,
    depth: NDArray[np.floating],
) -> pd.DataFrame:
    """Compare a map with labels, and with surrogates of the labels.

    Parameters
    ----------
    values : ndarray of int, shape (rows, columns)
        The map: codes from 1, 0 where it has none.
    labels : ndarray of int, same shape
        The labels: codes from 1, 0 where unlabelled.
    block : int
        Side of a shuffled block in pixels of these arrays.
    count : int
        Surrogates of each null.
    seed : int
        Of the surrogates.
    depth : ndarray, same shape
        Relative depth, NaN where unknown, for the null that is circular in depth.

    Returns
    -------
    DataFrame
        One row per statistic (ami, v_measure, ari) and null (shift, block, depth): value, pixels,
        maps (surrogates found), median, null_99, p (share of surrogates at least as high, the true
        labels counted in), above (value > null_99; false if there are fewer than `MIN_MAPS` maps)
        and above_nulls (above both shift and block). The depth null's value is that of the labels
        that depth alone predicts.
    """
    valid = values > 0
    table = contingency(values, labels)
    own = agreement(table)
    pixels = int(table.sum())

    def draws(name: str) -> Iterator[Codes]:
        rng = generator(seed, f"null {name}")
        if name == "shift":
            return shift_surrogates(labels, valid, count, rng)
        if name == "block":
            return block_surrogates(labels, valid, block, count, rng)
        return depth_surrogates(np.where(valid, labels, 0), depth, DEPTH_BINS, count, rng)

    rows = []
    for name in (*DECISIVE, "depth"):
        found = [agreement(contingency(values, surrogate)) for surrogate in draws(name)]
        true = found.pop(0) if name == "depth" and found else own
        for statistic, value in true.items():
            null = np.array([entry[statistic] for entry in found])
            rows.append(
                {"statistic": statistic, "null": name, "value": value, "pixels": pixels}
                | summarise_null(value, null)
            )
    frame = pd.DataFrame(rows)
    decisive = frame[frame["null"].isin(DECISIVE)].groupby("statistic")["above"].all()
    frame["above_nulls"] = frame["statistic"].map(decisive)
    return frame


def summarise_null(value: float, null: NDArray[np.float64]) -> dict[str, float | int | bool]:
    """Return maps, median, null_99, p and above of a value beside its null; NaN without maps."""
    usable = null[np.isfinite(null)]
    if len(usable) == 0:
        nan = float("nan")
        return {"maps": 0, "median": nan, "null_99": nan, "p": nan, "above": False}
    limit = float(np.percentile(usable, PERCENTILE))
    return {
        "maps": len(usable),
        "median": float(np.median(usable)),
        "null_99": limit,
        "p": float((1 + (usable >= value).sum()) / (1 + len(usable))),
        "above": bool(value > limit and len(usable) >= MIN_MAPS),
    }


def _entropy(counts: NDArray[np.int64]) -> float:
    share = counts / counts.sum()
    return float(-xlogy(share, share).sum())


def _adjusted_rand(table: NDArray[np.int64]) -> float:
    def pairs(counts: NDArray[np.int64]) -> float:
        numbers = counts.astype(np.float64)
        return float((numbers * (numbers - 1) / 2).sum())

    n = float(table.sum())
    rows, columns = pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    expected = rows * columns / max(n * (n - 1) / 2, 1.0)
    most = (rows + columns) / 2
    return 1.0 if most == expected else (pairs(table.ravel()) - expected) / (most - expected)
