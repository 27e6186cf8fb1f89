"""Converting a TIFF stack to a sharded OME-Zarr volume, slab by slab, so that a kill costs little.

A slab is as deep as a shard, so each file of the result is written once, and every level of the
pyramid comes from the slab in memory. Unfinished work lies in a folder named by what goes in.
"""

from __future__ import annotations

import errno
import json
import logging
import shutil
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray
from zarr.codecs import Crc32cCodec, ZstdCodec

from brainarch import __version__
from brainarch.atomic import move, try_writing
from brainarch.disk import FULL
from brainarch.errors import InputError
from brainarch.progress import progress_bar
from brainarch.records import read_record, write_record
from brainarch.stores.metadata import (
    DIGEST,
    GUARDED,
    check_metadata,
    read_metadata,
    write_attributes,
)
from brainarch.tables import write_table
from brainarch.unfinished import unfinished_work
from brainarch.volume.pixel_size import Resampling
from brainarch.volume.pyramid import CHUNK_DEPTH, Level, halve, plan_levels
from brainarch.volume.resample import band_bytes
from brainarch.volume.shards import read_band, write_shards
from brainarch.volume.stack import Slab, Stack, describe
from brainarch.volume.store import (
    ATTRIBUTE,
    AXES,
    RESAMPLED,
    multiscale_attributes,
    slice_digest,
)
from brainarch.volume.units import Voxel, voxel_sides
from brainarch.volume.window import can_narrow

logger = logging.getLogger(__name__)

#: Depths of a slab, the deepest that fits the memory is taken.
SLAB_DEPTHS = (64, 32, 16, 8)
#: Memory of the interpreter with its libraries, in MB (measured).
BASE_MB = 170.0
#: Level of the zstd compression; each chunk carries a checksum, which every reader verifies.
ZSTD_LEVEL = 3
#: How chunks may be stored.
COMPRESSIONS = ("zstd", "none")
#: In the folder of unfinished work: the store, and a record of every finished slab.
STORE_NAME, DONE = "volume.ome.zarr", "done"
#: What the system says when it refuses to write.
REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
MB = 1e6

SLICE_COLUMNS = {
    "slice": "slice number",
    "file": "name of the file that the slice came from",
    "page": "index of the slice in that file",
    "sha256": "SHA-256 of the slice's grey values as stored, row by row, little-endian",
    "below_window": "pixels below the intensity window, which became 0; 0 without a window",
    "above_window": "pixels above it, which became the largest value; 0 without a window",
    "filled": "pixels that were NaN and took the value declared for them (volume.nan)",
}


@dataclass(frozen=True)
class ConversionPlan:
    """How a stack is converted; everything that decides the bytes of the result.

    Attributes
    ----------
    shape : tuple of int
        Slices, rows and columns.
    dtype : str
        Type of the grey values.
    pixel_um : float
        Side of a pixel in micrometer.
    slice_um : float
        Distance of neighbouring slices in micrometer.
    first_slice : int
        Number of the first slice.
    slab : int
        Slices held in memory at a time, the depth of a shard of level 0.
    levels : tuple of Level
        The pyramid.
    memory_mb : float
        Predicted peak memory in MB.
    compression : {"zstd", "none"}
        How chunks are stored; either way with a checksum.
    resampling : Resampling or None
        How slices are resampled; sizes above are those that result.
    """

    shape: tuple[int, int, int]
    dtype: str
    pixel_um: float
    slice_um: float
    first_slice: int
    slab: int
    levels: tuple[Level, ...]
    memory_mb: float
    compression: str = "zstd"
    resampling: Resampling | None = None

    @property
    def zstd_level(self) -> int | None:
        """Level of the compression, None without."""
        return ZSTD_LEVEL if self.compression == "zstd" else None

    @property
    def slabs(self) -> list[tuple[int, int]]:
        """First and one past the last index of every slab's slices."""
        starts = range(0, self.shape[0], self.slab)
        return [(start, min(start + self.slab, self.shape[0])) for start in starts]


def check_declared(stack: Stack, shape: Sequence[int], dtype: str) -> None:
    """Check that a stack is what the config says it is.

    Raises
    ------
    InputError
        If shape or type differ.
    """
    if stack.file_shape != tuple(shape) or str(stack.dtype) != dtype:
        keys = []
        if stack.file_shape != tuple(shape):
            keys.append(f"volume.shape: {list(stack.file_shape)}")
        if str(stack.dtype) != dtype:
            keys.append(f"volume.dtype: {stack.dtype}")
            if can_narrow(stack.dtype, np.dtype(dtype)):
                keys[-1] += f", or a volume.window that makes {dtype} of it"
        raise InputError(
            f"{stack.name}: the data are {describe(stack.file_shape, stack.dtype)}, but "
            f"{describe(shape, dtype)} was declared; correct the declaration "
            f"({'; '.join(keys)}) or the data"
        )


def plan_conversion(
    shape: tuple[int, int, int],
    dtype: str,
    voxel_um: Voxel,
    *,
    first_slice: int = 0,
    memory_mb: float = 2000.0,
    threads: int = 1,
    slab: int | None = None,
    source_dtype: str | None = None,
    compression: str = "zstd",
    pixel_um: float | None = None,
) -> ConversionPlan:
    """Choose the deepest slab that fits the memory.

    Parameters
    ----------
    shape : tuple of int
        Slices, rows and columns of the files.
    dtype : str
        uint8 or uint16.
    voxel_um : float or sequence of float
        Side of the files' voxel in micrometer, or its sides along z, y and x.
    first_slice : int
        Number of the first slice.
    memory_mb : float
        Memory that the conversion may use, in MB.
    threads : int
        Threads that read and downsample.
    slab : int, optional
        Depth of a slab, a multiple of 8; without it the memory decides.
    source_dtype : str, optional
        Type of the grey values in the files, where a window narrows them to ``dtype``.
    compression : {"zstd", "none"}
        How chunks are stored.
    pixel_um : float, optional
        Side in micrometer that pixels are resampled to; without it they stay as they are.

    Raises
    ------
    InputError
        If the memory is too small, or a number makes no sense.
    """
    slice_um, _, source_um = voxel_sides(voxel_um)
    if min(shape) < 1:
        raise InputError(f"shape {describe(shape, dtype)}: every size must be at least 1")
    if compression not in COMPRESSIONS:
        raise InputError(f"compression {compression}: must be one of {', '.join(COMPRESSIONS)}")
    if slab is not None and (slab < 1 or slab % CHUNK_DEPTH):
        raise InputError(f"slab of {slab} slices: must be a multiple of {CHUNK_DEPTH}")
    resampling = None
    if pixel_um is not None:
        resampling = Resampling(*shape[1:], source_um=source_um, pixel_um=pixel_um)
    made = shape if resampling is None else (shape[0], *resampling.shape)
    side = source_um if pixel_um is None else pixel_um
    shift = 0.0 if resampling is None else resampling.shift_um
    # No deeper than the volume, in whole chunks.
    full = shape[0] if shape[0] < CHUNK_DEPTH else -(-shape[0] // CHUNK_DEPTH) * CHUNK_DEPTH
    depths = sorted({min(depth, full) for depth in ([slab] if slab else SLAB_DEPTHS)}, reverse=True)
    itemsize, read = np.dtype(dtype).itemsize, np.dtype(source_dtype or dtype).itemsize
    for depth in depths:
        levels = plan_levels(made, side, first_slice, depth, slice_um=slice_um, shift_um=shift)
        needed = _predict_memory(made, depth, (itemsize, read), levels, threads, resampling)
        if needed <= memory_mb:
            return ConversionPlan(
                shape=made,
                dtype=dtype,
                pixel_um=side,
                slice_um=slice_um,
                first_slice=first_slice,
                slab=depth,
                levels=levels,
                memory_mb=needed,
                compression=compression,
                resampling=resampling,
            )
    raise InputError(
        f"memory of {memory_mb:.0f} MB: a slab of {depths[-1]} slices needs {needed:.0f} MB; "
        "give more memory or fewer threads"
    )


def convert(
    stack: Stack,
    plan: ConversionPlan,
    output: Path,
    table: Path,
    partial: Path,
    threads: int = 1,
) -> None:
    """Convert a stack, going on where an interrupted conversion stopped.

    Parameters
    ----------
    stack : Stack
        What to convert.
    plan : ConversionPlan
        How.
    output : Path
        The OME-Zarr store to make; what stands there is replaced only at the very end.
    table : Path
        Where the table of slices with their SHA-256 goes.
    partial : Path
        Folder for unfinished work, on the file system of ``output``. The work lies in a folder
        named by a key of the input files (names, sizes, times), the plan and the version.
    threads : int
        Threads that read and downsample.

    Raises
    ------
    InputError
        If a slice cannot be read, the folder of unfinished work holds anything else or is another
        process's, the disk is full or cannot be written, or the written data do not read back as
        they went in.
    """
    _check_places(output, table, partial)
    try:
        _convert(stack.resampled(plan.resampling), plan, output, table, partial, threads)
    except OSError as error:
        if error.errno not in (*FULL, *REFUSED):
            raise
        raise InputError(_explain(error, output, partial)) from None


def _convert(
    stack: Stack, plan: ConversionPlan, output: Path, table: Path, partial: Path, threads: int
) -> None:
    identity = _identity(stack, plan)
    with unfinished_work(partial, "convert", identity, output, (DONE, STORE_NAME)) as work:
        (work / DONE).mkdir(exist_ok=True)
        store = work / STORE_NAME
        done = _finished_slabs(work, plan) if store.exists() else {}
        if done:
            logger.info("going on after %d of %d slabs in %s", len(done), len(plan.slabs), work)
        else:
            shutil.rmtree(store, ignore_errors=True)
            _create_store(store, plan, stack)
        _write_slabs(stack, plan, work, done, threads)
        with progress_bar(plan.shape[0], "validating", "slice") as bar:
            for number, (start, stop) in enumerate(plan.slabs):
                if not _reads_back(store, plan, number, done[number], threads):
                    _record(work, number).unlink()
                    first, last = start + plan.first_slice, stop - 1 + plan.first_slice
                    raise InputError(
                        f"{store}: slices {first} to {last} do not read back as written; check the "
                        "disk and convert again"
                    )
                bar.update(stop - start)
        _check_metadata(store, plan, stack)
        _write_slices(stack, plan, [done[number] for number in sorted(done)], table)
        _publish(store, output)


def _check_places(output: Path, table: Path, partial: Path) -> None:
    """Check that results can be written, before hours of work rather than after."""
    for folder in dict.fromkeys((partial, output.parent, table.parent)):
        try:
            try_writing(folder)
        except OSError as error:
            raise InputError(
                f"{folder}: cannot be written ({error.strerror}); change its permissions or give "
                "another place"
            ) from None
    if partial.stat().st_dev != output.parent.stat().st_dev:
        raise InputError(
            f"{partial}: on another file system than {output}; give a folder for unfinished work "
            "beside it"
        )


def _explain(error: OSError, output: Path, partial: Path) -> str:
    """Return what a failure of the disk means, as one line."""
    if error.errno in FULL:
        done = len(list(partial.glob("convert-*/done/[0-9]*.json")))
        return (
            f"{output}: the disk is full ({error.strerror}); finished slabs ({done}) are kept in "
            f"{partial}: free some space and run the same command again, it goes on from there"
        )
    return (
        f"{output}: cannot be written ({error.strerror}); finished slabs are kept in "
        f"{partial}: mend the disk and run the same command again"
    )


def _predict_memory(
    shape: tuple[int, int, int],
    depth: int,
    itemsizes: tuple[int, int],
    levels: Sequence[Level],
    threads: int,
    resampling: Resampling | None,
) -> float:
    """Return the predicted peak memory in MB; pixels take so many bytes stored and in the files.

    A slab and the level made from it are held together with the slices being decoded or summed (one
    a thread, four bytes a pixel with their sums). Reading back holds a layer of chunks a thread,
    while no slab is held.
    """
    itemsize, read = itemsizes
    pixels = shape[1] * shape[2]
    slab = depth * pixels * itemsize
    second = slab / (levels[1].factor[0] * 4) if len(levels) > 1 else 0.0
    source = pixels if resampling is None else resampling.rows * resampling.columns
    slices = threads * (source * 2 * read + pixels * 4)
    if resampling is not None:
        slices += threads * band_bytes(resampling)
    layers = threads * levels[0].chunk[0] * pixels * itemsize * 1.25  # a quarter more: measured
    return BASE_MB + max(slab + second + slices, layers) / MB


def _identity(stack: Stack, plan: ConversionPlan) -> dict[str, Any]:
    """Return everything that the result depends on, as JSON types."""
    files = []
    for path in stack.files:
        status = path.stat()
        files.append([path.name, status.st_size, status.st_mtime_ns])
    content = {
        "stage": "convert",
        "version": __version__,
        "files": files,
        "window": stack.window,
        "nan": stack.nan,
        "file_step": stack.file_step,
        "plan": {key: value for key, value in asdict(plan).items() if key != "memory_mb"},
        "zstd": plan.zstd_level,
    }
    identity: dict[str, Any] = json.loads(json.dumps(content))
    return identity


def _record(work: Path, number: int) -> Path:
    """Return the file that says that a slab is finished."""
    return work / DONE / f"{number:05d}.json"


def _finished_slabs(work: Path, plan: ConversionPlan) -> dict[int, dict[str, Any]]:
    """Return the records of the slabs that are finished, by slab number."""
    records = {}
    for number in range(len(plan.slabs)):
        path = _record(work, number)
        with suppress(OSError, InputError):  # not finished, or the disk lost it
            records[number] = read_record(path)
    return records


def _create_store(store: Path, plan: ConversionPlan, stack: Stack) -> None:
    """Write the metadata of an empty volume."""
    group = zarr.create_group(store, zarr_format=3, attributes=_attributes(plan, stack))
    zstd = plan.zstd_level
    codec = Crc32cCodec() if zstd is None else ZstdCodec(level=zstd, checksum=True)
    for index, level in enumerate(plan.levels):
        group.create_array(
            str(index),
            shape=level.shape,
            dtype=plan.dtype,
            chunks=level.chunk,
            shards=level.shard,
            compressors=codec,
            fill_value=0,
            dimension_names=AXES,
            attributes={GUARDED: True},
        )
    write_attributes(store, {})


def _attributes(plan: ConversionPlan, stack: Stack) -> dict[str, Any]:
    ome = multiscale_attributes(
        "volume", [level.scale for level in plan.levels], [level.origin for level in plan.levels]
    )
    own: dict[str, Any] = {
        "pixel_um": plan.pixel_um,
        "first_slice": plan.first_slice,
        "downsampling": "mean over the voxels of the level below, rounded half up",
    }
    if stack.window is not None:
        own["window"] = list(stack.window)
    if stack.nan is not None:
        own["nan"] = stack.nan
    if stack.file_step != 1:
        own["file_step"] = stack.file_step
    if plan.resampling is not None:
        own[RESAMPLED] = asdict(plan.resampling)
    return {"ome": ome, ATTRIBUTE: own}


def _level_range(plan: ConversionPlan, index: int, number: int) -> tuple[int, int]:
    """Return the slices of a level that a slab fills."""
    level = plan.levels[index]
    start = number * level.shard[0]
    return start, min(start + level.shard[0], level.shape[0])


def _remove_slab(store: Path, plan: ConversionPlan, number: int) -> None:
    """Remove what a kill left of a slab: its shards, whole or not, of every level."""
    for index in range(len(plan.levels)):
        shutil.rmtree(store / str(index) / "c" / str(number), ignore_errors=True)


def _write_slabs(
    stack: Stack,
    plan: ConversionPlan,
    work: Path,
    done: dict[int, dict[str, Any]],
    threads: int,
) -> None:
    """Convert the slabs that are not done, and record them."""
    room = None
    with progress_bar(plan.shape[0], "converting", "slice") as bar:
        for number, (start, stop) in enumerate(plan.slabs):
            if number not in done:
                _remove_slab(work / STORE_NAME, plan, number)
                stack.prefetch(start, stop)
                slab = stack.read_slab(start, stop, threads, room)
                stack.prefetch(stop, stop + plan.slab)
                done[number] = _write_slab(slab, plan, work / STORE_NAME, number, threads)
                write_record(_record(work, number), done[number])
                room = slab.values
            bar.update(stop - start)


def _write_slab(
    read: Slab, plan: ConversionPlan, store: Path, number: int, threads: int
) -> dict[str, Any]:
    """Write a slab and the levels made from it; return what `_reads_back` must find."""
    slab, crc32 = read.values, []
    with ThreadPoolExecutor(max(1, threads)) as pool:
        sha256 = list(pool.map(slice_digest, slab))
    for index, level in enumerate(plan.levels):
        if index:
            slab = halve(slab, level.factor, threads)
        layers = np.split(slab, range(level.chunk[0], len(slab), level.chunk[0]))
        with ThreadPoolExecutor(max(1, threads)) as pool:
            crc32 += list(pool.map(_crc32, layers))
        write_shards(
            store / str(index),
            slab,
            number,
            chunk=level.chunk,
            shard=level.shard,
            zstd_level=plan.zstd_level,
            threads=threads,
        )
    counts = {name: getattr(read, name).tolist() for name in ("below", "above", "filled")}
    return {"slices": sha256, **counts, "crc32": crc32}


def _reads_back(
    store: Path, plan: ConversionPlan, number: int, record: dict[str, Any], threads: int
) -> bool:
    """Return whether a slab stands on disk as it was written, a layer of chunks at a time."""

    def crc32(place: tuple[int, int]) -> int:
        index, low = place
        level = plan.levels[index]
        return _crc32(
            read_band(
                store / str(index),
                level.shape,
                low,
                dtype=np.dtype(plan.dtype),
                chunk=level.chunk,
                shard=level.shard,
                compressed=plan.zstd_level is not None,
            )
        )

    places = [
        (index, low)
        for index, level in enumerate(plan.levels)
        for low in range(*_level_range(plan, index, number), level.chunk[0])
    ]
    try:
        with ThreadPoolExecutor(max(1, threads)) as pool:
            found = list(pool.map(crc32, places))
    except (ValueError, RuntimeError, OSError):  # a wrong checksum or a cut-off file
        return False
    return bool(found == record["crc32"])


def _crc32(array: NDArray[np.generic]) -> int:
    """Return the CRC-32 of the values, row by row, little-endian."""
    return zlib.crc32(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).data)


def _check_metadata(store: Path, plan: ConversionPlan, stack: Stack) -> None:
    """Check that the store describes itself as planned."""
    try:
        metadata = read_metadata(store)
        check_metadata(metadata)
    except (OSError, ValueError) as error:
        raise InputError(f"{store}: {error}; remove it and convert again") from None
    attributes = {k: v for k, v in metadata[""]["attributes"].items() if k != DIGEST}
    good = attributes == json.loads(json.dumps(_attributes(plan, stack)))
    for index, level in enumerate(plan.levels):
        array = zarr.open_array(store / str(index), mode="r", zarr_format=3)
        found = (array.shape, array.chunks, array.shards, str(array.dtype))
        good = good and found == (level.shape, level.chunk, level.shard, plan.dtype)
    if not good:
        raise InputError(f"{store}: its metadata were changed; remove it and convert again")


def _write_slices(
    stack: Stack, plan: ConversionPlan, records: Sequence[dict[str, Any]], path: Path
) -> None:
    """Write the table of slices from the records of all slabs."""

    def column(name: str) -> list[Any]:
        return [value for record in records for value in record[name]]

    frame = pd.DataFrame(
        {
            "slice": np.arange(plan.shape[0]) + plan.first_slice,
            "file": [page.path.name for page in stack.pages],
            "page": [page.index for page in stack.pages],
            "sha256": column("slices"),
            "below_window": column("below"),
            "above_window": column("above"),
            "filled": column("filled"),
        }
    )
    write_table(frame, path, SLICE_COLUMNS)


def _publish(store: Path, output: Path) -> None:
    """Move a finished store to where it belongs, replacing what stood there."""
    try:
        move(store, output)
    except OSError as error:
        raise InputError(
            f"{output}: cannot move the result there from {store} ({error.strerror}); keep the "
            "folder of unfinished work on the same file system"
        ) from None
