"""The planning step: which algorithm, which tiles, how many workers.

A plan is made once, written down, and read by the extraction; it is part of a cube's identity. The
same plan gives the same bits, whatever the number of threads, because a tile is computed by one
thread; another plan gives the same values within the tolerance of DESIGN.md section 3. The same
question always gets the same plan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import nn

from brainarch.dense.costs import BASE_BYTES, RATE, TileCost
from brainarch.dense.cube import CHUNK
from brainarch.dense.precision import Precision, known_precision
from brainarch.dense.schedule import STRIDES, Schedule, derive_schedule
from brainarch.dense.windows import BATCH, describe, window_cost
from brainarch.errors import InputError
from brainarch.geometry import WINDOW
from brainarch.records import read_record, write_record

#: Smallest and largest block of outputs that one transform gives, along an axis: smaller ones need
#: more multiplications, larger ones more memory for the kernels.
BLOCKS = (8, 32)
#: A tile spans at most this many pixels of the slice (its windows' overhang apart).
MAX_TILE_PIXELS = 1024
#: Plans this much slower than the fastest are as good; of those the smallest is taken.
EQUALLY_FAST = 1.02
MB = 1e6

Algorithm = Literal["spectral", "direct", "windows"]
#: What may be asked for: ``auto`` takes the faster of the first two.
ALGORITHMS = ("auto", *get_args(Algorithm))


class Plan(BaseModel):
    """How a slice is extracted.

    Attributes
    ----------
    algorithm : {"spectral", "direct", "windows"}
        How the first fully connected layer is computed: through transforms or as it stands; or
        every window alone.
    precision : {"float32", "bfloat16", "tf32"}
        Arithmetic of convolutions and large products; only float32 is exact.
    network : str
        The trunk's layers, to tell another network's plan apart.
    window : int
        Side of a window in pixels.
    stride : int
        Distance of neighbouring grid pixels in pixels of the slice.
    shape : tuple of int
        Rows and columns of the slice.
    rows : tuple of int
        First and one past the last row of the slice that may be extracted.
    tile : tuple of int
        Grid pixels that are computed together, rows and columns.
    block : tuple of int or None
        Outputs per fragment of one transform; None for the other algorithms.
    group_mb : float or None
        Fragments are worked on together as long as their next map is no larger; None is what suits
        a processor.
    workers : int
        Tiles in work at the same time, each on one thread.
    memory_mb : float
        Predicted peak memory.
    expected_us : float
        Predicted microseconds per grid pixel with all workers busy.
    expected_seconds : float
        Predicted duration if every grid pixel is wanted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    algorithm: Algorithm
    precision: Precision = "float32"
    network: str
    window: int
    stride: int
    shape: tuple[int, int]
    rows: tuple[int, int]
    tile: tuple[int, int]
    block: tuple[int, int] | None
    group_mb: float | None = None
    workers: int
    memory_mb: float
    expected_us: float
    expected_seconds: float

    @property
    def y(self) -> NDArray[np.int32]:
        """Rows of the grid, in pixels of the slice."""
        first = math.ceil(self.rows[0] / self.stride) * self.stride
        return np.arange(first, self.rows[1], self.stride, dtype=np.int32)

    @property
    def x(self) -> NDArray[np.int32]:
        """Columns of the grid, in pixels of the slice."""
        return np.arange(0, self.shape[1], self.stride, dtype=np.int32)

    @property
    def identity(self) -> dict[str, object]:
        """What decides the bits of the result."""
        told = {"workers", "memory_mb", "expected_us", "expected_seconds"}
        if self.group_mb is None:
            told.add("group_mb")
        return self.model_dump(mode="json", exclude=told)


def write_plan(plan: Plan, path: Path) -> None:
    """Write ``plan.json``."""
    write_record(path, plan.model_dump(mode="json"))


def read_plan(path: Path) -> Plan:
    """Read a plan.

    Raises
    ------
    InputError
        If the file is missing, was changed or is no plan.
    """
    try:
        return Plan.model_validate(read_record(path, "run `brainarch plan` again"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}; run `brainarch plan` again") from None


def plan_trunk(
    trunk: nn.Module,
    shape: tuple[int, int],
    stride: int,
    *,
    memory_mb: float,
    algorithm: str = "auto",
    precision: str = "float32",
    rows: tuple[int, int] | None = None,
    threads: int = 1,
) -> Plan:
    """Plan the extraction of any network; see `make_plan`.

    Parameters
    ----------
    trunk : nn.Module
    shape, stride, memory_mb, rows, threads
        As for `make_plan`.
    algorithm : {"auto", "spectral", "direct", "windows"}
        ``windows`` runs every window alone, which any network allows.
    precision : {"float32", "bfloat16", "tf32"}

    Raises
    ------
    InputError
        If the network cannot share computation and ``windows`` was not asked for, or the question
        makes no sense.
    """
    if algorithm not in ALGORITHMS:
        raise InputError(f"algorithm {algorithm}: must be one of {', '.join(ALGORITHMS)}")
    chosen = known_precision(precision)
    if algorithm == "windows":
        return _window_plan(trunk, shape, stride, chosen, rows, memory_mb, threads)
    try:
        schedule = derive_schedule(trunk)
    except InputError as error:
        raise InputError(f"{error}; or run every window alone (algorithm windows)") from None
    return make_plan(
        schedule,
        shape,
        stride,
        memory_mb=memory_mb,
        algorithm=algorithm,
        precision=chosen,
        rows=rows,
        threads=threads,
    )


def make_plan(
    schedule: Schedule,
    shape: tuple[int, int],
    stride: int,
    *,
    memory_mb: float,
    algorithm: str = "auto",
    precision: Precision = "float32",
    rows: tuple[int, int] | None = None,
    threads: int = 1,
) -> Plan:
    """Choose the fastest tiles that fit the memory.

    Parameters
    ----------
    schedule : Schedule
        The trunk.
    shape : tuple of int
        Rows and columns of the slice.
    stride : int
        1, 2, 4, 8 or 16.
    memory_mb : float
        Memory that the extraction may use, in MB.
    algorithm : {"auto", "spectral", "direct"}
    precision : {"float32", "bfloat16", "tf32"}
    rows : tuple of int, optional
        First and one past the last row to extract; all by default.
    threads : int
        Threads that it may use at most.

    Raises
    ------
    InputError
        If stride or rows make no sense, or one tile does not fit the memory.
    """
    empty = empty_plan(schedule.description, schedule.window, shape, stride, precision, rows)
    candidates = [
        plan
        for plan in _candidates(schedule, empty, threads)
        if algorithm in ("auto", plan.algorithm)
    ]
    staffed = [_staffed(schedule, plan, memory_mb) for plan in candidates]
    fitting = sorted((plan for plan in staffed if plan), key=_slowness)
    if not fitting:
        needed = min(_needed_mb(plan, _cost(schedule, plan), 1) for plan in candidates)
        raise InputError(
            f"memory of {memory_mb:.0f} MB: the smallest tile needs {needed:.0f} MB; "
            "give more memory"
        )
    limit = EQUALLY_FAST * fitting[0].expected_seconds
    return min((plan for plan in fitting if plan.expected_seconds <= limit), key=_size)


def restrict_rows(plan: Plan, rows: tuple[int, int]) -> Plan:
    """Return a plan for some of its rows.

    Raises
    ------
    InputError
        If they are not among the plan's, or hold no row of the grid.
    """
    _check_question(plan.shape, plan.stride, rows)
    if not plan.rows[0] <= rows[0] < rows[1] <= plan.rows[1]:
        raise InputError(
            f"rows {rows[0]}:{rows[1]}: not within the plan's, {plan.rows[0]}:{plan.rows[1]}; "
            "plan again"
        )
    return plan.model_copy(update={"rows": rows})


def _check_question(shape: tuple[int, int], stride: int, rows: tuple[int, int]) -> None:
    if stride not in STRIDES:
        raise InputError(f"stride {stride}: must be one of {', '.join(map(str, STRIDES))}")
    if min(shape) < 1:
        raise InputError(f"slice of {shape[0]} x {shape[1]} pixels: it is empty")
    if not 0 <= rows[0] < rows[1] <= shape[0]:
        raise InputError(f"rows {rows[0]}:{rows[1]}: must be a non-empty range within 0:{shape[0]}")
    if math.ceil(rows[0] / stride) * stride >= rows[1]:
        raise InputError(f"rows {rows[0]}:{rows[1]}: hold no row of the grid of stride {stride}")


def empty_plan(
    network: str,
    window: int,
    shape: tuple[int, int],
    stride: int,
    precision: Precision,
    rows: tuple[int, int] | None,
) -> Plan:
    """Return a plan of one worker that nothing is predicted of yet.

    Raises
    ------
    InputError
        If stride or rows make no sense.
    """
    rows = (0, shape[0]) if rows is None else rows
    _check_question(shape, stride, rows)
    side = chunk_side(stride)
    return Plan(
        algorithm="direct",
        precision=precision,
        network=network,
        window=window,
        stride=stride,
        shape=shape,
        rows=rows,
        tile=(side, side),
        block=None,
        workers=1,
        memory_mb=0.0,
        expected_us=0.0,
        expected_seconds=0.0,
    )


def _window_plan(
    trunk: nn.Module,
    shape: tuple[int, int],
    stride: int,
    precision: Precision,
    rows: tuple[int, int] | None,
    memory_mb: float,
    threads: int,
) -> Plan:
    """Plan one window after another: tiles of one chunk, so that little is lost to a kill."""
    plan = empty_plan(describe(trunk), WINDOW, shape, stride, precision, rows)
    cost = window_cost(trunk, WINDOW)
    grid = len(plan.y), len(plan.x)
    tiles = math.prod(math.ceil(side / part) for side, part in zip(grid, plan.tile, strict=True))
    weights = sum(parameter.numel() for parameter in trunk.parameters())
    shared = BASE_BYTES + 3 * math.prod(shape) + 2 * 4 * weights
    one = 4 * (3 * BATCH * cost.values + 3 * math.prod(plan.tile) * cost.units)
    workers = min(threads, tiles, int((memory_mb * MB - shared) // one))
    if workers < 1:
        raise InputError(
            f"memory of {memory_mb:.0f} MB: one batch of windows needs {(shared + one) / MB:.0f} "
            "MB; give more memory"
        )
    seconds = math.prod(grid) * cost.multiplications / RATE[precision] / workers
    return plan.model_copy(
        update={
            "algorithm": "windows",
            "workers": workers,
            "memory_mb": round((shared + workers * one) / MB, 1),
            "expected_seconds": float(f"{seconds:.3g}"),
            "expected_us": float(f"{seconds / math.prod(grid) * 1e6:.3g}"),
        }
    )


def _candidates(schedule: Schedule, empty: Plan, threads: int) -> Iterator[Plan]:
    """Yield a plan for every algorithm and tile, staffed with all threads."""
    grid, stride = (len(empty.y), len(empty.x)), empty.stride
    for tile in product(*(_tile_sides(side, stride) for side in grid)):
        tiles = math.prod(math.ceil(side / part) for side, part in zip(grid, tile, strict=True))
        reach = tuple(min(side, part) for side, part in zip(grid, tile, strict=True))
        blocks = product(*(_block_sides(schedule, stride, side) for side in reach))
        for block in (None, *blocks):
            algorithm = "direct" if block is None else "spectral"
            change = {"algorithm": algorithm, "tile": tile, "block": block}
            plan = empty.model_copy(update={**change, "workers": min(threads, tiles)})
            yield _timed(schedule, plan)


def _tile_sides(side: int, stride: int) -> list[int]:
    """Return the tile sides to consider along a grid side: multiples of a chunk, up to a limit."""
    chunk = chunk_side(stride)
    most = min(math.ceil(side / chunk), max(1, MAX_TILE_PIXELS // (stride * chunk)))
    return [chunk * count for count in range(1, most + 1)]


def chunk_side(stride: int) -> int:
    """Return the side of a cube's chunks in grid pixels, smaller where the grid is very coarse."""
    return min(CHUNK, MAX_TILE_PIXELS // stride)


def _block_sides(schedule: Schedule, stride: int, side: int) -> list[int]:
    """Return the ways to split one fragment's outputs along a tile's side into equal blocks."""
    outputs = math.ceil(side / schedule.phases(stride))
    splits = (math.ceil(outputs / parts) for parts in range(1, outputs + 1))
    return sorted({min(outputs, block) for block in splits if BLOCKS[0] <= block <= BLOCKS[1]}) or [
        min(outputs, BLOCKS[1])
    ]


def _slowness(plan: Plan) -> tuple[float, float, tuple[int, int]]:
    return plan.expected_seconds, plan.memory_mb, plan.tile


def _size(plan: Plan) -> tuple[float, float, tuple[int, int]]:
    """Rank by memory: smaller tiles also lose less to a kill and to the borders of a mask."""
    return plan.memory_mb, plan.expected_seconds, plan.tile


def _reach(plan: Plan) -> tuple[int, int]:
    """Return the rows and columns of grid pixels of the largest tile."""
    return min(plan.tile[0], len(plan.y)), min(plan.tile[1], len(plan.x))


def _cost(schedule: Schedule, plan: Plan) -> TileCost:
    return TileCost(schedule, plan.stride, _reach(plan), plan.block, plan.precision)


def _needed_mb(plan: Plan, cost: TileCost, workers: int) -> float:
    """Return the predicted peak memory; the slice is held, padded and masked."""
    slices = 3 * math.prod(plan.shape)
    return (BASE_BYTES + slices + cost.kernel_bytes + workers * cost.worker_bytes) / MB


def _staffed(schedule: Schedule, plan: Plan, memory_mb: float) -> Plan | None:
    """Give a plan as many workers as the memory allows, or None if it has no room for one."""
    cost = _cost(schedule, plan)
    for workers in range(plan.workers, 0, -1):
        needed = _needed_mb(plan, cost, workers)
        if needed <= memory_mb:
            update = {"workers": workers, "memory_mb": round(needed, 1)}
            return _timed(schedule, plan.model_copy(update=update))
    return None


def _timed(schedule: Schedule, plan: Plan) -> Plan:
    """Fill in the durations, from operation counts."""
    cost = _cost(schedule, plan)
    grid = len(plan.y), len(plan.x)
    tiles = math.prod(math.ceil(side / part) for side, part in zip(grid, plan.tile, strict=True))
    tile_seconds = cost.multiplications / RATE[plan.precision]
    seconds = math.ceil(tiles / plan.workers) * tile_seconds + cost.preparation / RATE["float32"]
    return plan.model_copy(
        update={
            "expected_seconds": float(f"{seconds:.3g}"),
            "expected_us": float(f"{seconds / math.prod(grid) * 1e6:.3g}"),
        }
    )
