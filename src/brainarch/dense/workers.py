"""Who computes tiles: threads of this process, its GPUs, or the workers of a dask cluster.

Whoever it is, a tile is computed by one thread from the same recipe, so a plan's result does not
depend on how many take part.
"""

from __future__ import annotations

import ctypes
import importlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from queue import SimpleQueue
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from brainarch.dense.engine import GROUP_BYTES, DenseEngine
from brainarch.dense.plan import MB, Plan
from brainarch.dense.precision import (
    arithmetic,
    factor_dtype,
    require_device,
    set_arithmetic,
)
from brainarch.dense.schedule import derive_schedule
from brainarch.dense.windows import WindowEngine, describe, window_cost
from brainarch.errors import InputError
from brainarch.network.grey import Normalisation, to_unit
from brainarch.scheduler import AHEAD, Scheduler, connect

#: Tiles in work for each GPU: one is computed while another one travels.
TILES_PER_GPU = 2
#: Of glibc's mallopt: above which size memory is asked for and given back by itself, and how much
#: free memory is given back; the most that the first may be.
MMAP_THRESHOLD, TRIM_THRESHOLD, KEPT_BYTES = -3, -1, 32 * 2**20


class Engine(Protocol):
    """Computes the representations of a tile: a `DenseEngine` or a `WindowEngine`."""

    def tile(self, padded: torch.Tensor, needed: NDArray[np.bool_] | None = None) -> torch.Tensor:
        """Return them, shape (rows, columns, units)."""


@dataclass(frozen=True)
class Recipe:
    """What a tile's numbers depend on, its pixels apart; can be sent to another process.

    Parameters
    ----------
    trunk : nn.Module
    normalisation : Normalisation
    plan : Plan
    """

    trunk: nn.Module
    normalisation: Normalisation
    plan: Plan

    @cached_property
    def network(self) -> str:
        """The trunk's layers, as a plan names them."""
        if self.plan.algorithm == "windows":
            return describe(self.trunk)
        return derive_schedule(self.trunk).description

    @cached_property
    def units(self) -> int:
        """Length of a representation."""
        if self.plan.algorithm == "windows":
            return window_cost(self.trunk, self.plan.window).units
        return derive_schedule(self.trunk).units

    def engine(self, device: torch.device) -> Engine:
        """Prepare the trunk for tiles on a device."""
        plan, dtype = self.plan, factor_dtype(self.plan.precision)
        if plan.algorithm == "windows":
            return WindowEngine(self.trunk, plan.window, plan.stride, dtype, device)
        schedule = derive_schedule(self.trunk).to(torch.float32, device)
        group = GROUP_BYTES if plan.group_mb is None else round(plan.group_mb * MB)
        return DenseEngine(schedule, plan.stride, plan.block, dtype, group)

    def run(
        self,
        engine: Engine,
        device: torch.device,
        grey: NDArray[np.generic],
        needed: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        """Return a tile's representations; its grey values include the windows' overhang."""
        normalised = torch.from_numpy(self.normalisation.apply(to_unit(grey)))
        if device.type != "cuda":
            values: NDArray[np.float32] = engine.tile(normalised, needed).numpy()
            return values
        # a stream of its own, and memory that the card copies by itself: another tile's numbers
        # travel meanwhile
        with torch.cuda.device(device), torch.cuda.stream(_stream(device)):
            tile = normalised.pin_memory().to(device, non_blocking=True)
            found = engine.tile(tile, needed)
            there = torch.empty(found.shape, dtype=found.dtype, pin_memory=True)
            there.copy_(found, non_blocking=True)
            torch.cuda.current_stream(device).synchronize()
        return there.numpy()


def _stream(device: torch.device) -> torch.cuda.Stream:
    made: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    return made


class Tiles(Protocol):
    """Computes tiles; several threads may call it.

    Attributes
    ----------
    recipe : Recipe
    kind : str
        Type of the devices, which is part of a cube's identity.
    workers : int
        Threads that should call it.
    """

    recipe: Recipe
    kind: str
    workers: int

    def __call__(self, grey: NDArray[np.generic], needed: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return a tile's representations; see `Recipe.run`."""


class LocalTiles:
    """Tiles computed in this process, one at a time on each processor, two on each GPU.

    Parameters
    ----------
    recipe : Recipe
    devices : sequence of torch.device
        All of one type; a device may be named several times (CPU threads).
    writers : int
        Threads that write what GPUs have computed; a thread that computes writes itself.
    """

    def __init__(self, recipe: Recipe, devices: Sequence[torch.device], writers: int = 0) -> None:
        self.recipe = recipe
        self.kind = devices[0].type
        if self.kind == "cpu":
            each, writers = 1, 0
        else:
            each = TILES_PER_GPU
        self.workers = len(devices) * each + writers
        self._engines: dict[torch.device, Engine] = {}
        self._guard = threading.Lock()
        self._free: SimpleQueue[torch.device] = SimpleQueue()
        for device in list(devices) * each:
            self._free.put(device)

    def __call__(self, grey: NDArray[np.generic], needed: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Wait for a free device and compute a tile on it."""
        device = self._free.get()
        try:
            return self.recipe.run(self._engine(device), device, grey, needed)
        finally:
            self._free.put(device)

    def _engine(self, device: torch.device) -> Engine:
        with self._guard:
            if device not in self._engines:
                self._engines[device] = self.recipe.engine(device)
            return self._engines[device]


class ClusterTiles:
    """Tiles computed by the workers of a dask cluster; what they return is written here.

    Parameters
    ----------
    recipe : Recipe
        Sent once to every worker, which keeps its engine for all tiles.
    scheduler : Scheduler
    kind : {"cpu", "cuda"}
        Where the workers compute.
    """

    def __init__(self, recipe: Recipe, scheduler: Scheduler, kind: str) -> None:
        self.recipe = recipe
        self.kind = kind
        self.workers = scheduler.threads + AHEAD
        self._scheduler = scheduler
        self._sent = scheduler.put(recipe)

    def __call__(self, grey: NDArray[np.generic], needed: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Let some worker compute a tile and wait for it."""
        task = self._scheduler.submit(
            compute_on_worker, self._sent, self._sent.key, self.kind, grey, needed
        )
        # What came over a network may be read-only; here it is the caller's to change.
        return np.require(self._scheduler.result(task), np.float32, "W")


@contextmanager
def open_tiles(
    recipe: Recipe, *, threads: int, device: str = "auto", scheduler: str | None = None
) -> Iterator[Tiles]:
    """Find who computes tiles.

    Parameters
    ----------
    recipe : Recipe
    threads : int
        Threads at most on the CPU of this machine.
    device : {"auto", "cpu", "cuda"}
        ``auto`` takes every GPU of this machine, or the CPU; with a scheduler, the workers' CPUs.
    scheduler : str, optional
        Who has workers; see `brainarch.scheduler.connect`.

    Raises
    ------
    InputError
        If device, precision and cluster do not go together or are absent.
    """
    precision = recipe.plan.precision
    if scheduler is None:
        devices = pick_devices(device)
        require_device(precision, devices[0])
        if devices[0].type == "cpu":
            devices = devices * min(threads, recipe.plan.workers)
        with arithmetic(precision):
            yield LocalTiles(recipe, devices, writers=threads)
        return
    kind = "cpu" if device == "auto" else device
    if kind not in ("cpu", "cuda"):
        raise InputError(f"device {device}: must be auto, cpu or cuda")
    require_device(precision, torch.device(kind))
    with connect(scheduler) as connected:
        assert connected is not None  # one is named
        yield ClusterTiles(recipe, connected, kind)


def pick_devices(name: str) -> list[torch.device]:
    """Return the devices of a name: the CPU, or every GPU that torch sees.

    Raises
    ------
    InputError
        If a GPU is asked for but absent, or the name is another.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"device {name}: must be auto, cpu or cuda")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "cuda" and not count:
        raise InputError("device cuda: no GPU that torch can use is at hand; use auto or cpu")
    if name == "cpu" or not count:
        return [torch.device("cpu")]
    return [torch.device("cuda", index) for index in range(count)]


def compute_on_worker(
    recipe: Recipe, key: str, kind: str, grey: NDArray[np.generic], needed: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Compute a tile in a worker of a cluster; its engine is kept for the next tile."""
    torch.set_num_threads(1)
    with _KEPT_GUARD:
        if key not in _KEPT:
            set_arithmetic(recipe.plan.precision)
            keep_freed_memory()
            _KEPT.clear()
            _KEPT[key] = LocalTiles(recipe, pick_devices(kind) * _threads_of_worker())
        tiles = _KEPT[key]
    return tiles(grey, needed)


def keep_freed_memory() -> None:
    """Let this process keep the memory that tiles free, for the next ones.

    dask starts its workers so that all is given back at once (``MALLOC_TRIM_THRESHOLD_``), and what
    is taken again comes empty, page by page: a quarter more processor time. These are glibc's own
    values once a program has freed large arrays; elsewhere nothing is to be done.
    """
    with suppress(AttributeError):  # no glibc
        limit = ctypes.CDLL(None).mallopt
        limit(MMAP_THRESHOLD, KEPT_BYTES)
        limit(TRIM_THRESHOLD, 2 * KEPT_BYTES)


_KEPT: dict[str, LocalTiles] = {}
_KEPT_GUARD = threading.Lock()


def _threads_of_worker() -> int:
    worker = importlib.import_module("distributed").get_worker()
    return int(worker.state.nthreads)
