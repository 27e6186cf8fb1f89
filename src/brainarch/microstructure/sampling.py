"""Pixels of coefficient maps that classical measures and other networks are compared at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.statistics.blocks import spatial_blocks

#: Distance of the pixels that are looked at, and side of the blocks, in pixels of the slice (ours).
STEP_PX, BLOCK_PX = 16, 256


class SampledPixels(NamedTuple):
    """Pixels of a grid that are looked at.

    Attributes
    ----------
    step : int
        Every so-manieth row and column of the maps' grid.
    grid_y, grid_x : ndarray of int, shape (rows,), (columns,)
        Pixels of the slice that these are.
    seen : ndarray of bool, shape (rows, columns)
        Which of them were extracted: n pixels.
    y, x : ndarray of int, shape (n,)
        Where those lie.
    C : ndarray of float64, shape (n, factors)
        Their coefficients.
    blocks : ndarray of int, shape (n,)
        Their blocks.
    """

    step: int
    grid_y: NDArray[np.integer]
    grid_x: NDArray[np.integer]
    seen: NDArray[np.bool_]
    y: NDArray[np.integer]
    x: NDArray[np.integer]
    C: NDArray[np.float64]
    blocks: NDArray[np.integer]


def sampled_pixels(maps: CoefficientMaps) -> SampledPixels:
    """Return every `STEP_PX`-th row and column of coefficient maps.

    Raises
    ------
    InputError
        If none of these pixels is extracted.
    """
    step = max(1, round(STEP_PX / maps.stride))
    grid_y, grid_x = maps.y[::step], maps.x[::step]
    seen = maps.extracted[::step, ::step]
    if not seen.any():
        raise InputError(
            f"{maps.path}: no pixel of every {STEP_PX}th row and column is extracted; extract "
            "more rows"
        )
    iy, ix = np.nonzero(seen)
    y, x = grid_y[iy], grid_x[ix]
    rows = [maps.factor_map(factor + 1, step)[seen] for factor in range(maps.factors)]
    C = np.stack(rows, axis=1).astype(np.float64)
    blocks = spatial_blocks(maps.z, y, x, BLOCK_PX)
    return SampledPixels(step, grid_y, grid_x, seen, y, x, C, blocks)
