"""The volume: made from a TIFF stack or linked to, measured, and compared with its source."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import zarr

from brainarch.errors import InputError
from brainarch.tables import write_table
from brainarch.volume import statistics
from brainarch.volume.convert import check_declared, convert, plan_conversion
from brainarch.volume.kinds import is_url
from brainarch.volume.samples import check_samples
from brainarch.volume.stack import check_voxel, describe, open_stack
from brainarch.volume.store import check_image, is_link, link_volume, open_volume
from brainarch.volume.units import Voxel
from brainarch.volume.verify import (
    Difference,
    choose_slices,
    read_checksums,
    recorded_reading,
    verify,
)

logger = logging.getLogger(__name__)


def convert_stack(
    *,
    source: str,
    shape: Sequence[int],
    dtype: str,
    voxel_um: Voxel,
    first_slice: int,
    window: Sequence[float] | None,
    compression: str,
    pixel_um: float | None,
    nan: float | None,
    file_step: int,
    volume: Path,
    slices: Path,
    partial: Path,
    memory_mb: float = 2000,
    threads: int = 1,
) -> None:
    """Convert a TIFF stack to an OME-Zarr 0.5 volume with a resolution pyramid.

    Parameters
    ----------
    source : str
        Folder of slices, pattern, or multi-page file; see `brainarch.volume.stack.open_stack`.
    shape : sequence of int
        Declared slices, rows and columns of the files.
    dtype : str
        Declared type of the grey values, or what a window makes of them: uint8 or uint16.
    voxel_um : float or sequence of float
        Declared side of the files' voxel in micrometer, or its sides along z, y and x.
    first_slice : int
        Number of the first slice.
    window : sequence of float or None
        Grey values of the files that become 0 and the largest value of ``dtype``.
    compression : {"zstd", "none"}
        How chunks are stored.
    pixel_um : float or None
        Side in micrometer that pixels are resampled to.
    nan : float or None
        Grey value that NaN pixels take before the window; None refuses them.
    file_step : int
        By how much the numbers of the files go up from slice to slice.
    volume, slices : Path
        The volume and the table of its slices with their SHA-256 to make.
    partial : Path
        Folder for unfinished work, on the same file system; a killed conversion goes on from there.
    memory_mb : float
        Memory that may be used, in MB.
    threads : int

    Raises
    ------
    InputError
        If the files are not as declared or cannot be read, or the memory is too small.
    """
    _require_place(volume, source)
    limits = None if window is None else (window[0], window[1])
    stack = open_stack(
        source, first_slice, window=limits, dtype=dtype, nan=nan, file_step=file_step
    )
    check_declared(stack, shape, dtype)
    check_voxel(stack, voxel_um)
    check_samples(stack)
    if stack.white is not None:
        logger.info("the files store white as 0; grey values are turned round, as they are shown")
    plan = plan_conversion(
        stack.file_shape,
        dtype,
        voxel_um,
        first_slice=first_slice,
        memory_mb=memory_mb,
        threads=threads,
        source_dtype=str(stack.source_dtype),
        compression=compression,
        pixel_um=pixel_um,
    )
    if plan.resampling is not None:
        before, after = (describe(sides[1:], "px") for sides in (stack.file_shape, plan.shape))
        logger.info(
            "slices are resampled from %g to %g um, %s to %s",
            plan.resampling.source_um,
            plan.pixel_um,
            before,
            after,
        )
    logger.info(
        "%d slabs of %d slices, %d levels, predicted memory %.0f of %.0f MB",
        len(plan.slabs),
        plan.slab,
        len(plan.levels),
        plan.memory_mb,
        memory_mb,
    )
    convert(stack, plan, volume, slices, partial, threads)


def link_image(
    *,
    source: str,
    shape: Sequence[int],
    dtype: str,
    voxel_um: Voxel,
    first_slice: int,
    volume: Path,
) -> None:
    """Use an OME-Zarr image as the volume, where it lies and without a copy.

    Parameters
    ----------
    source : str
        An OME-Zarr 0.4 or 0.5 image.
    shape : sequence of int
        Declared slices, rows and columns.
    dtype : str
        Declared type of the grey values: uint8 or uint16.
    voxel_um : float or sequence of float
        Declared side of the voxel in micrometer, or its sides along z, y and x.
    first_slice : int
        Number of the first slice.
    volume : Path
        The link to make; every stage takes it for a volume.

    Raises
    ------
    InputError
        If the image cannot be used or is not as declared.
    """
    _require_place(volume, source)
    image = check_image(
        Path(source), shape=shape, dtype=dtype, voxel_um=voxel_um, first_slice=first_slice
    )
    link_volume(image, volume, voxel_um=voxel_um, first_slice=first_slice)
    logger.info("%s leads to %s, nothing was copied", volume, source)


def measure_volume(
    *, volume: Path, summary: Path, histogram: Path, slices: Path, threads: int = 1
) -> None:
    """Count the grey values of the whole volume: histogram, percentiles, slice by slice, tissue.

    Parameters
    ----------
    volume : Path
        The volume.
    summary, histogram, slices : Path
        Tables of the volume's numbers, its histogram and its slices' numbers to make.
    threads : int
    """
    with zarr.config.set({"threading.max_workers": threads, "async.concurrency": threads}):
        found = statistics.measure(open_volume(volume), threads)
    write_table(found.summary, summary, statistics.SUMMARY_COLUMNS)
    write_table(found.table, histogram, statistics.HISTOGRAM_COLUMNS)
    write_table(found.slices, slices, statistics.SLICE_COLUMNS)


class Verified(NamedTuple):
    """How many of a volume's slices were read again, and what had changed."""

    read: int
    slices: int
    differences: list[Difference]


def verify_volume(
    *,
    volume: Path,
    slices: Path,
    source: str | None,
    sample: int | None,
    seed: int,
    threads: int = 1,
) -> Verified:
    """Read a converted volume again, and the stack that it came from.

    Parameters
    ----------
    volume, slices : Path
        The volume and the table of its slices with their SHA-256.
    source : str or None
        The TIFF stack that it was made from; without it the volume alone is read.
    sample : int or None
        Random slices to read; None reads all.
    seed : int
        Seed of the sample.
    threads : int

    Raises
    ------
    InputError
        If the volume was not converted here, or table or stack are not its own.
    """
    if is_link(volume):
        raise InputError(
            f"{volume}: leads to an OME-Zarr image that was not converted here, so no checksums of "
            "its slices were recorded; nothing can be verified"
        )
    opened = open_volume(volume)
    checksums = read_checksums(slices, opened)
    stack = None
    if source is not None:
        reading = recorded_reading(volume)
        stack = open_stack(source, opened.first_slice, dtype=str(opened.dtype), **reading)
        stack = stack.resampled(opened.resampling)
    chosen = choose_slices(opened.slices, sample, seed)
    return Verified(
        len(chosen), len(opened.slices), verify(opened, checksums, chosen, stack, threads)
    )


def _require_place(volume: Path, source: str) -> None:
    """Refuse to put a volume where its source is, or where something else than a store is."""
    if is_url(source):
        raise InputError(
            f"{source}: no file; a run fetches it where a config names it, volume.path"
        )
    if volume.exists() and Path(source).exists() and volume.samefile(source):
        raise InputError(f"{volume}: is the source itself; give another place for the volume")
    if volume.exists() and not (volume / "zarr.json").exists():
        raise InputError(f"{volume}: is no Zarr store and is not replaced; give another place")
