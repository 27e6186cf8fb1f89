"""Patches of a patch table as a data set of windows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from brainarch.geometry import WINDOW, pad_slice
from brainarch.network.grey import Normalisation, to_unit


class WindowDataset(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Windows cut on demand from slices that are held in memory once.

    Parameters
    ----------
    slices : mapping of int to ndarray, shape (rows, columns)
        Raw grey values of every slice that the patches lie on.
    z, y, x : ndarray of int, shape (n,)
        Where the patches are.
    labels : ndarray of int, shape (n,)
        Index of each patch's area.
    normalisation : Normalisation
        Of the training slices.
    """

    def __init__(
        self,
        slices: Mapping[int, NDArray[np.generic]],
        z: NDArray[np.integer],
        y: NDArray[np.integer],
        x: NDArray[np.integer],
        labels: NDArray[np.integer],
        normalisation: Normalisation,
    ) -> None:
        self._slices = {index: pad_slice(grey) for index, grey in slices.items()}
        self._places = np.stack([z, y, x], axis=1)
        self._labels = torch.as_tensor(np.asarray(labels), dtype=torch.long)
        self._normalisation = normalisation

    def __len__(self) -> int:
        """Return the number of patches."""
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return one window, float32 of shape (1, 134, 134), and its area's index."""
        z, y, x = (int(value) for value in self._places[index])
        window = self._slices[z][y : y + WINDOW, x : x + WINDOW]
        normalised = self._normalisation.apply(to_unit(window))
        return torch.from_numpy(normalised)[None], self._labels[index]


def grey_statistics(values: list[NDArray[np.generic]]) -> Normalisation:
    """Return mean and standard deviation of grey values in [0, 1].

    Parameters
    ----------
    values : list of ndarray of an unsigned integer dtype
        Raw grey values of the labelled pixels, one array per training slice.
    """
    pixels = sum(part.size for part in values)
    mean = sum(float(to_unit(part).sum(dtype=np.float64)) for part in values) / pixels
    squares = sum(
        float(np.square(to_unit(part) - np.float32(mean)).sum(dtype=np.float64)) for part in values
    )
    return Normalisation(mean=mean, std=(squares / pixels) ** 0.5)
