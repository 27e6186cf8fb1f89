"""The verbs of dense extraction: plan, extract, prove, predict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def plan(
    *,
    checkpoint: Annotated[Path, typer.Option(help="Trained network.")],
    volume: Annotated[Path, typer.Option(help="OME-Zarr volume; only its shape is read.")],
    output: Annotated[Path, typer.Option(help="plan.json to write.")],
    stride: Annotated[int, typer.Option(help="Every how many pixels: 1, 2, 4, 8 or 16.")] = 1,
    rows: Annotated[
        str | None, typer.Option(help="Rows to extract, first:end, e.g. 352:672; all by default.")
    ] = None,
    memory_mb: Annotated[float, typer.Option(min=1, help="Memory that may be used, in MB.")] = 1500,
    threads: Annotated[int, typer.Option(min=1, help="Most threads that may be used.")] = 1,
    algorithm: Annotated[
        str,
        typer.Option(
            help="auto, spectral or direct; or windows, which runs every window alone: slow, but "
            "any network will do."
        ),
    ] = "auto",
    precision: Annotated[
        str,
        typer.Option(
            help="float32 (exact), bfloat16 or tf32 (GPU only); their error is stored with the "
            "cube."
        ),
    ] = "float32",
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Run the best few candidates for a tile each instead of counting operations; the "
            "plan then depends on this machine.",
        ),
    ] = False,
) -> None:
    """Choose algorithm and tiles of a dense extraction and write the plan."""
    from brainarch.dense.plan import plan_trunk, write_plan
    from brainarch.network.checkpoint import load_checkpoint
    from brainarch.volume.store import open_volume

    made = plan_trunk(
        load_checkpoint(checkpoint).network.trunk,
        open_volume(volume).shape[1:],
        stride,
        algorithm=algorithm,
        precision=precision,
        rows=_parse_rows(rows),
        memory_mb=memory_mb,
        threads=threads,
        measure=measure,
    )
    write_plan(made, output)
    typer.echo(
        f"plan: {made.algorithm} in {made.precision}, tiles of {made.tile[0]} x {made.tile[1]} "
        f"grid pixels, {made.workers} workers, predicted {made.memory_mb:.0f} MB and "
        f"{made.expected_seconds:.3g} s for every pixel of the rows"
    )


def extract(
    *,
    checkpoint: Annotated[Path, typer.Option(help="Trained network.")],
    volume: Annotated[Path, typer.Option(help="OME-Zarr volume.")],
    plan: Annotated[Path, typer.Option(help="Plan written by `brainarch plan`.")],
    slice_: Annotated[
        list[int], typer.Option("--slice", help="Number of the slice; repeat for several.")
    ],
    partial: Annotated[
        Path, typer.Option(help="Folder for unfinished work, on the output's file system.")
    ],
    output: Annotated[
        list[Path], typer.Option(help="Dense cube (Zarr) to make; one a slice, in their order.")
    ],
    labels: Annotated[
        Path | None, typer.Option(help="Area labels (OME-Zarr), for --where labelled.")
    ] = None,
    where: Annotated[str, typer.Option(help="Pixels: labelled, tissue or all.")] = "labelled",
    rows: Annotated[
        str | None, typer.Option(help="Rows first:end within the plan's; those by default.")
    ] = None,
    storage: Annotated[str, typer.Option(help="float32 or float16 on disk.")] = "float32",
    threads: Annotated[int, typer.Option(min=1, help="Most threads to use.")] = 1,
    device: Annotated[
        str, typer.Option(help="auto, cpu or cuda; cuda takes every GPU, a tile each.")
    ] = "auto",
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a dask scheduler, e.g. tcp://host:8786, whose workers compute the "
            "tiles; on their CPUs unless --device cuda."
        ),
    ] = None,
) -> None:
    """Extract the representation of every wanted pixel of slices; go on after an interruption."""
    from brainarch.dense.extract import extract_slices

    extract_slices(
        checkpoint=checkpoint,
        volume=volume,
        labels=labels,
        plan=plan,
        slices=slice_,
        where=where,
        rows=_parse_rows(rows),
        storage=storage,
        partial=partial,
        outputs=output,
        threads=threads,
        device=device,
        scheduler=scheduler,
    )


def prove(
    *,
    cube: Annotated[Path, typer.Option(help="Dense cube.")],
    volume: Annotated[Path, typer.Option(help="OME-Zarr volume that it came from.")],
    checkpoint: Annotated[Path, typer.Option(help="Network that it came from.")],
    output: Annotated[Path, typer.Option(help="Proof (JSON) to write.")],
    windows: Annotated[int, typer.Option(min=1, help="Windows to recompute.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Seed of their choice.")] = 2020,
    threads: Annotated[int, typer.Option(min=1, help="Threads.")] = 1,
) -> None:
    """Recompute random windows of a cube one by one; exit status 1 if it is not as it should be."""
    from brainarch.dense.prove import prove_cube

    problem = prove_cube(
        cube=cube,
        volume=volume,
        checkpoint=checkpoint,
        windows=windows,
        seed=seed,
        output=output,
        threads=threads,
    )
    if problem is not None:
        typer.echo(f"brainarch: {problem}", err=True)
        raise typer.Exit(1)


def predict(
    *,
    cube: Annotated[Path, typer.Option(help="Dense cube.")],
    checkpoint: Annotated[Path, typer.Option(help="Network that it came from.")],
    legend: Annotated[Path, typer.Option(help="Legend table of the areas.")],
    output_prefix: Annotated[
        str,
        typer.Option(
            help="Beginning of the outputs' paths: _areas.zarr, _confusion.csv, _metrics.csv and "
            "_border.csv are appended."
        ),
    ],
    labels: Annotated[
        Path | None, typer.Option(help="Area labels; without them only the map is filled.")
    ] = None,
    splits: Annotated[
        Path | None, typer.Option(help="Splits label image: evaluate its test pixels only.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 2020,
) -> None:
    """Predict the area of every extracted pixel and, where labelled, how right that is."""
    from brainarch.dense.predict import predict_cube

    predict_cube(
        cube=cube,
        checkpoint=checkpoint,
        legend=legend,
        labels=labels,
        splits=splits,
        seed=seed,
        output_prefix=output_prefix,
    )


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    for verb in (plan, extract, prove, predict):
        app.command(verb.__name__)(verb)


def _parse_rows(text: str | None) -> tuple[int, int] | None:
    from brainarch.errors import InputError

    if text is None:
        return None
    first, _, end = text.partition(":")
    try:
        return int(first), int(end)
    except ValueError:
        raise InputError(f"--rows {text}: wanted first:end, e.g. 352:672") from None
