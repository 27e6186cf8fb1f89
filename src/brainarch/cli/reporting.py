"""The verb that sums a run up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def summary(
    *,
    manifest: Annotated[
        Path,
        typer.Option(
            help='JSON: {"config": the whole config, "files": {"metrics/main/test": path, ...}}; '
            "kinds of files are listed in brainarch.reporting.manifest."
        ),
    ],
    output_html: Annotated[Path, typer.Option(help="Page to write; it needs no other file.")],
    output_json: Annotated[Path, typer.Option(help="The same for machines.")],
    benchmarks: Annotated[
        Path | None, typer.Option(help="Folder of Snakemake's benchmark files, for the costs.")
    ] = None,
) -> None:
    """Sum a run up on one page: verdicts, numbers, figures, versions, cost."""
    from brainarch.reporting.summary import write_summary

    write_summary(manifest, benchmarks, output_html, output_json)


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    app.command("summary")(summary)
