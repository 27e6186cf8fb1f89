"""JSON files that say the SHA-256 of their own content: what is read is what was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainarch.atomic import write_json
from brainarch.errors import InputError

#: The key that holds it.
CHECKSUM = "sha256"
#: What mends a damaged file.
AGAIN = "remove it and run the same command again, or the stage that writes it"


def write_record(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object and the SHA-256 of its content in one step."""
    write_json(path, seal(content))


def seal(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON object with the SHA-256 of its content."""
    written = json.loads(json.dumps(content))  # keys and sequences as they will be read
    return {**written, CHECKSUM: _checksum(written)}


def read_record(path: Path, remedy: str = AGAIN) -> dict[str, Any]:
    """Return what `write_record` wrote, without the checksum.

    Parameters
    ----------
    path : Path
    remedy : str
        What mends it, for messages.

    Raises
    ------
    InputError
        If the file is missing, is no JSON object, or was changed since it was written.
    """
    try:
        return unseal(path.read_bytes(), str(path), remedy)
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(f"{path}: not there; {remedy}") from None


def unseal(text: bytes, name: str, remedy: str = AGAIN) -> dict[str, Any]:
    """Return what `seal` was given, from its JSON; arguments and errors as of `read_record`."""
    try:
        content = json.loads(text)
    except ValueError as error:
        said = " ".join(str(error).split())[:200]
        raise InputError(f"{name}: not readable as JSON ({said}); {remedy}") from None
    if not isinstance(content, dict):
        raise InputError(f"{name}: no JSON object; {remedy}")
    checksum = content.pop(CHECKSUM, None)
    if checksum is None:
        raise InputError(f"{name}: without its SHA-256, so that it is old or damaged; {remedy}")
    if checksum != _checksum(content):
        raise InputError(f"{name}: damaged, or changed since it was written; {remedy}")
    return content


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
