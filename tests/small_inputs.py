"""A small volume, network, legend and patch table, for tests of several rooms."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
import zarr

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.network.trained import TrainedNetwork, save_network
from brainarch.patches.table import write_patches
from brainarch.tables import write_table
from brainarch.volume.store import ATTRIBUTE, multiscale_attributes

AREAS = ("Ctx", "Str", "WM")


def write_volume(path: Path, grey: np.ndarray, first_slice: int = 0) -> None:
    attributes = {
        "ome": multiscale_attributes("v", [(1.17,) * 3], [(first_slice * 1.17, 0, 0)]),
        ATTRIBUTE: {"first_slice": first_slice},
    }
    group = zarr.open_group(path, mode="w", attributes=attributes)
    group.create_array("0", data=grey, chunks=(1, 64, 64))


def patch_table(n: int, seed: int = 0) -> pd.DataFrame:
    """Return places on slices 5 and 6 of 170 x 180 pixels, the areas in turn."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "z": rng.choice([5, 6], n),
            "y": rng.integers(0, 170, n),
            "x": rng.integers(0, 180, n),
            "area": np.array(AREAS, dtype=object)[np.arange(n) % 3],
            "share": 1.0,
        }
    )


def small_network(seed: int = 7) -> TrainedNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = AreaNetwork(len(AREAS)).eval()
    return TrainedNetwork(network, AREAS, Normalisation(0.45, 0.2), 1.17, "uint8", {})


def write_inputs(folder: Path) -> None:
    """Write a volume of slices 5 and 6, a network, a legend and 12 patches."""
    grey = np.random.default_rng(0).integers(0, 256, (2, 170, 180), dtype=np.uint8)
    write_volume(folder / "volume.ome.zarr", grey, first_slice=5)
    save_network(small_network(), folder / "network.safetensors")
    write_legend(make_legend(list(AREAS)), folder / "legend.csv")
    write_patches(patch_table(12), folder / "test.csv")


def write_plain(frame: pd.DataFrame, path: Path) -> None:
    """Write a table whose columns mean nothing."""
    write_table(frame, path, dict.fromkeys(frame.columns, ""))
