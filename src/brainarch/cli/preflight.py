"""The verb that looks before a run leaps."""

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
    for problem in preflight.problems:
        typer.echo(f"brainarch: error: {problem}", err=True)
    if preflight.problems:
        raise typer.Exit(2)
    typer.echo("ready")


def register(app: typer.Typer) -> None:
    """Add this verb to the command."""
    app.command("doctor")(doctor)
