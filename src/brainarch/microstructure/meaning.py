"""What a factor follows: rank correlations with classical measures, and a sentence made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.seeds import generator
from brainarch.statistics.bootstrap import bootstrap_counts, index_blocks
from brainarch.statistics.field_nulls import FieldModel
from brainarch.statistics.levels import LEVEL, PERCENTILE

#: Correlation from which a measure is named in a factor's description, and how many are (ours).
NAMED, MOST_NAMED = 0.3, 3
#: What a negative and a positive correlation with a measure is called.
WORDS = {
    "blob_density": ("few dark blobs", "many dark blobs"),
    "blob_radius": ("small blobs", "large blobs"),
    "vessel_share": ("few vessels", "many vessels"),
    "fibre_share": ("few fibres", "many fibres"),
    "coherence": ("no one direction", "one direction"),
    "grey": ("dark", "bright"),
    "depth": ("superficial", "deep"),
}


def correlate(
    coefficients: NDArray[np.floating],
    measures: Mapping[str, NDArray[np.floating]],
    blocks: NDArray[np.integer],
    seen: NDArray[np.bool_],
    *,
    nulls: int,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return Spearman's correlation of every factor with every measure.

    The intervals resample blocks of the ranks that the whole sample has. The nulls are fields as
    autocorrelated as the ranks of the measure, which know nothing of the factors.

    Parameters
    ----------
    coefficients : ndarray, shape (n, factors)
    measures : mapping of str to ndarray, shape (n,)
        NaN where a measure says nothing; such pixels are left out of its own correlations.
    blocks : ndarray of int, shape (n,)
        Block of each pixel.
    seen : ndarray of bool, shape (rows, columns)
        Where the n pixels lie on a grid, in raster order.
    nulls : int
        Fields that each measure is replaced by.
    resamples, seed : int
        Of the block bootstrap; the seed also of the fields.

    Returns
    -------
    DataFrame
        Columns factor (from 1), measure, rho, low, high, null_99 (99th percentile of the nulls'
        absolute correlation), p (two-sided), pixels; NaN where one of the two does not vary,
        intervals NaN with too few blocks.
    """
    frames = []
    for name, values in measures.items():
        known = np.isfinite(values)
        ranks = pd.DataFrame(coefficients[known]).rank().to_numpy()
        own = pd.Series(values[known]).rank().to_numpy()
        middle = (len(own) + 1) / 2
        a, b = ranks - middle, np.broadcast_to(own[:, None] - middle, ranks.shape)
        positions, count = index_blocks(blocks[known])
        parts = np.stack([np.ones_like(a), a, b, a * a, b * b, a * b], axis=-1)
        sums = np.zeros((count, *parts.shape[1:]))
        np.add.at(sums, positions, parts)
        low, high = bootstrap_counts(
            _pearson, sums, resamples, seed, sizes=sums[:, :, 0], share=False
        )
        rho = _pearson(sums.sum(axis=0))
        place = np.zeros(seen.shape, dtype=np.bool_)
        place[seen] = known
        model = FieldModel(place)
        fields = model.draw(model.fit(own), nulls, generator(seed, f"null {name}"))
        null_99, p = _beside_fields(rho, a, fields)
        frame = pd.DataFrame(
            {
                "factor": np.arange(1, a.shape[1] + 1),
                "measure": name,
                "rho": rho,
                "low": np.clip(low, -1, 1),
                "high": np.clip(high, -1, 1),
                "null_99": null_99,
                "p": p,
                "pixels": int(known.sum()),
            }
        )
        frames.append(frame)
    whole = pd.concat(frames, ignore_index=True)
    return whole.sort_values("factor", kind="stable", ignore_index=True)


def describe(correlations: pd.DataFrame) -> str:
    """Say in a few words what a factor follows.

    Parameters
    ----------
    correlations : DataFrame
        One factor's rows of `correlate`. A measure is named if its correlation is at least `NAMED`,
        its interval does not hold 0 and p is at most `LEVEL`, the strongest first.
    """
    strong = correlations[certain(correlations) & (correlations["rho"].abs() >= NAMED)]
    strong = strong[strong["measure"].isin(list(WORDS))]
    order = strong["rho"].abs().sort_values(ascending=False, kind="stable").index
    ranked = strong.loc[order]
    words = [
        WORDS[str(measure)][int(rises)]
        for measure, rises in zip(ranked["measure"], ranked["rho"] > 0, strict=True)
    ]
    return ", ".join(words[:MOST_NAMED]) or "follows none of the measures"


def greatest_part(atlas: pd.DataFrame, quantity: str) -> str:
    """Say in which area, or layer of one, the mean of a quantity is greatest.

    Parameters
    ----------
    atlas : DataFrame
        Columns kind, name, quantity, mean. A layer is named where its mean exceeds every area's.
    quantity : str

    Returns
    -------
    str
        ``"; most in L4"``; empty without areas, or where the quantity is 0 everywhere.
    """
    own = atlas[(atlas["quantity"] == quantity) & atlas["kind"].isin(["area", "layer"])]
    own = own[own["mean"] > 0].sort_values("mean", ascending=False, kind="stable")
    return "" if own.empty else f"; most in {own['name'].iloc[0]}"


def certain(correlations: pd.DataFrame) -> pd.Series[bool]:
    """Say of rows of `correlate` whether the interval does not hold 0 and p is small."""
    sure: pd.Series[bool] = correlations["low"] * correlations["high"] > 0
    return sure & (correlations["p"] <= LEVEL)


def block_means(
    values: NDArray[np.floating], blocks: NDArray[np.integer], *, resamples: int, seed: int
) -> pd.DataFrame:
    """Return the mean of every column with its interval from a block bootstrap.

    Parameters
    ----------
    values : ndarray, shape (n, columns)
        NaN is left out.
    blocks : ndarray of int, shape (n,)
    resamples, seed : int

    Returns
    -------
    DataFrame
        Columns mean, low, high, one row a column; intervals NaN with too few blocks.
    """
    positions, count = index_blocks(blocks)
    known = np.isfinite(values)
    sums = np.zeros((count, values.shape[1], 2))
    np.add.at(sums, positions, np.stack([np.where(known, values, 0.0), known], axis=-1))
    low, high = bootstrap_counts(_mean, sums, resamples, seed, sizes=sums[:, :, 1], share=False)
    return pd.DataFrame({"mean": _mean(sums.sum(axis=0)), "low": low, "high": high})


def _beside_fields(
    rho: NDArray[np.float64],
    a: NDArray[np.float64],
    fields: Iterator[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 99th percentile of the fields' absolute correlation with each column, and p."""
    nothing = np.full(len(rho), np.nan)
    if not np.isfinite(rho).any():
        return nothing, nothing
    length = np.sqrt(np.einsum("ij,ij->j", a, a))
    rows = []
    for field in fields:
        b = field - field.mean()
        with np.errstate(invalid="ignore", divide="ignore"):
            rows.append(np.abs(b @ a) / (length * np.linalg.norm(b)))
    null = np.array(rows)
    p = (1 + (null >= np.abs(rho)).sum(axis=0)) / (1 + len(null))
    known = np.isfinite(rho)
    limit = np.percentile(null, PERCENTILE, axis=0)
    return np.where(known, limit, np.nan), np.where(known, p, np.nan)


def _pearson(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pearson's correlation from (..., 6) sums: n, a, b, a^2, b^2, a b."""
    n, a, b, aa, bb, ab = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = (aa - a * a / n) * (bb - b * b / n)
        result = np.where(spread > 0, (ab - a * b / n) / np.sqrt(np.maximum(spread, 0)), np.nan)
    return np.asarray(result, dtype=np.float64)


def _mean(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1], dtype=np.float64)
