"""Unfinished extractions on disk: what is done, and how to know that it is right."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainarch.atomic import move
from brainarch.errors import InputError
from brainarch.unfinished import unfinished_work

#: What this stage is called among the unfinished work of others.
STAGE = "extract"

_CUBE = "cube.zarr"
_RECORDS = "tiles.jsonl"


def identity_key(identity: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that stand for everything that a result depends on."""
    text = json.dumps(identity, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def array_digest(array: NDArray[np.generic]) -> str:
    """Return the SHA-256 of an array's shape, dtype and values."""
    digest = hashlib.sha256(f"{array.shape} {array.dtype.newbyteorder('<')}".encode())
    digest.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


class Work:
    """The folder of one unfinished extraction.

    It holds the cube being filled and one record per finished tile. A record is
    appended after the tile's chunks are in place, so a tile without one is simply computed again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cube = folder / _CUBE
        self._records = folder / _RECORDS
        self._lock = threading.Lock()

    def finished(self) -> dict[int, str]:
        """Return the checksums of recorded tiles; a line cut off by a kill is passed over."""
        if not (self.cube / "zarr.json").exists() or not self._records.exists():
            return {}
        found = {}
        for line in self._records.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
                found[int(record["tile"])] = str(record["chunks"])
            except (ValueError, KeyError, TypeError):
                continue
        return found

    def record(self, tile: int, checksums: str) -> None:
        """Note that a tile is finished; safe from several threads."""
        # The line break in front ends a line that a kill may have cut off.
        line = "\n" + json.dumps({"tile": tile, "chunks": checksums}) + "\n"
        with self._lock, self._records.open("a", encoding="utf-8") as stream:
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())

    def restart(self) -> None:
        """Remove the cube and its records."""
        self._records.unlink(missing_ok=True)
        shutil.rmtree(self.cube, ignore_errors=True)

    def publish(self, output: Path) -> None:
        """Move the finished cube to its place, in one step."""
        move(self.cube, output)


@contextmanager
def open_work(partial: Path, identity: Mapping[str, Any], output: Path) -> Iterator[Work]:
    """Open the folder of an extraction, made if need be; see `brainarch.unfinished`.

    Parameters
    ----------
    partial : Path
        Folder for unfinished work of all stages, on the file system of ``output``.
    identity : mapping
        Everything that the result depends on, as JSON values.
    output : Path
        Where the cube will go.

    Raises
    ------
    InputError
        If another process works there, the folder holds anything else, or the output is on another
        file system, where no single step leads.
    """
    if _file_system(partial) != _file_system(output.parent):
        raise InputError(
            f"{partial}: on another file system than {output}; keep both on one (no link)"
        )
    with unfinished_work(partial, STAGE, identity, output, (_CUBE, _RECORDS)) as folder:
        yield Work(folder)


def _file_system(folder: Path) -> int:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # who finished there may just have removed it
            return folder.stat().st_dev
