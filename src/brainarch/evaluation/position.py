"""What position alone would say: the training slice's annotation, copied to the same pixel (ours).

Slices of one volume lie in register, and an annotation changes little from one to the next. A
network that reads windows does not know where they are, so its accuracy is about appearance alone;
the baseline says how little that accuracy would be worth as a way to annotate such a slice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.annotations.store import Labels
from brainarch.statistics.bootstrap import Estimate, stratified_mean


def copy_annotation(
    labels: Labels,
    slices: Sequence[int],
    z: NDArray[np.integer],
    y: NDArray[np.integer],
    x: NDArray[np.integer],
) -> NDArray[np.int64]:
    """Return the area code that the nearest training slice has at the same row and column.

    Parameters
    ----------
    labels : Labels
        Area labels.
    slices : sequence of int
        Training slices, at least one.
    z, y, x : ndarray of int, shape (n,)
        Pixels of other slices.

    Returns
    -------
    ndarray of int64, shape (n,)
        0 where the training slice is not labelled.
    """
    codes = np.zeros(len(z), dtype=np.int64)
    for index in np.unique(z):
        nearest = min(slices, key=lambda other: (abs(other - int(index)), other))
        own = z == index
        codes[own] = labels.read_slice(nearest)[y[own], x[own]]
    return codes


def position_rows(
    right: NDArray[np.bool_],
    copied: NDArray[np.bool_],
    strata: NDArray[np.integer],
    blocks: NDArray[np.integer],
    *,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return the accuracy of copying, and of the network minus it on the same patches.

    Parameters
    ----------
    right, copied : ndarray of bool, shape (n,)
        Whether the network, and the copied annotation, name each patch rightly.
    strata, blocks : ndarray of int, shape (n,)
        Group that each patch was drawn from, and its block.
    resamples, seed : int
        Of the block bootstrap.

    Returns
    -------
    pandas.DataFrame
        Rows position_accuracy and above_position: area, metric, value, low, high, patches, blocks.
    """
    above = right.astype(np.int8) - copied.astype(np.int8)
    found: dict[str, Estimate] = {
        metric: stratified_mean(values, strata, blocks, resamples=resamples, seed=seed, share=share)
        for metric, values, share in (
            ("position_accuracy", copied, True),
            ("above_position", above, False),
        )
    }
    rows = [
        {
            "area": "all",
            "metric": metric,
            "value": entry.value,
            "low": entry.low,
            "high": entry.high,
            "patches": len(right),
            "blocks": entry.blocks,
        }
        for metric, entry in found.items()
    ]
    return pd.DataFrame(rows)
