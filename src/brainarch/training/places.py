"""Where crops may lie, and drawing them: balanced by area, apart from what other splits read.

A crop is drawn by one of its windows: an area, a labelled pixel of that area, and which of the
crop's windows that pixel is the centre of, each uniformly (ours). A crop that would read a pixel of
another split's windows is never drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainarch.errors import InputError
from brainarch.geometry import STRIDE, WINDOW, WINDOW_AFTER, WINDOW_BEFORE, crop_pixels

#: Label of a window that no area is known of, or that belongs to another split.
IGNORED = -1


@dataclass(frozen=True)
class CropGround:
    """What training may use of one slice.

    Parameters
    ----------
    z : int
        Slice number.
    grey : ndarray of uint8 or uint16, shape (rows, columns)
        Raw grey values.
    labels : ndarray of uint8, shape (rows, columns)
        Area codes (index + 1) of the pixels that may be a training window's centre; 0 elsewhere.
    forbidden : ndarray of bool, shape (rows, columns), optional
        Pixels that windows of other splits read, see `pixels_of_windows`; none if left out.
    """

    z: int
    grey: NDArray[np.generic]
    labels: NDArray[np.uint8]
    forbidden: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Places:
    """Crops of one step.

    Attributes
    ----------
    slices : ndarray of int64, shape (n,)
        Position of each crop's slice among the grounds.
    rows, columns : ndarray of int64, shape (n,)
        First pixel of each crop in slices padded by `margins`.
    """

    slices: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]


def margins(side: int) -> tuple[int, int]:
    """Return how far crops reach beyond the slice, before its first and after its last pixel."""
    reach = STRIDE * (side - 1)
    return WINDOW_BEFORE + reach, WINDOW_AFTER - 1 + reach


def pixels_of_windows(centres: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which pixels the windows of some centres read.

    Parameters
    ----------
    centres : ndarray of bool, shape (rows, columns)
        Pixels that are the centre of a window.

    Returns
    -------
    ndarray of bool, shape (rows, columns)
    """
    return _box_any(np.pad(centres, ((WINDOW_AFTER - 1, WINDOW_BEFORE),) * 2), WINDOW)


def ground_beside(
    z: int,
    grey: NDArray[np.generic],
    labels: NDArray[np.uint8],
    others: NDArray[np.bool_],
    distance: int,
) -> CropGround:
    """Return what training may use of a slice that other splits use as well.

    Parameters
    ----------
    z : int
        Slice number.
    grey : ndarray of uint8 or uint16, shape (rows, columns)
        Raw grey values.
    labels : ndarray of uint8, shape (rows, columns)
        Area codes of the whole slice.
    others : ndarray of bool, shape (rows, columns)
        Pixels that may be the centre of a window of another split.
    distance : int
        Least distance along one axis to any of them, in pixels, see
        `brainarch.patches.blocks.least_distance`; at least a window, so that none is shared.

    Returns
    -------
    CropGround
    """
    near = _box_any(np.pad(others, distance - 1), 2 * distance - 1)
    return CropGround(z, grey, np.where(near, 0, labels), pixels_of_windows(others))


class CropPlaces:
    """All places where a crop may lie, and the pixels that it may be drawn by.

    Parameters
    ----------
    grounds : sequence of CropGround
        Slices of one size.
    names : sequence of str
        Area names; area i has code i + 1.
    side : int
        Windows along each axis of a crop.

    Attributes
    ----------
    reachable, unreachable : ndarray of int64, shape (areas,)
        Labelled pixels that some allowed crop has as a window's centre, and that none has.

    Raises
    ------
    InputError
        If an area has no pixel to draw a crop by.

    Notes
    -----
    Memory for each slice: four bytes a labelled pixel, one byte a pixel for the labels, and one
    more for the allowed crops where pixels are forbidden.
    """

    def __init__(self, grounds: Sequence[CropGround], names: Sequence[str], side: int) -> None:
        self.side = side
        self._shape = (len(grounds), *grounds[0].labels.shape)
        self._labels = np.stack([np.pad(ground.labels, (margins(side),) * 2) for ground in grounds])
        self._allowed = _allowed_crops(grounds, side)
        sizes, pixels, labelled = [], [], []
        for code in range(1, len(names) + 1):
            found = [self._pixels_of(code, index) for index in range(len(grounds))]
            sizes.append(sum(map(len, found)))
            pixels += found
            labelled.append(sum(np.count_nonzero(ground.labels == code) for ground in grounds))
        self._pixels = np.concatenate(pixels)
        self.reachable = np.array(sizes, dtype=np.int64)
        self.unreachable = np.array(labelled, dtype=np.int64) - self.reachable
        self._first = np.cumsum(self.reachable) - self.reachable
        for name, size in zip(names, sizes, strict=True):
            if size == 0:
                slices = ", ".join(str(ground.z) for ground in grounds)
                raise InputError(
                    f"training (slice {slices}): area {name} has no pixel that may be the centre "
                    f"of a window in a crop of {crop_pixels(side)} pixels; annotate more of it or "
                    "take smaller crops"
                )

    def draw(self, number: int, rng: np.random.Generator) -> Places:
        """Draw crops: of each area as many as of another, or one more."""
        areas = np.resize(rng.permutation(len(self.reachable)), number)
        chosen = self._first[areas] + rng.integers(self.reachable[areas])
        slices, y, x = np.unravel_index(self._pixels[chosen].astype(np.int64), self._shape)
        # the crops that have the pixel as the centre of a window, by the window's place
        back = STRIDE * np.arange(self.side - 1, -1, -1)
        rows, columns = y[:, None] + back, x[:, None] + back
        score = rng.random((number, self.side, self.side))
        if self._allowed is not None:
            free = self._allowed[slices[:, None, None], rows[:, :, None], columns[:, None, :]]
            score = np.where(free, score, -1.0)
        i, j = np.divmod(score.reshape(number, -1).argmax(axis=1), self.side)
        every = np.arange(number)
        return Places(slices, rows[every, i], columns[every, j])

    def labels_of(self, places: Places) -> NDArray[np.int64]:
        """Return the area of every window of crops, shape (n, side, side), or `IGNORED`."""
        steps = STRIDE * np.arange(self.side) + WINDOW_BEFORE
        rows, columns = places.rows[:, None] + steps, places.columns[:, None] + steps
        codes = self._labels[places.slices[:, None, None], rows[:, :, None], columns[:, None, :]]
        labels: NDArray[np.int64] = codes.astype(np.int64) - 1
        return labels

    def _pixels_of(self, code: int, index: int) -> NDArray[np.unsignedinteger]:
        """Return an area's pixels on one slice that an allowed crop has as a window's centre."""
        _, rows, columns = self._shape
        before = margins(self.side)[0]
        mask = self._labels[index, before:, before:][:rows, :columns] == code
        if self._allowed is not None:
            mask &= _any_crop(self._allowed[index], (rows, columns), self.side)
        places = np.flatnonzero(mask) + index * rows * columns
        kept: NDArray[np.unsignedinteger]
        kept = places.astype(np.min_scalar_type(int(np.prod(self._shape))))
        return kept


def _allowed_crops(grounds: Sequence[CropGround], side: int) -> NDArray[np.bool_] | None:
    """Return, by slice and a crop's first pixel there, whether it reads no forbidden pixel."""
    if not any(ground.forbidden is not None and ground.forbidden.any() for ground in grounds):
        return None
    masks = [
        np.zeros(ground.labels.shape, dtype=bool) if ground.forbidden is None else ground.forbidden
        for ground in grounds
    ]
    size = crop_pixels(side)
    return np.stack([~_box_any(np.pad(mask, (margins(side),) * 2), size) for mask in masks])


def _any_crop(allowed: NDArray[np.bool_], shape: tuple[int, int], side: int) -> NDArray[np.bool_]:
    """Return for every pixel of the slice whether an allowed crop has it as a window's centre."""
    rows, columns = shape
    lines = np.zeros((rows, allowed.shape[1]), dtype=bool)
    for step in range(side):
        lines |= allowed[STRIDE * step :][:rows]
    found = np.zeros((rows, columns), dtype=bool)
    for step in range(side):
        found |= lines[:, STRIDE * step :][:, :columns]
    return found


def _box_any(mask: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Return whether any pixel of the square that starts at each pixel is set, where it fits."""
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), dtype=np.int32)
    np.cumsum(mask, axis=0, dtype=np.int32, out=sums[1:, 1:])
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    counts = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    return counts > 0
