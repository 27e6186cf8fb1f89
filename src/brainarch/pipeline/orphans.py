"""Jobs that a run which was killed has left with SLURM."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

#: Seconds that SLURM may take to answer, and to end jobs.
ANSWER, END = 60, 120
#: Beginnings of the comment by which Snakemake's jobs are told from others of the same folder.
COMMENTS = ("rule_", "group_")


def cancel_orphans(directory: Path) -> int | None:
    """Cancel the jobs of this user that Snakemake has submitted from a directory.

    Parameters
    ----------
    directory : Path
        The working directory of a run that is dead.

    Returns
    -------
    int or None
        How many there were, once all are gone; None if SLURM does not say so.
    """
    deadline = time.monotonic() + END
    found: set[str] = set()
    while time.monotonic() < deadline:
        jobs = _jobs(directory)
        if not jobs:
            return None if jobs is None else len(found)
        found |= jobs
        if _ask("scancel", *sorted(jobs)) is None:
            return None
        time.sleep(1)
    return None


def _jobs(directory: Path) -> set[str] | None:
    """Return the numbers of those jobs that have not ended, or None if SLURM does not answer."""
    answer = _ask("squeue", "--me", "--noheader", "--format=%i|%Z|%k")
    if answer is None:
        return None
    lines = (line.split("|", 2) for line in answer.splitlines() if line.count("|") >= 2)
    own = directory.resolve()
    return {
        number
        for number, folder, comment in lines
        if comment.startswith(COMMENTS) and Path(folder).resolve() == own
    }


def _ask(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=ANSWER)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
