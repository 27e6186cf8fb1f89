"""Checks that a patch table, a legend, a volume and a network belong together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.annotations.legend import Legend
from brainarch.embedding.windows import Places
from brainarch.errors import InputError
from brainarch.network.checkpoint import Checkpoint
from brainarch.volume.store import Volume

#: Relative difference of voxel sizes above which the user is warned.
VOXEL_TOLERANCE = 0.02


def patch_places(patches: pd.DataFrame, volume: Volume, path: Path) -> Places:
    """Return the patches' centre pixels.

    Raises
    ------
    InputError
        If one lies outside the volume; ``path`` is the patch table's, for the message.
    """
    z, y, x = (patches[name].to_numpy(dtype=np.int64) for name in ("z", "y", "x"))
    for index in np.unique(z):
        volume.index_of(int(index))
    _, rows, columns = volume.shape
    outside = (y < 0) | (y >= rows) | (x < 0) | (x >= columns)
    if outside.any():
        first = int(np.flatnonzero(outside)[0])
        raise InputError(
            f"{path}: patch ({y[first]}, {x[first]}) of slice {z[first]} lies outside the "
            f"{rows} x {columns} slices; is it the table of another volume?"
        )
    return Places(z, y, x)


def require_known_areas(patches: pd.DataFrame, legend: Legend, path: Path) -> None:
    """Raise `InputError` if a patch table names an area that the legend lacks."""
    unknown = sorted(set(patches["area"]) - set(legend.names))
    if unknown:
        raise InputError(
            f"{path}: area {unknown[0]!r} is not in the legend, which has {', '.join(legend.names)}"
        )


def area_indices(names: pd.Series, areas: Sequence[str]) -> NDArray[np.int64]:
    """Return the position of each name in ``areas``; `KeyError` for a name that is not there."""
    position = {area: index for index, area in enumerate(areas)}
    return np.array([position[name] for name in names], dtype=np.int64)


def fit_warnings(checkpoint: Checkpoint, voxel_um: float, dtype: str) -> list[str]:
    """Say in what a volume differs from the one that a network was trained on.

    Returns
    -------
    list of str
        One line a difference, empty if there is none that matters.
    """
    warnings = []
    if abs(voxel_um / checkpoint.voxel_um - 1) > VOXEL_TOLERANCE:
        warnings.append(
            f"voxels are {voxel_um:g} um, but the network was trained at "
            f"{checkpoint.voxel_um:g} um: it sees other sizes than it knows"
        )
    if dtype != checkpoint.dtype:
        warnings.append(
            f"grey values are {dtype}, but the network was trained on {checkpoint.dtype}"
        )
    return warnings
