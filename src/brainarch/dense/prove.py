"""Recomputing windows of a finished cube one by one, straight from the volume.

The reference shares nothing with the dense code but the definition of a window: each window is cut
out and run through the network alone, in float32 and again in float64.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from brainarch.atomic import write_json
from brainarch.dense.cube import Cube, require_source
from brainarch.dense.extract import array_digest
from brainarch.errors import InputError
from brainarch.geometry import WINDOW_AFTER, WINDOW_BEFORE, cut_windows
from brainarch.network.checkpoint import Checkpoint, file_digest, load_checkpoint
from brainarch.network.grey import to_unit
from brainarch.progress import progress
from brainarch.seeds import generator
from brainarch.volume.store import open_volume

#: Largest difference, as a share of the largest reference value (DESIGN.md section 3).
MAX_TOLERANCE = 1e-5
#: Norm of the difference, as a share of the reference's (DESIGN.md section 3).
NORM_TOLERANCE = 2e-6
#: What rounding to the stored dtype adds to both tolerances.
STORAGE_ROUNDING = {"float32": 0.0, "float16": 2.0**-11}
#: Share of the windows taken where they reach beyond the slice, if there are such pixels.
BORDER_SHARE = 0.25

_BATCH = 32


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
        None if the cube is exact, else one line that says what is wrong.

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
    return None if proof["exact"] else f"{cube}: not exact: {proof['verdict']}; see {output}"


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
        JSON values: ``exact``, ``verdict``, the differences from the float32 and the float64
        reference, those between the two references, tolerances, counts and the worst window.
    """
    iy, ix = choose_pixels(cube, grey.shape, windows, seed)
    found = read_pixels(cube, iy, ix)
    y, x = cube.y[iy], cube.x[ix]
    single, double = recompute(grey, checkpoint, y, x)
    extra = STORAGE_ROUNDING[cube.storage]
    tolerances = {"max": MAX_TOLERANCE + extra, "norm": NORM_TOLERANCE + extra}
    whole = np.isfinite(found).all(axis=1)
    comparisons = {
        "float32": compare(found[whole], single[whole]),
        "float64": compare(found[whole], double[whole]),
    }
    problems = _layout_problems(cube, grey.shape)
    for name, comparison in comparisons.items():
        for measure, tolerance in tolerances.items():
            value = comparison[f"relative_{measure}"]
            if value > tolerance:
                problems.append(
                    f"relative {measure} difference from {name} is {value:.2g}, "
                    f"allowed {tolerance:.2g}"
                )
    error = np.abs(np.nan_to_num(found).astype(np.float64) - double).max(axis=1)
    worst = int(np.argmax(error))
    return {
        "exact": not problems,
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
    rest = _spread(np.setdiff1d(np.arange(len(iy)), some), windows - len(some), rng)
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


def recompute(
    grey: NDArray[np.generic],
    checkpoint: Checkpoint,
    y: NDArray[np.integer],
    x: NDArray[np.integer],
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Run windows alone through the trunk, in float32 and in float64.

    Returns
    -------
    single, double : ndarray, shape (n, units)
        Both from the same normalised float32 grey values.
    """
    trunk = checkpoint.network.trunk
    precise = copy.deepcopy(trunk).double()
    single, double = [], []
    starts = range(0, len(y), _BATCH)
    for start in progress(starts, "recomputing windows", unit="batch"):
        part = slice(start, start + _BATCH)
        unit = to_unit(cut_windows(grey, y[part], x[part]))
        batch = torch.from_numpy(checkpoint.normalisation.apply(unit))[:, None]
        single.append(_run(trunk, batch))
        double.append(_run(precise, batch.double()))
    return np.concatenate(single), np.concatenate(double)


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


def _share(difference: float, reference: float) -> float:
    return 0.0 if difference == 0 else difference / max(reference, np.finfo(np.float64).tiny)


def _run(trunk: nn.Module, batch: torch.Tensor) -> NDArray[Any]:
    with torch.inference_mode():
        units: torch.Tensor = trunk(batch)
    return units.numpy()


def _spread(candidates: NDArray[np.intp], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw one candidate from each of ``count`` equal stretches of them, in raster order."""
    if count >= len(candidates):
        return candidates
    edges = np.linspace(0, len(candidates), count + 1).astype(np.intp)
    return candidates[rng.integers(edges[:-1], edges[1:])]


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
