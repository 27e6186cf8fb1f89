"""A dense cube made small enough for a page: fewer pixels, 8 bits a unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainarch.dense.cube import Cube
from brainarch.grids.grid import Grid

#: Most pixels of a thinned cube (ours): 8 MB of units, a similarity map in about 20 ms.
MOST_PIXELS = 140_000
#: Highest value of 8 bits.
TOP = 255


@dataclass(frozen=True, eq=False)
class ThinCube:
    """The representation at some pixels of a slice, rounded.

    Parameters
    ----------
    z : int
        Number of the slice.
    extracted : ndarray of bool, shape (rows, columns)
        Pixels of the thinned grid that hold a representation.
    units : ndarray of uint8, shape (units, n)
        Representations of those pixels in raster order; unit u is ``scale[u] * units[u]``.
    scale : ndarray of float64, shape (units,)
        Size of a step; the largest value of a unit is 255 steps, a silent unit has 0.
    """

    z: int
    extracted: NDArray[np.bool_]
    units: NDArray[np.uint8]
    scale: NDArray[np.float64]

    def values(self) -> NDArray[np.float64]:
        """Return the representations after rounding, shape (n, units)."""
        return self.units.T * self.scale


def step_within(shape: tuple[int, int], most: int) -> int:
    """Return the least power of two so that every step-th row and column are at most ``most``."""
    step = 1
    while -(-shape[0] // step) * -(-shape[1] // step) > most:
        step *= 2
    return step


def thinned_shape(shape: tuple[int, int], step: int) -> tuple[int, int]:
    """Return rows and columns of every step-th row and column."""
    return -(-shape[0] // step), -(-shape[1] // step)


def thin_cube(cube: Cube, step: int) -> ThinCube:
    """Keep every step-th row and column of a cube and round units to 8 bits.

    Raises
    ------
    InputError
        If a chunk is damaged or missing.
    """
    wanted = np.zeros(cube.shape, dtype=bool)
    wanted[::step, ::step] = True
    extracted = cube.extracted[::step, ::step]
    X = np.zeros((int(extracted.sum()), cube.units), dtype=np.float32)
    filled = 0
    for _, _, values in cube.batches(mask=wanted):
        X[filled : filled + len(values)] = values
        filled += len(values)
    scale = X.max(axis=0, initial=0).astype(np.float64) / TOP
    steps = np.divide(X, scale, out=np.zeros(X.shape), where=scale > 0)
    return ThinCube(cube.z, extracted, np.rint(steps).astype(np.uint8).T.copy(), scale)


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of unit-length representations, over all slices of a page.

    Parameters
    ----------
    scores : list of ndarray of float64, shape (n, components)
        Of each cube's pixels, in the order of the cubes.
    shares : ndarray of float64, shape (components,)
        Share of the variance.
    """

    scores: list[NDArray[np.float64]]
    shares: NDArray[np.float64]


def principal_components(cubes: Sequence[ThinCube], count: int = 3) -> Components:
    """Project the pixels of all cubes onto their first principal components (centred).

    Rows have unit length first, so that distances are those of the similarity map. The sign of a
    component is such that its largest loading is positive.
    """
    unit = [unit_length(cube.values()) for cube in cubes]
    pooled = np.concatenate(unit)
    mean = pooled.mean(axis=0)
    variance, axes = np.linalg.eigh((pooled - mean).T @ (pooled - mean))
    axes = axes[:, ::-1][:, :count]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    total = variance.sum()
    shares = variance[::-1][:count] / total if total > 0 else np.zeros(axes.shape[1])
    return Components([(rows - mean) @ axes for rows in unit], shares)


def unit_length(X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows of unit length, shape (n, units); rows of zeros stay zero."""
    lengths = np.linalg.norm(X, axis=1, keepdims=True)
    unit: NDArray[np.float64] = np.divide(X, lengths, out=np.zeros_like(X), where=lengths > 0)
    return unit


def regular(grid: Grid, step: int) -> dict[str, float | int]:
    """Return where every step-th row and column of a grid lie, in pixels of the slice."""
    rows, columns = thinned_shape(grid.shape, step)
    return {
        "y0": int(grid.y[0]) if rows else 0,
        "x0": int(grid.x[0]) if columns else 0,
        "step": grid.stride * step,
        "rows": rows,
        "columns": columns,
    }
