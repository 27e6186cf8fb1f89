"""The disk under a folder: how much is free, and what a full one says."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

#: What the system says when a disk, or a user's share of it, is full.
FULL = (errno.ENOSPC, errno.EDQUOT)


def existing(folder: Path) -> Path:
    """Return a folder that is or will be made, or the nearest one above it that is there."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return place


def free_bytes(folder: Path) -> int:
    """Return the free space on the file system where a folder is, or will be made."""
    return shutil.disk_usage(existing(folder)).free
