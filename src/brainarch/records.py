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
    written = json.loads(json.dumps(content))  # keys and sequences as they will be read
    write_json(path, {**written, CHECKSUM: _checksum(written)})


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
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(f"{path}: not there; {remedy}") from None
    except ValueError as error:
        said = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not readable as JSON ({said}); {remedy}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: no JSON object; {remedy}")
    checksum = content.pop(CHECKSUM, None)
    if checksum is None:
        raise InputError(f"{path}: without its SHA-256, so that it is old or damaged; {remedy}")
    if checksum != _checksum(content):
        raise InputError(f"{path}: damaged, or changed since it was written; {remedy}")
    return content


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
