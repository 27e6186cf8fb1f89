"""Fetching slices of a public BossDB channel, or a volume from an object store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from brainarch.download.bossdb import Channel, Client
from brainarch.download.fetch import RECEIVED_COLUMNS, Wanted, fetch
from brainarch.download.image import OBJECT_COLUMNS, fetch_image
from brainarch.errors import InputError
from brainarch.remote.objects import ObjectStore
from brainarch.tables import write_table
from brainarch.volume.store import DTYPES
from brainarch.volume.units import Voxel


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


def fetch_volume(
    *,
    url: str,
    shape: Sequence[int],
    dtype: str,
    voxel_um: Voxel,
    first_slice: int,
    image: Path,
    table: Path,
) -> None:
    """Fetch the OME-Zarr image of a volume from an object store, only what is missing.

    Parameters
    ----------
    url : str
        Its address, ``s3://bucket/key.ome.zarr``.
    shape, dtype, voxel_um, first_slice
        What was declared of it; see `brainarch.volume.stages.link_image`.
    image : Path
        Folder to copy it to. It is no output: what came over the network stays.
    table : Path
        Table of the objects with their SHA-256 to make, once all are there.

    Raises
    ------
    InputError
        What `brainarch.download.image.fetch_image` raises.
    """
    found = fetch_image(
        ObjectStore(url),
        image,
        shape=shape,
        dtype=dtype,
        voxel_um=voxel_um,
        first_slice=first_slice,
    )
    write_table(found, table, OBJECT_COLUMNS)
