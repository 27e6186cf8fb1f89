"""A linear probe: what of the areas a linear classifier reads off representations.

Logistic regression on standardised units (ours: scikit-learn's default strength), every area with
the same weight, fitted on some labelled pixels and scored on others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from brainarch.geometry import STRIDE, WINDOW, pad_slice
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation, to_unit
from brainarch.readout.convergence import fit_checked
from brainarch.training.crops import crop_representations

#: Most iterations of the logistic regression.
MAX_ITERATIONS = 2000
#: Rows of windows that are computed at once.
BAND = 8


@dataclass(frozen=True)
class ProbeScore:
    """How well a probe names the areas of pixels that it was not fitted on.

    Parameters
    ----------
    accuracy : float
        Share of pixels whose area is right.
    recalls : ndarray of float64, shape (areas,)
        By area; their mean is the accuracy at equal area weights.
    """

    accuracy: float
    recalls: NDArray[np.float64]

    @property
    def mean_recall(self) -> float:
        """Return the accuracy at equal area weights."""
        return float(self.recalls.mean())


@torch.inference_mode()
def grid_representations(
    network: AreaNetwork, grey: NDArray[np.generic], normalisation: Normalisation
) -> NDArray[np.float32]:
    """Return the representations of the pixels of a grid of 16 pixels, which share their maps.

    Parameters
    ----------
    network : AreaNetwork
        In evaluation mode.
    grey : ndarray of uint8 or uint16, shape (rows, columns)
        A slice.
    normalisation : Normalisation
        Of the network's training.

    Returns
    -------
    ndarray of float32, shape (rows / 16, columns / 16, 64), rounded up
        Of pixels ``[::16, ::16]``.
    """
    device = next(network.parameters()).device
    padded = torch.from_numpy(normalisation.apply(to_unit(pad_slice(grey))))
    lines = range(0, grey.shape[0], STRIDE)
    bands = []
    for first in range(0, len(lines), BAND):
        height = WINDOW + STRIDE * (len(lines[first : first + BAND]) - 1)
        band = padded[None, None, lines[first] :][:, :, :height].to(device)
        bands.append(crop_representations(network, band)[0].cpu().numpy())
    return np.concatenate(bands)


def draw_labels(
    areas: NDArray[np.integer], number: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw pixels, as many of each area, none twice.

    Parameters
    ----------
    areas : ndarray of int, shape (n,)
        Area of each pixel.
    number : int
        Of each area; all that there are where an area has fewer.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int64
        Positions in ``areas``.
    """
    parts = [rng.permutation(np.flatnonzero(areas == area))[:number] for area in np.unique(areas)]
    return np.concatenate(parts)


def fit_probe(values: NDArray[np.float32], areas: NDArray[np.integer]) -> Pipeline:
    """Fit a probe.

    Parameters
    ----------
    values : ndarray of float32, shape (n, units)
        Representations.
    areas : ndarray of int, shape (n,)
        Index of each one's area.
    """
    model: Any = LogisticRegression(class_weight="balanced", max_iter=MAX_ITERATIONS)
    pipeline = make_pipeline(StandardScaler(), model)
    fit_checked(pipeline, values, areas, name="linear probe")
    return pipeline


def score_probe(
    probe: Pipeline, values: NDArray[np.float32], areas: NDArray[np.integer]
) -> ProbeScore:
    """Score a probe on other pixels, see `fit_probe`; recalls are of the areas that occur there."""
    right = probe.predict(values) == areas
    recalls = [right[areas == area].mean() for area in np.unique(areas)]
    return ProbeScore(float(right.mean()), np.array(recalls))


def probe_score(
    train: tuple[NDArray[np.float32], NDArray[np.integer]],
    test: tuple[NDArray[np.float32], NDArray[np.integer]],
    number: int | None = None,
    *,
    draws: int = 10,
    seed: int = 0,
) -> ProbeScore:
    """Fit a probe on all labels, or on a few of each area, and score it.

    Parameters
    ----------
    train, test : tuple of ndarray
        Representations and areas.
    number : int, optional
        Labels of each area; all if left out.
    draws : int
        Times that a few labels are drawn; the scores are their means.
    seed : int

    Returns
    -------
    ProbeScore
    """
    values, areas = train
    if number is None:
        return score_probe(fit_probe(values, areas), *test)
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(draws):
        chosen = draw_labels(areas, number, rng)
        scores.append(score_probe(fit_probe(values[chosen], areas[chosen]), *test))
    return ProbeScore(
        float(np.mean([score.accuracy for score in scores])),
        np.mean([score.recalls for score in scores], axis=0),
    )
