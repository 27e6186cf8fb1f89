"""The stages of the dense representation: plan, extract, prove."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import torch
import zarr

from brainarch.annotations.store import open_labels
from brainarch.dense.cube import STORAGE, Cube, require_source
from brainarch.dense.device_plan import plan_on_device
from brainarch.dense.extract import Source, extract
from brainarch.dense.partial import array_digest
from brainarch.dense.plan import plan_trunk, read_plan, restrict_rows, write_plan
from brainarch.dense.precision import known_precision
from brainarch.dense.prove import prove
from brainarch.dense.wanted import wanted_pixels
from brainarch.dense.workers import Recipe, open_tiles, pick_devices
from brainarch.errors import InputError
from brainarch.network.trained import load_network
from brainarch.records import write_record
from brainarch.volume.store import open_volume

logger = logging.getLogger(__name__)


def plan_extraction(
    *,
    network: Path,
    volume: Path,
    plan: Path,
    stride: int,
    precision: str,
    memory_mb: float,
    rows: Sequence[int] | None,
    threads: int = 1,
    device: str = "auto",
) -> None:
    """Choose algorithm and tiles of the dense extraction.

    Parameters
    ----------
    network, volume : Path
        The trained network, and the volume, of which only the shape is read.
    plan : Path
        Plan to write (JSON).
    stride : int
        Pixels between neighbouring patches: 1, 2, 4, 8 or 16.
    precision : {"float32", "bfloat16", "tf32"}
    memory_mb : float
        Memory that the extraction may use, in MB.
    rows : sequence of int, optional
        First and one past the last row to extract; all without.
    threads : int
        Threads that it may use at most.
    device : {"auto", "cpu", "cuda"}
        Where the extraction will go on: for a GPU, tiles are timed on it.

    Raises
    ------
    InputError
        If the question makes no sense or the memory is too small.
    """
    trunk, shape = load_network(network).network.trunk, open_volume(volume).shape[1:]
    band = None if rows is None else (rows[0], rows[1])
    first = pick_devices(device)[0]
    if first.type == "cuda":
        made = plan_on_device(
            trunk, shape, stride, first, precision=known_precision(precision), rows=band
        )
    else:
        made = plan_trunk(
            trunk, shape, stride,
            memory_mb=memory_mb, precision=precision, rows=band, threads=threads,
        )  # fmt: skip
    write_plan(made, plan)
    logger.info(
        "plan: %s in %s, tiles of %d x %d grid pixels, %d workers, predicted %.0f MB and %.3g s "
        "for every pixel of the rows",
        made.algorithm,
        made.precision,
        *made.tile,
        made.workers,
        made.memory_mb,
        made.expected_seconds,
    )


def extract_slice(
    *,
    network: Path,
    plan: Path,
    volume: Path,
    labels: Path | None = None,
    cube: Path,
    partial: Path,
    z: int,
    where: str,
    rows: Sequence[int] | None,
    storage: str,
    threads: int = 1,
    device: str = "auto",
    scheduler: str | None = None,
) -> None:
    """Extract the representation at every wanted pixel of a slice; goes on after a kill.

    Parameters
    ----------
    network, plan, volume : Path
        The trained network, the plan that `plan_extraction` wrote, and the volume.
    labels : Path, optional
        Area labels, for ``where`` "labelled".
    cube : Path
        Dense cube to make (Zarr); what stands there is replaced at the very end, unless it is this
        very cube already.
    partial : Path
        Folder for unfinished work, on the cube's file system.
    z : int
        Number of the slice.
    where : {"labelled", "tissue", "all"}
        Which pixels.
    rows : sequence of int, optional
        First and one past the last row to extract, within the plan's; those without.
    storage : {"float32", "float16"}
        Dtype on disk.
    threads : int
        Threads at most.
    device : {"auto", "cpu", "cuda"}
        cuda takes every GPU, a tile each.
    scheduler : str, optional
        Dask workers that compute the tiles, on their CPUs unless ``device`` is cuda; see
        `brainarch.scheduler.connect`.

    Raises
    ------
    InputError
        If anything does not fit together.
    """
    laid = read_plan(plan)
    if rows is not None:
        laid = restrict_rows(laid, (rows[0], rows[1]))
    if storage not in STORAGE:
        raise InputError(f"storage {storage}: must be one of {', '.join(STORAGE)}")
    trained, stack = load_network(network), open_volume(volume)
    grey, codes = stack.read_slice(z), None
    if where == "labelled" and labels is not None:
        codes = open_labels(labels).read_slice(z)
    source = Source(grey, z, stack.pixel_um, where, wanted_pixels(grey, where, codes))
    recipe = Recipe(trained.network.trunk, trained.normalisation, laid)
    with (
        zarr.config.set({"threading.max_workers": threads, "async.concurrency": threads}),
        open_tiles(recipe, threads=threads, device=device, scheduler=scheduler) as tiles,
    ):
        extract(source, trained, tiles, storage=storage, partial=partial, output=cube)


def prove_cube(
    *,
    cube: Path,
    network: Path,
    volume: Path,
    proof: Path,
    windows: int,
    seed: int,
    threads: int = 1,
) -> str | None:
    """Recompute random windows of a cube one by one.

    Parameters
    ----------
    cube, network, volume : Path
        The dense cube, and the network and volume that it came from.
    proof : Path
        Proof to write (JSON).
    windows : int
        How many; a quarter of them reach beyond the slice where there are such pixels.
    seed : int
        Of their choice.
    threads : int
        Threads at most.

    Returns
    -------
    str or None
        None if the cube is what its precision allows, else one line that says what is wrong.

    Raises
    ------
    InputError
        If cube, network and volume do not belong together.
    """
    opened = Cube.open(cube)
    trained = load_network(network)
    require_source(opened, "network", trained.digest, network)
    grey = open_volume(volume).read_slice(opened.z)
    require_source(opened, "slice", array_digest(grey), volume)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = prove(opened, grey, trained, windows, seed)
    finally:
        torch.set_num_threads(before)
    write_record(proof, found)
    if found["passed"]:
        return None
    what = "not exact" if found["precision"] == "float32" else f"worse than {found['precision']}"
    return f"{cube}: {what}: {found['verdict']}; see {proof}"
