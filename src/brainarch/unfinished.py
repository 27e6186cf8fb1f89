"""Folders of unfinished work that outlive a kill: one for exactly these inputs and options."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from brainarch.atomic import LOCK, hold, remove_abandoned, replacing, sweep, write_json
from brainarch.errors import InputError

logger = logging.getLogger(__name__)

#: In a folder of unfinished work: what goes into it, and where the result will go.
IDENTITY, OUTPUT = "identity.json", "output.json"


@contextmanager
def unfinished_work(
    partial: Path,
    stage: str,
    identity: Mapping[str, Any],
    output: Path,
    holds: Collection[str] | None = None,
) -> Iterator[Path]:
    """Open a folder of unfinished work, made if need be, for this process alone.

    It stays when the block raises, and is removed when the block succeeds. Unfinished work for the
    same output from anything else is removed, unless somebody is at it.

    Parameters
    ----------
    partial : Path
        Folder for unfinished work.
    stage : str
        Beginning of the folder's name.
    identity : mapping
        Everything that the result depends on, as JSON values.
    output : Path
        Where the result will go.
    holds : collection of str, optional
        Names of what belongs there; without it anything does.

    Raises
    ------
    InputError
        If another process works there, or something else lies there.
    """
    text = json.dumps(identity, sort_keys=True)
    work = partial / f"{stage}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    partial.mkdir(parents=True, exist_ok=True)
    sweep(partial)
    others = [f for f in partial.glob(f"{stage}-*") if f != work and _is_for(f, output)]
    for folder in remove_abandoned(others):
        logger.info("%s: unfinished work from other inputs or options, removed", folder)
    if not work.exists():
        with replacing(work) as temporary:
            temporary.mkdir()
            write_json(temporary / IDENTITY, identity)
            write_json(temporary / OUTPUT, _place(output, partial))
    with (work / LOCK).open("a") as stream:
        if hold(stream) is False:
            raise InputError(f"{work}: another process is at this work; wait for it or end it")
        _check(work, json.loads(text), holds)
        yield work
        shutil.rmtree(work)
    with suppress(OSError):  # other unfinished work may lie there
        partial.rmdir()


def _check(work: Path, identity: Any, holds: Collection[str] | None) -> None:
    known = None if holds is None else {IDENTITY, OUTPUT, LOCK, *holds}
    strange = [] if known is None else sorted(f.name for f in work.iterdir() if f.name not in known)
    if strange or _read(work / IDENTITY) != identity:
        what = strange[0] if strange else IDENTITY
        raise InputError(
            f"{work}: {what} there is not from this work; remove the folder and run the same "
            "command again"
        )


def _is_for(work: Path, output: Path) -> bool:
    return bool(_read(work / OUTPUT) == _place(output, work.parent))


def _place(output: Path, partial: Path) -> str:
    return os.path.relpath(output.resolve(), partial.resolve())


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
