from __future__ import annotations

import numpy as np
import pytest
import torch

from brainarch.network.architecture import AreaNetwork
from brainarch.network.checkpoint import Checkpoint
from brainarch.network.grey import Normalisation


class FakeVolume:
    """Slices in memory."""

    def __init__(self, slices):
        self.slices = slices
        self.reads = []

    def read_slice(self, z):
        self.reads.append(z)
        return self.slices[z]


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def volume():
    rng = np.random.default_rng(0)
    return FakeVolume({z: rng.integers(0, 256, (170, 180), dtype=np.uint8) for z in (4, 9)})


@pytest.fixture
def checkpoint():
    torch.manual_seed(7)
    return Checkpoint(
        network=AreaNetwork(3).eval(),
        areas=("Ctx", "Str", "WM"),
        normalisation=Normalisation(0.45, 0.2),
        voxel_um=1.17,
        dtype="uint8",
        training={},
    )
