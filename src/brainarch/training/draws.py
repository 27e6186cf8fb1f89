"""What each training step sees: crops, their turns, their changes of grey and their labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from brainarch.geometry import crop_pixels
from brainarch.seeds import generator
from brainarch.training.changes import draw_changes
from brainarch.training.cutting import ORIENTATIONS, cuts_of, turn_squares
from brainarch.training.places import IGNORED, CropPlaces


class CropDraw(NamedTuple):
    """Crops of one step.

    Attributes
    ----------
    cuts : torch.Tensor, int64, shape (n, 3)
        Where the crops are read, see `cuts_of`.
    changes : torch.Tensor, float32, shape (n, 5)
        Changes of grey, see `draw_changes`.
    labels : torch.Tensor, int64, shape (n, side, side)
        Area of each window, turned as the crop is, or `IGNORED`.
    """

    cuts: torch.Tensor
    changes: torch.Tensor
    labels: torch.Tensor


class CropDraws(Dataset[CropDraw]):
    """The draws of all steps; a draw depends on the seed and its step alone.

    Parameters
    ----------
    places : CropPlaces
    shape : tuple of int
        Rows and columns of a padded slice.
    crops : int
        Crops a step.
    orientation : str
        One of `ORIENTATIONS`.
    permute_labels : bool
        Shuffle the labels of a step's windows, as a control that must end at chance.
    seed : int
    """

    def __init__(
        self,
        places: CropPlaces,
        shape: tuple[int, int],
        *,
        crops: int,
        orientation: str,
        permute_labels: bool,
        seed: int,
    ) -> None:
        self._places = places
        self._shape = shape
        self._crops = crops
        self._turns = ORIENTATIONS[orientation]
        self._permute = permute_labels
        self._seed = seed

    def __getitem__(self, step: int) -> CropDraw:
        """Return what a step, from 0, sees."""
        places = self._places.draw(self._crops, self._generator("places", step))
        turns = self._generator("turns", step).integers(self._turns, size=self._crops)
        labels = turn_squares(self._places.labels_of(places), turns)
        if self._permute:
            known = labels != IGNORED
            labels[known] = self._generator("permute", step).permutation(labels[known])
        return CropDraw(
            torch.from_numpy(cuts_of(places, turns, self._shape, crop_pixels(self._places.side))),
            torch.from_numpy(draw_changes(self._crops, self._generator("changes", step))),
            torch.from_numpy(labels),
        )

    def _generator(self, purpose: str, step: int) -> np.random.Generator:
        return generator(self._seed, f"crops {purpose} {step}")


class StepOrder(Sampler[int]):
    """The steps of an epoch, one after the other.

    Parameters
    ----------
    steps : int
        Of an epoch.
    """

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._epoch = 0

    def __len__(self) -> int:
        """Return the number of steps."""
        return self._steps

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, from 0; Lightning calls this."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        """Yield the epoch's steps, numbered over all epochs."""
        yield from range(self._epoch * self._steps, (self._epoch + 1) * self._steps)
