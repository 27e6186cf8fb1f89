"""Gram matrix of unit-length representations and its block error (V, Fig. 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainarch.statistics.bootstrap import block_sizes, bootstrap_counts, index_blocks, pair_sizes
from brainarch.statistics.metrics import ratio

#: Rows of the Gram matrix computed at once.
CHUNK = 1024


@dataclass(frozen=True)
class GramSummary:
    """What the Gram matrix G says, without G itself.

    Attributes
    ----------
    error : float
        Block error ||G - D||_F / N (V), D being 1 within areas and 0 between them. 0 is perfect;
        constant representations give sqrt(1 - 1/A) for A equal areas, mutually orthogonal patches
        sqrt(1/A - 1/N).
    low, high : float
        Ends of its interval.
    means : ndarray of float64, shape (areas, areas)
        Mean of G over each pair of areas, a patch's product with itself included.
    means_low, means_high : ndarray of float64, shape (areas, areas)
        Ends of their intervals.
    """

    error: float
    low: float
    high: float
    means: NDArray[np.float64]
    means_low: NDArray[np.float64]
    means_high: NDArray[np.float64]


def unit_rows(
    values: NDArray[np.floating], commensurate: bool = True
) -> tuple[NDArray[np.float64], int]:
    """Divide representations by their length; they are not centred (V).

    Parameters
    ----------
    values : ndarray, shape (n, units)
        Representations.
    commensurate : bool
        If False, units are first divided by their root mean square (ours), so that none of
        several scales drowns the others.

    Returns
    -------
    rows : ndarray of float64, shape (n, units)
        Of length 1; a row that is zero stays zero.
    zero_rows : int
        How many are zero.
    """
    rows = values.astype(np.float64)
    if not commensurate:
        size = np.sqrt(np.mean(rows**2, axis=0))
        rows = rows / np.where(size == 0, 1.0, size)
    length = np.linalg.norm(rows, axis=1)
    zero = length == 0
    return rows / np.where(zero, 1.0, length)[:, None], int(zero.sum())


def summarise_gram(
    rows: NDArray[np.float64],
    area: NDArray[np.integer],
    blocks: NDArray[np.integer],
    *,
    resamples: int,
    seed: int,
) -> GramSummary:
    """Return block error and area means of the Gram matrix, with intervals.

    Every area weighs the same, which is V's equal N an area; in a resample, whose areas have
    unequal numbers, it stays so.

    Parameters
    ----------
    rows : ndarray of float64, shape (n, units)
        Of unit length or zero; see `unit_rows`.
    area : ndarray of int, shape (n,)
        Area indices; the summary has the areas that occur, in ascending order.
    blocks : ndarray of int, shape (n,)
        Spatial blocks.
    resamples, seed : int
        Of the block bootstrap.

    Notes
    -----
    The n x n matrix is computed by bands and only sums over pairs of (area, block) groups are
    kept, so memory does not grow with its square.
    """
    area_index, n_areas = index_blocks(area)
    block_index, n_blocks = index_blocks(blocks)
    group, n_groups = index_blocks(area_index * n_blocks + block_index)
    sums, squares = _pair_sums(rows, group)
    size = np.bincount(group, minlength=n_groups).astype(np.float64)
    ids = np.unique(area_index * n_blocks + block_index)
    group_area, group_block = ids // n_blocks, ids % n_blocks
    same = group_area[:, None] == group_area[None, :]
    # Sum of (G - D)^2 over a pair of groups, D being 1 within an area.
    deviations = np.where(same, squares - 2 * sums + np.outer(size, size), squares)
    member = (group_area[:, None] == np.arange(n_areas)).astype(np.float64)

    def statistic(times: NDArray[np.float64]) -> NDArray[np.float64]:
        drawn = times[:, group_block]
        patches = (drawn * size) @ member
        weight = ratio(drawn, patches[:, group_area])
        error = np.einsum("rg,rg->r", weight @ deviations, weight) / n_areas**2
        by_area = weight[:, :, None] * member
        means = by_area.transpose(0, 2, 1) @ sums @ by_area
        # Rounding may leave a perfect matrix a hair below zero.
        root = np.sqrt(np.maximum(error, 0))[:, None]
        return np.concatenate([root, means.reshape(len(times), -1)], axis=1)

    value = statistic(np.ones((1, n_blocks)))[0]
    patches = np.zeros((n_blocks, n_areas))
    patches[group_block, group_area] = size
    sizes = np.concatenate(
        [block_sizes(patches)[:, None], pair_sizes(patches).reshape(n_blocks, -1)], axis=1
    )
    low, high = bootstrap_counts(
        statistic, np.eye(n_blocks), resamples, seed, sizes=sizes, share=False
    )
    square = (n_areas, n_areas)
    return GramSummary(
        error=float(value[0]),
        low=float(low[0]),
        high=float(high[0]),
        means=value[1:].reshape(square),
        means_low=low[1:].reshape(square),
        means_high=high[1:].reshape(square),
    )


def _pair_sums(
    rows: NDArray[np.float64], group: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum G and G squared over all pairs of groups; groups are 0, 1, ... without gaps."""
    order = np.argsort(group, kind="stable")
    ordered = rows[order]
    starts = np.searchsorted(group[order], np.arange(group.max() + 1))
    sums = np.empty((len(rows), len(starts)))
    squares = np.empty_like(sums)
    for first in range(0, len(rows), CHUNK):
        band = ordered[first : first + CHUNK] @ ordered.T
        sums[first : first + CHUNK] = np.add.reduceat(band, starts, axis=1)
        np.square(band, out=band)
        squares[first : first + CHUNK] = np.add.reduceat(band, starts, axis=1)
    return np.add.reduceat(sums, starts, axis=0), np.add.reduceat(squares, starts, axis=0)
