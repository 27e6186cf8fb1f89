"""Windows cut out and run one by one: what a cube is compared with.

It shares nothing with the dense code but the definition of a window.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray

from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.geometry import WINDOW_AFTER, WINDOW_BEFORE, cut_windows
from brainarch.network.grey import to_unit
from brainarch.network.trained import TrainedNetwork
from brainarch.progress import progress
from brainarch.seeds import generator

#: Share of the windows taken where they reach beyond the slice, if there are such pixels.
BORDER_SHARE = 0.25

_BATCH = 32


def choose_pixels(
    cube: Cube, shape: tuple[int, ...], windows: int, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw extracted pixels, spread over the cube, some with windows beyond the slice.

    Parameters
    ----------
    cube : Cube
    shape : tuple of int
        Rows and columns of the slice.
    windows, seed : int

    Returns
    -------
    iy, ix : ndarray of int, shape (n,)
        Grid indices, each pixel once; all extracted pixels if there are no more than ``windows``.
    """
    iy, ix = np.nonzero(cube.extracted)
    if len(iy) == 0:
        raise InputError(f"{cube.path}: holds no extracted pixel; extract it again")
    rng = generator(seed, "prove windows")
    border = np.flatnonzero(reaches_beyond(shape, cube.y[iy], cube.x[ix]))
    some = _spread(border, round(windows * BORDER_SHARE), rng)
    left = np.ones(len(iy), dtype=bool)
    left[some] = False
    rest = _spread(np.flatnonzero(left), windows - len(some), rng)
    chosen = np.sort(np.concatenate([some, rest]))
    return iy[chosen], ix[chosen]


def reaches_beyond(
    shape: tuple[int, ...], y: NDArray[np.integer], x: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """Say which pixels' windows reach beyond a slice of ``shape``."""
    above, left = y < WINDOW_BEFORE, x < WINDOW_BEFORE
    below, right = y > shape[0] - WINDOW_AFTER, x > shape[1] - WINDOW_AFTER
    return np.asarray(above | left | below | right)


def read_pixels(cube: Cube, iy: NDArray[np.intp], ix: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the representations at some grid pixels, shape (n, units)."""
    found = np.empty((len(iy), cube.units), dtype=np.float32)
    for row in np.unique(iy):
        here = np.flatnonzero(iy == row)
        first, last = int(ix[here].min()), int(ix[here].max())
        line = cube.block(slice(int(row), int(row) + 1), slice(first, last + 1))
        found[here] = line[0, ix[here] - first]
    return found


def run_alone(
    grey: NDArray[np.generic],
    trained: TrainedNetwork,
    y: NDArray[np.integer],
    x: NDArray[np.integer],
    dtype: torch.dtype,
) -> NDArray[np.floating]:
    """Run windows alone through the trunk.

    Parameters
    ----------
    grey : ndarray of an unsigned integer dtype, shape (rows, columns)
    trained : TrainedNetwork
    y, x : ndarray of int, shape (n,)
        Pixels of the slice.
    dtype : torch.dtype
        float32 or float64; the normalised grey values are the same float32 ones.

    Returns
    -------
    ndarray of that dtype, shape (n, units)
    """
    trunk = copy.deepcopy(trained.network.trunk).to(dtype)
    found = []
    for start in progress(range(0, len(y), _BATCH), "recomputing windows", unit="batch"):
        part = slice(start, start + _BATCH)
        unit = to_unit(cut_windows(grey, y[part], x[part]))
        batch = torch.from_numpy(trained.normalisation.apply(unit))[:, None]
        with torch.inference_mode():
            found.append(trunk(batch.to(dtype)).numpy())
    return np.concatenate(found)


def compare(found: NDArray[np.floating], reference: NDArray[np.floating]) -> dict[str, float | int]:
    """Measure how far representations are from a reference.

    Parameters
    ----------
    found, reference : ndarray, shape (n, units)

    Returns
    -------
    dict
        ``max_difference``; ``relative_max``, its share of the largest reference value;
        ``relative_norm``, the difference's norm as a share of the reference's; and
        ``sign_disagreements``, units positive in one but not in the other. Zeros without rows.
    """
    a, b = found.astype(np.float64), reference.astype(np.float64)
    largest = float(np.abs(a - b).max(initial=0.0))
    return {
        "max_difference": largest,
        "relative_max": _share(largest, float(np.abs(b).max(initial=0.0))),
        "relative_norm": _share(float(np.linalg.norm(a - b)), float(np.linalg.norm(b))),
        "sign_disagreements": int(((a > 0) != (b > 0)).sum()),
    }


def measured_error(
    cube: Cube, grey: NDArray[np.generic], trained: TrainedNetwork, windows: int
) -> dict[str, float | int | str]:
    """Compare a few windows of a cube with the same windows run alone in float64.

    Parameters
    ----------
    cube : Cube
    grey : ndarray of an unsigned integer dtype, shape (rows, columns)
        The slice it was extracted from.
    trained : TrainedNetwork
    windows : int
        How many; always the same ones.

    Returns
    -------
    dict
        JSON values for the cube's attributes: see `compare`.
    """
    iy, ix = choose_pixels(cube, grey.shape, windows, seed=0)
    alone = run_alone(grey, trained, cube.y[iy], cube.x[ix], torch.float64)
    difference = compare(read_pixels(cube, iy, ix), alone)
    return {"against": "windows run alone in float64", "windows": len(iy), **difference}


def _share(difference: float, reference: float) -> float:
    return 0.0 if difference == 0 else difference / max(reference, np.finfo(np.float64).tiny)


def _spread(candidates: NDArray[np.intp], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw one candidate from each of ``count`` equal stretches of them, in raster order."""
    if count >= len(candidates):
        return candidates
    edges = np.linspace(0, len(candidates), count + 1).astype(np.intp)
    return candidates[rng.integers(edges[:-1], edges[1:])]
