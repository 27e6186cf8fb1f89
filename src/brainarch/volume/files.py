"""Whether a user's files have changed since they were last looked at."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from brainarch.errors import InputError
from brainarch.volume.kinds import in_zarr, is_slice_pattern
from brainarch.volume.names import find_files, find_numbered

#: Folders of a Zarr store that are looked at.
MOST_FOLDERS = 10_000


def files_state(sources: Iterable[str]) -> str | None:
    """Return a short text that changes when a user's files do, or None if none is there.

    It tells names, sizes and times of all files, however many there are. Of a Zarr store it tells
    the times of its folders, which change whenever a chunk in them is replaced; of a store of more
    than `MOST_FOLDERS`, those of the upper ones, because looking at all would take minutes.

    Parameters
    ----------
    sources : iterable of str
        Files, folders, patterns or Zarr stores.
    """
    digest, found = hashlib.sha256(), False
    for source in sources:
        for entry in _entries(source):
            found = True
            status = entry.stat()
            size = 0 if entry.is_dir() else status.st_size
            digest.update(f"{entry.name}/{size}/{status.st_mtime_ns}\n".encode())
        digest.update(b"\n")
    return digest.hexdigest()[:16] if found else None


def _entries(source: str) -> Iterator[Path]:
    """Yield what tells that a source has changed, in the order of its names."""
    if in_zarr(source):
        yield from islice(_folders(Path(source)), MOST_FOLDERS)
        return
    try:
        files = find_numbered(source)[0] if is_slice_pattern(source) else find_files(source)
    except InputError:  # what is wrong is told by the stage that reads it
        return
    yield from sorted(files)


def _folders(top: Path) -> Iterator[Path]:
    """Yield a folder and those in it, the upper ones first."""
    waiting = deque([top] if top.is_dir() else [])
    while waiting:
        folder = waiting.popleft()
        yield folder
        with os.scandir(folder) as entries:
            waiting.extend(Path(name) for name in sorted(e.path for e in entries if e.is_dir()))
