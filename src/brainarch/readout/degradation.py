"""How well areas are read from worse images by classifiers that were fitted on clean ones."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from brainarch.embedding.names import change_of
from brainarch.embedding.representations import Representations
from brainarch.progress import progress
from brainarch.readout.classifiers import fit_classifiers, score

DEGRADATION_COLUMNS = {
    "network": "network whose representation is classified",
    "classifier": "logistic, linear_svm or rbf_svm; fitted on clean train patches",
    "change": "levels (grey levels left), contrast (factor), brightness (added to grey values in "
    "[0, 1]), blur (standard deviation in pixels), resolution (factor); none: as they are",
    "level": "how much of it; empty for none",
    "accuracy": "share of test patches whose area is predicted (0 to 1)",
    "low": "lower end of the 95 % interval (spatial block bootstrap; none below 8 blocks)",
    "high": "upper end of the 95 % interval",
    "patches": "patches that are scored",
    "blocks": "spatial blocks of these patches, the units of the bootstrap",
}


def degradation_table(
    train: Mapping[str, Representations],
    degraded: Mapping[str, Mapping[str, Representations]],
    *,
    resamples: int,
    block_px: int,
    seed: int,
) -> pd.DataFrame:
    """Return the accuracy of every classifier on every network's representation of worse images.

    Parameters
    ----------
    train : mapping of str to Representations
        By network.
    degraded : mapping of str to mapping of str to Representations
        By network and change, for example ``blur_1``; the same patches everywhere.
    resamples, block_px, seed : int
        Of the block bootstrap.

    Returns
    -------
    pandas.DataFrame
        Columns as in `DEGRADATION_COLUMNS`.
    """
    fitted = fit_classifiers(train)
    jobs = [
        (network, name, classifier, change, content)
        for (network, name), classifier in fitted.items()
        for change, content in degraded[network].items()
    ]
    bootstrap = {"resamples": resamples, "block_px": block_px, "seed": seed}
    rows = []
    for network, name, classifier, change, content in progress(
        jobs, desc="scoring degraded patches", unit="score"
    ):
        kind, level = change_of(change)
        found = score(classifier.predict(content.values), content, **bootstrap)
        where = {"network": network, "classifier": name, "change": kind, "level": level}
        rows.append({**where, **found})
    return pd.DataFrame(rows, columns=list(DEGRADATION_COLUMNS))
