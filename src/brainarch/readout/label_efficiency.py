"""How many labels a representation needs: linear probes on a few independent blocks of labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.embedding.representations import Representations
from brainarch.progress import progress
from brainarch.readout.classifiers import FittedClassifier, make_classifiers
from brainarch.readout.convergence import fit_checked
from brainarch.seeds import generator
from brainarch.statistics.blocks import spatial_blocks

#: Labelled blocks of each area.
COUNTS = (1, 2, 4, 8)
#: The classifier that is fitted.
PROBE = "logistic"

EFFICIENCY_COLUMNS = {
    "network": "network whose representation is classified",
    "blocks": "labelled spatial blocks of each area, or all that it has where these are fewer",
    "every": "whether these are all blocks of the training patches",
    "draws": "draws of blocks",
    "patches": "labelled patches, mean over draws",
    "accuracy": "accuracy of logistic regression on all test patches, mean over draws (0 to 1)",
    "spread": "standard deviation over draws",
    "lowest": "lowest of the draws",
    "highest": "highest of the draws",
}


def efficiency_table(
    train: Mapping[str, Representations],
    test: Mapping[str, Representations],
    *,
    side: int,
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """Return the accuracy of a linear probe by how many blocks of each area are labelled.

    Every network is given the same blocks.

    Parameters
    ----------
    train, test : mapping of str to Representations
        By network, of the same patches.
    side : int
        Side of a block in pixels.
    draws : int
        Draws of blocks for each number of them.
    seed : int
        Of the draws.

    Returns
    -------
    pandas.DataFrame
        Columns as in `EFFICIENCY_COLUMNS`.
    """
    first = next(iter(train.values()))
    blocks = spatial_blocks(first.z, first.y, first.x, side)
    most = max(len(np.unique(blocks[first.area == area])) for area in np.unique(first.area))
    chosen = {
        count: [labelled(first.area, blocks, count, seed, draw) for draw in range(draws)]
        for count in COUNTS
        if count < most
    } | {most: [np.arange(len(first))]}
    jobs = [(network, count) for network in train for count in chosen]
    rows: list[dict[str, Any]] = []
    for network, count in progress(jobs, desc="probing with few labels", unit="probe"):
        held = test[network]
        accuracy = [
            float((_probe(train[network], own).predict(held.values) == held.area).mean())
            for own in chosen[count]
        ]
        rows.append(
            {
                "network": network,
                "blocks": count,
                "every": count == most,
                "draws": len(accuracy),
                "patches": float(np.mean([len(own) for own in chosen[count]])),
                "accuracy": float(np.mean(accuracy)),
                "spread": float(np.std(accuracy, ddof=1)) if len(accuracy) > 1 else np.nan,
                "lowest": min(accuracy),
                "highest": max(accuracy),
            }
        )
    return pd.DataFrame(rows, columns=list(EFFICIENCY_COLUMNS))


def labelled(
    area: NDArray[np.integer], blocks: NDArray[np.integer], count: int, seed: int, draw: int
) -> NDArray[np.int64]:
    """Draw labelled patches: of each area those in so many of its blocks.

    Parameters
    ----------
    area, blocks : ndarray of int, shape (n,)
        Area and block of each patch.
    count : int
        Blocks of each area; all that it has where these are fewer.
    seed, draw : int

    Returns
    -------
    ndarray of int64
        Rows, ascending.
    """
    rng = generator(seed, f"labelled blocks, {count} of each area, draw {draw}")
    rows = []
    for index in np.unique(area):
        own = np.flatnonzero(area == index)
        there = np.unique(blocks[own])
        taken = rng.choice(there, min(count, len(there)), replace=False)
        rows.append(own[np.isin(blocks[own], taken)])
    return np.sort(np.concatenate(rows)).astype(np.int64)


def _probe(content: Representations, rows: NDArray[np.int64]) -> FittedClassifier:
    own, model = content.rows(rows), make_classifiers()[PROBE]
    name = f"{PROBE} on {len(rows)} patches of {content.network}"
    return FittedClassifier(model, fit_checked(model, own.values, own.area, name=name))
