from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
import zarr

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.network.architecture import AreaNetwork
from brainarch.network.checkpoint import Checkpoint, save_checkpoint
from brainarch.network.grey import Normalisation
from brainarch.patches.table import write_patches
from brainarch.volume.store import ATTRIBUTE, multiscale_attributes

AREAS = ("Ctx", "Str", "WM")


def patch_table(n, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "z": rng.choice([5, 6], n),
            "y": rng.integers(0, 170, n),
            "x": rng.integers(0, 180, n),
            "area": np.array(AREAS, dtype=object)[np.arange(n) % 3],
            "share": 1.0,
            "block": rng.integers(0, 6, n),
        }
    )


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def files(tmp_path):
    """A small volume of slices 5 and 6, a network, a legend and a patch table."""
    rng = np.random.default_rng(0)
    attributes = {
        "ome": multiscale_attributes("v", [(1.17,) * 3], [(5 * 1.17, 0, 0)]),
        ATTRIBUTE: {"first_slice": 5},
    }
    group = zarr.open_group(tmp_path / "volume.ome.zarr", mode="w", attributes=attributes)
    grey = rng.integers(0, 256, (2, 170, 180), dtype=np.uint8)
    group.create_array("0", data=grey, chunks=(1, 64, 64))
    torch.manual_seed(7)
    checkpoint = Checkpoint(
        AreaNetwork(3).eval(), AREAS, Normalisation(0.45, 0.2), 1.17, "uint8", {}
    )
    save_checkpoint(checkpoint, tmp_path / "network.safetensors")
    write_legend(make_legend(list(AREAS)), tmp_path / "legend.csv")
    write_patches(patch_table(12), tmp_path / "test.csv")
    return tmp_path
