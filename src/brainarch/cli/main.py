"""The ``brainarch`` command: one verb a stage, explicit paths and values only."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Annotated

import typer

import brainarch
from brainarch.errors import InputError

#: Modules that register their verbs, in the order of the help page: the way the data goes.
ROOMS = (
    "preflight",
    "phantom",
    "download",
    "volume",
    "inspection",
    "annotations",
    "patches",
    "training",
    "evaluation",
    "embedding",
    "dense",
    "readout",
    "factors",
    "discovery",
    "figures",
    "reporting",
    "config",
)

app = typer.Typer(
    name="brainarch",
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


for room in ROOMS:
    importlib.import_module(f"brainarch.cli.{room}").register(app)


def main() -> None:
    """Run the command; a user's mistake ends in one line and exit status 2."""
    try:
        app()
    except InputError as error:
        typer.echo(f"brainarch: error: {error}", err=True)
        sys.exit(2)
