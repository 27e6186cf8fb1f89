"""Verbs that look at a finished volume: is it still the stack's, and what does it hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

VolumeStore = Annotated[Path, typer.Option(help="OME-Zarr volume.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads.")]
#: Differing slices that are named; the rest are counted.
NAMED = 10
#: Slices that `verify` reads when nothing else is said.
SAMPLE = 16


def verify(
    *,
    volume: VolumeStore,
    slices: Annotated[
        Path | None,
        typer.Option(help="Table of slices with SHA-256; by default slices.csv beside the volume."),
    ] = None,
    input_: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="TIFF stack that the volume was made from; without it the volume alone is read.",
        ),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Random slices to read; 16 by default.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Read every slice.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the sample.")] = 2020,
    threads: Threads = 1,
) -> None:
    """Re-read a finished volume, and the stack it came from; exit status 1 if a slice differs."""
    from brainarch.errors import InputError
    from brainarch.volume import verify as room
    from brainarch.volume.stack import open_stack
    from brainarch.volume.store import is_link, open_volume

    if every and sample is not None:
        raise InputError("--all and --sample: give one of them")
    if is_link(volume):
        raise InputError(
            f"{volume}: leads to an OME-Zarr image that was not converted here, so no checksums of "
            "its slices were recorded; nothing can be verified"
        )
    opened = open_volume(volume)
    table = slices if slices is not None else volume.absolute().parent / "slices.csv"
    checksums = room.read_checksums(table, opened)
    stack = None
    if input_ is not None:
        window = room.recorded_window(volume)
        stack = open_stack(input_, opened.first_slice, window=window, dtype=str(opened.dtype))
        stack = stack.resampled(opened.resampling)
    chosen = room.choose_slices(opened.slices, None if every else sample or SAMPLE, seed)
    found = room.verify(opened, checksums, chosen, stack, threads)
    for difference in found[:NAMED]:
        typer.echo(f"verify: {difference}", err=True)
    if len(found) > NAMED:
        typer.echo(f"verify: and {len(found) - NAMED} more", err=True)
    read = f"{len(chosen)} of {len(opened.slices)} slices read"
    sides = "volume and stack" if stack is not None else "volume alone"
    typer.echo(f"verify: {read} ({sides}), {len(found)} differences")
    if found:
        raise typer.Exit(1)


def volume_statistics(
    *,
    volume: VolumeStore,
    output_summary: Annotated[Path, typer.Option(help="Table of the volume's numbers to make.")],
    output_histogram: Annotated[Path, typer.Option(help="Table of the histogram to make.")],
    output_slices: Annotated[Path, typer.Option(help="Table of the slices' numbers to make.")],
    threads: Threads = 1,
) -> None:
    """Count the grey values of the whole volume: histogram, percentiles, slice by slice, tissue."""
    import zarr

    from brainarch.tables import write_table
    from brainarch.volume import statistics
    from brainarch.volume.store import open_volume

    with zarr.config.set({"threading.max_workers": threads, "async.concurrency": threads}):
        found = statistics.measure(open_volume(volume), threads)
    write_table(found.summary, output_summary, statistics.SUMMARY_COLUMNS)
    write_table(found.table, output_histogram, statistics.HISTOGRAM_COLUMNS)
    write_table(found.slices, output_slices, statistics.SLICE_COLUMNS)


def plot_volume(
    *,
    summary: Annotated[Path, typer.Option(help="The volume's numbers (`volume-statistics`).")],
    histogram: Annotated[Path, typer.Option(help="Its histogram (`volume-statistics`).")],
    slices: Annotated[Path, typer.Option(help="Its slices' numbers (`volume-statistics`).")],
    output: Annotated[
        Path,
        typer.Option("--output-prefix", help="Path of the PNG, PDF and CSV without its ending."),
    ],
    dpi: Annotated[float, typer.Option(min=30, help="Pixels per inch of the PNG.")] = 300,
) -> None:
    """Grey values of the whole volume, and how they change from slice to slice."""
    from brainarch.figures import grey_values, sources
    from brainarch.figures.save import save_figure

    verb = "brainarch volume-statistics"
    table = grey_values.prepare(
        sources.read_columns_of(summary, ("quantity", "value"), verb),
        sources.read_columns_of(histogram, ("grey", "voxels"), verb),
        sources.read_columns_of(slices, ("slice", "mean", "std", "tissue_share"), verb),
    )
    save_figure(grey_values.draw(table), table, output, dpi)


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    app.command("verify")(verify)
    app.command("volume-statistics")(volume_statistics)
    app.command("plot-volume")(plot_volume)
