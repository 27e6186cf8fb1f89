"""New brains: slices of phantoms of other seeds, named by the trained network (ours).

A test slice is of the brain that trained the network. Phantoms of other seeds share its anatomy's
rules and none of its cells, vessels and borders, and say how far the network goes beyond it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from brainarch.annotations.legend import read_legend
from brainarch.evaluation.probabilities import area_probabilities, predicted_areas
from brainarch.network.trained import TrainedNetwork, load_network, require_areas
from brainarch.patches.table import Places
from brainarch.phantom.compiled import use_threads
from brainarch.phantom.model import PhantomSpec, render_slice
from brainarch.progress import progress
from brainarch.seeds import generator
from brainarch.tables import write_table

BRAIN_COLUMNS = {
    "seed": "seed of the phantom that was rendered",
    "slice": "its slice",
    "area": "area, or all: the mean of the areas, each weighing the same",
    "recall": "share of its patches that were named rightly",
    "patches": "patches",
}


@dataclass(frozen=True)
class OneSlice:
    """What the patches of one slice are cut from.

    Parameters
    ----------
    grey : ndarray of uint8, shape (rows, columns)
    """

    grey: NDArray[np.uint8]

    def read_slice(self, z: int) -> NDArray[np.uint8]:
        """Return the slice, whatever its number."""
        return self.grey


def name_new_brains(
    *,
    network: Path,
    legend: Path,
    brains: Path,
    shape: Sequence[int],
    voxel_um: float,
    z: int,
    codes: Mapping[str, Sequence[int]],
    count: int,
    patches_per_area: int,
    seed: int,
    threads: int = 1,
) -> None:
    """Render a slice of phantoms of other seeds, and let the trained network name its patches.

    Parameters
    ----------
    network, legend : Path
        The trained network and the areas.
    brains : Path
        Table to write.
    shape, voxel_um
        Of the phantom.
    z : int
        The slice that is rendered.
    codes : mapping of str to sequence of int
        The phantom's codes of each area.
    count : int
        Phantoms: of the seeds that follow the config's.
    patches_per_area : int
        Patches drawn of each area, labelled by their centre pixel like test patches.
    seed : int
        The config's.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If the network was trained on other areas.
    """
    torch.set_num_threads(threads)
    use_threads(threads)
    names, trained = read_legend(legend).names, load_network(network)
    require_areas(trained, names, network)
    slices, rows, columns = shape
    frames = []
    for own in progress(range(seed + 1, seed + 1 + count), desc="new brains", unit="brain"):
        block = render_slice(PhantomSpec((slices, rows, columns), voxel_um, own), z)
        area = area_indices(block.areas[0], [codes[name] for name in names])
        found = recalls(trained, block.grey[0], area, patches_per_area, own)
        frames.append(found.assign(seed=own, slice=z))
    write_table(pd.concat(frames, ignore_index=True)[list(BRAIN_COLUMNS)], brains, BRAIN_COLUMNS)


def area_indices(image: NDArray[np.integer], codes: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Return the areas of a slice from 1, 0 where there is none; codes of each are given."""
    area = np.zeros(image.shape, dtype=np.int64)
    for index, own in enumerate(codes, start=1):
        area[np.isin(image, own)] = index
    return area


def recalls(
    trained: TrainedNetwork,
    grey: NDArray[np.uint8],
    area: NDArray[np.integer],
    patches_per_area: int,
    seed: int,
) -> pd.DataFrame:
    """Return how many of so many patches of each area of a slice are named rightly.

    Parameters
    ----------
    trained : TrainedNetwork
    grey : ndarray of uint8, shape (rows, columns)
    area : ndarray of int, same shape
        The network's areas from 1, 0 is none.
    patches_per_area : int
        Fewer where an area has fewer pixels.
    seed : int
        Of the draw.

    Returns
    -------
    pandas.DataFrame
        Columns area, recall, patches; a row of each area that the slice has, and ``all``.
    """
    rng = generator(seed, "patches of a new brain")
    drawn = []
    for index in range(1, len(trained.areas) + 1):
        pixels = np.flatnonzero(area == index)
        drawn.append(rng.choice(pixels, min(patches_per_area, len(pixels)), replace=False))
    y, x = np.unravel_index(np.concatenate(drawn), area.shape)
    places = Places(np.zeros(len(y), dtype=np.int64), y.astype(np.int64), x.astype(np.int64))
    named = predicted_areas(area_probabilities(trained, OneSlice(grey), places)) + 1
    right = pd.Series(named == area[y, x]).groupby(area[y, x])
    table = pd.DataFrame({"recall": right.mean(), "patches": right.size()})
    table.insert(0, "area", [trained.areas[index - 1] for index in table.index])
    whole = {"area": "all", "recall": table["recall"].mean(), "patches": table["patches"].sum()}
    return pd.concat([pd.DataFrame([whole]), table], ignore_index=True)
