"""Sizes of what a run makes, in MB, and the memory that conversion plans with."""

from __future__ import annotations

import math
from functools import partial

from brainarch.errors import InputError
from brainarch.geometry import UNITS
from brainarch.needs.work import Work

MB = 1e6
#: Memory in MB that conversion may use, more only where no slab fits it.
CONVERT_MB = 2000.0
#: Threads that a stage which can use them asks for.
THREADS = 8


def volume_mb(work: Work) -> float:
    """Return the size of the volume's voxels in MB."""
    return work.voxels * work.itemsize / MB


def pyramid_mb(shape: tuple[int, int, int], itemsize: int) -> float:
    """Return the size in MB of all levels above the first, at most a third of the volume.

    Each level halves rows and columns; slices only while there are many, so thin volumes have the
    largest pyramids: 1/4 + 1/16 + ... = 1/3.
    """
    z, y, x = shape
    total = 0
    while max(y, x) > 1:
        y, x = -(-y // 2), -(-x // 2)
        total += z * y * x
    return total * itemsize / MB


def cube_mb(pixels: int, storage_bytes: int) -> float:
    """Return the size in MB of the dense cube of so many pixels; 5.5 million in float32: 1,408."""
    return pixels * UNITS * storage_bytes / MB


def coefficients_mb(pixels: int, factors: int) -> float:
    """Return the size in MB of the coefficient maps of a slice of so many pixels."""
    return pixels * (4 * factors + 1) / MB


def convert_mb(work: Work) -> float:
    """Return the memory in MB of conversion: what it plans with, or the least that it can do with.

    It is more than `CONVERT_MB` only where even the thinnest slab does not fit that.
    """
    # Zarr and more, which every other job's Snakemake starts the sooner without
    from brainarch.volume.convert import plan_conversion  # noqa: PLC0415

    volume = work.config.volume
    shape = (volume.stored_shape[0], *volume.shape[1:])
    plan = partial(
        plan_conversion,
        shape,
        volume.dtype,
        volume.voxel_um,
        threads=THREADS,
        pixel_um=None if volume.resampling is None else volume.pixel_um,
    )
    try:
        return math.ceil(plan(memory_mb=CONVERT_MB).memory_mb)
    except InputError:
        return math.ceil(plan(memory_mb=math.inf, slab=8).memory_mb)
