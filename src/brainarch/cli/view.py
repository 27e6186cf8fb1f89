"""Verbs to look at results: the page, the volume in neuroglancer, panels for a paper."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from brainarch.cli.options import ConfigFile, ResultsFolder, read_pipeline
from brainarch.errors import InputError
from brainarch.pipeline.stage import Stage, flat

Place = Annotated[Path, typer.Argument(help="Config, or the results folder of a dataset.")]
Open = Annotated[bool, typer.Option(help="Open the browser, or only print the address.")]
Whole = Annotated[
    bool,
    typer.Option("--volume", help="Volume, labels and maps in neuroglancer, until Ctrl-C."),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("view")(view)
    app.command("panels")(panels)


def view(
    place: Place, *, results: ResultsFolder = "results", volume: Whole = False, browser: Open = True
) -> None:
    """Open the page to explore slices in; it is written if it is not there, or old."""
    from brainarch import open as open_dataset

    pipeline = open_dataset(place).pipeline if place.is_dir() else read_pipeline(place, results)
    pages = [*map(pipeline.explore_slice, pipeline.paged_slices), pipeline.explore()]
    old = [stage for stage in pages if _is_old(stage)]
    if (volume or old) and not Path(pipeline.results.volume).exists():
        raise InputError(f"{pipeline.results.folder}: nothing to see yet; run the workflow")
    if volume:
        _serve(pipeline.shown, browser)
        return
    for stage in pages:
        if _is_old(stage):
            stage.run()
    page = Path(str(pages[-1].outputs["page"]))
    typer.echo(str(page))
    _browse(page.resolve().as_uri(), browser)


def panels(
    config: ConfigFile,
    *,
    figure: Annotated[str, typer.Option(help="Its name, for example V3_scale.")],
    results: ResultsFolder = "results",
    width_mm: Annotated[float, typer.Option(min=30, help="Width of a column.")] = 89.0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder; else figures/panels.")
    ] = None,
) -> None:
    """Draw the panels of a figure as PDFs of their own, each as wide as one column at most."""
    from brainarch.figures.columns import apart

    pipeline = read_pipeline(config, results)
    folder = output or Path(pipeline.results.figure("panels", ""))
    with apart(folder, width_mm) as wanted:
        pipeline.figure(figure).run()
    for path in wanted.written:
        typer.echo(str(path))


def _is_old(stage: Stage) -> bool:
    """Return whether a page is not there, or older than what it shows."""
    page = Path(str(stage.outputs["page"]))
    shown = [Path(path) for path in flat({**stage.inputs, **stage.places})]
    newest = max((path.stat().st_mtime for path in shown if path.exists()), default=0.0)
    return not page.exists() or page.stat().st_mtime < newest


def _serve(shown: Mapping[str, Any], browser: bool) -> None:
    from brainarch.explorer.served import serve

    def started(address: str) -> None:
        typer.echo(f"{address}\nCtrl-C ends it.")
        _browse(address, browser)

    wanted = ("volume", "files", "slices", "areas", "layer_names")
    serve(**{name: shown[name] for name in wanted}, started=started)


def _browse(address: str, browser: bool) -> None:
    if browser and not webbrowser.open(address):
        typer.echo(f"brainarch: no browser was found; open {address} in one", err=True)
