from __future__ import annotations

import numpy as np
import pytest
import torch

from small_inputs import small_network


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
def trained():
    return small_network()
