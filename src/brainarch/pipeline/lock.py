"""Clearing what a killed run leaves: Snakemake's lock of a working directory, its temporary folder.

Snakemake's lock is files, which a killed run leaves behind. Beside them, every run holds a lock of
the system, which dies with its process. Whoever finds that one free knows that nobody runs here;
jobs that the dead run has left with SLURM are cancelled first.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from brainarch.pipeline.orphans import cancel_orphans

#: Snakemake's own folder in a working directory, its lock in there, and what we hold beside it.
OWN, LOCKS, HELD = ".snakemake", "locks", "brainarch.lock"
#: Where the temporary folders of runs are written down, and how Snakemake calls them.
TEMPORARY, NAMED = "brainarch.temporary", re.compile(r"snakemake\w{8}")


class DirectoryLock:
    """Says that a run is at work in a directory, until the process ends.

    A lock of Snakemake's that is found there is cleared if its run is over for certain: no other
    run of this workflow is at work in the directory, and the last one was started on this very
    machine and ran its jobs here, or through SLURM, which ends them. What another cluster may still
    be doing, and another machine's runs on a disk without locks, cannot be seen from here: those
    locks stay, and Snakemake says what to do. So do locks of other workflows.

    Parameters
    ----------
    directory : Path
        The working directory.
    results : str
        Folder in it whose files this workflow makes.
    temporary : Path
        Snakemake's temporary folder of this run; those of runs that were killed here are removed.

    Attributes
    ----------
    cleared : bool
        Whether a lock was found and cleared.
    cancelled : int
        Jobs that the run which left it still had with SLURM, and that were cancelled.
    """

    def __init__(self, directory: Path, results: str, temporary: Path) -> None:
        self.cleared = False
        self.cancelled = 0
        own = directory / OWN
        own.mkdir(exist_ok=True)
        self._stream = (own / HELD).open("a+", encoding="utf-8")
        if self._take(fcntl.LOCK_EX | fcntl.LOCK_NB):
            _remove_temporary(own / TEMPORARY)
            locks = [path for path in (own / LOCKS).glob("*.output.lock") if _is_of(path, results)]
            if not locks:
                self.note("local")
            elif self._is_over(directory):
                for path in locks:
                    path.with_name(path.name.replace("output", "input")).unlink(missing_ok=True)
                    path.unlink()
                self.cleared = True
        self._take(fcntl.LOCK_SH)
        with (own / TEMPORARY).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps([platform.node(), str(temporary)]) + "\n")

    def note(self, executor: str) -> None:
        """Write down where the jobs of this run are done, for whoever finds its lock."""
        self._stream.truncate(0)
        self._stream.write(json.dumps({"host": platform.node(), "executor": executor}))
        self._stream.flush()

    def _is_over(self, directory: Path) -> bool:
        """Return whether the last run is over, its jobs included; SLURM is asked to end them."""
        last = self._read()
        if not isinstance(last, dict) or last.get("host") != platform.node():
            return False
        if last.get("executor") == "slurm":
            left = cancel_orphans(directory)
            self.cancelled = left or 0
            return left is not None
        return last.get("executor") in ("local", "dryrun", "touch")

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


def keep_temporary(folder: Path) -> None:
    """Put what this process and its jobs write for a while into Snakemake's temporary folder.

    It goes with the run, or after a kill with the next one.
    """
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def _remove_temporary(noted: Path) -> None:
    """Remove the temporary folders of this machine that are written down; no run has them."""
    lines = noted.read_text().splitlines() if noted.exists() else []
    kept = []
    for line in lines:
        with suppress(ValueError):  # a line that a kill cut short
            host, folder = json.loads(line)
            if host != platform.node():
                kept.append(line + "\n")
            elif NAMED.fullmatch(Path(folder).name):
                shutil.rmtree(folder, ignore_errors=True)
    noted.write_text("".join(kept))


def _is_of(lock: Path, results: str) -> bool:
    """Return whether a lock is of a run that makes files in a folder."""
    return any(line.startswith(f"{results}/") for line in lock.read_text().splitlines())
