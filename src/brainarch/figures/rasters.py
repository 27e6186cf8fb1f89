"""Pictures of slices, small enough to draw, that know where they lie and how large they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import to_rgba
from numpy.typing import NDArray

from brainarch.figures import style

#: Most pixels along a picture's longer side; more could not be printed on a page.
MAX_SIDE = 1600


@dataclass(frozen=True)
class Raster:
    """A picture of a part of a slice.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        Grey values, label codes, or numbers with NaN where there is none.
    row, column : int
        Pixel of the slice at the picture's upper left corner.
    step : int
        Slice pixels along one picture pixel.
    pixel_um : float
        Edge of a slice pixel in micrometres.
    """

    values: NDArray[Any]
    row: int
    column: int
    step: int
    pixel_um: float

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top edge in micrometres, for ``imshow``."""
        rows, columns = self.values.shape[:2]
        left, top = self.column * self.pixel_um, self.row * self.pixel_um
        edge = self.step * self.pixel_um
        return left, left + columns * edge, top + rows * edge, top

    @property
    def aspect(self) -> float:
        """Height over width."""
        rows, columns = self.values.shape[:2]
        return float(rows / columns)


def step_for(shape: tuple[int, ...], max_side: int = MAX_SIDE) -> int:
    """Return the whole number of pixels to merge so that no side exceeds a length."""
    return max(1, -(-max(shape[:2]) // max_side))


def merge_grey(grey: NDArray[Any], step: int) -> NDArray[np.float32]:
    """Average blocks of ``step`` x ``step`` pixels, ignoring NaN; an empty block is NaN.

    Parameters
    ----------
    grey : ndarray, shape (rows, columns)
    step : int
        Side of a block; blocks at the lower and right edge may be smaller.

    Returns
    -------
    ndarray of float32, shape (ceil(rows / step), ceil(columns / step))
    """
    values = grey.astype(np.float32)
    present = ~np.isnan(values)
    sums = _block_sums(np.where(present, values, 0.0), step)
    counts = _block_sums(present.astype(np.float32), step)
    merged = np.full(sums.shape, np.nan, dtype=np.float32)
    np.divide(sums, counts, out=merged, where=counts > 0)
    return merged


def merge_labels(labels: NDArray[np.integer], step: int) -> NDArray[np.uint8]:
    """Give every block of ``step`` x ``step`` pixels its most frequent code.

    Among equally frequent codes the smallest wins.

    Parameters
    ----------
    labels : ndarray of int, shape (rows, columns)
        Codes 0 ... 255.
    step : int
        Side of a block.

    Returns
    -------
    ndarray of uint8, shape (ceil(rows / step), ceil(columns / step))
    """
    if step == 1:
        return labels.astype(np.uint8)
    best: NDArray[np.float32] | None = None
    merged: NDArray[np.uint8] | None = None
    for code in np.unique(labels):
        counts = _block_sums((labels == code).astype(np.float32), step)
        if best is None or merged is None:
            best, merged = counts, np.full(counts.shape, code, dtype=np.uint8)
            continue
        wins = counts > best
        merged[wins] = code
        best[wins] = counts[wins]
    if merged is None:
        raise ValueError("the label picture is empty")
    return merged


def grey_raster(
    grey: NDArray[Any], pixel_um: float, max_side: int = MAX_SIDE, row: int = 0, column: int = 0
) -> Raster:
    """Make a picture of grey values (or other numbers) of a slice."""
    step = step_for(grey.shape, max_side)
    return Raster(merge_grey(grey, step), row, column, step, pixel_um)


def label_raster(
    labels: NDArray[np.integer],
    pixel_um: float,
    max_side: int = MAX_SIDE,
    row: int = 0,
    column: int = 0,
) -> Raster:
    """Make a picture of label codes of a slice."""
    step = step_for(labels.shape, max_side)
    return Raster(merge_labels(labels, step), row, column, step, pixel_um)


def filled_box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return the rows [first, stop) and columns [first, stop) that hold a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)

    Raises
    ------
    ValueError
        If the mask is empty.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        raise ValueError("an empty mask has no bounding box")
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def pixel_box(raster: Raster) -> tuple[int, int, int, int]:
    """Return the slice rows [first, stop) and columns [first, stop) that a picture covers."""
    rows, columns = raster.values.shape[:2]
    return (
        raster.row,
        raster.row + rows * raster.step,
        raster.column,
        raster.column + columns * raster.step,
    )


def paint(
    codes: NDArray[np.integer],
    colours: Sequence[str],
    background: str | None = style.UNLABELLED,
    alpha: float = 1.0,
) -> NDArray[np.float32]:
    """Turn codes into colours.

    Parameters
    ----------
    codes : ndarray of int, shape (rows, columns)
        0 is background; code c takes ``colours[c - 1]``.
    colours : sequence of str
    background : str or None
        Colour of code 0; None is transparent.
    alpha : float
        Opacity of the colours.

    Returns
    -------
    ndarray of float32, shape (rows, columns, 4)
    """
    lookup = np.zeros((len(colours) + 1, 4), dtype=np.float32)
    if background is not None:
        lookup[0] = to_rgba(background)
    for index, colour in enumerate(colours, start=1):
        lookup[index] = to_rgba(colour, alpha)
    painted: NDArray[np.float32] = lookup[codes]
    return painted


def count_codes(codes: NDArray[np.integer], names: Sequence[str]) -> Mapping[str, int]:
    """Return the number of pixels of each name; code c belongs to ``names[c - 1]``."""
    counts = np.bincount(codes.ravel(), minlength=len(names) + 1)
    return {name: int(counts[index]) for index, name in enumerate(names, start=1)}


def grey_limits(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return the grey values shown black and white: the 1st and 99.5th percentile above 0."""
    shown = values[np.isfinite(values) & (values > 0)]
    if not shown.size:
        return 0.0, 1.0
    low, high = np.percentile(shown, [1.0, 99.5])
    return float(low), float(max(high, low + 1e-6))


def _block_sums(values: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    if step == 1:
        return values
    rows = np.add.reduceat(values, np.arange(0, values.shape[0], step), axis=0)
    sums: NDArray[np.float32] = np.add.reduceat(rows, np.arange(0, values.shape[1], step), axis=1)
    return sums


def blend(
    values: Sequence[NDArray[np.floating]], colours: Sequence[str], most: Sequence[float]
) -> NDArray[np.float32]:
    """Lay several maps over each other, each in its colour.

    A pixel's colour is the mean of the maps' colours weighted by their values, its opacity the
    largest weight; a weight is the value over ``most``, between 0 and 1.

    Parameters
    ----------
    values : sequence of ndarray, shape (rows, columns)
        Non-negative, NaN where absent.
    colours : sequence of str
    most : sequence of float
        Value of each map that is shown opaque.

    Returns
    -------
    ndarray of float32, shape (rows, columns, 4)
    """
    shape = (*values[0].shape, 4)
    weights = [
        np.clip(np.nan_to_num(value) / max(top, 1e-12), 0, 1)
        for value, top in zip(values, most, strict=True)
    ]
    total = np.sum(weights, axis=0)
    painted = np.zeros(shape, dtype=np.float32)
    for weight, colour in zip(weights, colours, strict=True):
        rgb = np.array(to_rgba(colour)[:3], dtype=np.float32)
        # Squares favour the map that is strongest, so that mixtures do not turn grey.
        painted[..., :3] += (weight**2)[..., None] * rgb
    squares = np.sum([weight**2 for weight in weights], axis=0)
    painted[..., :3] /= np.maximum(squares, 1e-12)[..., None]
    painted[..., 3] = np.max(weights, axis=0)
    painted[total <= 0] = 0
    return painted.clip(0, 1)


def robust_top(values: NDArray[np.floating], percentile: float = 99.5) -> float:
    """Return a high percentile of the finite values, at least a hair above 0."""
    finite = values[np.isfinite(values)]
    return max(float(np.percentile(finite, percentile)), 1e-12) if finite.size else 1e-12
