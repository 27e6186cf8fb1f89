"""Verbs that make the volume: from a TIFF stack, or by linking to an OME-Zarr image."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def convert(
    *,
    input_: Annotated[
        str,
        typer.Option(
            "--input",
            help="Folder of single-slice TIFF files, quoted pattern ('scan/z*.tif', or "
            "'scan/z{z:04d}.tif' with the slice number), or one multi-page TIFF or OME-TIFF.",
        ),
    ],
    shape: Annotated[str, typer.Option(help="Declared slices,rows,columns, e.g. 720,1420,5805.")],
    voxel_um: Annotated[float, typer.Option(help="Side of the cubic voxel in micrometer.")],
    output: Annotated[Path, typer.Option(help="OME-Zarr volume to make.")],
    dtype: Annotated[str, typer.Option(help="Declared grey values: uint8 or uint16.")] = "uint8",
    first_slice: Annotated[
        int, typer.Option(min=0, help="Number of the first slice, as file names count.")
    ] = 0,
    window: Annotated[
        str | None,
        typer.Option(
            help="Grey values LOW,HIGH that become 0 and the largest value of --dtype; needed for "
            "float data, or to make uint8 of uint16. Values outside are clipped and counted."
        ),
    ] = None,
    output_slices: Annotated[
        Path | None,
        typer.Option(help="Table of slices with SHA-256; by default slices.csv beside the output."),
    ] = None,
    partial: Annotated[
        Path | None,
        typer.Option(
            help="Folder for unfinished work; by default .partial beside the output's folder."
        ),
    ] = None,
    memory_mb: Annotated[float, typer.Option(min=1, help="Memory that may be used, in MB.")] = 2000,
    slab: Annotated[
        int | None,
        typer.Option(
            help="Slices held in memory at a time, a multiple of 8; by default the most of 64, 32, "
            "16, 8 that fit the memory. It decides how the result is cut into files."
        ),
    ] = None,
    compression: Annotated[
        str, typer.Option(help="zstd, or none: larger, and quicker to convert.")
    ] = "zstd",
    resample_um: Annotated[
        float | None,
        typer.Option(
            help="Resample rows and columns to this pixel size in micrometer, e.g. that of the "
            "volume a network was trained on. Slices keep numbers and distance."
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads.")] = 1,
) -> None:
    """Convert a TIFF stack to an OME-Zarr 0.5 volume with a resolution pyramid."""
    from brainarch.cli.parsing import parse_shape, parse_window
    from brainarch.volume.convert import check_declared, plan_conversion
    from brainarch.volume.convert import convert as run
    from brainarch.volume.stack import check_voxel, describe, open_stack

    declared = parse_shape(shape)
    limits = parse_window("--window", window) if window is not None else None
    stack = open_stack(input_, first_slice, window=limits, dtype=dtype)
    check_declared(stack, declared, dtype)
    check_voxel(stack, voxel_um)
    plan = plan_conversion(
        declared,
        dtype,
        voxel_um,
        first_slice=first_slice,
        memory_mb=memory_mb,
        threads=threads,
        slab=slab,
        source_dtype=str(stack.source_dtype),
        compression=compression,
        pixel_um=resample_um,
    )
    if plan.resampling is not None:
        before, after = (describe(shape[1:], "px") for shape in (declared, plan.shape))
        typer.echo(
            f"convert: slices are resampled from {voxel_um:g} to {plan.voxel_um:g} um, "
            f"{before} to {after}"
        )
    typer.echo(
        f"convert: {len(plan.slabs)} slabs of {plan.slab} slices, {len(plan.levels)} levels, "
        f"predicted memory {plan.memory_mb:.0f} of {memory_mb:.0f} MB"
    )
    if partial is None:
        partial = output.absolute().parent.parent / ".partial"
    run(stack, plan, output, partial, slices_table=output_slices, threads=threads)


def link_volume(
    *,
    input_: Annotated[
        Path, typer.Option("--input", help="OME-Zarr 0.4 or 0.5 image; it stays where it is.")
    ],
    shape: Annotated[str, typer.Option(help="Declared slices,rows,columns, e.g. 720,1420,5805.")],
    voxel_um: Annotated[float, typer.Option(help="Side of the cubic voxel in micrometer.")],
    output: Annotated[Path, typer.Option(help="Link to make; every verb takes it for a volume.")],
    dtype: Annotated[str, typer.Option(help="Declared grey values: uint8 or uint16.")] = "uint8",
    first_slice: Annotated[int, typer.Option(min=0, help="Number of the first slice.")] = 0,
) -> None:
    """Use an existing OME-Zarr image as the volume, without a copy."""
    from brainarch.cli.parsing import parse_shape
    from brainarch.volume import store

    image = store.check_image(
        input_,
        shape=parse_shape(shape),
        dtype=dtype,
        voxel_um=voxel_um,
        first_slice=first_slice,
    )
    store.link_volume(image, output, voxel_um=voxel_um, first_slice=first_slice)
    typer.echo(f"link-volume: {output} leads to {input_}, nothing was copied")


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    app.command("convert")(convert)
    app.command("link-volume")(link_volume)
