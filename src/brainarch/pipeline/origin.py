"""Where results come from: which config file wrote a dataset last, and whether it was here.

Snakemake knows what made a result by records in its own folder. Results that are copied without
them look finished to it whatever the config says, so that configs are compared here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from brainarch.atomic import write_json
from brainarch.pipeline.lock import OWN
from brainarch.pipeline.pipeline import Pipeline

#: In Snakemake's folder: the config file of the last run here, by the dataset's folder.
RECORD = "brainarch-runs.json"
#: Keys that a message names.
NAMED = 5


def note_run(directory: Path, pipeline: Pipeline, file: str) -> None:
    """Write down which config file a run in a working directory was started with."""
    known = {**_read(directory / OWN / RECORD), pipeline.results.folder: os.path.relpath(file)}
    write_json(directory / OWN / RECORD, known)


def other_file(directory: Path, pipeline: Pipeline, file: str) -> str | None:
    """Return a line if another config file wrote this dataset last; editing one file is normal."""
    folder = pipeline.results.folder
    before = _read(directory / OWN / RECORD).get(folder)
    if before is None or before == os.path.relpath(file) or not Path(before).exists():
        return None
    return (
        f"{folder}: was last written by {before}, now by {os.path.relpath(file)}; give each its "
        "own name (key dataset) if both are to be kept"
    )


def made_elsewhere(directory: Path, pipeline: Pipeline) -> str | None:
    """Return a line if results were made elsewhere, by a config that differs from this one."""
    folder, last = pipeline.results.folder, pipeline.results.last_config()
    if last is None or folder in _read(directory / OWN / RECORD):
        return None
    with suppress(OSError, ValueError):
        there = dict(_leaves(json.loads(last.read_text(encoding="utf-8"))))
        here = dict(_leaves(json.loads(pipeline.config.model_dump_json())))
        keys = [key for key in {**there, **here} if there.get(key) != here.get(key)]
        if keys:
            more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
            return (
                f"{folder}: made elsewhere by a config that differs in {', '.join(keys[:NAMED])}"
                f"{more}, and without Snakemake's records nobody can tell what to make again; "
                "make all of it again with --forceall, or give this config another dataset name"
            )
    return None


def _leaves(content: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield keys with their sections, and their values."""
    if not isinstance(content, Mapping):
        yield key, content
        return
    for name, value in content.items():
        yield from _leaves(value, f"{key}.{name}".removeprefix("."))


def _read(path: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}
