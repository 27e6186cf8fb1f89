"""How well a network that was trained on one volume names the areas of another slice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from brainarch.geometry import cut_windows, patch_share
from brainarch.network.grey import to_unit
from brainarch.network.trained import TrainedNetwork

#: Step in px between the patches that are named (ours).
STEP = 24
#: Windows that the network reads at a time (ours).
BATCH = 128


def named_areas(
    trained: TrainedNetwork,
    image: NDArray[np.uint8],
    y: NDArray[np.int64],
    x: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the index, into the trained network's areas, of the area named at each pixel."""
    named = []
    with torch.inference_mode():
        for start in range(0, len(y), BATCH):
            rows = slice(start, start + BATCH)
            unit = to_unit(cut_windows(image, y[rows], x[rows]))
            windows = torch.from_numpy(trained.normalisation.apply(unit))[:, None]
            named.append(trained.network(windows).argmax(dim=1).numpy())
    return np.concatenate(named)


def transfer_report(
    trained: TrainedNetwork,
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    codes: Mapping[str, int],
) -> dict[str, Any]:
    """Return how often the network names the area of a slice's patches rightly.

    Patches lie wholly inside an area, or to 75 % where fewer than 20 do.

    Parameters
    ----------
    trained : TrainedNetwork
        The trained network.
    image, labels : uint8 arrays (n_y, n_x)
        A slice and its area codes.
    codes : mapping of str to int
        Code of each area.
    """
    known = [name for name in codes if name in trained.areas]
    confusion = np.zeros((len(known), len(trained.areas)), int)
    for i, name in enumerate(known):
        share = patch_share(labels == codes[name])[::STEP, ::STEP]
        y, x = np.nonzero(share >= 1.0)
        if len(y) < 20:
            y, x = np.nonzero(share >= 0.75)
        named = named_areas(trained, image, y * STEP, x * STEP)
        confusion[i] = np.bincount(named, minlength=len(trained.areas))
    right = np.array([confusion[i, trained.areas.index(name)] for i, name in enumerate(known)])
    recall = right / np.maximum(confusion.sum(axis=1), 1)
    return {
        "balanced_accuracy": round(float(recall.mean()), 4),
        "chance": round(1 / len(trained.areas), 4),
        "recall": {name: round(float(r), 4) for name, r in zip(known, recall, strict=True)},
        "areas_named": list(trained.areas),
        "confusion": {name: row.tolist() for name, row in zip(known, confusion, strict=True)},
        "note": "a network trained on the phantom, applied to the real slice without any change",
    }
