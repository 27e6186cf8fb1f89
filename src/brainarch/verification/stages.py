"""Verifying a store, a network or a whole dataset."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from brainarch.errors import InputError
from brainarch.pipeline.pipeline import Pipeline
from brainarch.records import write_record
from brainarch.verification.belongs import Belonging
from brainarch.verification.sound import Examined, checked_in, examine


class Verdict(NamedTuple):
    """What was found of a store or a file: one line, and whether something is wrong with it."""

    line: str
    wrong: bool


def verify_file(path: Path, threads: int = 1) -> Verdict:
    """Read a store or a file, every byte of it."""
    return _verdict(examine(path, threads), None)


def verify_dataset(pipeline: Pipeline, threads: int = 1) -> Iterator[Verdict]:
    """Read every store, network, table and JSON of a dataset; say which are of its config.

    The last thing done is to note when that was, for the summary page.

    Raises
    ------
    InputError
        If there is none.
    """
    folder = Path(pipeline.results.folder)
    found = [examine(path, threads) for path in checked_in(folder)]
    if not found:
        raise InputError(f"{folder}: no results are here; run the pipeline first")
    sound = {entry.path: entry.content for entry in found if entry.content and not entry.faults}
    belonging = Belonging(pipeline, sound)
    verdicts = [_verdict(entry, belonging) for entry in found]
    yield from verdicts
    content = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "read": len(verdicts),
        "wrong": [verdict.line for verdict in verdicts if verdict.wrong],
    }
    write_record(Path(pipeline.results.verified), content)


def _verdict(found: Examined, belonging: Belonging | None) -> Verdict:
    about = f"{found.path}: {found.title}"
    if found.faults:
        more = f" and {len(found.faults) - 1} more" if len(found.faults) > 1 else ""
        return Verdict(f"{about}, damaged: {found.faults[0]}{more}", wrong=True)
    if belonging is None or found.content is None:
        return Verdict(f"{about}, sound", wrong=False)
    differences = list(belonging.differences(found.path))
    if differences:
        return Verdict(f"{about}, sound, but {'; '.join(differences)}", wrong=True)
    return Verdict(f"{about}, sound, of this config", wrong=False)
