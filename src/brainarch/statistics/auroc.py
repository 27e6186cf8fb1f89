"""Area under the ROC curve from ranks, ties counted half."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def auroc(score: NDArray[np.floating] | NDArray[np.integer], mask: NDArray[np.bool_]) -> float:
    """Return the probability that a random pixel inside a mask scores above one outside.

    Parameters
    ----------
    score : ndarray, any shape
        Without NaN.
    mask : ndarray of bool, same shape

    Returns
    -------
    float
        Ties count half, so a constant score gives 0.5. NaN if the mask is full or empty.

    Raises
    ------
    ValueError
        If the shapes differ or a score is NaN.
    """
    return auroc_of_ranks(average_ranks(score), mask)


def average_ranks(score: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the ranks 1 ... n of scores, tied scores sharing their mean rank.

    Sorting is the expensive part: rank once, then ask `auroc_of_ranks` for many masks.

    Raises
    ------
    ValueError
        If a score is NaN.
    """
    score = np.asarray(score)
    if np.isnan(score).any():
        raise ValueError("scores hold NaN; leave out the pixels without a value")
    ranks: NDArray[np.float64] = rankdata(score, axis=None).reshape(score.shape)
    return ranks


def auroc_of_ranks(ranks: NDArray[np.float64], mask: NDArray[np.bool_]) -> float:
    """Return the AUROC of scores whose `average_ranks` are known; see `auroc`."""
    mask = np.asarray(mask, dtype=bool)
    if ranks.shape != mask.shape:
        raise ValueError(f"scores of shape {ranks.shape}, mask of shape {mask.shape}")
    inside = int(mask.sum())
    outside = mask.size - inside
    if inside == 0 or outside == 0:
        return float("nan")
    above = float(ranks[mask].sum()) - inside * (inside + 1) / 2
    return above / inside / outside
