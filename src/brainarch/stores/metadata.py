"""The digest of a group's metadata, kept in its own attributes.

A checksum stands behind every chunk, but none behind attributes, shapes and names. A group of ours
therefore says the SHA-256 of all its metadata, its arrays' included, so that an edit is noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainarch.atomic import write_json

#: The group's attribute that holds the digest.
DIGEST = "metadata_sha256"
#: An array's attribute: its group must have a digest, whatever the group itself says.
GUARDED = "guarded"
#: Where Zarr for Python keeps the arrays' metadata together.
CONSOLIDATED = "consolidated_metadata"
#: Name of Zarr 3's metadata of a group or an array.
FILE = "zarr.json"


def read_metadata(path: Path) -> dict[str, Any]:
    """Return the metadata of a group (under the empty name) and of each of its arrays.

    Raises
    ------
    OSError, ValueError
        If a file cannot be read or is no JSON object.
    """
    files = {"": path / FILE}
    files |= {file.parent.name: file for file in sorted(path.glob(f"*/{FILE}"))}
    found = {}
    for name, file in files.items():
        found[name] = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(found[name], dict) or not isinstance(_attributes(found[name]), dict):
            raise ValueError(f"{file.relative_to(path)} holds no metadata")
    return found


def write_attributes(path: Path, values: Mapping[str, Any], *, consolidate: bool = False) -> None:
    """Add attributes to a group whose arrays all exist, and write its digest, in one step.

    Parameters
    ----------
    path : Path
        A group without groups inside.
    values : mapping
        Attributes to add.
    consolidate : bool
        Repeat the arrays' metadata in the group's, where other programs look for them first
        instead of listing files, of which one may be no array: Snakemake's time stamp.
    """
    found = read_metadata(path)
    if consolidate:
        arrays = {name: content for name, content in found.items() if name}
        found[""][CONSOLIDATED] = {"kind": "inline", "must_understand": False, "metadata": arrays}
    attributes = {**_attributes(found[""]), **values}
    found[""]["attributes"] = attributes
    attributes[DIGEST] = _digest(found)
    write_json(path / FILE, found[""])


def is_guarded(path: Path) -> bool:
    """Return whether a group has a digest, by its own attributes or by those of an array."""
    try:
        found = read_metadata(path)
    except (OSError, ValueError):
        return False
    named = DIGEST in _attributes(found[""])
    return named or any(GUARDED in _attributes(content) for content in found.values())


def check_metadata(found: Mapping[str, Any]) -> None:
    """Compare a group's metadata, as `read_metadata` returns them, with their digest.

    Raises
    ------
    ValueError
        If they are not those that were written.
    """
    stored = _attributes(found[""]).get(DIGEST)
    if stored is None:
        raise ValueError("no digest of the metadata is there, so that it is unfinished or old")
    if stored != _digest(found):
        raise ValueError("the metadata were changed after they were written")


def _attributes(content: Mapping[str, Any]) -> Any:
    return content.get("attributes", {})


def _digest(found: Mapping[str, Any]) -> str:
    """Return the SHA-256 of metadata as sorted JSON, without the digest itself."""
    attributes = {k: v for k, v in _attributes(found[""]).items() if k != DIGEST}
    content = {**found, "": {**found[""], "attributes": attributes}}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
