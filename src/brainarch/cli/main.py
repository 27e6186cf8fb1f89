"""The ``brainarch`` command: one verb for each stage, given a config and a slice or run."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

import brainarch
from brainarch.cli import (
    apply,
    config,
    preflight,
    publish,
    run,
    slices,
    stages,
    verify,
    view,
    volume,
    weights,
)
from brainarch.cli.failures import explain
from brainarch.cli.help import Verbs

app = typer.Typer(
    name="brainarch",
    cls=Verbs,
    help="Learned maps of brain microarchitecture, from a TIFF stack to figures.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"brainarch {brainarch.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print and exit."),
    ] = False,
) -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s", stream=sys.stderr)


for room in (preflight, run, slices, volume, apply, weights, verify, publish, stages, view, config):
    room.register(app)


def main() -> None:
    """Run the command; a mistake, or what the machine refuses, ends in one line and status 2."""
    try:
        app()
    except Exception as error:
        line = explain(error)
        if line is None:
            raise
        typer.echo(f"brainarch: error: {line}", err=True)
        sys.exit(2)
