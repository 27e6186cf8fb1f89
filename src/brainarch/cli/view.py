"""The verb that opens the page to explore slices in."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from brainarch.cli.options import ResultsFolder, read_pipeline
from brainarch.errors import InputError

Place = Annotated[Path, typer.Argument(help="Config, or the results folder of a dataset.")]
Open = Annotated[bool, typer.Option(help="Open the browser, or only print where the page is.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("view")(view)


def view(place: Place, *, results: ResultsFolder = "results", browser: Open = True) -> None:
    """Open the page to explore slices in; it is written if it is not there yet."""
    page = _page(place, results)
    typer.echo(str(page))
    if browser and not webbrowser.open(page.resolve().as_uri()):
        typer.echo("brainarch: no browser was found; open the file by a double click", err=True)


def _page(place: Path, results: str) -> Path:
    """Return the page of a dataset, which shows what is there of a run that is not finished."""
    from brainarch import open as open_dataset

    pipeline = open_dataset(place).pipeline if place.is_dir() else read_pipeline(place, results)
    stage = pipeline.explore()
    page = Path(str(stage.outputs["page"]))
    if not page.exists():
        if not Path(pipeline.results.volume).exists():
            raise InputError(f"{pipeline.results.folder}: nothing to see yet; run the workflow")
        stage.run()
    return page
