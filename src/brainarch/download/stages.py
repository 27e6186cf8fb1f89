"""Fetching slices of a public BossDB channel into the local cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from brainarch.download.bossdb import Channel, Client
from brainarch.download.fetch import RECEIVED_COLUMNS, Wanted, fetch
from brainarch.errors import InputError
from brainarch.tables import write_table
from brainarch.volume.store import DTYPES


def fetch_slices(
    *,
    host: str,
    channel: str,
    pattern: str,
    slices: Sequence[int],
    shape: Sequence[int],
    first_slice: int,
    dtype: str | None,
    table: Path,
) -> None:
    """Fetch slices of a public BossDB channel as TIFF files, only those that are missing.

    Parameters
    ----------
    host : str
        Address of the BossDB server.
    channel : str
        Collection/experiment/channel.
    pattern : str
        Path of a slice's TIFF file, in which ``{z}`` stands for its number. These files are no
        outputs: what came over the network stays.
    slices : sequence of int
        Slice numbers.
    shape : sequence of int
        Declared slices, rows and columns of the volume.
    first_slice : int
        Number of its first slice.
    dtype : str or None
        Declared type of the grey values, uint8 or uint16; None where the channel holds labels.
    table : Path
        Table of the slices with their SHA-256 to make, once every slice is there.

    Raises
    ------
    InputError
        If a slice is outside the volume, or what `brainarch.download.fetch.fetch` raises.
    """
    count, rows, columns = shape
    last = first_slice + count - 1
    for z in slices:
        if not first_slice <= z <= last:
            raise InputError(f"slice {z}: the volume has slices {first_slice} to {last}")
    if dtype not in (None, *DTYPES):
        raise InputError(f"{dtype}: grey values are {' or '.join(DTYPES)}")
    chosen = tuple(sorted(set(slices)))
    wanted = Wanted(Channel.parse(channel), chosen, (rows, columns), pattern, dtype)
    with Client(host) as client:
        write_table(fetch(wanted, client), table, RECEIVED_COLUMNS)
