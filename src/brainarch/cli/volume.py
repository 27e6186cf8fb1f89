"""Verbs for a volume of one's own: with a config, or with explicit paths and no config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from brainarch.cli.options import RESULTS, Changes, ResultsFolder, Threads, read_pipeline
from brainarch.errors import InputError
from brainarch.volume.kinds import Axes, has_shapes

OptionalConfig = Annotated[
    Path | None, typer.Argument(help="Config; without one, say everything by options.")
]
Shape = Annotated[str, typer.Option(help="Declared slices,rows,columns, e.g. 720,1420,5805.")]
VoxelUm = Annotated[
    str, typer.Option(help="Side of the voxel in micrometer, or its sides z,y,x, e.g. 5,1.3,1.3.")
]
Dtype = Annotated[str, typer.Option(help="Declared grey values: uint8 or uint16.")]
FirstSlice = Annotated[
    int, typer.Option(min=0, help="Number of the first slice, as file names count.")
]


def convert(
    config: OptionalConfig = None,
    *,
    input_: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="Folder of single-slice TIFF files, quoted pattern ('scan/z*.tif', or "
            "'scan/z{z:04d}.tif' with the slice number), or one multi-page TIFF or OME-TIFF.",
        ),
    ] = None,
    shape: Shape | None = None,
    voxel_um: VoxelUm | None = None,
    output: Annotated[Path | None, typer.Option(help="OME-Zarr volume to make.")] = None,
    dtype: Dtype | None = None,
    first_slice: FirstSlice | None = None,
    window: Annotated[
        str | None,
        typer.Option(
            help="Grey values LOW,HIGH that become 0 and the largest value of --dtype; needed for "
            "float data, or to make uint8 of uint16. Values outside are clipped and counted."
        ),
    ] = None,
    nan: Annotated[
        float | None,
        typer.Option(help="Grey value that NaN pixels take; without it they are refused."),
    ] = None,
    file_step: Annotated[
        int | None,
        typer.Option(
            min=1, help="By how much file numbers go up from slice to slice; 1 by default."
        ),
    ] = None,
    resample_um: Annotated[
        float | None,
        typer.Option(help="Resample rows and columns to this pixel size in micrometer."),
    ] = None,
    compression: Annotated[
        str | None, typer.Option(help="zstd, or none: larger, and quicker to convert.")
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
    threads: Threads = 1,
    results: ResultsFolder = RESULTS,
    changes: Changes = None,
) -> None:
    """Convert a TIFF stack to an OME-Zarr 0.5 volume with a resolution pyramid."""
    given = _given(
        config,
        ("input", "shape", "voxel_um", "output"),
        {"set": bool(changes), "results": results != RESULTS},
        input=input_,
        shape=shape,
        voxel_um=voxel_um,
        output=output,
        dtype=dtype,
        first_slice=first_slice,
        window=window,
        nan=nan,
        file_step=file_step,
        resample_um=resample_um,
        compression=compression,
        output_slices=output_slices,
        partial=partial,
    )
    if config is not None:
        stage = read_pipeline(config, results, changes).convert()
        stage.run(memory_mb=memory_mb, threads=threads)
        return
    from brainarch.cli.parsing import parse_shape, parse_voxel, parse_window, positive
    from brainarch.volume.stages import convert_stack

    folder = given["output"].absolute().parent
    convert_stack(
        source=given["input"],
        shape=parse_shape(given["shape"]),
        dtype=given.get("dtype", "uint8"),
        voxel_um=parse_voxel("--voxel-um", given["voxel_um"]),
        first_slice=given.get("first_slice", 0),
        window=None if window is None else parse_window("--window", window),
        compression=given.get("compression", "zstd"),
        pixel_um=None if resample_um is None else positive("--resample-um", resample_um),
        nan=nan,
        file_step=file_step or 1,
        volume=given["output"],
        slices=given.get("output_slices", folder / "slices.csv"),
        partial=given.get("partial", folder.parent / ".partial"),
        memory_mb=memory_mb,
        threads=threads,
    )


def link_volume(
    *,
    input_: Annotated[
        str, typer.Option("--input", help="OME-Zarr 0.4 or 0.5 image; it stays where it is.")
    ],
    shape: Shape,
    voxel_um: VoxelUm,
    output: Annotated[Path, typer.Option(help="Link to make; every verb takes it for a volume.")],
    dtype: Dtype = "uint8",
    first_slice: FirstSlice = 0,
) -> None:
    """Use an existing OME-Zarr image as the volume, without a copy."""
    from brainarch.cli.parsing import parse_shape, parse_voxel
    from brainarch.volume.stages import link_image

    link_image(
        source=input_,
        shape=parse_shape(shape),
        dtype=dtype,
        voxel_um=parse_voxel("--voxel-um", voxel_um),
        first_slice=first_slice,
        volume=output,
    )


def import_annotations(
    config: OptionalConfig = None,
    *,
    kind: Annotated[
        Literal["areas", "layers"] | None, typer.Option(help="What to import, with a config.")
    ] = None,
    volume: Annotated[
        Path | None, typer.Option(help="OME-Zarr volume that the slices belong to.")
    ] = None,
    slice_: Annotated[
        list[str] | None,
        typer.Option(
            "--slice",
            help="Slice number and its label image (TIFF, PNG, NRRD, GeoJSON), 4=area_z4.tif; "
            "repeat. A "
            "label volume (NRRD, OME-Zarr, multi-page TIFF) is named once for each slice; see "
            "--labels-first-slice.",
        ),
    ] = None,
    area: Annotated[
        list[str] | None,
        typer.Option(
            help="Area and its codes in the images, Ctx=1 or WM=6,8, or classes of its shapes; "
            "repeat. The order gives the areas' own codes 1, 2 ..."
        ),
    ] = None,
    output_labels: Annotated[
        Path | None, typer.Option(help="OME-Zarr label image to make.")
    ] = None,
    output_legend: Annotated[Path | None, typer.Option(help="Legend table to make.")] = None,
    output_table: Annotated[Path | None, typer.Option(help="Area table to make.")] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="Codes left out, 0,7; repeat. By default 0.")
    ] = None,
    share: Annotated[
        list[str] | None,
        typer.Option(help="Least share of a patch inside an area, WM=0.75; repeat. By default 1."),
    ] = None,
    labels_first_slice: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Number of the first slice of the label volumes; without it every file holds one "
            "slice.",
        ),
    ] = None,
    axes: Annotated[
        Axes | None,
        typer.Option(
            help="Order of the axes in the label files, the one that runs fastest last: zyx (x "
            "fastest), zxy (columns x rows), xyz (what nrrd.write(name, array) makes) ..."
        ),
    ] = None,
    hole_um2: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Largest hole of an area in square micrometer that is closed where distances are "
            "measured; without it none is.",
        ),
    ] = None,
    results: ResultsFolder = RESULTS,
    changes: Changes = None,
) -> None:
    """Import label images of some slices (brain areas, or layers)."""
    given = _given(
        config,
        ("volume", "slice", "area", "output_labels", "output_legend", "output_table"),
        {"kind": kind is not None, "set": bool(changes), "results": results != RESULTS},
        volume=volume,
        slice=slice_ or None,
        area=area or None,
        output_labels=output_labels,
        output_legend=output_legend,
        output_table=output_table,
        ignore=ignore or None,
        share=share or None,
        labels_first_slice=labels_first_slice,
        axes=axes,
        hole_um2=hole_um2,
    )
    if config is not None:
        if kind is None:
            raise InputError("--kind: areas or layers; say which the config's labels are")
        pipeline = read_pipeline(config, results, changes)
        stage = pipeline.import_areas() if kind == "areas" else pipeline.import_layers()
        stage.run()
        return
    from brainarch.annotations.stages import import_labels
    from brainarch.cli.parsing import parse_integer, parse_list, parse_pairs, parse_shares

    images = parse_pairs("--slice", given["slice"])
    codes = parse_pairs("--area", given["area"])

    def told(option: str, texts: Sequence[str]) -> list[int | str]:
        if any(map(has_shapes, images.values())):  # shapes have classes
            return [part.strip() for text in texts for part in text.split(",") if part != "0"]
        return [*parse_list(option, texts)]

    import_labels(
        volume=given["volume"],
        images={parse_integer("--slice", z): path for z, path in images.items()},
        codes={name: told(f"--area {name}", [text]) for name, text in codes.items()},
        ignored=told("--ignore", given.get("ignore", ["0"])),
        shares=parse_shares("--share", given.get("share", [])),
        first_slice=labels_first_slice,
        first_stated=True,
        axes=axes,
        hole_um2=hole_um2 or 0.0,
        labels=given["output_labels"],
        legend=given["output_legend"],
        table=given["output_table"],
    )


def download(
    *,
    channel: Annotated[
        str, typer.Option(help="Collection/experiment/channel, e.g. prasad/prasad2020/image.")
    ],
    shape: Shape,
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
    first_slice: FirstSlice = 0,
    slice_: Annotated[
        list[str] | None,
        typer.Option("--slice", help="Slice numbers, 159 or 159,209; repeat. By default all."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address of the BossDB server.")
    ] = "https://api.bossdb.io",
) -> None:
    """Fetch slices of a public BossDB channel as TIFF files, only those that are missing."""
    from brainarch.cli.parsing import parse_list, parse_shape
    from brainarch.download.stages import fetch_slices

    declared = parse_shape(shape)
    every = range(first_slice, first_slice + declared[0])
    fetch_slices(
        host=host,
        channel=channel,
        pattern=output,
        slices=parse_list("--slice", slice_) if slice_ else every,
        shape=declared,
        first_slice=first_slice,
        dtype=dtype,
        table=output_table,
    )


def _given(
    config: Path | None, needed: Sequence[str], with_config: Mapping[str, bool], **options: Any
) -> dict[str, Any]:
    """Return the options that were given; refuse them beside a config, and too few without one.

    ``with_config`` says which options were given that make no sense without a config.
    """
    given = {name: value for name, value in options.items() if value is not None}
    beside = [option for option, said in with_config.items() if said]
    if config is None and beside:
        raise InputError(f"--{beside[0]}: only with a config; paths say all the rest")
    if config is not None and given:
        extra = next(iter(given)).replace("_", "-")
        raise InputError(f"{config} and --{extra}: give a config or such options, not both")
    missing = [name.replace("_", "-") for name in needed if name not in given]
    if config is None and missing:
        raise InputError(f"--{missing[0]} is missing; give it, or a config instead")
    return given


def register(app: typer.Typer) -> None:
    """Add these verbs to the command."""
    app.command("convert")(convert)
    app.command("link-volume")(link_volume)
    app.command("import-annotations")(import_annotations)
    app.command("download")(download)
