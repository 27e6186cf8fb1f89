"""The verb that looks before a run leaps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    *,
    configfile: Annotated[
        Path, typer.Option(help="Config to check, as for snakemake; - reads standard input.")
    ],
    results: Annotated[
        Path, typer.Option(help="Folder of results; each dataset has its own in it.")
    ] = Path("results"),
    output: Annotated[
        Path | None, typer.Option(help="JSON of what was found, needed and had.")
    ] = None,
    memory: Annotated[
        bool,
        typer.Option(
            help="Compare memory with this machine's; no where a cluster runs the stages."
        ),
    ] = True,
) -> None:
    """Check a config's input files, disk and memory before a run; exit status 2 on problems."""
    import sys

    from brainarch.atomic import write_json
    from brainarch.config.read import parse_config, read_config
    from brainarch.preflight.examine import examine
    from brainarch.preflight.report import content, text

    if str(configfile) == "-":
        config = parse_config(sys.stdin.read(), "standard input")
    else:
        config = read_config(configfile)
    preflight = examine(config, results, check_memory=memory)
    typer.echo(text(preflight))
    if output is not None:
        write_json(output, content(preflight))
    for problem in preflight.problems:
        typer.echo(f"brainarch: error: {problem}", err=True)
    if preflight.problems:
        raise typer.Exit(2)
    typer.echo("ready")


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    app.command("doctor")(doctor)
