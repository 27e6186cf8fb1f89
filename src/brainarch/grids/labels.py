"""Labels of a slice at a grid's pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainarch.annotations.store import open_labels
from brainarch.errors import InputError
from brainarch.grids.grid import Grid, Place


def read_codes(labels: Path, grid: Grid) -> NDArray[np.uint8]:
    """Return the codes of a grid's slice at its pixels: shape (rows, columns), 0 is unlabelled.

    Raises
    ------
    InputError
        If the slice is not annotated, or the labels are of another volume.
    """
    return on_grid(open_labels(labels).read_slice(grid.z), grid.place, str(labels))


def on_grid(whole: NDArray[Any], place: Place, name: str) -> NDArray[Any]:
    """Return a whole slice's pixels at a grid's rows and columns.

    Parameters
    ----------
    whole : ndarray, shape (rows of the slice, columns of the slice)
    place : Place
        The grid.
    name : str
        What the values are, for the message.

    Raises
    ------
    InputError
        If the grid reaches beyond them.
    """
    y, x = place.y, place.x
    if len(y) and len(x) and (int(y[-1]) >= whole.shape[0] or int(x[-1]) >= whole.shape[1]):
        raise InputError(
            f"{name}: {whole.shape[0]} x {whole.shape[1]} pixels, but the grid reaches pixel "
            f"({int(y[-1])}, {int(x[-1])}); both must belong to one volume"
        )
    return np.asarray(whole[np.ix_(y, x)])
