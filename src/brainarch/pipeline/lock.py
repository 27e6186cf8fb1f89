"""Clearing Snakemake's lock of a working directory when the run that took it was killed.

Snakemake's lock is files, which a killed run leaves behind. Beside them, every run holds a lock of
the system, which dies with its process. Whoever finds that one free knows that nobody runs here.
"""

from __future__ import annotations

import fcntl
import json
import platform
from contextlib import suppress
from pathlib import Path

#: Snakemake's own folder in a working directory, its lock in there, and what we hold beside it.
OWN, LOCKS, HELD = ".snakemake", "locks", "brainarch.lock"


class DirectoryLock:
    """Says that a run is at work in a directory, until the process ends.

    A lock of Snakemake's that is found there is cleared if its run is over for certain: no other
    run of this workflow is at work in the directory, and the last one ran its jobs on this very
    machine. What a cluster may still be doing, and another machine's runs on a disk without
    locks, cannot be seen from here: those locks stay, and Snakemake says what to do. So do locks of
    other workflows.

    Parameters
    ----------
    directory : Path
        The working directory.
    results : str
        Folder in it whose files this workflow makes.

    Attributes
    ----------
    cleared : bool
        Whether a lock was found and cleared.
    """

    def __init__(self, directory: Path, results: str) -> None:
        self.cleared = False
        own = directory / OWN
        own.mkdir(exist_ok=True)
        self._stream = (own / HELD).open("a+", encoding="utf-8")
        if self._take(fcntl.LOCK_EX | fcntl.LOCK_NB):
            locks = [path for path in (own / LOCKS).glob("*.output.lock") if _is_of(path, results)]
            if not locks:
                self.note(on_cluster=False)
            elif self._read() == _here():
                for path in locks:
                    path.with_name(path.name.replace("output", "input")).unlink(missing_ok=True)
                    path.unlink()
                self.cleared = True
        self._take(fcntl.LOCK_SH)

    def note(self, *, on_cluster: bool) -> None:
        """Write down where the jobs of this run are done, for whoever finds its lock."""
        self._stream.truncate(0)
        self._stream.write(json.dumps(_here() | {"cluster": on_cluster}))
        self._stream.flush()

    def _take(self, how: int) -> bool:
        try:
            fcntl.flock(self._stream, how)
        except OSError:  # somebody has it, or the file system has no locks
            return False
        return True

    def _read(self) -> object:
        self._stream.seek(0)
        with suppress(ValueError):
            return json.loads(self._stream.read())
        return None


def _here() -> dict[str, str | bool]:
    return {"host": platform.node(), "cluster": False}


def _is_of(lock: Path, results: str) -> bool:
    """Return whether a lock is of a run that makes files in a folder."""
    return any(line.startswith(f"{results}/") for line in lock.read_text().splitlines())
