"""What two runs must agree in, and what a kill must not leave behind."""

from __future__ import annotations

import hashlib
from pathlib import Path

from brainarch.atomic import UNFINISHED

#: What tells of the run itself: when, how long, on which machine.
OF_THE_RUN = {"logs", "benchmarks", "runs", "report", "preflight.json"}


def content(results: Path) -> dict[str, str]:
    """Return the digest of every file of a dataset's results that equal runs must agree in."""
    files = (path for path in sorted(results.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.relative_to(results).parts[0] not in OF_THE_RUN
        and path.name != ".snakemake_timestamp"
    }


def leftovers(*folders: Path) -> list[str]:
    """Return what is hidden away as unfinished in some folders; empty folders are no matter."""
    hidden = {UNFINISHED, ".partial"}
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in found if hidden & set(path.parts)]


def differences(found: dict[str, str], expected: dict[str, str]) -> list[str]:
    """Return the files that differ, or that one side alone has."""
    return sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
