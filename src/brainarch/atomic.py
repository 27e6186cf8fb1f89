"""Outputs that are either whole or absent, and what a kill leaves of them.

What is being written lies in a room of its own, ``.unfinished/<number>/`` beside its place, whose
lock is held meanwhile. The system frees the locks of a process that dies, however it dies: so the
next writer in that folder can tell what a kill left from what somebody is writing, and removes it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

#: Folder of rooms, beside the files that are written.
UNFINISHED = ".unfinished"
#: In a room: its lock, and what is being replaced.
LOCK, RETIRED = ".lock", ".retired"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path that takes the place of ``path`` when the block succeeds.

    The temporary path has the same name, so writers that look at it work. It may become a file,
    which is on the disk before it takes its place, or a folder. When the block raises, it is
    removed and whatever stood at ``path`` is untouched.

    Raises
    ------
    OSError
        If it cannot be written; ``filename`` then names ``path``, whatever the system named.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent)
    with _naming(path), _room(path.parent) as room:
        temporary = room / path.name
        yield temporary
        if temporary.is_file():
            _flush(temporary)
        if path.is_dir() and not path.is_symlink():
            path.rename(room / RETIRED)
        temporary.replace(path)


def move(source: Path, path: Path) -> None:
    """Move a finished file or folder to its place on the same file system.

    When that fails, both are where they were.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent)
    with _room(path.parent) as room:
        retired = room / RETIRED
        if path.exists():
            path.rename(retired)
        try:
            source.rename(path)
        except OSError:
            if retired.exists():
                retired.rename(path)
            raise


def try_writing(folder: Path) -> None:
    """Make a folder and something in it, which is removed at once; raise `OSError` if not."""
    folder.mkdir(parents=True, exist_ok=True)
    with _naming(folder), _room(folder):
        pass


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write a file in one step."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file in one step."""
    write_bytes(path, text.encode())


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as indented JSON in one step; keys keep their order."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def sweep(folder: Path) -> None:
    """Remove what killed processes were writing in a folder; what a living one writes stays."""
    remove_abandoned((folder / UNFINISHED).glob("*"))
    with suppress(OSError):  # not there, or somebody is at work
        (folder / UNFINISHED).rmdir()


def remove_abandoned(rooms: Iterable[Path]) -> list[Path]:
    """Remove those of some folders whose lock nobody holds, and return them."""
    removed = []
    for room in rooms:
        with suppress(FileNotFoundError, NotADirectoryError), (room / LOCK).open("a") as stream:
            if hold(stream):
                shutil.rmtree(room, ignore_errors=True)
                removed.append(room)
    return removed


def hold(stream: IO[str]) -> bool | None:
    """Take the lock of an open file until it is closed, or the process ends.

    Returns
    -------
    bool or None
        Whether it is held now; None where the file system has no locks.
    """
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else None
    return True


@contextmanager
def _room(folder: Path) -> Iterator[Path]:
    """Make a locked folder for what is being written, and remove it afterwards."""
    with _locked_room(folder) as stream:
        room = Path(stream.name).parent
        try:
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)
            with suppress(OSError):  # somebody else is at work there
                room.parent.rmdir()


def _locked_room(folder: Path) -> IO[str]:
    """Make a room and lock it, before a sweep takes it for an abandoned one."""
    while True:
        room = folder / UNFINISHED / uuid.uuid4().hex[:8]
        room.mkdir(parents=True)
        with suppress(FileNotFoundError):
            stream = (room / LOCK).open("a")
            if hold(stream) is not False and (room / LOCK).exists():
                return stream
            stream.close()


def _flush(path: Path) -> None:
    """Let the disk have a file's content, so that a loss of power finds it or none."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Let errors of the system name what was to be written, no temporary path or nothing."""
    try:
        yield
    except OSError as error:
        if error.filename is None or UNFINISHED in Path(str(error.filename)).parts:
            error.filename, error.filename2 = str(path), None
        raise
