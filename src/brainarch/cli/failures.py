"""What a failure of the machine means, as one line with the file and a remedy."""

from __future__ import annotations

import errno
import os
from concurrent.futures import BrokenExecutor

from brainarch.disk import FULL
from brainarch.errors import InputError

AGAIN = "run the same command again, which goes on where that is possible"
REMEDIES = {
    **dict.fromkeys(FULL, f"make room there and {AGAIN}"),
    errno.EROFS: "the disk is mounted for reading only; choose another folder or mend it",
    errno.EACCES: "change its permissions, or choose another place",
    errno.EPERM: "change its permissions, or choose another place",
    errno.EIO: "the disk or the network to it fails; mend it and run the same command again",
    errno.ENOENT: "make it, or run the stage that makes it",
    errno.ENOTDIR: "a file is where a folder is wanted; move it away",
    errno.EISDIR: "a folder is where a file is wanted; move it away",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n)",
}
#: How libraries that raise errors of their own say that there is no memory, or no disk.
NO_MEMORY = (
    "can't allocate memory",
    "Cannot allocate memory",
    "out of memory",
    "bad_alloc",
    "can't start new thread",
)
NO_DISK = os.strerror(errno.ENOSPC)
LESS = (
    "give it more, end other programs, use fewer threads, or lower extraction.memory_mb or "
    "training.crops"
)


def explain(error: Exception) -> str | None:
    """Return the one line that says what is wrong, or None if the fault is ours.

    A file that could not be read for want of memory is no wrong file, whatever was said of it.

    Parameters
    ----------
    error : Exception
        As it reached the command's edge.
    """
    if isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY):
        return f"out of memory ({_brief(error)}); {LESS}"
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, BrokenExecutor):
        return f"a process that it started was killed, most likely for want of memory; {LESS}"
    if isinstance(error, OSError) and error.errno is not None:
        where = error.filename or "a file"
        remedy = REMEDIES.get(error.errno)
        return f"{where}: {error.strerror}" + (f"; {remedy}" if remedy else "")
    if NO_DISK in str(error):
        return f"{NO_DISK} ({_brief(error)}); make room and {AGAIN}"
    return None


def _brief(error: Exception) -> str:
    """Return the first line of a message that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__
