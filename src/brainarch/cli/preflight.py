"""The verbs that look before a run leaps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brainarch.cli.options import Changes, ConfigFile, ResultsFolder, read_pipeline


def doctor(
    config: ConfigFile,
    *,
    output: Annotated[
        Path | None, typer.Option(help="JSON of what was found, needed and had.")
    ] = None,
    memory: Annotated[
        bool,
        typer.Option(
            help="Compare memory with this machine's; no where a cluster runs the stages."
        ),
    ] = True,
    results: ResultsFolder = "results",
    changes: Changes = None,
) -> None:
    """Check a config's input files, disk and memory before a run; exit status 2 on problems."""
    from brainarch.atomic import write_json
    from brainarch.preflight.examine import examine
    from brainarch.preflight.report import content, text

    checked = read_pipeline(config, results, changes).config
    preflight = examine(checked, Path(results), check_memory=memory)
    typer.echo(text(preflight))
    if output is not None:
        write_json(output, content(preflight))
    for warning in preflight.warnings:
        typer.echo(f"brainarch: warning: {warning}", err=True)
    for problem in preflight.problems:
        typer.echo(f"brainarch: error: {problem}", err=True)
    if preflight.problems:
        raise typer.Exit(2)
    typer.echo("ready")


def estimate(
    config: ConfigFile,
    *,
    nodes: Annotated[
        int | None,
        typer.Option(min=1, help="Machines of a cluster; by default this machine alone."),
    ] = None,
    cores: Annotated[
        int | None, typer.Option(min=1, help="Cores of each; by default as many as here.")
    ] = None,
    memory_gb: Annotated[
        float | None, typer.Option(min=1, help="Memory of each, in GB; by default as here.")
    ] = None,
    core_speed: Annotated[
        float | None,
        typer.Option(
            min=0.01, help="Speed of a core relative to the one timed; by default measured here."
        ),
    ] = None,
    gpu_us: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            help="Each machine has a GPU that extracts a pixel in so many microseconds at stride 1 "
            "(bench/dense.py measures it); training counts as that much faster likewise.",
        ),
    ] = None,
    results: ResultsFolder = "results",
    changes: Changes = None,
) -> None:
    """Say how long a run takes, on this machine or a cluster, with its memory and disk; no data."""
    from dataclasses import replace

    from brainarch.needs.estimate import estimate as estimate_run
    from brainarch.needs.estimate import table
    from brainarch.needs.machine import look_at_machine
    from brainarch.needs.models import EXTRACT_SECONDS
    from brainarch.needs.speed import measure_speed
    from brainarch.needs.work import describe_work

    pipeline = read_pipeline(config, results, changes)
    machine = look_at_machine()
    machine = replace(
        machine,
        cores=cores or machine.cores,
        memory_mb=machine.memory_mb if memory_gb is None else 1e3 * memory_gb,
        speed=core_speed or measure_speed(),
        gpu_speed=0.0 if gpu_us is None else EXTRACT_SECONDS[1] * 1e6 / gpu_us,
    )
    work = describe_work(pipeline.config)
    run = estimate_run(pipeline, work, machine)
    typer.echo(table(run, work, [machine] * (nodes or 1)))


def register(app: typer.Typer) -> None:
    """Add these verbs to the command."""
    app.command("doctor")(doctor)
    app.command("estimate")(estimate)
