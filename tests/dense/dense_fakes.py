"""A narrow network with the real one's geometry, slices, and the brute-force reference."""

import copy
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

from brainarch.geometry import cut_windows
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation, to_unit
from brainarch.network.trained import TrainedNetwork

AREAS = ("Ctx", "Str", "VP")
UNITS = 5


class NarrowNetwork(nn.Module):
    """AreaNetwork's layers with few filters, so that brute force takes seconds."""

    def __init__(self, n_areas=len(AREAS)):
        super().__init__()
        self.n_areas = n_areas
        self.trunk = nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(1, 2, 7),
                relu1=nn.ReLU(),
                pool1=nn.MaxPool2d(2),
                conv2=nn.Conv2d(2, 3, 5),
                relu2=nn.ReLU(),
                pool2=nn.MaxPool2d(2),
                conv3=nn.Conv2d(3, 4, 3),
                relu3=nn.ReLU(),
                pool3=nn.MaxPool2d(2),
                conv4=nn.Conv2d(4, 6, 3),
                relu4=nn.ReLU(),
                pool4=nn.MaxPool2d(2),
                flatten=nn.Flatten(),
                fc1=nn.Linear(6 * 6 * 6, 16),
                relu5=nn.ReLU(),
                dropout1=nn.Dropout(0.3),
                fc2=nn.Linear(16, UNITS),
                relu6=nn.ReLU(),
            )
        )
        self.head = nn.Linear(UNITS, n_areas)


def narrow_network(seed=0):
    return _seeded(NarrowNetwork, seed)


def real_network(seed=0, n_areas=len(AREAS)):
    return _seeded(lambda: AreaNetwork(n_areas), seed)


def _seeded(make, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = make().eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            # Large enough biases of both signs: a forgotten one, or a ReLU too many, shows.
            nn.init.uniform_(module.bias, -0.3, 0.3, generator=torch.Generator().manual_seed(seed))
    return network


def trained_of(network, normalisation=None):
    return TrainedNetwork(
        network=network,
        areas=AREAS,
        normalisation=normalisation or Normalisation(0.45, 0.2),
        pixel_um=1.17,
        dtype="uint8",
        training={},
    )


def textured_slice(rows, columns, seed=0, dtype=np.uint8):
    """Return grey values without any symmetry, so that no two windows are alike."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(size=(rows // 8 + 2, columns // 8 + 2))
    smooth = np.kron(coarse, np.ones((8, 8)))[:rows, :columns]
    grey = 115 + 30 * smooth + 25 * rng.normal(size=(rows, columns))
    scale = np.iinfo(dtype).max / 255
    return (np.clip(grey, 0, 255) * scale).astype(dtype)


def brute_force(grey, trained, y, x, dtype=torch.float64):
    """Cut every window out and run it alone: (n, units)."""
    trunk = copy.deepcopy(trained.network.trunk).to(dtype)
    found = []
    for start in range(0, len(y), 64):
        part = slice(start, start + 64)
        unit = to_unit(cut_windows(grey, y[part], x[part]))
        windows = torch.from_numpy(trained.normalisation.apply(unit))[:, None].to(dtype)
        with torch.inference_mode():
            found.append(trunk(windows).numpy())
    return np.concatenate(found)


def assert_exact(found, reference, reference64):
    """Check DESIGN.md section 3's definition of exact."""
    for wanted in (reference.astype(np.float64), reference64):
        difference = found.astype(np.float64) - wanted
        assert np.abs(difference).max() <= 1e-5 * np.abs(wanted).max()
        assert np.linalg.norm(difference) <= 2e-6 * np.linalg.norm(wanted)
