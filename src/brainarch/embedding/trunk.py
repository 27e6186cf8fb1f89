"""The area network's trunk as a describer of patches."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from brainarch.network.architecture import REPRESENTATION_UNITS
from brainarch.network.grey import Normalisation
from brainarch.network.trained import TrainedNetwork
from brainarch.network.untrained import untrained_network

#: Windows in one pass through the network; measured fastest on a CPU with channels last.
BATCH = 16


class TrunkDescriber:
    """Represents windows by a network's last hidden layer, after the ReLU (V, M).

    Parameters
    ----------
    trunk : torch.nn.Module
        Maps (n, 1, 134, 134) to (n, 64); a copy is used, in evaluation mode.
    normalisation : Normalisation
        Of the slices that the network was trained on.
    """

    def __init__(self, trunk: nn.Module, normalisation: Normalisation) -> None:
        self._trunk = copy.deepcopy(trunk).eval()
        convert_conv2d_weight_memory_format(self._trunk, torch.channels_last)
        self._normalisation = normalisation

    @property
    def unit_names(self) -> tuple[str, ...]:
        """Names unit_00 ... unit_63."""
        return tuple(f"unit_{index:02d}" for index in range(REPRESENTATION_UNITS))

    @property
    def commensurate(self) -> bool:
        """All units belong to one layer."""
        return True

    def describe(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the representations, shape (n, 64), of windows of grey values in [0, 1]."""
        result = np.empty((len(windows), REPRESENTATION_UNITS), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(windows), BATCH):
                part = self._normalisation.apply(windows[start : start + BATCH])
                batch = torch.from_numpy(part)[:, None].to(memory_format=torch.channels_last)
                result[start : start + BATCH] = self._trunk(batch).numpy()
        return result


def trained_trunk(trained: TrainedNetwork, _seed: int) -> TrunkDescriber:
    """Return the trained network as a describer."""
    return TrunkDescriber(trained.network.trunk, trained.normalisation)


def untrained_trunk(trained: TrainedNetwork, seed: int) -> TrunkDescriber:
    """Return the same network as it is before training, from a seed, as a describer."""
    return trained_trunk(untrained_network(trained, seed), seed)
