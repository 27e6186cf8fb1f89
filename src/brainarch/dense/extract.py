"""Extracting slices: tiles through dask's threads into a cube, resumable at any moment."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from brainarch.dense.compute import Recipe, Tiles, open_tiles
from brainarch.dense.cube import STORAGE, Cube
from brainarch.dense.partial import Work, array_digest, block_digest, identity_key, open_work
from brainarch.dense.plan import Plan, chunk_side, read_plan, restrict_rows
from brainarch.dense.reference import measured_error
from brainarch.dense.tiles import Tile, cut_tiles
from brainarch.dense.wanted import tissue_mask, training_differences, wanted_pixels
from brainarch.disk import FULL
from brainarch.errors import InputError
from brainarch.geometry import WINDOW, pad_slice
from brainarch.network.checkpoint import Checkpoint, file_digest, load_checkpoint
from brainarch.progress import progress_bar
from brainarch.volume.store import open_volume

logger = logging.getLogger(__name__)

#: Windows that every finished cube is compared with, to state its error beside it.
ERROR_WINDOWS = 16


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


def extract_slices(
    *,
    checkpoint: Path,
    volume: Path,
    labels: Path | None,
    plan: Path,
    slices: Sequence[int],
    where: str,
    rows: tuple[int, int] | None,
    storage: str,
    partial: Path,
    outputs: Sequence[Path],
    threads: int,
    device: str = "auto",
    scheduler: str | None = None,
) -> None:
    """Extract slices from files into cubes; the network is loaded and prepared once.

    Parameters
    ----------
    checkpoint, volume, labels, plan : Path
        What is read; labels only for ``where`` "labelled".
    slices : sequence of int
        Numbers of the slices.
    where : {"labelled", "tissue", "all"}
    rows : tuple of int, optional
        First and one past the last row to extract, within the plan's; those by default.
    storage : {"float32", "float16"}
    partial : Path
        Folder for unfinished work.
    outputs : sequence of Path
        The cube of each slice; what stands there is replaced at the very end, unless it is this
        very cube already.
    threads : int
        Most threads to use.
    device : {"auto", "cpu", "cuda"}
    scheduler : str, optional
        Address of a dask scheduler whose workers compute the tiles.

    Raises
    ------
    InputError
        If anything does not fit together.
    """
    if len(slices) != len(outputs) or len(set(outputs)) != len(outputs):
        raise InputError(
            f"--slice {', '.join(map(str, slices))}: {len(slices)} slices need as many different "
            f"outputs, not {len(set(outputs))}; give one --output a slice, in the same order"
        )
    laid = read_plan(plan)
    if rows is not None:
        laid = restrict_rows(laid, rows)
    if storage not in STORAGE:
        raise InputError(f"storage {storage}: must be one of {', '.join(STORAGE)}")
    network = load_checkpoint(checkpoint)
    stack = open_volume(volume)
    marks = open_labels(labels) if where == "labelled" and labels is not None else None
    recipe = Recipe(network.network.trunk, network.normalisation, laid)
    digest = file_digest(checkpoint)
    with (
        zarr.config.set({"threading.max_workers": threads, "async.concurrency": threads}),
        open_tiles(recipe, threads=threads, device=device, scheduler=scheduler) as tiles,
    ):
        for z, output in zip(slices, outputs, strict=True):
            grey = stack.read_slice(z)
            codes = None if marks is None else marks.read_slice(z)
            source = Source(grey, z, stack.voxel_um, where, wanted_pixels(grey, where, codes))
            extract(
                source,
                network,
                tiles,
                checkpoint_digest=digest,
                storage=storage,
                partial=partial,
                output=output,
            )


def extract(
    source: Source,
    checkpoint: Checkpoint,
    tiles: Tiles,
    *,
    checkpoint_digest: str,
    storage: str,
    partial: Path,
    output: Path,
) -> None:
    """Extract a slice, going on where an interrupted extraction stopped.

    Parameters
    ----------
    source : Source
    checkpoint : Checkpoint
    tiles : Tiles
        Who computes, by which plan.
    checkpoint_digest : str
        SHA-256 of the checkpoint's file.
    storage, partial, output
        As for `extract_slices`.

    Raises
    ------
    InputError
        If plan, network and slice do not fit together, no pixel is wanted, ``partial`` holds other
        work, the disk is full, or what was written does not read back.
    """
    recipe, plan = tiles.recipe, tiles.recipe.plan
    _check_fit(source, recipe)
    wanted = source.wanted[np.ix_(plan.y, plan.x)]
    cut = cut_tiles(wanted, plan.tile)
    if not cut:
        raise InputError(
            f"slice {source.z}: no {source.where} pixel on the grid of stride {plan.stride} "
            f"in rows {plan.rows[0]}:{plan.rows[1]}; choose other rows or another where"
        )
    identity = {
        "stage": "extract",
        "version": brainarch.__version__,
        "torch": torch.__version__,
        "device": tiles.kind,
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
        "precision": plan.precision,
        "key": identity_key(identity),
        "identity": identity,
        "plan": plan.model_dump(mode="json"),
        "warnings": _warn(source, checkpoint),
    }
    if _is_there(output, identity_key(identity)):
        logger.info("slice %d: %s holds this very cube already", source.z, output)
        return
    with open_work(partial, identity, output) as work, _full_disk_in_one_line(partial):
        cube = _resume(work, plan, recipe.units, attrs, storage)
        filling = _Filling(cube, work, wanted, _TileComputer(source.grey, wanted, tiles))
        sound = filling.verify(cut, tiles.workers)
        missing = [tile for tile in cut if tile.index not in sound]
        filling.run(missing, sum(tile.count for tile in cut), tiles.workers)
        sound |= filling.verify(missing, tiles.workers)
        lost = len(cut) - len(sound)
        if lost or not np.array_equal(Cube.open(work.cube).extracted, wanted):
            raise InputError(
                f"{work.cube}: {lost} of {len(cut)} tiles do not read back as written; "
                "check the disk and extract again"
            )
        error = measured_error(cube, source.grey, checkpoint, ERROR_WINDOWS)
        cube.annotate({"measured_error": error})
        work.publish(output)


def _is_there(output: Path, key: str) -> bool:
    """Say whether a finished cube of this identity stands at its place."""
    try:
        return bool(Cube.open(output).attrs.get("key") == key)
    except (InputError, ValueError, KeyError):
        return False


@contextmanager
def _full_disk_in_one_line(partial: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise InputError(
            f"{partial}: no space left for the cube; make room and extract again, which goes on "
            "where it stopped"
        ) from None


def _check_fit(source: Source, recipe: Recipe) -> None:
    grey, plan = source.grey, recipe.plan
    if not np.issubdtype(grey.dtype, np.unsignedinteger):
        raise InputError(
            f"slice {source.z}: grey values are {grey.dtype}; wanted uint8 or uint16, "
            "convert the volume"
        )
    if recipe.network != plan.network:
        raise InputError(
            f"plan: made for another network ({plan.network}), the checkpoint holds "
            f"{recipe.network}; plan again"
        )
    if plan.window != WINDOW:
        raise InputError(
            f"network: its window is {plan.window} pixels, but the windows of a slice are "
            f"{WINDOW}; use a network of that window"
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
    """Cuts tiles out of one slice and has them computed; shared by the worker threads."""

    def __init__(self, grey: NDArray[np.generic], wanted: NDArray[np.bool_], tiles: Tiles) -> None:
        self._padded = pad_slice(grey)
        self._wanted = wanted
        self._tiles = tiles

    def __call__(self, tile: Tile) -> NDArray[np.float32]:
        """Return the representations of the tile's reach, shape (rows, columns, units)."""
        plan = self._tiles.recipe.plan
        rows, columns = (
            slice(int(axis[part.start]), int(axis[part.stop - 1]) + plan.window)
            for axis, part in zip((plan.y, plan.x), tile.reach, strict=True)
        )
        return self._tiles(self._padded[rows, columns], self._wanted[tile.reach])


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

    def verify(self, tiles: list[Tile], workers: int) -> set[int]:
        """Return the recorded tiles that read back as written, complete and finite."""
        digests = self._work.finished()
        recorded = [tile for tile in tiles if tile.index in digests]
        with ThreadPoolExecutor(workers) as pool:
            sound = pool.map(lambda tile: self._reads_back(tile, digests[tile.index]), recorded)
            return {tile.index for tile, good in zip(recorded, sound, strict=True) if good}

    def _reads_back(self, tile: Tile, digest: str) -> bool:
        place = tile.rows, tile.columns
        try:
            block, done = self._cube.block(*place), self._cube.extracted_block(*place)
        except (ValueError, RuntimeError, OSError):  # a cut-off or damaged chunk
            return False
        wanted = self._wanted[place]
        finite = np.isfinite(block).all(axis=2)
        complete = np.array_equal(done, wanted) and np.array_equal(finite, wanted)
        return complete and block_digest(block) == digest

    def _fill(self, tile: Tile) -> str:
        """Write a tile; return the digest that reading it back must give."""
        done = self._wanted[tile.rows, tile.columns]
        top, left = tile.rows.start, tile.columns.start
        block = self._compute(tile)
        if tile.reach != (tile.rows, tile.columns):
            whole = np.full((*done.shape, self._cube.units), np.nan, dtype=np.float32)
            rows, columns = (
                slice(part.start - first, part.stop - first)
                for part, first in zip(tile.reach, (top, left), strict=True)
            )
            whole[rows, columns] = block
            block = whole
        block[~done] = np.nan
        stored = block.astype(self._cube.storage, copy=False)
        self._cube.write(top, left, stored, done)
        return block_digest(stored.astype(np.float32, copy=False))
