"""Fetching slices of a BossDB channel: only what is missing, patiently, and nothing half written.

Whole blocks of 16 slices are asked for, as BossDB stores them; after a failure the next request
is for half as many, down to one slice, and grows again once they come.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.atomic import sweep
from brainarch.disk import free_bytes
from brainarch.download.bossdb import (
    CHANNEL_DTYPES,
    CUBOID_DEPTH,
    Channel,
    Client,
    PassingError,
)
from brainarch.download.cache import (
    GB,
    Origin,
    State,
    check_room,
    checksum,
    inspect,
    slice_path,
    store,
)
from brainarch.errors import InputError
from brainarch.progress import progress, progress_bar

logger = logging.getLogger(__name__)

#: Most bytes of values in one request; BossDB refuses more than 500 MB.
REQUEST_BYTES = 150_000_000
#: Types that a label image is stored in, the smallest that holds its codes.
LABEL_DTYPES = ("uint8", "uint16")
#: Tries in a row without a success before giving up (ours).
ATTEMPTS = 8
#: Seconds before the second try, doubled before each later one, and the longest wait (ours).
WAIT_S = 2.0
LONGEST_WAIT_S = 60.0
#: Tries while the server has not answered once: there may be no network at all.
BLIND_ATTEMPTS = 3
#: What to do by hand without network, for the published volume.
BY_HAND = {
    "prasad": "https://bossdb.org/project/prasad2020, or the figshare files that the data paper "
    "names (https://doi.org/10.1038/s41597-020-00692-y)",
}

RECEIVED_COLUMNS = {
    "slice": "slice number",
    "file": "file that holds the slice",
    "channel": "BossDB channel that it came from, as collection/experiment/channel",
    "dtype": "type of the received values",
    "sha256": "SHA-256 of the received values, row by row, little-endian",
}


@dataclass(frozen=True)
class Wanted:
    """What is to be fetched.

    Attributes
    ----------
    channel : Channel
    slices : tuple of int
        Slice numbers, ascending.
    size : tuple of int
        Rows and columns of a slice.
    pattern : str
        Path of a slice's TIFF file, in which ``{z}`` stands for its number.
    dtype : str or None
        Type that the grey values must have; None for labels, which may have any and are stored
        in the smallest that holds them.
    """

    channel: Channel
    slices: tuple[int, ...]
    size: tuple[int, int]
    pattern: str
    dtype: str | None

    @property
    def paths(self) -> dict[int, Path]:
        """The file of every slice."""
        return {z: slice_path(self.pattern, z) for z in self.slices}


class Patience:
    """Counts failures in a row, waits longer after each, and gives up in one line.

    Retries of the connection (urllib3) could not do this: a body that came whole may be damaged,
    and after a failure less is asked for.
    """

    def __init__(self) -> None:
        self._failures = 0
        self.reached = False

    def succeed(self) -> None:
        """Forget the failures so far."""
        self._failures = 0
        self.reached = True

    def fail(self, error: PassingError, what: str, by_hand: str) -> None:
        """Wait, or give up.

        Raises
        ------
        InputError
            If it was the last try.
        """
        self._failures += 1
        self.reached = self.reached or error.reached
        attempts = ATTEMPTS if self.reached else min(ATTEMPTS, BLIND_ATTEMPTS)
        if self._failures >= attempts:
            tries = f"{self._failures} tries" if self._failures > 1 else "one try"
            advice = (
                "what came is kept: run the same command again later" if self.reached else by_hand
            )
            raise InputError(f"{what}: {error} ({tries}); {advice}")
        wait = min(WAIT_S * 2 ** (self._failures - 1), LONGEST_WAIT_S)
        if error.wait_s is not None:
            wait = min(max(wait, error.wait_s), LONGEST_WAIT_S)
        logger.warning(
            "%s: %s; try %d of %d in %.0f s", what, error, self._failures + 1, attempts, wait
        )
        time.sleep(wait)


def fetch(wanted: Wanted, client: Client) -> pd.DataFrame:
    """Fetch the slices that are not in the cache.

    Parameters
    ----------
    wanted : Wanted
    client : Client
        Not used when every slice is there already.

    Returns
    -------
    DataFrame
        All of them, with the columns of `RECEIVED_COLUMNS`.

    Raises
    ------
    InputError
        If the disk has no room, the server cannot be reached or refuses, what comes is not what
        was declared, or a file is in the way that brainarch did not fetch. Slices that came
        before are kept and not asked for again.
    """
    paths = wanted.paths
    for folder in {path.parent for path in paths.values()}:
        sweep(folder)
    origins = _whole(wanted, paths)
    missing = [z for z in wanted.slices if z not in origins]
    _announce(wanted, missing, paths)
    if missing:
        by_hand = _by_hand(wanted, paths[missing[0]])
        patience = Patience()
        dtype = _dtype(wanted, client, patience, by_hand)
        black = []
        with progress_bar(len(missing), f"fetching {wanted.channel.name}", "slice") as bar:
            for z, values in _received(wanted, missing, dtype, client, patience, by_hand):
                stored = values if wanted.dtype is not None else _narrow_labels(wanted, z, values)
                sha256 = checksum(values, str(dtype))
                origins[z] = Origin(client.host, str(wanted.channel), z, str(dtype), sha256)
                store(paths[z], stored, origins[z])
                black += [] if values.any() else [z]
                bar.update()
        if black:
            logger.warning("%s: all values of slices %s are 0", wanted.channel, _listed(black))
    rows = [{"slice": z, "file": paths[z].name, **_columns(origins[z])} for z in wanted.slices]
    return pd.DataFrame(rows, columns=list(RECEIVED_COLUMNS))


def _whole(wanted: Wanted, paths: Mapping[int, Path]) -> dict[int, Origin]:
    """Return where the slices that are there and whole came from."""
    origins = {}
    present = [z for z in wanted.slices if paths[z].exists()]
    for z in progress(present, "checking what is here", unit="slice") if present else ():
        state, origin = inspect(paths[z], str(wanted.channel), z, wanted.size)
        if origin is not None and wanted.dtype not in (None, origin.dtype):
            state, origin = State.OTHER, None
        if origin is not None:
            origins[z] = origin
        elif state is not State.MISSING:
            logger.warning("%s: %s; it is fetched again", paths[z], state.value)
    return origins


def _announce(wanted: Wanted, missing: Sequence[int], paths: Mapping[int, Path]) -> None:
    """Say what will be fetched and needed; refuse when the disk has no room."""
    folder = paths[wanted.slices[0]].parent
    pixels = len(missing) * wanted.size[0] * wanted.size[1]
    sent = pixels * np.dtype(wanted.dtype or CHANNEL_DTYPES[-1]).itemsize
    needed = pixels * np.dtype(wanted.dtype or LABEL_DTYPES[-1]).itemsize
    logger.info(
        "%s: %d of %d slices to fetch, at most %.2f GB to receive; %.2f GB of disk needed, "
        "%.1f GB free in %s",
        wanted.channel,
        len(missing),
        len(wanted.slices),
        sent / GB,
        needed / GB,
        free_bytes(folder) / GB,
        folder,
    )
    check_room(folder, needed)


def _dtype(wanted: Wanted, client: Client, patience: Patience, by_hand: str) -> np.dtype[Any]:
    """Ask for the type of the channel's values; check it against the declared one."""
    while True:
        try:
            dtype = client.dtype(wanted.channel)
        except PassingError as error:
            patience.fail(error, f"{client.host}: {wanted.channel}", by_hand)
        else:
            break
    patience.succeed()
    if wanted.dtype not in (None, str(dtype)):
        raise InputError(
            f"channel {wanted.channel}: its values are {dtype}, but {wanted.dtype} was declared; "
            "correct volume.dtype or the channel"
        )
    return dtype


def _received(
    wanted: Wanted,
    missing: Sequence[int],
    dtype: np.dtype[Any],
    client: Client,
    patience: Patience,
    by_hand: str,
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the missing slices with their values, a request for several at a time."""
    slice_bytes = wanted.size[0] * wanted.size[1] * dtype.itemsize
    most = max(1, min(CUBOID_DEPTH, REQUEST_BYTES // slice_bytes))
    count = most
    waiting = list(missing)
    while waiting:
        block = next_block(waiting, count)
        try:
            values = client.cutout(wanted.channel, dtype, (block[0], block[-1] + 1), wanted.size)
        except PassingError as error:
            what = f"{client.host}: {wanted.channel}, slices {_listed(block)}"
            patience.fail(error, what, by_hand)
            count = max(1, len(block) // 2)
            continue
        patience.succeed()
        count = min(most, 2 * count)
        yield from zip(block, values, strict=True)
        del waiting[: len(block)]


def next_block(waiting: Sequence[int], count: int) -> list[int]:
    """Return the slices of the next request: consecutive, inside one of BossDB's blocks.

    Parameters
    ----------
    waiting : sequence of int
        Slices still to fetch, ascending.
    count : int
        Most slices of the request.
    """
    first = waiting[0]
    stop = min(first + count, (first // CUBOID_DEPTH + 1) * CUBOID_DEPTH)
    block = [first]
    for z in waiting[1:]:
        if z != block[-1] + 1 or z >= stop:
            break
        block.append(z)
    return block


def _narrow_labels(wanted: Wanted, z: int, values: NDArray[Any]) -> NDArray[Any]:
    """Return labels in the smallest type that holds them."""
    largest = int(values.max())
    if largest == 0:
        raise InputError(
            f"channel {wanted.channel}: slice {z} has no label; name annotated slices in the config"
        )
    for dtype in LABEL_DTYPES:
        if largest <= np.iinfo(dtype).max:
            return values.astype(dtype)
    raise InputError(
        f"channel {wanted.channel}: slice {z} has the value {largest}, which is no code of an "
        "area; check the channel"
    )


def _by_hand(wanted: Wanted, path: Path) -> str:
    """Return what to do without network."""
    place = BY_HAND.get(wanted.channel.collection, f"the project page of {wanted.channel}")
    return (
        f"without network, get the files by hand from {place}; put them there as {path}, or say in "
        "the config where they are; and set the channel under download to null"
    )


def _columns(origin: Origin) -> dict[str, str]:
    return {"channel": origin.channel, "dtype": origin.dtype, "sha256": origin.sha256}


def _listed(slices: Sequence[int]) -> str:
    """Return slice numbers as words: consecutive ones by their ends."""
    runs: list[list[int]] = []
    for z in slices:
        if runs and z == runs[-1][-1] + 1:
            runs[-1].append(z)
        else:
            runs.append([z])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
