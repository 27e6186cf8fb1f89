"""Classifiers on representations (V, Fig. 4): fitted on train patches, scored on others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from brainarch.embedding.representations import NoisyRepresentations, Representations
from brainarch.progress import progress
from brainarch.readout.convergence import fit_checked
from brainarch.statistics.blocks import spatial_blocks
from brainarch.statistics.bootstrap import stratified_mean

#: Most iterations of the logistic regression and the linear SVM.
MAX_ITERATIONS = 5000
#: Inverse strength of regularisation of all classifiers, on standardised units (ours:
#: scikit-learn's default; nothing is tuned, so no split is looked at twice).
REGULARISATION = 1.0

CLASSIFIER_COLUMNS = {
    "network": "network whose representation is classified",
    "classifier": "cnn (the network's own last layer), logistic, linear_svm or rbf_svm",
    "split": "patches that are scored; classifiers are fitted on train",
    "accuracy": "share of patches whose area is predicted (0 to 1)",
    "low": "lower end of the 95 % interval (spatial block bootstrap; none below 8 blocks)",
    "high": "upper end of the 95 % interval",
    "patches": "patches that are scored",
    "blocks": "spatial blocks of these patches, the units of the bootstrap",
    "converged": "whether the fit converged",
}
NOISE_COLUMNS = {
    "network": "network whose representation is classified",
    "classifier": "logistic, linear_svm or rbf_svm; fitted on clean train patches",
    "variance": "variance of Gaussian noise on grey values in [0, 1], clipped",
    "accuracy": "share of noisy patches whose area is predicted (0 to 1)",
    "low": "lower end of the 95 % interval (spatial block bootstrap; none below 8 blocks)",
    "high": "upper end of the 95 % interval",
    "patches": "patches that are scored",
    "blocks": "spatial blocks of these patches, the units of the bootstrap",
}


@dataclass(frozen=True)
class FittedClassifier:
    """A classifier that was fitted, and whether the fit converged."""

    pipeline: Pipeline
    converged: bool

    def predict(self, values: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the area index of every representation."""
        return np.asarray(self.pipeline.predict(values), dtype=np.int64)


def make_classifiers() -> dict[str, Pipeline]:
    """Return the classifiers, not fitted; each standardises the units first (ours)."""
    models: dict[str, Any] = {
        "logistic": LogisticRegression(C=REGULARISATION, max_iter=MAX_ITERATIONS),
        "linear_svm": LinearSVC(C=REGULARISATION, dual=False, max_iter=MAX_ITERATIONS),
        "rbf_svm": SVC(C=REGULARISATION, kernel="rbf", gamma="scale"),
    }
    return {name: make_pipeline(StandardScaler(), model) for name, model in models.items()}


def fit_classifiers(
    train: Mapping[str, Representations],
) -> dict[tuple[str, str], FittedClassifier]:
    """Fit every classifier on every network's train representations.

    Parameters
    ----------
    train : mapping of str to Representations
        By network.

    Returns
    -------
    dict
        By network and classifier.
    """
    jobs = [
        (network, name, pipeline)
        for network in train
        for name, pipeline in make_classifiers().items()
    ]
    fitted = {}
    for network, name, pipeline in progress(jobs, desc="fitting classifiers", unit="fit"):
        content = train[network]
        converged = fit_checked(pipeline, content.values, content.area, name=f"{name} on {network}")
        fitted[network, name] = FittedClassifier(pipeline, converged)
    return fitted


def classifier_table(
    classifiers: Mapping[tuple[str, str], FittedClassifier],
    scored: Mapping[str, Mapping[str, Representations]],
    *,
    resamples: int,
    block_px: int,
    seed: int,
) -> pd.DataFrame:
    """Return the accuracy of every classifier on every split.

    Parameters
    ----------
    classifiers : mapping
        From `fit_classifiers`.
    scored : mapping of str to mapping
        Split to network to representations.
    resamples, block_px, seed : int
        Of the block bootstrap.

    Returns
    -------
    pandas.DataFrame
        Columns as in `CLASSIFIER_COLUMNS`.
    """
    bootstrap = {"resamples": resamples, "block_px": block_px, "seed": seed}
    rows = [
        {
            "network": network,
            "classifier": name,
            "split": split,
            **score(classifier.predict(networks[network].values), networks[network], **bootstrap),
            "converged": classifier.converged,
        }
        for split, networks in scored.items()
        for (network, name), classifier in classifiers.items()
    ]
    return pd.DataFrame(rows, columns=list(CLASSIFIER_COLUMNS))


def head_row(
    network: str,
    predicted: NDArray[np.integer],
    test: Representations,
    *,
    resamples: int,
    block_px: int,
    seed: int,
) -> pd.DataFrame:
    """Return the row of a network's own last layer, for reference.

    Parameters
    ----------
    network : str
        Name of the network.
    predicted : ndarray of int, shape (n,)
        Area indices that its last layer predicts.
    test : Representations
        Of the same n patches.
    resamples, block_px, seed : int
        Of the block bootstrap.

    Returns
    -------
    pandas.DataFrame
        Columns as in `CLASSIFIER_COLUMNS`; converged is empty.
    """
    found = score(predicted, test, resamples=resamples, block_px=block_px, seed=seed)
    row = {"network": network, "classifier": "cnn", "split": "test", **found, "converged": None}
    return pd.DataFrame([row], columns=list(CLASSIFIER_COLUMNS))


def noise_table(
    classifiers: Mapping[tuple[str, str], FittedClassifier],
    noisy: Mapping[str, NoisyRepresentations],
    *,
    resamples: int,
    block_px: int,
    seed: int,
) -> pd.DataFrame:
    """Return the accuracy on noisy patches of classifiers fitted on clean ones (V; ours).

    Parameters
    ----------
    classifiers : mapping
        From `fit_classifiers`.
    noisy : mapping of str to NoisyRepresentations
        By network; networks without noisy representations are left out.
    resamples, block_px, seed : int
        Of the block bootstrap.

    Returns
    -------
    pandas.DataFrame
        Columns as in `NOISE_COLUMNS`.
    """
    bootstrap = {"resamples": resamples, "block_px": block_px, "seed": seed}
    jobs = [
        (network, name, classifier, float(variance), level)
        for (network, name), classifier in classifiers.items()
        if network in noisy
        for variance, level in zip(noisy[network].variance, noisy[network].levels, strict=True)
    ]
    rows = [
        {
            "network": network,
            "classifier": name,
            "variance": variance,
            **score(classifier.predict(level.values), level, **bootstrap),
        }
        for network, name, classifier, variance, level in progress(
            jobs, desc="scoring noisy patches", unit="score"
        )
    ]
    return pd.DataFrame(rows, columns=list(NOISE_COLUMNS))


def score(
    predicted: NDArray[np.integer],
    truth: Representations,
    *,
    resamples: int,
    block_px: int,
    seed: int,
) -> dict[str, float]:
    """Return the accuracy of predicted areas with its interval; columns as in the tables."""
    blocks = spatial_blocks(truth.z, truth.y, truth.x, block_px)
    right = predicted == truth.area
    found = stratified_mean(right, truth.area, blocks, resamples=resamples, seed=seed)
    return {
        "accuracy": found.value,
        "low": found.low,
        "high": found.high,
        "patches": len(right),
        "blocks": found.blocks,
    }
