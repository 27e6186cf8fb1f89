"""Patch tables: where each sampled patch is and which area it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.annotations.legend import Legend
from brainarch.errors import InputError
from brainarch.tables import read_table, write_table
from brainarch.volume.store import Volume

#: Meaning of the columns of a patch table.
COLUMNS = {
    "z": "slice number",
    "y": "row of the patch's centre pixel; the patch covers rows y-64 ... y+63 (px)",
    "x": "column of the patch's centre pixel; the patch covers columns x-64 ... x+63 (px)",
    "area": "name of the area of the centre pixel",
    "share": "share of the patch inside that area (0 to 1)",
}
INTEGERS = ("z", "y", "x")


class Places(NamedTuple):
    """Centre pixels of patches: three arrays of int, shape (n,)."""

    z: NDArray[np.int64]
    y: NDArray[np.int64]
    x: NDArray[np.int64]


def read_patches(path: Path) -> pd.DataFrame:
    """Read a patch table.

    Returns
    -------
    pandas.DataFrame
        Columns z, y, x (int64), area (str) and share (float64), one row per patch.

    Raises
    ------
    InputError
        If it is missing, was changed, has other columns, or is empty.
    """
    frame = read_table(path, *COLUMNS, empty=True)[list(COLUMNS)]
    if frame.empty:
        raise InputError(f"{path}: it holds no patch; run `brainarch sample` again")
    types = dict.fromkeys(INTEGERS, "int64")
    return frame.astype({**types, "share": "float64", "area": str})


def write_patches(frame: pd.DataFrame, path: Path) -> None:
    """Write a patch table and its sidecar; columns as in `COLUMNS`."""
    write_table(frame[list(COLUMNS)], Path(path), COLUMNS)


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
