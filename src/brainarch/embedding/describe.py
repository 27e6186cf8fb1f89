"""Describe the patches of a table, clean or with noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.embedding.degradations import degrade
from brainarch.embedding.names import change_of
from brainarch.embedding.networks import Describer
from brainarch.embedding.windows import SliceReader, add_noise, window_chunks
from brainarch.network.grey import to_unit
from brainarch.patches.table import Places
from brainarch.progress import progress_bar
from brainarch.seeds import generator


def describe_patches(
    describer: Describer,
    reader: SliceReader,
    places: Places,
    *,
    desc: str = "describing patches",
) -> NDArray[np.float32]:
    """Return the representation of every patch.

    Parameters
    ----------
    describer : Describer
        The network.
    reader : SliceReader
        For example a volume.
    places : Places
        The patches, n of them.
    desc : str
        Words beside the progress bar.

    Returns
    -------
    ndarray of float32, shape (n, units)
    """
    result = np.empty((len(places.z), len(describer.unit_names)), dtype=np.float32)
    with progress_bar(len(places.z), desc, "patch") as bar:
        for rows, windows in window_chunks(reader, places):
            result[rows] = describer.describe(to_unit(windows))
            bar.update(len(rows))
    return result


def describe_noisy(
    describer: Describer,
    reader: SliceReader,
    places: Places,
    variances: Sequence[float],
    *,
    seed: int,
    desc: str = "describing noisy patches",
) -> NDArray[np.float32]:
    """Return the representation of every patch at several levels of noise.

    Parameters
    ----------
    describer, reader, places, desc
        As in `describe_patches`.
    variances : sequence of float
        Of the noise on grey values in [0, 1]; see `brainarch.embedding.windows.add_noise`.
    seed : int
        The config's. The noise depends on it, the variance and the patches only, so every network
        is shown the same noisy images.

    Returns
    -------
    ndarray of float32, shape (variances, n, units)
    """
    shape = (len(variances), len(places.z), len(describer.unit_names))
    result = np.empty(shape, dtype=np.float32)
    streams = [generator(seed, f"noise of variance {float(value)!r}") for value in variances]
    with progress_bar(shape[0] * shape[1], desc, "patch") as bar:
        for rows, windows in window_chunks(reader, places):
            unit = to_unit(windows)
            for level, (variance, rng) in enumerate(zip(variances, streams, strict=True)):
                result[level, rows] = describer.describe(add_noise(unit, variance, rng))
                bar.update(len(rows))
    return result


def describe_degraded(
    describer: Describer,
    reader: SliceReader,
    places: Places,
    changes: Sequence[str],
    mean: float,
    *,
    desc: str = "describing degraded patches",
) -> NDArray[np.float32]:
    """Return the representation of every patch as other images would show it.

    Parameters
    ----------
    describer, reader, places, desc
        As in `describe_patches`.
    changes : sequence of str
        Names of changes; see `brainarch.embedding.names.CHANGES`.
    mean : float
        Grey value in [0, 1] that contrast leaves as it is.

    Returns
    -------
    ndarray of float32, shape (changes, n, units)
    """
    shape = (len(changes), len(places.z), len(describer.unit_names))
    result = np.empty(shape, dtype=np.float32)
    with progress_bar(shape[0] * shape[1], desc, "patch") as bar:
        for rows, windows in window_chunks(reader, places):
            unit = to_unit(windows)
            for index, (kind, level) in enumerate(map(change_of, changes)):
                shown = unit if kind == "none" else degrade(unit, kind, level, mean)
                result[index, rows] = describer.describe(shown)
                bar.update(len(rows))
    return result


def subsample_patches(patches: pd.DataFrame, per_area: int, seed: int) -> pd.DataFrame:
    """Keep at most some patches per area, drawn at random, in the table's order.

    Parameters
    ----------
    patches : pandas.DataFrame
        A patch table.
    per_area : int
        Patches of one area at most.
    seed : int
        The config's.
    """
    rng = generator(seed, "subsample patches")
    areas = patches["area"].to_numpy()
    kept = [
        rng.choice(members, min(per_area, len(members)), replace=False)
        for members in (np.flatnonzero(areas == area) for area in sorted(set(areas)))
    ]
    return patches.iloc[np.sort(np.concatenate(kept))].reset_index(drop=True)
