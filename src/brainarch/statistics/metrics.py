"""Classification metrics, all computed from confusion matrices.

Every function takes one matrix or a stack of them, shape (..., n, n), so that the bootstrap can
recompute any metric for all its resamples at once. Rows are the true areas, columns the predicted.
A ratio whose denominator is zero is undefined and is NaN, never 0: an area without patches has no
recall, an area that is never predicted has no precision.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainarch.statistics.bootstrap import index_blocks


def joint_counts_by_block(
    first: NDArray[np.integer],
    second: NDArray[np.integer],
    blocks: NDArray[np.integer],
    shape: tuple[int, int],
) -> NDArray[np.int64]:
    """Count every pair of two labellings, for example area and cluster, within each block.

    Parameters
    ----------
    first, second : ndarray of int, same shape
        Indices from 0 (not label codes, which begin at 1).
    blocks : ndarray of int, same shape
        Block ids, any integers.
    shape : tuple of int
        Number of values of each labelling.

    Returns
    -------
    ndarray of int64, shape (blocks, shape[0], shape[1])
        Blocks in the order of their ids.

    Raises
    ------
    ValueError
        If the shapes differ or a value is out of range.
    """
    first, second = _checked_pair(first, second, shape)
    positions, n_blocks = index_blocks(blocks)
    if len(positions) != len(first):
        raise ValueError(f"{len(first)} labels but {len(positions)} block ids")
    cells = shape[0] * shape[1]
    flat = positions * cells + first * shape[1] + second
    counts = np.bincount(flat, minlength=n_blocks * cells)
    return counts.reshape(n_blocks, *shape).astype(np.int64)


def confusion_by_block(
    true: NDArray[np.integer],
    predicted: NDArray[np.integer],
    blocks: NDArray[np.integer],
    n: int,
) -> NDArray[np.int64]:
    """Count one confusion matrix per spatial block, shape (blocks, n, n), rows the true areas."""
    return joint_counts_by_block(true, predicted, blocks, (n, n))


def precision_recall_f1(
    confusion: NDArray[np.integer] | NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return precision, recall and F1 of every area.

    Parameters
    ----------
    confusion : ndarray, shape (..., n, n)

    Returns
    -------
    tuple of three ndarrays of float64, shape (..., n)
        In [0, 1]. Precision is NaN for an area that is never predicted, recall for one without
        patches, F1 (2 TP / (2 TP + FP + FN)) for one that is neither.
    """
    counts = np.asarray(confusion, dtype=np.float64)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    true, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    return (
        ratio(right, predicted),
        ratio(right, true),
        ratio(2 * right, true + predicted),
    )


def accuracies(confusion: NDArray[np.integer] | NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the share of right predictions of a stack of matrices, shape (..., n, n) -> (...)."""
    counts = np.asarray(confusion, dtype=np.float64)
    return ratio(np.trace(counts, axis1=-2, axis2=-1), counts.sum(axis=(-2, -1)))


def v_measures(
    contingency: NDArray[np.integer] | NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return homogeneity, completeness and V-measure (V, Fig. 4).

    Parameters
    ----------
    contingency : ndarray, shape (..., areas, clusters)
        Counts, for example sums of `joint_counts_by_block` over its blocks.

    Returns
    -------
    tuple of three ndarrays of float64, shape (...)
        In [0, 1]. As usual, homogeneity is 1 where there is a single area, completeness where there
        is a single cluster; the V-measure is their harmonic mean, 0 if both are 0. NaN for an
        empty table.
    """
    counts = np.asarray(contingency, dtype=np.float64)
    total = counts.sum(axis=(-2, -1), keepdims=True)
    joint = ratio(counts, np.broadcast_to(total, counts.shape))
    areas, clusters = joint.sum(axis=-1), joint.sum(axis=-2)
    information = _entropy(areas) + _entropy(clusters) - _entropy(joint, axes=2)
    homogeneity = _normalised(information, _entropy(areas))
    completeness = _normalised(information, _entropy(clusters))
    both = homogeneity + completeness
    harmonic = np.where(both == 0, 0.0, ratio(2 * homogeneity * completeness, both))
    return homogeneity, completeness, harmonic


def adjusted_rand(
    contingency: NDArray[np.integer] | NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return the adjusted Rand index of tables of counts, (..., areas, clusters) -> (...).

    1 for identical partitions, about 0 for independent ones; NaN for fewer than two items.
    """
    counts = np.asarray(contingency, dtype=np.float64)
    pairs = _pairs(counts).sum(axis=(-2, -1))
    in_area = _pairs(counts.sum(axis=-1)).sum(axis=-1)
    in_cluster = _pairs(counts.sum(axis=-2)).sum(axis=-1)
    expected = ratio(in_area * in_cluster, _pairs(counts.sum(axis=(-2, -1))))
    spread = (in_area + in_cluster) / 2 - expected
    # Both partitions trivial (one group, or all alone): they agree.
    return np.where(spread == 0, 1.0, ratio(pairs - expected, spread))


def ratio(
    numerator: NDArray[np.generic] | np.generic, denominator: NDArray[np.generic] | np.generic
) -> NDArray[np.float64]:
    """Divide, with NaN (and no warning) where the denominator is zero."""
    top = np.asarray(numerator, dtype=np.float64)
    bottom = np.asarray(denominator, dtype=np.float64)
    result = np.full(np.broadcast_shapes(top.shape, bottom.shape), np.nan)
    np.divide(top, bottom, out=result, where=bottom != 0)
    return result


def _checked_pair(
    first: NDArray[np.integer], second: NDArray[np.integer], shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if np.shape(first) != np.shape(second):
        raise ValueError(f"labels of shapes {np.shape(first)} and {np.shape(second)}")
    pair = []
    for labels, number in zip((first, second), shape, strict=True):
        flat = np.asarray(labels).ravel().astype(np.int64)
        if flat.size and (flat.min() < 0 or flat.max() >= number):
            raise ValueError(f"labels {flat.min()} ... {flat.max()} outside 0 ... {number - 1}")
        pair.append(flat)
    return pair[0], pair[1]


def _entropy(shares: NDArray[np.float64], axes: int = 1) -> NDArray[np.float64]:
    """Return the entropy in nats over the last ``axes`` axes; 0 log 0 = 0."""
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    # A NaN share (empty table) stays NaN.
    result: NDArray[np.float64] = -(shares * logs).sum(axis=tuple(range(-axes, 0)))
    return result


def _normalised(
    information: NDArray[np.float64], entropy: NDArray[np.float64]
) -> NDArray[np.float64]:
    share = np.where(entropy == 0, 1.0, ratio(information, entropy))
    return np.clip(share, 0.0, 1.0)


def _pairs(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return counts * (counts - 1) / 2
