"""Recomputing windows of a finished cube one by one, straight from the volume.

Each window is cut out and run through the network alone, in float32 and again in float64. A cube of
a reduced precision is not called exact; its error is stated, and only a loose bound is enforced.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from brainarch.dense.cube import Cube
from brainarch.dense.precision import BOUNDS, Precision
from brainarch.dense.reference import (
    choose_pixels,
    compare,
    reaches_beyond,
    read_pixels,
    run_alone,
)
from brainarch.network.trained import TrainedNetwork

#: What rounding to the stored dtype adds to both tolerances.
STORAGE_ROUNDING = {"float32": 0.0, "float16": 2.0**-11}


def prove(
    cube: Cube, grey: NDArray[np.generic], trained: TrainedNetwork, windows: int, seed: int
) -> dict[str, Any]:
    """Compare a cube with windows that are recomputed one by one.

    Parameters
    ----------
    cube : Cube
    grey : ndarray of an unsigned integer dtype, shape (rows, columns)
        The slice it was extracted from.
    trained : TrainedNetwork
    windows, seed : int
        How many extracted pixels to draw, and how.

    Returns
    -------
    dict
        JSON values: ``passed`` (within what the cube's precision allows), ``exact`` (that, in
        float32), ``verdict``, the differences from the float32 and the float64 reference, those
        between the two references, tolerances, counts and the worst window.
    """
    iy, ix = choose_pixels(cube, grey.shape, windows, seed)
    found = read_pixels(cube, iy, ix)
    y, x = cube.y[iy], cube.x[ix]
    single, double = (
        run_alone(grey, trained, y, x, dtype) for dtype in (torch.float32, torch.float64)
    )
    precision: Precision = cube.attrs.get("precision", "float32")
    bound, extra = BOUNDS[precision], STORAGE_ROUNDING[cube.storage]
    tolerances = {"max": bound.max + extra, "norm": bound.norm + extra}
    whole = np.isfinite(found).all(axis=1)
    comparisons = {
        "float32": compare(found[whole], single[whole]),
        "float64": compare(found[whole], double[whole]),
    }
    problems = _layout_problems(cube, grey.shape)
    for name, comparison in comparisons.items():
        for measure, tolerance in tolerances.items():
            value = comparison[f"relative_{measure}"]
            if not value <= tolerance:  # a reference of NaN proves nothing
                problems.append(
                    f"relative {measure} difference from {name} is {value:.2g}, "
                    f"allowed {tolerance:.2g}"
                )
    error = np.abs(np.nan_to_num(found).astype(np.float64) - double).max(axis=1)
    worst = int(np.argmax(error))
    return {
        "exact": precision == "float32" and not problems,
        "passed": not problems,
        "precision": precision,
        "verdict": "; ".join(problems) if problems else "within tolerance",
        "slice": cube.z,
        "windows": len(iy),
        "windows_without_numbers": int((~whole).sum()),
        "border_windows": int(reaches_beyond(grey.shape, y, x).sum()),
        "extracted_pixels": cube.count,
        "tolerance": tolerances,
        "cube_against": comparisons,
        "float32_reference_against_float64": compare(single, double),
        "worst_window": {"y": int(y[worst]), "x": int(x[worst]), "difference": float(error[worst])},
        "seed": seed,
        "key": cube.key,
    }


def _layout_problems(cube: Cube, shape: tuple[int, ...]) -> list[str]:
    """Check that the grid is where it says it is and holds a number exactly where it claims to."""
    problems = []
    for name, axis, side in (("y", cube.y, shape[0]), ("x", cube.x, shape[1])):
        steps = np.diff(axis)
        if (steps != cube.stride).any() or axis[0] % cube.stride or not 0 <= axis[-1] < side:
            problems.append(f"{name} is no grid of stride {cube.stride} within {side} pixels")
    for start in range(0, len(cube.y), 128):
        band = slice(start, start + 128)
        finite = np.isfinite(cube.block(band, slice(None))).all(axis=2)
        if not np.array_equal(finite, cube.extracted[band]):
            problems.append(f"grid rows {start} to {start + 127} are not finite where extracted")
    return problems
