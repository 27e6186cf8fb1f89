"""The verb that copies results to an object store."""

from __future__ import annotations

from typing import Annotated

import typer

from brainarch.cli.options import ConfigFile, ResultsFolder, Threads, read_pipeline

#: Results that are not there yet and are named; the rest are counted.
NAMED = 3


def publish(
    config: ConfigFile,
    place: Annotated[
        str,
        typer.Argument(help="s3://bucket/prefix (pip install 'brainarch[s3]'), or a folder."),
    ],
    *,
    network: Annotated[
        list[str] | None,
        typer.Option(help="One of extraction.networks; repeat. By default all of them."),
    ] = None,
    threads: Threads = 1,
    results: ResultsFolder = "results",
) -> None:
    """Copy finished cubes, maps, coefficients, networks and pages to an object store or a folder.

    What is there already is not sent again, so the same command goes on after a kill; the
    manifest with every SHA-256 comes last. `brainarch verify s3://bucket/prefix` compares them.
    """
    from brainarch.remote.stages import publish_dataset

    done = publish_dataset(read_pipeline(config, results), place, network or (), threads)
    if done.lacking:
        names = ", ".join(str(path) for path in done.lacking[:NAMED])
        more = f" and {len(done.lacking) - NAMED} more" if len(done.lacking) > NAMED else ""
        typer.echo(f"publish: not finished yet, left out: {names}{more}", err=True)
    typer.echo(f"publish: {done.files.sent} files sent, {done.files.kept} were there; {place}")


def register(app: typer.Typer) -> None:
    """Add this verb to the command."""
    app.command("publish")(publish)
