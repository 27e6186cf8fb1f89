"""The resolution pyramid: its levels, and the mean that makes a level from the one below it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainarch.volume.store import Scale

#: Depth of a chunk: a slice is read by decoding this many.
CHUNK_DEPTH = 8
#: Side of a chunk in pixels. Whole slices and single windows both read fast (measured).
CHUNK = 256
#: Side of a shard, one file, in pixels.
SHARD = 1024
#: A level with fewer slices is thin: the next level halves rows and columns only.
THIN = 16

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Level:
    """One level of the pyramid.

    Attributes
    ----------
    shape : tuple of int
        Slices, rows and columns.
    factor : tuple of int
        Voxels of the level below that one voxel averages, along each axis (1 or 2).
    scale : tuple of float
        Size of a voxel in micrometer.
    origin : tuple of float
        Centre of the first voxel in micrometer.
    chunk, shard : tuple of int
        Shape of a chunk and of a shard. A slab of level 0 fills whole shards of every level.
    """

    shape: Shape
    factor: Shape
    scale: Scale
    origin: Scale
    chunk: Shape
    shard: Shape


def plan_levels(
    shape: Shape,
    pixel_um: float,
    first_slice: int,
    slab: int,
    *,
    slice_um: float | None = None,
    shift_um: float = 0.0,
) -> tuple[Level, ...]:
    """Return the levels of a volume's pyramid.

    Every level halves rows and columns until a slice fits a chunk; it halves slices too while there
    are at least `THIN` of them and the slab divides evenly.

    Parameters
    ----------
    shape : tuple of int
        Slices, rows and columns of the volume.
    pixel_um : float
        Side of a pixel in micrometer.
    first_slice : int
        Number of the first slice, which shifts the origin along z.
    slab : int
        Number of slices that are held in memory at a time.
    slice_um : float, optional
        Distance of neighbouring slices in micrometer; by default the side of a pixel.
    shift_um : float
        Centre of the first pixel along y and x.
    """
    size, factor = shape, (1, 1, 1)
    slice_um = pixel_um if slice_um is None else slice_um
    scale: Scale = (slice_um, pixel_um, pixel_um)
    origin: Scale = (first_slice * slice_um, shift_um, shift_um)
    depth = slab
    levels = []
    while True:
        chunk_depth = CHUNK_DEPTH if depth % CHUNK_DEPTH == 0 else depth
        sides = [min(SHARD, -(-side // CHUNK) * CHUNK) for side in size[1:]]
        levels.append(
            Level(
                shape=size,
                factor=factor,
                scale=scale,
                origin=origin,
                chunk=(chunk_depth, CHUNK, CHUNK),
                shard=(depth, sides[0], sides[1]),
            )
        )
        if max(size[1:]) <= CHUNK:
            return tuple(levels)
        halve_z = size[0] >= THIN and depth % 2 == 0
        factor = (2 if halve_z else 1, 2, 2)
        depth //= factor[0]
        z, y, x = (-(-side // step) for side, step in zip(size, factor, strict=True))
        size = (z, y, x)
        # The centre of a mean of two voxels lies half a voxel beyond the first one's.
        shift = [(step - 1) * side / 2 for step, side in zip(factor, scale, strict=True)]
        origin = (origin[0] + shift[0], origin[1] + shift[1], origin[2] + shift[2])
        scale = (scale[0] * factor[0], scale[1] * factor[1], scale[2] * factor[2])


def halve(slab: NDArray[np.generic], factor: Shape, threads: int = 1) -> NDArray[np.generic]:
    """Return the mean over blocks of voxels, rounded half up, in the slab's own type.

    Parameters
    ----------
    slab : ndarray of uint8 or uint16, shape (z, y, x)
    factor : tuple of int
        Shape of a block, 1 or 2 along each axis; blocks that reach beyond the slab average the
        voxels that exist.
    threads : int
        Slices computed at a time.

    Returns
    -------
    ndarray, shape (ceil(z / factor[0]), ceil(y / factor[1]), ceil(x / factor[2]))
    """
    z, y, x = (-(-side // step) for side, step in zip(slab.shape, factor, strict=True))
    result = np.empty((z, y, x), dtype=slab.dtype)
    wide = np.uint16 if slab.dtype == np.uint8 else np.uint32
    count = int(np.prod(factor))

    def make(index: int) -> None:
        last = min(index * factor[0] + factor[0], slab.shape[0]) - 1
        total = slab[index * factor[0]].astype(wide)
        if factor[0] == 2:
            total += slab[last]
        # A block with an odd end counts its last voxel twice, which leaves the mean as it is.
        for axis in (0, 1):
            if factor[axis + 1] == 2:
                if total.shape[axis] % 2:
                    total = np.pad(total, [(0, int(axis == i)) for i in (0, 1)], mode="edge")
                even, odd = np.split(total.reshape(_paired(total.shape, axis)), 2, axis=axis + 1)
                total = (even + odd).squeeze(axis + 1)
        result[index] = (total + count // 2) // count

    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(make, range(z)))
    return result


def _paired(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """Return the shape that splits an axis of even length into pairs."""
    return (*shape[:axis], shape[axis] // 2, 2, *shape[axis + 1 :])
