"""The verb that says which slices of a run are done."""

from __future__ import annotations

import typer

from brainarch.cli.options import ConfigFile, ResultsFolder, read_pipeline


def slices(config: ConfigFile, *, results: ResultsFolder = "results") -> None:
    """Say what each extracted slice has and lacks, and why; the index lies in runs/slices.csv."""
    from pathlib import Path

    from brainarch.reporting.slices import INDEX_COLUMNS, index_slices, tell_unfinished
    from brainarch.tables import write_table

    pipeline = read_pipeline(config, results)
    index = index_slices(pipeline, pipeline.results)
    write_table(index, Path(pipeline.results.slices), INDEX_COLUMNS)
    typer.echo(tell_unfinished(index))


def register(app: typer.Typer) -> None:
    """Add this verb to the command."""
    app.command("slices")(slices)
