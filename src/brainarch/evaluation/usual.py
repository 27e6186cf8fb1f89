"""What is usual in the training areas: the only part of novelty that needs scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.covariance import LedoitWolf

from brainarch.embedding.representations import Representations, load_representations
from brainarch.errors import InputError
from brainarch.evaluation.novelty import Usual, write_usual


def fit_novelty(*, representations: Path, novelty: Path, quantile: float) -> None:
    """Describe what is usual in the training areas, against which novelty is measured.

    Parameters
    ----------
    representations : Path
        Of the training patches by the trained network.
    novelty : Path
        Description to write (JSON): means, precision, threshold.
    quantile : float
        Share of the training patches that is to count as usual.

    Raises
    ------
    InputError
        If the representations are missing, damaged or all the same.
    """
    write_usual(fit_usual(load_representations(representations), quantile), novelty)


def fit_usual(train: Representations, quantile: float) -> Usual:
    """Describe the training patches; the covariance is shrunk after Ledoit and Wolf.

    Parameters
    ----------
    train : Representations
        Of the training patches by the network itself.
    quantile : float
        Share of them that is to count as usual.

    Raises
    ------
    InputError
        If the representations do not vary inside any area.
    """
    present, index = np.unique(train.area, return_inverse=True)
    values = train.values.astype(np.float64)
    means = np.stack([values[index == own].mean(axis=0) for own in range(len(present))])
    inside = values - means[index]
    if not inside.any():
        raise InputError(
            "training patches: their representation is the same all over each area, so that "
            "novelty has no measure; train longer, or sample more patches"
        )
    model = LedoitWolf(assume_centered=True).fit(inside)
    usual = Usual(means, model.precision_, quantile, np.inf, train.network_digest)
    threshold = float(np.quantile(usual.distances(train.values), quantile))
    return Usual(means, model.precision_, quantile, threshold, train.network_digest)
