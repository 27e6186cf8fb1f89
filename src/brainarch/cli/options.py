"""Options that every verb with a config has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from brainarch.pipeline.pipeline import Pipeline

ConfigFile = Annotated[
    Path, typer.Argument(help="Config: a YAML file, or the JSON that a run's log names.")
]
RESULTS = "results"
ResultsFolder = Annotated[
    str, typer.Option(help="Folder of results; each dataset has its own in it.")
]
Threads = Annotated[int, typer.Option(min=1, help="Threads at most.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", help="KEY=VALUE: another value of a config key, for a trial. Repeat."),
]


def read_pipeline(
    config: Path, results: str = "results", changes: Sequence[str] | None = None
) -> Pipeline:
    """Return the pipeline of a config file, with some keys changed.

    Raises
    ------
    InputError
        If the config or a change is wrong.
    """
    from brainarch.config.read import change_config, read_content

    return Pipeline.of(change_config(read_content(config), changes or (), str(config)), results)
