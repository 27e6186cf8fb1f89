"""AUROC of a map with the interval that whole spatial blocks give it (ours)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainarch.statistics.bootstrap import (
    Estimate,
    bootstrap_counts,
    effective_blocks,
    index_blocks,
)


def auroc_interval(
    values: NDArray[np.floating],
    inside: NDArray[np.bool_],
    blocks: NDArray[np.integer],
    *,
    resamples: int,
    seed: int,
) -> Estimate:
    """Return the AUROC of values for what is inside, with its interval.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
        For example a factor's coefficient at the labelled pixels of a slice.
    inside : ndarray of bool, shape (n,)
        Pixels of the area.
    blocks : ndarray of int, shape (n,)
        Spatial block of each pixel.
    resamples, seed : int
        Of the block bootstrap.

    Returns
    -------
    Estimate
        Ties count half. The blocks are those that hold the area, or those that hold others, if they
        are worth fewer: an area that lies in few blocks has no interval, however large the slice.
    """
    positions, count = index_blocks(blocks)
    above = _pairs_above(values, inside, positions, count)
    own = np.bincount(positions[inside], minlength=count).astype(np.float64)
    rest = np.bincount(positions[~inside], minlength=count).astype(np.float64)

    def auroc(times: NDArray[np.float64]) -> NDArray[np.float64]:
        pairs = (times @ own) * (times @ rest)
        ranked = np.einsum("ri,ij,rj->r", times, above, times, optimize=True)
        return np.where(pairs > 0, ranked / np.where(pairs > 0, pairs, 1), np.nan)

    weaker = own if effective_blocks(own) <= effective_blocks(rest) else rest
    low, high = bootstrap_counts(auroc, np.eye(count), resamples, seed, sizes=weaker, share=True)
    value = float(auroc(np.ones((1, count)))[0])
    return Estimate(value, float(low), float(high), int((weaker > 0).sum()))


def _pairs_above(
    values: NDArray[np.floating],
    inside: NDArray[np.bool_],
    positions: NDArray[np.int64],
    count: int,
) -> NDArray[np.float64]:
    """Count, by block of either, the pairs of which the one inside is higher; ties count half."""
    above = np.zeros((count, count))
    own, places = values[inside], positions[inside]
    for block in range(count):
        rest = np.sort(values[~inside & (positions == block)])
        if len(rest):
            lower = np.searchsorted(rest, own, "left") + np.searchsorted(rest, own, "right")
            above[:, block] = np.bincount(places, lower / 2, minlength=count)
    return above
