"""The copy of a config that the stages of a run read: its name is the digest of its content."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from brainarch.errors import InputError

#: Its folder, which is in that of the dataset, and its name.
PLACE = re.compile(r"configs/[0-9a-f]{8}\.json")


def frozen_digest(content: bytes) -> str:
    """Return what such a copy is called."""
    return hashlib.sha256(content).hexdigest()[:8]


def is_frozen(path: Path) -> bool:
    """Return whether a file is such a copy, by its place."""
    path = path.absolute()
    return PLACE.fullmatch(f"{path.parent.name}/{path.name}") is not None


def check_frozen(path: Path, content: bytes) -> None:
    """Raise `InputError` if a file is such a copy, and its content is not the one it had."""
    if is_frozen(path) and path.stem != frozen_digest(content):
        raise InputError("changed since it was written; run the same command again, which mends it")
