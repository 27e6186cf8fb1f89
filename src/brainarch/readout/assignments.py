"""Classifiers over several assignments of one slice's parts to splits, as one sample (ours).

The test parts of different assignments are the same tissue in part, so their patches are resampled
together: blocks lie on one grid over the slice, whatever the assignment. Every area of every
assignment weighs alike, so that an accuracy is the mean over assignments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.embedding.names import CNN
from brainarch.embedding.representations import Representations
from brainarch.readout.classifiers import fit_classifiers, score
from brainarch.readout.differences import DIFFERENCE_COLUMNS, HEAD, difference_rows, likely_pairs
from brainarch.statistics.blocks import spatial_blocks

#: What stands in column assignment for the mean over all.
MEAN = "mean"

ASSIGNMENT_COLUMNS = {
    "assignment": f"run whose parts are meant, or {MEAN} of all",
    "network": "network whose representation is classified",
    "classifier": "cnn (the network's own last layer), logistic, linear_svm or rbf_svm; fitted on "
    "the training patches of the same assignment",
    "accuracy": "share of test patches whose area is predicted (0 to 1)",
    "low": "lower end of the 95 % interval (spatial block bootstrap; none below 8 blocks)",
    "high": "upper end of the 95 % interval",
    "patches": "test patches",
    "blocks": "spatial blocks of these patches, the units of the bootstrap",
}

OVER_ASSIGNMENTS_COLUMNS = {
    **DIFFERENCE_COLUMNS,
    "other_classifier": "its classifier: the same, on another network; for the last layer the one "
    "that reads that network best; or cnn, the network's own last layer",
}

#: Representations by network.
ByNetwork = Mapping[str, Representations]


def assignment_tables(
    train: Mapping[str, ByNetwork],
    test: Mapping[str, ByNetwork],
    heads: Mapping[str, NDArray[np.integer]],
    *,
    block_px: int,
    resamples: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit and score classifiers in every assignment, and compare them over all.

    Parameters
    ----------
    train, test : mapping of str to mapping of str to Representations
        By assignment and network; the same networks in each.
    heads : mapping of str to ndarray of int, shape (n,)
        By assignment: area indices that the trained network's last layer predicts.
    block_px, resamples, seed : int
        Of the block bootstrap.

    Returns
    -------
    tuple of pandas.DataFrame
        Accuracies, columns as in `ASSIGNMENT_COLUMNS`. Differences over all assignments, columns as
        in `OVER_ASSIGNMENTS_COLUMNS`: those that one assignment has, and
        the last layer against the classifier that reads each other network best. That one is
        chosen on the very patches, which favours the other network.
    """
    bootstrap = {"resamples": resamples, "seed": seed, "block_px": block_px}
    said: dict[tuple[str, str], list[NDArray[np.integer]]] = {}
    rows = []
    for run, networks in test.items():
        predicted = {(CNN, HEAD): heads[run]} | {
            (network, name): classifier.predict(networks[network].values)
            for (network, name), classifier in fit_classifiers(train[run]).items()
        }
        for which, indices in predicted.items():
            said.setdefault(which, []).append(indices)
            found = score(indices, networks[which[0]], **bootstrap)
            rows.append((run, *which, *found.values()))
    own_parts = [networks[CNN] for networks in test.values()]
    together = join_assignments(own_parts)
    offsets = np.concatenate([np.full(len(p), i * len(p.areas)) for i, p in enumerate(own_parts)])
    joined = {which: np.concatenate(parts) + offsets for which, parts in said.items()}
    mean = {which: score(indices, together, **bootstrap) for which, indices in joined.items()}
    rows += [(MEAN, *which, *found.values()) for which, found in mean.items()]
    pairs = likely_pairs(list(joined))
    for network in dict.fromkeys(network for network, _ in joined if network != CNN):
        own = [which for which in joined if which[0] == network]
        pairs.append(((CNN, HEAD), max(own, key=lambda which: mean[which]["accuracy"])))
    blocks = spatial_blocks(together.z, together.y, together.x, block_px)
    differences = difference_rows(pairs, joined, together, blocks, resamples=resamples, seed=seed)
    return (
        pd.DataFrame(rows, columns=list(ASSIGNMENT_COLUMNS)),
        pd.DataFrame(differences, columns=list(OVER_ASSIGNMENTS_COLUMNS)),
    )


def join_assignments(parts: list[Representations]) -> Representations:
    """Return the patches of several assignments as one sample; each area of each is a class."""
    areas = parts[0].areas
    area = np.concatenate([part.area + i * len(areas) for i, part in enumerate(parts)])
    return replace(
        parts[0],
        values=np.concatenate([part.values for part in parts]),
        z=np.concatenate([part.z for part in parts]),
        y=np.concatenate([part.y for part in parts]),
        x=np.concatenate([part.x for part in parts]),
        area=area.astype(np.int32),
        areas=tuple(f"{name} {i}" for i in range(len(parts)) for name in areas),
    )
