"""Cutting crops out of slices that lie on the device, turned and mirrored as they are read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from brainarch.training.places import CropGround, Places, margins

#: Raw value that stands for what lies beyond the slice.
BEYOND = -1
#: A turn is a sum of these: mirror left-right, mirror up-down, then exchange rows and columns.
LEFT_RIGHT, UP_DOWN, TRANSPOSE = 1, 2, 4
#: Turns that each orientation may draw: tissue has a direction, and ``fixed`` keeps it.
ORIENTATIONS = {"fixed": 1, "mirrored": 4, "any": 8}


def pad_slices(grounds: Sequence[CropGround], side: int) -> torch.Tensor:
    """Stack slices, padded so that every crop lies inside.

    Parameters
    ----------
    grounds : sequence of CropGround
        Slices of one size and dtype.
    side : int
        Windows along each axis of a crop.

    Returns
    -------
    torch.Tensor, int16 or int32 (for uint16 slices), shape (slices, rows, columns)
        Raw grey values, `BEYOND` outside the slice.
    """
    return stack_slices([ground.grey for ground in grounds], margins(side))


def stack_slices(greys: Sequence[NDArray[np.generic]], margin: tuple[int, int]) -> torch.Tensor:
    """Stack slices of one size and dtype, padded by `BEYOND` before and after, see `pad_slices`."""
    wide = np.int16 if greys[0].dtype == np.uint8 else np.int32
    padded = [np.pad(grey.astype(wide), (margin,) * 2, constant_values=BEYOND) for grey in greys]
    return torch.from_numpy(np.stack(padded))


def largest_grey(grey: NDArray[np.generic]) -> int:
    """Return the largest value of a slice's dtype, uint8 or uint16."""
    return 255 if grey.dtype == np.uint8 else 65535


def turn_squares(squares: NDArray[np.int64], turns: NDArray[np.integer]) -> NDArray[np.int64]:
    """Turn squares, shape (n, side, side), each by its turn."""
    column, row = ((turns & bit > 0)[:, None, None] for bit in (LEFT_RIGHT, UP_DOWN))
    squares = np.where(column, squares[:, :, ::-1], squares)
    squares = np.where(row, squares[:, ::-1], squares)
    exchanged = (turns & TRANSPOSE > 0)[:, None, None]
    return np.where(exchanged, squares.transpose(0, 2, 1), squares)


def cuts_of(
    places: Places, turns: NDArray[np.integer], shape: tuple[int, int], pixels: int
) -> NDArray[np.int64]:
    """Return where each turned crop starts in the stack of slices, and its two steps.

    Parameters
    ----------
    places : Places
    turns : ndarray of int, shape (n,)
    shape : tuple of int
        Rows and columns of a padded slice.
    pixels : int
        Side of a crop.

    Returns
    -------
    ndarray of int64, shape (n, 3)
        Flat position of the turned crop's first pixel, and what is added for a row and a column.
    """
    rows, columns = shape
    mirrored = [turns & bit > 0 for bit in (LEFT_RIGHT, UP_DOWN)]
    first_row = places.rows + np.where(mirrored[1], pixels - 1, 0)
    first_column = places.columns + np.where(mirrored[0], pixels - 1, 0)
    start = (places.slices * rows + first_row) * columns + first_column
    right, down = np.where(mirrored[0], -1, 1), np.where(mirrored[1], -columns, columns)
    exchanged = turns & TRANSPOSE > 0
    down, right = np.where(exchanged, right, down), np.where(exchanged, down, right)
    return np.stack([start, down, right], axis=1)


def cut_crops(slices: torch.Tensor, cuts: torch.Tensor, pixels: int) -> torch.Tensor:
    """Read turned crops, in one gather.

    Parameters
    ----------
    slices : torch.Tensor, shape (slices, rows, columns)
        As `pad_slices` returns them.
    cuts : torch.Tensor, int64, shape (n, 3)
        As `cuts_of` returns them.
    pixels : int
        Side of a crop.

    Returns
    -------
    torch.Tensor, shape (n, 1, pixels, pixels)
        Raw grey values, `BEYOND` outside the slice.
    """
    start, down, right = cuts.T[:, :, None, None, None]
    steps = torch.arange(pixels, device=slices.device)
    return slices.take(start + down * steps[:, None] + right * steps)
