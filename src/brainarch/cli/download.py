"""The verb that fetches slices of a public BossDB channel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def download(
    *,
    channel: Annotated[
        str, typer.Option(help="Collection/experiment/channel, e.g. prasad/prasad2020/image.")
    ],
    shape: Annotated[str, typer.Option(help="Declared slices,rows,columns, e.g. 720,1420,5805.")],
    output: Annotated[
        str,
        typer.Option(
            help="TIFF file of a slice with {z} or {z:04d} for its number, 'stack/z{z:04d}.tif'. "
            "Files that are there and whole are not fetched again."
        ),
    ],
    output_table: Annotated[Path, typer.Option(help="Table of the slices with SHA-256 to make.")],
    dtype: Annotated[
        str | None,
        typer.Option(
            help="Declared grey values, uint8 or uint16. Without it the channel holds labels."
        ),
    ] = None,
    first_slice: Annotated[int, typer.Option(min=0, help="Number of the first slice.")] = 0,
    slice_: Annotated[
        list[str] | None,
        typer.Option("--slice", help="Slice numbers, 159 or 159,209; repeat. By default all."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address of the BossDB server.")
    ] = "https://api.bossdb.io",
    token: Annotated[
        str, typer.Option(help="Access token; public reads public data without an account.")
    ] = "public",
    attempts: Annotated[
        int, typer.Option(min=1, help="Tries in a row without a success before giving up.")
    ] = 8,
    wait_s: Annotated[
        float,
        typer.Option(min=0, help="Seconds before the second try; each later wait is twice that."),
    ] = 2.0,
    timeout_s: Annotated[
        float, typer.Option(min=1, help="Seconds without a byte after which a request failed.")
    ] = 120.0,
) -> None:
    """Fetch slices of a public BossDB channel as TIFF files, only those that are missing."""
    from brainarch.cli.parsing import parse_list, parse_shape
    from brainarch.download.bossdb import Channel, Client
    from brainarch.download.fetch import Patience, Wanted, fetch
    from brainarch.errors import InputError
    from brainarch.volume.store import DTYPES

    count, rows, columns = parse_shape(shape)
    inside = range(first_slice, first_slice + count)
    slices = sorted(set(parse_list("--slice", slice_))) if slice_ else list(inside)
    for z in slices:
        if z not in inside:
            raise InputError(f"slice {z}: the volume has slices {inside[0]} to {inside[-1]}")
    if dtype is not None and dtype not in DTYPES:
        raise InputError(f"--dtype {dtype}: wanted {' or '.join(DTYPES)}")
    wanted = Wanted(Channel.parse(channel), tuple(slices), (rows, columns), output, dtype)
    with Client(host, token, timeout_s) as client:
        fetch(wanted, client, Patience(attempts, wait_s), output_table)


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    app.command("download")(download)
