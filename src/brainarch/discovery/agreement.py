"""Agreement of two maps of codes, and the same beside nulls that keep bands of depth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import xlogy
from sklearn.metrics.cluster import expected_mutual_information

from brainarch.seeds import generator
from brainarch.statistics.depth_nulls import Surrogates, random_rulers, rearranged_bands
from brainarch.statistics.levels import LEVEL, PERCENTILE

AGREEMENT_COLUMNS = {
    "slice": "slice",
    "statistic": "agreement of the subdivisions with layers: ami (which decides), v_measure or ari",
    "null": "surrogate maps: bands (the map's own bands, in other orders along depth) or depth "
    "(depth alone, cut at random places into as many bands)",
    "value": "agreement of the map with the layers",
    "pixels": "pixels compared",
    "maps": "surrogates",
    "effective": "surrogates that differ from each other; below 99, p cannot reach 0.01",
    "median": "median agreement of the surrogates with the layers",
    "null_99": "99th percentile of that agreement",
    "p": "(1 + k) / (1 + effective), k the share of surrogates at least as high, times effective",
    "above": "p at most 0.01 and value above null_99",
    "above_nulls": "above both nulls: a finding",
    "area_share": "share of the area's extracted pixels that the map covers",
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
    depth: NDArray[np.floating],
    *,
    count: int,
    seed: int,
) -> pd.DataFrame:
    """Compare a map with layers, beside surrogates of the map that keep bands of depth.

    Layers vary along depth alone, so that layers shifted, or cut into shuffled blocks, are few
    different maps, or maps without a band, which whatever lies in bands beats.

    Parameters
    ----------
    values : ndarray of int, shape (rows, columns)
        The map: codes from 1, 0 where it has none.
    labels : ndarray of int, same shape
        The layers: codes from 1, 0 where there is none.
    depth : ndarray, same shape
        Relative depth, NaN where unknown; such pixels are not compared.
    count : int
        Surrogates of each null.
    seed : int
        Of the surrogates.

    Returns
    -------
    DataFrame
        Columns of `AGREEMENT_COLUMNS` without slice and area_share; one row per statistic and null.
    """
    compared = (values > 0) & (labels > 0) & np.isfinite(depth)
    codes, layers, depths = values[compared].astype(np.int64), labels[compared], depth[compared]
    own = agreement(contingency(codes, layers))
    surrogates = {"bands": Surrogates.none(), "depth": Surrogates.none()}
    if len(codes):
        places = np.argwhere(compared).astype(np.float64)
        rngs = {name: generator(seed, f"null {name}") for name in surrogates}
        bands = len(np.unique(codes))
        surrogates = {
            "bands": rearranged_bands(codes, places, depths, count, rngs["bands"]),
            "depth": random_rulers(depths, bands, count, rngs["depth"]),
        }
    rows = []
    for name, drawn in surrogates.items():
        found = [agreement(contingency(surrogate, layers)) for surrogate in drawn.codes]
        for statistic, value in own.items():
            null = np.array([entry[statistic] for entry in found])
            rows.append(
                {"statistic": statistic, "null": name, "value": value, "pixels": len(codes)}
                | summarise_null(value, null, drawn.effective)
            )
    frame = pd.DataFrame(rows)
    every = frame.groupby("statistic")["above"].all()
    frame["above_nulls"] = frame["statistic"].map(every)
    return frame


def summarise_null(
    value: float, null: NDArray[np.float64], effective: int
) -> dict[str, float | int | bool]:
    """Return maps, effective, median, null_99, p and above of a value beside its null.

    Parameters
    ----------
    value : float
    null : ndarray, shape (maps,)
        The same of every surrogate; without any, all is NaN.
    effective : int
        How many of the surrogates differ from each other.
    """
    about: dict[str, float | int | bool] = {"maps": len(null), "effective": effective}
    if len(null) == 0:
        nan = float("nan")
        return about | {"median": nan, "null_99": nan, "p": nan, "above": False}
    limit = float(np.percentile(null, PERCENTILE))
    reached = float((null >= value).mean()) * effective
    p = (1 + reached) / (1 + effective)
    return about | {
        "median": float(np.median(null)),
        "null_99": limit,
        "p": p,
        "above": bool(p <= LEVEL and value > limit),
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
