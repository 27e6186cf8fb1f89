"""What a trained network says of sampled patches: a probability for each area."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from brainarch.embedding.describe import describe_patches
from brainarch.embedding.trunk import TrunkDescriber
from brainarch.embedding.windows import SliceReader
from brainarch.network.trained import TrainedNetwork
from brainarch.patches.table import Places


def area_probabilities(
    trained: TrainedNetwork, reader: SliceReader, places: Places
) -> NDArray[np.float64]:
    """Return the probability that the network gives each area.

    Parameters
    ----------
    trained : TrainedNetwork
    reader : SliceReader
        For example a volume.
    places : Places
        The patches, n of them.

    Returns
    -------
    ndarray of float64, shape (n, areas)
        Rows sum to 1; columns in the order of ``trained.areas``. A network that knows what is
        outside says which area it is if it is one.
    """
    describer = TrunkDescriber(trained.network.trunk, trained.normalisation)
    units = describe_patches(describer, reader, places, desc="evaluating patches")
    with torch.inference_mode():
        logits = trained.network.head(torch.from_numpy(units)).double()[:, : len(trained.areas)]
        probabilities: NDArray[np.float64] = torch.softmax(logits, dim=1).numpy()
    return probabilities


def predicted_areas(
    probabilities: NDArray[np.float64], allowed: Sequence[int] | None = None
) -> NDArray[np.int64]:
    """Return the likeliest area of each patch.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, areas)
        Or logits.
    allowed : sequence of int, optional
        Indices of the areas to choose from; all by default. Leaving areas out is the same as
        taking the softmax over the logits of the others.

    Returns
    -------
    ndarray of int64, shape (n,)
        Area indices.
    """
    columns = np.arange(probabilities.shape[1]) if allowed is None else np.asarray(allowed)
    likeliest: NDArray[np.int64] = columns[probabilities[:, columns].argmax(axis=1)]
    return likeliest.astype(np.int64)
