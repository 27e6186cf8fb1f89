"""Confidence intervals by a spatial block bootstrap (ours; DESIGN, "Splits").

Overlapping patches are not independent samples, so whole spatial blocks are drawn with replacement,
never single patches. Intervals are percentile intervals. They are NaN where there are fewer than
two blocks, because one block says nothing about the spread between blocks. With few blocks they are
somewhat too narrow: simulated with ten blocks per area, 95 % intervals held the truth in 78 to 93 %
of trials, depending on the statistic, and reflected ("basic") intervals did no better.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brainarch.seeds import generator

#: Coverage of an interval.
LEVEL = 0.95
#: Smallest share of resamples in which a statistic must be defined for it to have an interval.
MIN_DEFINED = 0.5


class Interval(NamedTuple):
    """Lower and upper end of a confidence interval; NaN if there is none."""

    low: float
    high: float


def spatial_blocks(y: NDArray[np.integer], x: NDArray[np.integer], side: int) -> NDArray[np.int64]:
    """Return the id of the square block that each pixel of one slice lies in.

    Parameters
    ----------
    y, x : ndarray of int, same shape
        Pixels.
    side : int
        Side of a block in pixels.

    Returns
    -------
    ndarray of int64, same shape
        Equal ids exactly within one block; ids are not consecutive.
    """
    rows = np.asarray(y, dtype=np.int64) // side
    columns = np.asarray(x, dtype=np.int64) // side
    return rows * (1 << 20) + columns


def index_blocks(blocks: NDArray[np.integer]) -> tuple[NDArray[np.int64], int]:
    """Replace block ids by 0, 1, ... in the order of the ids.

    Returns
    -------
    tuple of (ndarray of int64, shape (n,)) and int
        Position of every row's block, and the number of blocks.
    """
    ids, positions = np.unique(np.asarray(blocks).ravel(), return_inverse=True)
    return positions.astype(np.int64), len(ids)


def bootstrap_counts(
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    counts: NDArray[np.integer] | NDArray[np.floating],
    resamples: int,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the intervals of statistics that depend on sums over blocks only.

    Parameters
    ----------
    statistic : callable
        Takes the sums of all resamples, shape (resamples, ...), and returns one number or an
        array of numbers each, shape (resamples, ...); NaN where undefined. For example
        `brainarch.statistics.metrics.accuracies`.
    counts : ndarray, shape (blocks, ...)
        What each block adds, for example its confusion matrix
        (`brainarch.statistics.metrics.confusion_by_block`).
    resamples : int
        How often the blocks are drawn.
    seed : int
        The config's; the stream is the bootstrap's own.

    Returns
    -------
    tuple of two ndarrays of float64
        Lower and upper ends, in the shape of one resample's statistic; NaN for fewer than two
        blocks, and where the statistic is undefined in most resamples.
    """
    counts = np.asarray(counts, dtype=np.float64)
    n_blocks = len(counts)
    if n_blocks < 2:
        undefined = np.full_like(statistic(counts.sum(axis=0)[None])[0], np.nan, dtype=np.float64)
        return undefined, undefined.copy()
    rng = generator(seed, "block bootstrap")
    times = rng.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=resamples)
    sums = times.astype(np.float64) @ counts.reshape(n_blocks, -1)
    return percentile_interval(statistic(sums.reshape(resamples, *counts.shape[1:])))


def accuracy_interval(
    right: NDArray[np.bool_], blocks: NDArray[np.integer], resamples: int, seed: int
) -> Interval:
    """Return the interval of the share of right predictions.

    Parameters
    ----------
    right : ndarray of bool, shape (n,)
        Whether each prediction is right.
    blocks : ndarray of int, shape (n,)
        Block of each row.
    resamples, seed : int
        As in `bootstrap_counts`.
    """
    positions, n_blocks = index_blocks(blocks)
    hits = np.bincount(positions, weights=np.asarray(right, dtype=np.float64), minlength=n_blocks)
    rows = np.bincount(positions, minlength=n_blocks)
    counts = np.stack([hits, rows], axis=1)
    low, high = bootstrap_counts(lambda sums: sums[:, 0] / sums[:, 1], counts, resamples, seed)
    return Interval(float(low), float(high))


def percentile_interval(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the percentile interval of resampled statistics.

    Parameters
    ----------
    values : ndarray of float64, shape (resamples, ...)
        NaN where a resample has no value, for example no patch of an area.

    Returns
    -------
    tuple of two ndarrays of float64, shape (...)
        Over the resamples that have a value; NaN if fewer than half of them do.
    """
    tail = (1 - LEVEL) / 2
    defined = np.mean(~np.isnan(values), axis=0)
    filled = np.where(defined < MIN_DEFINED, 0.0, values)
    low, high = np.nanquantile(filled, [tail, 1 - tail], axis=0)
    return (
        np.where(defined < MIN_DEFINED, np.nan, low),
        np.where(defined < MIN_DEFINED, np.nan, high),
    )
