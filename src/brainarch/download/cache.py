"""The local cache: one TIFF file a slice, which carries where it came from and its SHA-256.

A file is written in one step and says itself what it is, so a kill at any moment leaves whole
slices only, and no journal can disagree with the files.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from brainarch.atomic import replacing
from brainarch.disk import FULL, free_bytes
from brainarch.errors import InputError
from brainarch.volume.kinds import TIFF_SUFFIXES, has_slice_field, slice_file
from brainarch.volume.tiff import DAMAGE

#: Key of the TIFF description that marks a file as fetched by brainarch.
MARK = "brainarch_slice"
#: Disk that stays free beside the slices, in bytes.
SPARE_BYTES = 100_000_000
GB = 1e9


@dataclass(frozen=True)
class Origin:
    """What a file says of itself: host, channel, slice, type and SHA-256 of what was received."""

    host: str
    channel: str
    slice: int
    dtype: str
    sha256: str


class State(Enum):
    """What stands at a slice's place in the cache."""

    MISSING = "missing"
    WHOLE = "whole"
    DAMAGED = "damaged"
    OTHER = "of another channel, slice or type"


def slice_path(pattern: str, z: int) -> Path:
    """Return the file of a slice.

    Parameters
    ----------
    pattern : str
        A path in which ``{z}``, or ``{z:04d}``, stands for the slice.
    z : int

    Raises
    ------
    InputError
        If the pattern has no such place, or names no TIFF file.
    """
    path = Path(slice_file(pattern, z))
    if not has_slice_field(pattern) or path.suffix.lower() not in TIFF_SUFFIXES:
        raise InputError(
            f"{pattern}: wanted the name of a TIFF file in which {{z}} stands for the slice, "
            "such as folder/z{z:04d}.tif"
        )
    return path


def checksum(values: NDArray[Any], dtype: str) -> str:
    """Return the SHA-256 of values row by row, little-endian, as the given type."""
    wanted = np.dtype(dtype).newbyteorder("<")
    return hashlib.sha256(np.ascontiguousarray(values, dtype=wanted).data).hexdigest()


def store(path: Path, values: NDArray[Any], origin: Origin) -> None:
    """Write a slice in one step.

    Parameters
    ----------
    path : Path
        A TIFF file.
    values : ndarray of unsigned int, shape (rows, columns)
        The values in the type that the file shall have.
    origin : Origin
        Written into the file.

    Raises
    ------
    InputError
        If the disk is full or the place cannot be written.
    """
    try:
        with replacing(path) as temporary:
            tifffile.imwrite(
                temporary,
                values,
                photometric="minisblack",
                description=json.dumps({MARK: asdict(origin)}),
                metadata=None,
            )
    except OSError as error:
        if error.errno in FULL:
            raise InputError(
                f"{path}: the disk is full; the slices so far are kept: make room and run again"
            ) from None
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None


def inspect(path: Path, channel: str, z: int, size: tuple[int, int]) -> tuple[State, Origin | None]:
    """Return what stands at a slice's place, and where it came from if it is whole.

    Parameters
    ----------
    path : Path
    channel : str
        Channel that the slice should have come from.
    z : int
        Its number.
    size : tuple of int
        Rows and columns that it should have.

    Raises
    ------
    InputError
        If a file stands there that brainarch did not fetch: it is never overwritten.
    """
    if not path.exists() or path.stat().st_size == 0:
        return State.MISSING, None
    origin = None
    values: NDArray[Any] | None = None
    with suppress(*DAMAGE), tifffile.TiffFile(path) as tiff:
        origin = _read_origin(tiff.pages.first.description)
        values = tiff.pages.first.asarray()
    if origin is None:
        raise InputError(
            f"{path}: brainarch did not fetch this file and leaves it alone; move it away, or keep "
            "your own files and set the channel under download to null"
        )
    if (origin.channel, origin.slice) != (channel, z):
        return State.OTHER, None
    if values is None or values.shape != size:
        return State.DAMAGED, None
    if checksum(values, origin.dtype) != origin.sha256:
        return State.DAMAGED, None
    return State.WHOLE, origin


def check_room(folder: Path, needed: int) -> None:
    """Refuse when a folder's disk has no room.

    Parameters
    ----------
    folder : Path
        It need not exist yet.
    needed : int
        Bytes that will be written.

    Raises
    ------
    InputError
        If less is free than needed and a little spare.
    """
    free = free_bytes(folder)
    if needed and free < needed + SPARE_BYTES:
        raise InputError(
            f"{folder}: {(needed + SPARE_BYTES) / GB:.1f} GB are needed, {free / GB:.1f} GB are "
            "free; make room or choose another disk"
        )


def _read_origin(description: str) -> Origin | None:
    """Return what brainarch wrote into a TIFF description, or None."""
    try:
        return Origin(**json.loads(description)[MARK])
    except (ValueError, KeyError, TypeError):
        return None
