"""Paired differences: two predictors on the same patches and blocks (ours)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.embedding.representations import Representations
from brainarch.statistics.bootstrap import stratified_mean

#: Name of a network's own last layer among the classifiers.
HEAD = "cnn"

DIFFERENCE_COLUMNS = {
    "network": "network of the first predictor",
    "classifier": "its classifier",
    "other_network": "network of the second predictor",
    "other_classifier": "its classifier: the same, on another network; or cnn, the network's own "
    "last layer",
    "difference": "accuracy of the first minus that of the second, on the same test patches",
    "low": "lower end of the difference's 95 % interval (spatial block bootstrap, paired); empty "
    "for fewer than 8 blocks",
    "high": "upper end of that interval",
    "patches": "test patches",
    "blocks": "spatial blocks of these patches, the units of the bootstrap",
}

#: Two predictors (network, classifier).
Pair = tuple[tuple[str, str], tuple[str, str]]
#: What each predictor (network, classifier) says of every patch: area indices, shape (n,).
Predictions = Mapping[tuple[str, str], NDArray[np.integer]]


def difference_table(
    predictions: Predictions,
    test: Representations,
    blocks: NDArray[np.integer],
    *,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return the differences that the tables of accuracies invite to read.

    Every classifier on the trained network is compared with the same on each other network, and
    with the network's own last layer.

    Parameters
    ----------
    predictions : mapping of (str, str) to ndarray of int
        By network and classifier.
    test : Representations
        The patches.
    blocks : ndarray of int, shape (n,)
        Spatial block of each patch.
    resamples, seed : int
        Of the block bootstrap.

    Returns
    -------
    pandas.DataFrame
        Columns as in `DIFFERENCE_COLUMNS`.
    """
    pairs = likely_pairs(list(predictions))
    rows = difference_rows(pairs, predictions, test, blocks, resamples=resamples, seed=seed)
    return pd.DataFrame(rows, columns=list(DIFFERENCE_COLUMNS))


def difference_rows(
    pairs: Sequence[Pair],
    predictions: Predictions,
    test: Representations,
    blocks: NDArray[np.integer],
    *,
    resamples: int,
    seed: int,
) -> list[tuple[object, ...]]:
    """Return one row of `difference_table` for each pair of predictors."""
    rows: list[tuple[object, ...]] = []
    for first, other in pairs:
        right = [(predictions[which] == test.area).astype(np.int8) for which in (first, other)]
        found = stratified_mean(
            right[0] - right[1], test.area, blocks, resamples=resamples, seed=seed, share=False
        )
        rows.append((*first, *other, found.value, found.low, found.high, len(test), found.blocks))
    return rows


def likely_pairs(which: list[tuple[str, str]]) -> list[Pair]:
    """Return which predictors `difference_table` compares."""
    trained = next((network for network, classifier in which if classifier == HEAD), HEAD)
    own = [entry for entry in which if entry[0] == trained and entry[1] != HEAD]
    between = [
        (entry, other)
        for entry in own
        for other in which
        if other[1] == entry[1] and other[0] != trained
    ]
    head = (trained, HEAD)
    return between + [(entry, head) for entry in own if head in which]
