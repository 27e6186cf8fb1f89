"""Recomputing windows of a finished cube one by one, straight from the volume.

Each window is cut out and run through the network alone, in float32 and again in float64. A cube of
a reduced precision is not called exact; its error is stated, and only a loose bound is enforced.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from brainarch.atomic import write_json
from brainarch.dense.cube import Cube, require_source
from brainarch.dense.partial import array_digest
from brainarch.dense.precision import BOUNDS, Precision
from brainarch.dense.reference import (
    choose_pixels,
    compare,
    reaches_beyond,
    read_pixels,
    run_alone,
)
from brainarch.network.checkpoint import Checkpoint, file_digest, load_checkpoint
from brainarch.volume.store import open_volume

#: What rounding to the stored dtype adds to both tolerances.
STORAGE_ROUNDING = {"float32": 0.0, "float16": 2.0**-11}


def prove_cube(
    *,
    cube: Path,
    volume: Path,
    checkpoint: Path,
    windows: int,
    seed: int,
    output: Path,
    threads: int,
) -> str | None:
    """Recompute some windows of a cube and write what was found.

    Parameters
    ----------
    cube, volume, checkpoint : Path
    windows : int
        Number of windows; a quarter of them reach beyond the slice where there are such pixels.
    seed : int
    output : Path
        The proof, JSON.
    threads : int

    Returns
    -------
    str or None
        None if the cube is what its precision allows, else one line that says what is wrong.

    Raises
    ------
    InputError
        If cube, volume and checkpoint do not belong together.
    """
    opened = Cube.open(cube)
    network = load_checkpoint(checkpoint)
    require_source(opened, "checkpoint", file_digest(checkpoint), checkpoint)
    grey = open_volume(volume).read_slice(opened.z)
    require_source(opened, "slice", array_digest(grey), volume)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        proof = prove(opened, grey, network, windows, seed)
    finally:
        torch.set_num_threads(before)
    write_json(output, proof)
    if proof["passed"]:
        return None
    what = "not exact" if proof["precision"] == "float32" else f"worse than {proof['precision']}"
    return f"{cube}: {what}: {proof['verdict']}; see {output}"


def prove(
    cube: Cube, grey: NDArray[np.generic], checkpoint: Checkpoint, windows: int, seed: int
) -> dict[str, Any]:
    """Compare a cube with windows that are recomputed one by one.

    Parameters
    ----------
    cube : Cube
    grey : ndarray of an unsigned integer dtype, shape (rows, columns)
        The slice it was extracted from.
    checkpoint : Checkpoint
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
        run_alone(grey, checkpoint, y, x, dtype) for dtype in (torch.float32, torch.float64)
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
        "key": cube.attrs.get("key"),
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
