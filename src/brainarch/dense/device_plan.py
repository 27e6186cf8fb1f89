"""Planning for a GPU: tiles are timed on it, because counted operations do not tell them apart.

Between neighbouring sizes a GPU may be thirty times slower, and which ones is not known beforehand.
The wide layer is left as it stands there: its transforms, which save a processor most of the work,
keep a GPU waiting for memory.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn

from brainarch.dense.engine import DenseEngine
from brainarch.dense.plan import MAX_TILE_PIXELS, MB, Plan, chunk_side, empty_plan
from brainarch.dense.precision import Precision, arithmetic, factor_dtype
from brainarch.dense.schedule import Schedule, derive_schedule

#: Seconds after which no further tile is tried.
SECONDS = 1.0
#: Fragments are worked on together as long as their next map is no larger, in MB.
GROUPS_MB = (8.0, 64.0, 512.0)
#: Side in pixels of the slice of the tile that is tried first.
FIRST_PIXELS = 256
#: A tile is taken for another one that is faster by this factor.
FASTER = 1.02

#: Takes a plan; returns seconds a grid pixel, infinity where the device has no room for it.
Measure = Callable[[Plan], float]


def plan_on_device(
    trunk: nn.Module,
    shape: tuple[int, int],
    stride: int,
    device: torch.device,
    *,
    precision: Precision = "float32",
    rows: tuple[int, int] | None = None,
) -> Plan:
    """Plan an extraction by timing tiles on a device for about `SECONDS`.

    Parameters
    ----------
    trunk : nn.Module
    shape : tuple of int
        Rows and columns of the slice.
    stride : int
        1, 2, 4, 8 or 16.
    device : torch.device
    precision : {"float32", "bfloat16", "tf32"}
    rows : tuple of int, optional
        First and one past the last row to extract; all by default.

    Raises
    ------
    InputError
        If the network cannot share computation, or stride or rows make no sense.
    """
    schedule = derive_schedule(trunk)
    empty = empty_plan(schedule.description, schedule.window, shape, stride, precision, rows)
    with arithmetic(precision):
        return search(empty, lambda plan: seconds_a_pixel(schedule, plan, device))


def search(empty: Plan, measure: Measure, seconds: float = SECONDS) -> Plan:
    """Return the fastest plan found by going from tile to neighbouring tile.

    Parameters
    ----------
    empty : Plan
        What all plans have in common.
    measure : callable
    seconds : float
        After which nothing more is tried.
    """
    deadline = time.monotonic() + seconds
    side = max(1, FIRST_PIXELS // (empty.stride * chunk_side(empty.stride)))
    best = _sized(empty, (side, side), GROUPS_MB[0])
    tried = {_key(best): measure(best)}
    moved = True
    while moved:
        moved = False
        for plan in _neighbours(empty, best):
            if time.monotonic() > deadline:
                break
            if _key(plan) not in tried:
                tried[_key(plan)] = measure(plan)
            if tried[_key(plan)] * FASTER < tried[_key(best)]:
                best, moved = plan, True
                break
    pixels, took = len(best.y) * len(best.x), tried[_key(best)]
    slices = 3 * math.prod(best.shape)
    return best.model_copy(
        update={
            "memory_mb": round(slices / MB, 1),
            "expected_us": float(f"{took * 1e6:.3g}"),
            "expected_seconds": float(f"{took * pixels:.3g}"),
        }
    )


def seconds_a_pixel(schedule: Schedule, plan: Plan, device: torch.device) -> float:
    """Time one tile of random grey values, the second of two; infinity if it has no room."""
    dtype = factor_dtype(plan.precision)
    assert plan.group_mb is not None
    engine = DenseEngine(
        schedule.to(torch.float32, device), plan.stride, None, dtype, round(plan.group_mb * MB)
    )
    sides = [plan.window + plan.stride * (side - 1) for side in plan.tile]
    grey = torch.from_numpy(np.random.default_rng(0).random(sides, dtype=np.float32))
    took = math.inf
    try:
        for _ in range(2):
            start = time.perf_counter()
            engine.tile(grey.to(device)).cpu()  # which waits for the device
            took = time.perf_counter() - start
    except torch.OutOfMemoryError:
        return math.inf
    return took / math.prod(plan.tile)


def _key(plan: Plan) -> tuple[tuple[int, int], float | None]:
    return plan.tile, plan.group_mb


def _sized(empty: Plan, chunks: tuple[int, int], group_mb: float) -> Plan:
    """Return a plan of tiles of so many chunks, no larger than the grid or a tile may be."""
    side = chunk_side(empty.stride)
    most = max(1, 2 * MAX_TILE_PIXELS // (empty.stride * side))
    grid = len(empty.y), len(empty.x)
    tile = [
        side * max(1, min(count, most, math.ceil(length / side)))
        for count, length in zip(chunks, grid, strict=True)
    ]
    return empty.model_copy(update={"tile": (tile[0], tile[1]), "group_mb": group_mb})


def _neighbours(empty: Plan, plan: Plan) -> Iterator[Plan]:
    """Yield plans of other groups of fragments, and of tiles larger or smaller along an axis."""
    side = chunk_side(plan.stride)
    down, across = plan.tile[0] // side, plan.tile[1] // side
    assert plan.group_mb is not None
    for group in GROUPS_MB:
        if group != plan.group_mb:
            yield _sized(empty, (down, across), group)
    for rows, columns in (
        (down, 2 * across),
        (2 * down, across),
        (down, across + 1),
        (down + 1, across),
        (down, across // 2),
        (down // 2, across),
    ):
        yield _sized(empty, (rows, columns), plan.group_mb)
