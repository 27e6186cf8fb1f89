"""Extracting a slice: tiles through dask's threads into a cube, resumable at any moment."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import zarr
from dask.base import compute as dask_compute
from dask.delayed import delayed
from numpy.typing import NDArray

import brainarch
from brainarch.annotations.store import open_labels
from brainarch.dense.cube import STORAGE, Cube
from brainarch.dense.engine import DenseEngine
from brainarch.dense.partial import Work, block_digest, identity_key, open_work
from brainarch.dense.plan import Plan, chunk_side, read_plan, restrict_rows
from brainarch.dense.schedule import Schedule, derive_schedule
from brainarch.dense.tiles import Tile, cut_tiles
from brainarch.dense.wanted import tissue_mask, training_differences, wanted_pixels
from brainarch.errors import InputError
from brainarch.geometry import WINDOW, pad_slice
from brainarch.network.checkpoint import Checkpoint, file_digest, load_checkpoint
from brainarch.network.grey import Normalisation, to_unit
from brainarch.progress import progress_bar
from brainarch.volume.store import open_volume

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """One slice and what may be known of it.

    Parameters
    ----------
    grey : ndarray of an unsigned integer dtype, shape (rows, columns)
    z : int
        Number of the slice.
    voxel_um : float
        Side of a voxel in micrometer.
    where : str
        Name of the rule that chose the pixels.
    wanted : ndarray of bool, shape (rows, columns)
        The pixels to extract, before the grid and the plan's rows thin them out.
    """

    grey: NDArray[np.generic]
    z: int
    voxel_um: float
    where: str
    wanted: NDArray[np.bool_]


def extract_slice(
    *,
    checkpoint: Path,
    volume: Path,
    labels: Path | None,
    plan: Path,
    z: int,
    where: str,
    rows: tuple[int, int] | None,
    storage: str,
    partial: Path,
    output: Path,
    threads: int,
    device: str,
) -> None:
    """Extract a slice from files into a cube.

    Parameters
    ----------
    checkpoint, volume, labels, plan : Path
        What is read; labels only for ``where`` "labelled".
    z : int
        Number of the slice.
    where : {"labelled", "tissue", "all"}
    rows : tuple of int, optional
        First and one past the last row to extract, within the plan's; those by default.
    storage : {"float32", "float16"}
    partial : Path
        Folder for unfinished work.
    output : Path
        The cube; what stands there is replaced at the very end.
    threads : int
        Most threads to use.
    device : {"auto", "cpu", "cuda"}

    Raises
    ------
    InputError
        If anything does not fit together.
    """
    chosen = pick_device(device)
    laid = read_plan(plan)
    if rows is not None:
        laid = restrict_rows(laid, rows)
    if storage not in STORAGE:
        raise InputError(f"storage {storage}: must be one of {', '.join(STORAGE)}")
    network = load_checkpoint(checkpoint)
    stack = open_volume(volume)
    grey = stack.read_slice(z)
    marks = None
    if where == "labelled" and labels is not None:
        marks = open_labels(labels).read_slice(z)
    source = Source(grey, z, stack.voxel_um, where, wanted_pixels(grey, where, marks))
    with zarr.config.set({"threading.max_workers": threads, "async.concurrency": threads}):
        extract(
            source,
            network,
            laid,
            checkpoint_digest=file_digest(checkpoint),
            storage=storage,
            partial=partial,
            output=output,
            threads=threads,
            device=chosen,
        )


def extract(
    source: Source,
    checkpoint: Checkpoint,
    plan: Plan,
    *,
    checkpoint_digest: str,
    storage: str,
    partial: Path,
    output: Path,
    threads: int,
    device: torch.device,
) -> None:
    """Extract a slice, going on where an interrupted extraction stopped.

    Parameters
    ----------
    source : Source
    checkpoint : Checkpoint
    plan : Plan
    checkpoint_digest : str
        SHA-256 of the checkpoint's file.
    storage, partial, output, threads
        As for `extract_slice`.
    device : torch.device

    Raises
    ------
    InputError
        If plan, network and slice do not fit together, no pixel is wanted, ``partial`` holds other
        work, or what was written does not read back.
    """
    schedule = derive_schedule(checkpoint.network.trunk)
    _check_fit(source, plan, schedule)
    wanted = source.wanted[np.ix_(plan.y, plan.x)]
    tiles = cut_tiles(wanted, plan.tile)
    if not tiles:
        raise InputError(
            f"slice {source.z}: no {source.where} pixel on the grid of stride {plan.stride} "
            f"in rows {plan.rows[0]}:{plan.rows[1]}; choose other rows or another where"
        )
    identity = {
        "stage": "extract",
        "version": brainarch.__version__,
        "torch": torch.__version__,
        "device": device.type,
        "z": source.z,
        "where": source.where,
        "storage": storage,
        "slice": array_digest(source.grey),
        "wanted": array_digest(wanted),
        "checkpoint": checkpoint_digest,
        "plan": plan.identity,
    }
    attrs = {
        "z": source.z,
        "stride": plan.stride,
        "where": source.where,
        "rows": list(plan.rows),
        "voxel_um": source.voxel_um,
        "precision": plan.dtype,
        "key": identity_key(identity),
        "identity": identity,
        "plan": plan.model_dump(mode="json"),
        "warnings": _warn(source, checkpoint),
    }
    with open_work(partial, identity, output) as work, exact_arithmetic():
        computer = _TileComputer(
            source.grey,
            wanted,
            normalisation=checkpoint.normalisation,
            schedule=schedule,
            plan=plan,
            device=device,
        )
        cube = _resume(work, plan, schedule.units, attrs, storage)
        filling = _Filling(cube, work, wanted, computer)
        sound = filling.verify(tiles)
        missing = [tile for tile in tiles if tile.index not in sound]
        workers = min(threads, plan.workers) if device.type == "cpu" else 1
        filling.run(missing, sum(tile.count for tile in tiles), workers)
        sound |= filling.verify(missing)
        lost = len(tiles) - len(sound)
        if lost or not np.array_equal(Cube.open(work.cube).extracted, wanted):
            raise InputError(
                f"{work.cube}: {lost} of {len(tiles)} tiles do not read back as written; "
                "check the disk and extract again"
            )
        work.publish(output)


def pick_device(name: str) -> torch.device:
    """Return the device of a name.

    Raises
    ------
    InputError
        If a GPU is asked for but absent, or the name is another.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"device {name}: must be auto, cpu or cuda")
    present = torch.cuda.is_available()
    if name == "cuda" and not present:
        raise InputError("device cuda: no GPU that torch can use is at hand; use auto or cpu")
    return torch.device("cuda" if present and name != "cpu" else "cpu")


def array_digest(array: NDArray[np.generic]) -> str:
    """Return the SHA-256 of an array's shape, dtype and values."""
    digest = hashlib.sha256(f"{array.shape} {array.dtype.newbyteorder('<')}".encode())
    digest.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


def _check_fit(source: Source, plan: Plan, schedule: Schedule) -> None:
    grey = source.grey
    if not np.issubdtype(grey.dtype, np.unsignedinteger):
        raise InputError(
            f"slice {source.z}: grey values are {grey.dtype}; wanted uint8 or uint16, "
            "convert the volume"
        )
    if schedule.description != plan.network:
        raise InputError(
            f"plan: made for another network ({plan.network}), the checkpoint holds "
            f"{schedule.description}; plan again"
        )
    if plan.window != WINDOW or schedule.window != WINDOW:
        raise InputError(
            f"network: its window is {schedule.window} pixels, the plan's {plan.window}, but the "
            f"windows of a slice are {WINDOW}; use a network of that window"
        )
    if grey.shape != plan.shape or source.wanted.shape != plan.shape:
        raise InputError(
            f"plan: made for slices of {plan.shape[0]} x {plan.shape[1]} pixels, slice {source.z} "
            f"has {grey.shape[0]} x {grey.shape[1]}; plan again"
        )


def _warn(source: Source, checkpoint: Checkpoint) -> list[str]:
    pixels = tissue_mask(source.grey) if source.where == "all" else source.wanted
    found = training_differences(
        source.grey,
        pixels,
        checkpoint.normalisation,
        (source.voxel_um, checkpoint.voxel_um),
        (str(source.grey.dtype), checkpoint.dtype),
    )
    for difference in found:
        logger.warning("slice %d differs from the training: %s", source.z, difference)
    return found


def _resume(work: Work, plan: Plan, units: int, attrs: dict[str, Any], storage: str) -> Cube:
    if work.finished():
        try:
            return Cube.open(work.cube, writable=True)
        except (InputError, ValueError, KeyError):  # damaged metadata
            logger.warning("%s: unreadable, extracting from the beginning", work.cube)
    work.restart()
    side = chunk_side(plan.stride)
    return Cube.create(work.cube, plan.y, plan.x, units, attrs, storage=storage, chunk=side)


class _TileComputer:
    """Computes tiles of one slice; shared by the worker threads."""

    def __init__(
        self,
        grey: NDArray[np.generic],
        wanted: NDArray[np.bool_],
        *,
        normalisation: Normalisation,
        schedule: Schedule,
        plan: Plan,
        device: torch.device,
    ) -> None:
        self._padded = pad_slice(grey)
        self._wanted = wanted
        self._normalisation = normalisation
        self._plan = plan
        self._device = device
        self._engine = DenseEngine(schedule.to(torch.float32, device), plan.stride, plan.block)

    def __call__(self, tile: Tile) -> NDArray[np.float32]:
        """Return the representations of the tile's reach, shape (rows, columns, units)."""
        plan = self._plan
        rows, columns = (
            slice(int(axis[part.start]), int(axis[part.stop - 1]) + plan.window)
            for axis, part in zip((plan.y, plan.x), tile.reach, strict=True)
        )
        normalised = self._normalisation.apply(to_unit(self._padded[rows, columns]))
        padded = torch.from_numpy(normalised).to(self._device)
        units = self._engine.tile(padded, self._wanted[tile.reach])
        return units.cpu().numpy()


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Keep a GPU from rounding float32 products to TF32, and its algorithms the same every time."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with torch.backends.cudnn.flags(allow_tf32=False, deterministic=True, benchmark=False):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


class _Filling:
    """Fills a cube tile by tile."""

    def __init__(
        self,
        cube: Cube,
        work: Work,
        wanted: NDArray[np.bool_],
        compute: Callable[[Tile], NDArray[np.float32]],
    ) -> None:
        self._cube = cube
        self._work = work
        self._wanted = wanted
        self._compute = compute

    def run(self, tiles: list[Tile], total: int, workers: int) -> None:
        """Compute, write and record tiles on dask's threads, one torch thread each."""
        guard = threading.Lock()
        compute_all: Callable[..., Any] = dask_compute
        before = torch.get_num_threads()
        with progress_bar(total, f"extracting slice {self._cube.z}", "patch") as bar:
            bar.update(total - sum(tile.count for tile in tiles))

            def finish(tile: Tile) -> None:
                torch.set_num_threads(1)
                self._work.record(tile.index, self._fill(tile))
                with guard:
                    bar.update(tile.count)

            torch.set_num_threads(1)
            try:
                # Names in raster order, which dask then keeps to.
                tasks = [
                    delayed(finish)(tile, dask_key_name=f"tile-{tile.index:08d}") for tile in tiles
                ]
                compute_all(*tasks, scheduler="threads", num_workers=workers)
            finally:
                torch.set_num_threads(before)

    def verify(self, tiles: list[Tile]) -> set[int]:
        """Return the recorded tiles that read back as written, complete and finite."""
        digests = self._work.finished()
        sound = set()
        for tile in tiles:
            place = tile.rows, tile.columns
            if tile.index not in digests:
                continue
            try:
                block, done = self._cube.block(*place), self._cube.extracted_block(*place)
            except (ValueError, RuntimeError, OSError):  # a cut-off or damaged chunk
                continue
            wanted = self._wanted[place]
            finite = np.isfinite(block).all(axis=2)
            complete = np.array_equal(done, wanted) and np.array_equal(finite, wanted)
            if complete and block_digest(block) == digests[tile.index]:
                sound.add(tile.index)
        return sound

    def _fill(self, tile: Tile) -> str:
        """Write a tile; return the digest that reading it back must give."""
        done = self._wanted[tile.rows, tile.columns]
        block = np.full((*done.shape, self._cube.units), np.nan, dtype=np.float32)
        top, left = tile.rows.start, tile.columns.start
        rows, columns = (
            slice(part.start - first, part.stop - first)
            for part, first in zip(tile.reach, (top, left), strict=True)
        )
        block[rows, columns] = self._compute(tile)
        block[~done] = np.nan
        stored = block.astype(self._cube.storage, copy=False)
        self._cube.write(top, left, stored, done)
        return block_digest(stored.astype(np.float32, copy=False))
