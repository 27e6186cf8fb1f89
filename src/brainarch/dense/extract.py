"""Extracting slices: tiles through dask's threads into a cube, resumable at any moment."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dask.base import compute as dask_compute
from dask.delayed import delayed
from numpy.typing import NDArray

import brainarch
from brainarch.dense.cube import Cube
from brainarch.dense.partial import Work, array_digest, identity_key, open_work
from brainarch.dense.plan import chunk_side
from brainarch.dense.reference import measured_error
from brainarch.dense.tiles import Tile, cut_tiles
from brainarch.dense.workers import Recipe, Tiles
from brainarch.disk import FULL
from brainarch.errors import InputError
from brainarch.geometry import WINDOW, pad_slice
from brainarch.grids.grid import Place
from brainarch.network.differences import training_differences
from brainarch.network.trained import TrainedNetwork
from brainarch.progress import progress_bar
from brainarch.volume.tissue import tissue_mask

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
    pixel_um : float
        Side of a pixel in micrometer.
    where : str
        Name of the rule that chose the pixels.
    wanted : ndarray of bool, shape (rows, columns)
        The pixels to extract, before the grid and the plan's rows thin them out.
    """

    grey: NDArray[np.generic]
    z: int
    pixel_um: float
    where: str
    wanted: NDArray[np.bool_]


def extract(
    source: Source,
    trained: TrainedNetwork,
    tiles: Tiles,
    *,
    storage: str,
    partial: Path,
    output: Path,
) -> None:
    """Extract a slice, going on where an interrupted extraction stopped.

    Parameters
    ----------
    source : Source
    trained : TrainedNetwork
    tiles : Tiles
        Who computes, by which plan.
    storage : {"float32", "float16"}
        Dtype on disk.
    partial : Path
        Folder for unfinished work.
    output : Path
        The cube to make; what stands there is replaced at the very end, unless it is this very cube
        already.

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
        "network": trained.digest,
        "plan": plan.identity,
    }
    place = Place(source.z, plan.stride, source.pixel_um, plan.y, plan.x, identity_key(identity))
    if _is_there(output, place.key, tiles.workers):
        logger.info("slice %d: %s holds this very cube already", source.z, output)
        return
    attrs = {
        "where": source.where,
        "rows": list(plan.rows),
        "precision": plan.precision,
        "identity": identity,
        "plan": plan.model_dump(mode="json"),
        "warnings": _warn(source, trained),
    }
    with open_work(partial, identity, output) as work, _full_disk_in_one_line(partial):
        cube = _resume(work, place, recipe.units, attrs, storage)
        filling = _Filling(cube, work, wanted, _TileComputer(source.grey, wanted, tiles))
        sound = filling.verify(cut, tiles.workers)
        missing = [tile for tile in cut if tile.index not in sound]
        filling.run(missing, sum(tile.count for tile in cut), tiles.workers)
        if not np.array_equal(Cube.open(work.cube).extracted, wanted):
            raise InputError(
                f"{work.cube}: holds other pixels than were written; check the disk and extract "
                "again"
            )
        error = measured_error(cube, source.grey, trained, ERROR_WINDOWS)
        cube.annotate({"measured_error": error})
        work.publish(output)


def _is_there(output: Path, key: str | None, threads: int) -> bool:
    """Say whether a finished cube of this identity stands where it goes, and is sound."""
    try:
        cube = Cube.open(output)
        damaged = cube.faults(threads) if cube.key == key else []
    except InputError as error:
        if output.exists():
            logger.warning("%s; it is extracted again", error)
        return False
    if damaged:
        logger.warning("%s: %s; it is extracted again", output, damaged[0])
    return cube.key == key and not damaged


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
            f"plan: made for another network ({plan.network}), this one is {recipe.network}; "
            "plan again"
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


def _warn(source: Source, trained: TrainedNetwork) -> list[str]:
    pixels = tissue_mask(source.grey) if source.where == "all" else source.wanted
    found = training_differences(
        source.grey,
        pixels,
        trained.normalisation,
        (source.pixel_um, trained.pixel_um),
        (str(source.grey.dtype), trained.dtype),
    )
    for difference in found:
        logger.warning("slice %d differs from the training: %s", source.z, difference)
    return found


def _resume(work: Work, place: Place, units: int, attrs: dict[str, Any], storage: str) -> Cube:
    if work.finished():
        try:
            return Cube.open(work.cube, writable=True)
        except InputError:
            logger.warning("%s: unreadable, extracting from the beginning", work.cube)
    work.restart()
    return Cube.create(
        work.cube, place, units, attrs, storage=storage, chunk=chunk_side(place.stride)
    )


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
        """Compute, write and record tiles on dask's threads, one torch thread each.

        What is written is read back at once (`brainarch.stores.files.WrittenFiles`), while other
        tiles are computed.
        """
        guard = threading.Lock()
        compute_all: Callable[..., Any] = dask_compute
        before = torch.get_num_threads()
        with progress_bar(total, f"extracting slice {self._cube.z}", "patch") as bar:
            bar.update(total - sum(tile.count for tile in tiles))

            def finish(tile: Tile) -> None:
                torch.set_num_threads(1)
                self._fill(tile)
                self._work.record(tile.index, self._cube.checksums(tile.rows, tile.columns))
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
        """Return the tiles that an earlier process has recorded and that are as it left them."""
        checksums = self._work.finished()
        recorded = [tile for tile in tiles if tile.index in checksums]
        with ThreadPoolExecutor(workers) as pool:
            sound = pool.map(lambda tile: self._is_whole(tile, checksums[tile.index]), recorded)
            return {tile.index for tile, good in zip(recorded, sound, strict=True) if good}

    def _is_whole(self, tile: Tile, checksums: str) -> bool:
        place = tile.rows, tile.columns
        if self._cube.checksums(*place) != checksums:
            return False
        try:
            done, found = self._cube.extracted_block(*place), self._cube.block(*place)
        except InputError:  # a cut-off or damaged chunk
            return False
        return np.array_equal(done, self._wanted[place]) and np.array_equal(done, _whole(found))

    def _fill(self, tile: Tile) -> None:
        """Compute and write a tile."""
        done = self._wanted[tile.rows, tile.columns]
        block = self._compute(tile)
        if tile.reach != (tile.rows, tile.columns):
            whole = np.full((*done.shape, self._cube.units), np.nan, dtype=np.float32)
            rows, columns = (
                slice(part.start - axis.start, part.stop - axis.start)
                for part, axis in zip(tile.reach, (tile.rows, tile.columns), strict=True)
            )
            whole[rows, columns] = block
            block = whole
        block[~done] = np.nan
        stored = block.astype(self._cube.storage, copy=False)
        if not np.array_equal(_whole(stored), done):
            raise InputError(
                f"slice {self._cube.z}: values in rows {tile.rows.start}:{tile.rows.stop} of the "
                "grid are not finite; take extraction.precision and storage float32, or train the "
                "network again"
            )
        self._cube.write(tile.rows.start, tile.columns.start, stored, done)


def _whole(block: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return the pixels all of whose values are finite: those whose sum is."""
    finite: NDArray[np.bool_] = np.isfinite(block.sum(axis=2, dtype=np.float32))
    return finite
