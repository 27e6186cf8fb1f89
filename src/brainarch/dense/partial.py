"""Unfinished extractions on disk: what is done, how to know it is right, what does not belong."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainarch.atomic import move, replacing, write_json
from brainarch.errors import InputError

#: Beginning of the names of this stage's folders among the unfinished work of others.
PREFIX = "extract-"

_IDENTITY = "identity.json"
_OUTPUT = "output.json"
_CUBE = "cube.zarr"
_RECORDS = "tiles.jsonl"
_LOCK = "lock"


def identity_key(identity: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that stand for everything that a result depends on."""
    text = json.dumps(identity, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def array_digest(array: NDArray[np.generic]) -> str:
    """Return the SHA-256 of an array's shape, dtype and values."""
    digest = hashlib.sha256(f"{array.shape} {array.dtype.newbyteorder('<')}".encode())
    digest.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


def block_digest(block: NDArray[np.float32]) -> str:
    """Return the SHA-256 of a tile's values as they are read back: float32, NaN where absent."""
    values = np.ascontiguousarray(block, dtype="<f4")
    return hashlib.sha256(values.data).hexdigest()


class Work:
    """The folder of one unfinished extraction.

    It holds the identity, the cube being filled and one record per finished tile. A record is
    appended after the tile's chunks are in place, so a tile without one is simply computed again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cube = folder / _CUBE
        self._records = folder / _RECORDS
        self._lock = threading.Lock()

    def finished(self) -> dict[int, str]:
        """Return the recorded digests by tile; a line cut off by a kill is passed over."""
        if not (self.cube / "zarr.json").exists() or not self._records.exists():
            return {}
        found = {}
        for line in self._records.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
                found[int(record["tile"])] = str(record["sha256"])
            except (ValueError, KeyError, TypeError):
                continue
        return found

    def record(self, tile: int, digest: str) -> None:
        """Note that a tile is finished; safe from several threads."""
        # The line break in front ends a line that a kill may have cut off.
        line = "\n" + json.dumps({"tile": tile, "sha256": digest}) + "\n"
        with self._lock, self._records.open("a", encoding="utf-8") as stream:
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())

    def restart(self) -> None:
        """Remove the cube and its records."""
        self._records.unlink(missing_ok=True)
        shutil.rmtree(self.cube, ignore_errors=True)

    def publish(self, output: Path) -> None:
        """Move the finished cube to its place, in one step, and remove the folder."""
        move(self.cube, output)
        shutil.rmtree(self.folder)


@contextmanager
def open_work(partial: Path, identity: Mapping[str, Any], output: Path) -> Iterator[Work]:
    """Open the folder of an extraction, made if need be, for this process alone.

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
        If another process works there, the folder holds anything else, unfinished work for the same
        output has another identity, or the output is on another file system, where no single step
        leads.
    """
    for folder in (partial, output.parent):
        folder.mkdir(parents=True, exist_ok=True)
    if _file_system(partial) != _file_system(output.parent):
        raise InputError(
            f"{partial}: on another file system than {output}; keep both on one (no link)"
        )
    work = Work(partial / f"{PREFIX}{identity_key(identity)}")
    _refuse_others(partial, work.folder, output)
    if not work.folder.exists():
        with replacing(work.folder) as temporary:
            temporary.mkdir(parents=True)
            write_json(temporary / _IDENTITY, identity)
            write_json(temporary / _OUTPUT, _place(output))
    known = {_IDENTITY, _OUTPUT, _CUBE, _RECORDS, _LOCK}
    strange = sorted(entry.name for entry in work.folder.iterdir() if entry.name not in known)
    if strange or _read(work.folder / _IDENTITY) != json.loads(json.dumps(identity)):
        what = strange[0] if strange else _IDENTITY
        raise InputError(
            f"{work.folder}: {what} there is not from this extraction; remove the folder and "
            "extract again"
        )
    with (work.folder / _LOCK).open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{work.folder}: another process is extracting this; wait for it or end it"
            ) from None
        yield work


def _refuse_others(partial: Path, own: Path, output: Path) -> None:
    for folder in sorted(partial.glob(f"{PREFIX}*")):
        if folder != own and _read(folder / _OUTPUT) in (None, _place(output)):
            raise InputError(
                f"{folder}: unfinished work for {output.name} from another plan, network, slice or "
                "version; remove that folder, or go back to what it was made from"
            )


def _file_system(folder: Path) -> int:
    return folder.stat().st_dev


def _place(output: Path) -> str:
    return str(output.resolve())


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
