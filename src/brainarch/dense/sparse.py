"""A network's units on a coarse grid of a slice, in memory: for networks that need no cube."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from brainarch.dense.engine import DenseEngine
from brainarch.dense.schedule import derive_schedule
from brainarch.geometry import WINDOW, pad_slice
from brainarch.network.grey import Normalisation, to_unit

#: Distance of the pixels, at which windows share all convolutions and no pooling is split.
STRIDE = 16
#: Rows of the grid that are computed together, which bounds memory.
ROWS = 12


def describe_grid(
    trunk: nn.Module,
    normalisation: Normalisation,
    grey: NDArray[np.generic],
    y: NDArray[np.integer],
    x: NDArray[np.integer],
) -> NDArray[np.float32]:
    """Return the representations of the pixels of a grid of `STRIDE`.

    Parameters
    ----------
    trunk : nn.Module
        As `brainarch.dense.schedule.derive_schedule` takes.
    normalisation : Normalisation
        That the network reads.
    grey : ndarray of an unsigned integer dtype, shape (rows, columns)
        A slice.
    y, x : ndarray of int
        Rows and columns of the grid, `STRIDE` pixels apart.

    Returns
    -------
    ndarray of float32, shape (len(y), len(x), units)

    Raises
    ------
    InputError
        If the network cannot share computation between windows.
    ValueError
        If the grid has another distance.
    """
    if (np.diff(y) != STRIDE).any() or (np.diff(x) != STRIDE).any():
        raise ValueError(f"a grid of {STRIDE} pixels is wanted")
    engine = DenseEngine(derive_schedule(trunk), STRIDE, None)
    padded = pad_slice(grey)
    columns = slice(int(x[0]), int(x[-1]) + WINDOW)
    found = []
    for start in range(0, len(y), ROWS):
        part = y[start : start + ROWS]
        band = padded[int(part[0]) : int(part[-1]) + WINDOW, columns]
        found.append(engine.tile(torch.from_numpy(normalisation.apply(to_unit(band)))).numpy())
    return np.concatenate(found)
