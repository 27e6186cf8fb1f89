"""The network as it is before training: what learning adds is measured against it."""

from __future__ import annotations

from dataclasses import replace

import torch

from brainarch.network.architecture import AreaNetwork
from brainarch.network.trained import TrainedNetwork
from brainarch.seeds import derived_seed


def untrained_network(trained: TrainedNetwork, seed: int) -> TrainedNetwork:
    """Return the same network as it is before training, from a seed; it names no areas.

    It sees grey values as the trained one does. The global random state of torch is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(seed, "untrained network"))
        network = AreaNetwork(0).eval()
    return replace(trained, network=network, areas=(), training={"seed": seed})
