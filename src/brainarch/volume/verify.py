"""Whether a finished volume still is what the TIFF stack held, slice by slice.

The table of slices keeps the SHA-256 that every slice had when it was converted. Volume and stack
are compared with it apart, so a difference says which of them has changed since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
import zarr

from brainarch.errors import InputError
from brainarch.progress import progress_bar
from brainarch.seeds import generator
from brainarch.tables import read_table
from brainarch.volume.stack import Stack
from brainarch.volume.store import ATTRIBUTE, Volume, slice_digest
from brainarch.volume.tiff import one_line

#: Columns of the table of slices that are needed.
NEEDED = ("slice", "file", "page", "sha256")


@dataclass(frozen=True)
class Difference:
    """A slice that is no longer what it was.

    Attributes
    ----------
    z : int
        Its number.
    side : {"volume", "source"}
        What has changed.
    reason : str
        How.
    """

    z: int
    side: str
    reason: str

    def __str__(self) -> str:
        return f"slice {self.z}: the {self.side} {self.reason}"


def read_checksums(path: Path, volume: Volume) -> dict[int, str]:
    """Return the SHA-256 of every slice from the table that the conversion wrote.

    Raises
    ------
    InputError
        If the table is missing, malformed, or not of all slices of this volume.
    """
    frame: pd.DataFrame = read_table(path, *NEEDED)
    numbers = [int(z) for z in frame["slice"]]
    if numbers != list(volume.slices):
        raise InputError(
            f"{path}: its slices are not those of {volume.path}, {volume.slices[0]} to "
            f"{volume.slices[-1]}; give the table that was written with it"
        )
    return dict(zip(numbers, frame["sha256"].astype(str), strict=True))


def recorded_reading(path: Path) -> dict[str, Any]:
    """Return how the files of a converted volume were read, as arguments of `open_stack`."""
    own: Any = zarr.open_group(path, mode="r", zarr_format=3).attrs.get(ATTRIBUTE, {})
    window = own.get("window")
    return {
        "window": None if window is None else (float(window[0]), float(window[1])),
        "nan": own.get("nan"),
        "file_step": int(own.get("file_step", 1)),
    }


def choose_slices(slices: Sequence[int], sample: int | None, seed: int) -> list[int]:
    """Return the slices to check in ascending order: all, or a random sample without repeats."""
    if sample is None or sample >= len(slices):
        return list(slices)
    chosen = generator(seed, "verify").choice(len(slices), size=sample, replace=False)
    return [slices[index] for index in sorted(chosen.tolist())]


def verify(
    volume: Volume,
    checksums: Mapping[int, str],
    slices: Sequence[int],
    stack: Stack | None,
    threads: int = 1,
) -> list[Difference]:
    """Compare slices of a volume, and of the stack it was made from, with their checksums.

    Parameters
    ----------
    volume : Volume
    checksums : mapping of int to str
        SHA-256 by slice number.
    slices : sequence of int
        Which to check, ascending.
    stack : Stack or None
        What the volume was made from; None checks the volume alone.
    threads : int
        Slices of the volume and of the stack read at a time.

    Returns
    -------
    list of Difference
        By slice number; empty if nothing has changed.

    Raises
    ------
    InputError
        If the stack is not of the volume's shape or type.
    """
    if stack is not None and (stack.shape, stack.dtype) != (volume.shape, volume.dtype):
        raise InputError(
            f"{stack.name}: {' x '.join(map(str, stack.shape))} {stack.dtype}, but {volume.path} "
            f"is {' x '.join(map(str, volume.shape))} {volume.dtype}; give the stack that the "
            "volume was made from"
        )
    found: list[Difference] = []
    total = len(slices) * (1 if stack is None else 2)
    with progress_bar(total, "verifying", "slice") as bar, ThreadPoolExecutor(threads) as pool:
        # Slices of one chunk are decoded together: one alone costs as much as all of them.
        for group in _groups(slices, volume.first_slice, volume.chunks[0]):
            found += _changed_in_volume(volume, group, checksums)
            bar.update(len(group))
            if stack is not None:
                reasons = pool.map(partial(_source_change, stack, volume, checksums), group)
                found += [
                    Difference(z, "source", reason)
                    for z, reason in zip(group, reasons, strict=True)
                    if reason is not None
                ]
                bar.update(len(group))
    return sorted(found, key=lambda difference: (difference.z, difference.side))


def _groups(slices: Sequence[int], first: int, depth: int) -> list[list[int]]:
    """Return the slices in groups that share a chunk of this depth."""
    return [list(group) for _, group in groupby(slices, key=lambda z: (z - first) // depth)]


def _changed_in_volume(
    volume: Volume, group: Sequence[int], checksums: Mapping[int, str]
) -> list[Difference]:
    _, rows, columns = volume.shape
    try:
        band = volume.read_block((group[0], group[-1] + 1), (0, rows), (0, columns))
    except InputError as error:  # a wrong checksum, a file that is cut off or gone
        reason = f"cannot be read ({one_line(error)})"
        return [Difference(z, "volume", reason) for z in group]
    return [
        Difference(z, "volume", "has changed since it was converted")
        for z in group
        if slice_digest(band[z - group[0]]) != checksums[z]
    ]


def _source_change(
    stack: Stack, volume: Volume, checksums: Mapping[int, str], z: int
) -> str | None:
    """Return how a slice of the stack differs from what was converted, or None."""
    index = volume.index_of(z)
    file = stack.pages[index].path.name
    try:
        image = stack.read(index, index + 1)[0]
    except InputError as error:
        return f"cannot be read ({error})"
    if slice_digest(image) == checksums[z]:
        return None
    return f"({file}) has changed since it was converted"
