"""The results that a summary is made from, by kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from brainarch.records import read_record
from brainarch.tables import read_table

#: Kinds of files, and what follows each kind's name after a slash: ``metrics/main/test``.
KINDS: dict[str, tuple[str, ...]] = {
    "areas": (),
    "counts": ("run",),
    "independent": ("run",),
    "metrics": ("run", "split"),
    "confusion": ("run", "split"),
    "plan": (),
    "proof": ("slice",),
    "prediction_metrics": ("slice",),
    "prediction_confusion": ("slice",),
    "classifiers": (),
    "differences": (),
    "assignments": (),
    "assignment_differences": (),
    "mixture": (),
    "gram_error": (),
    "fit": ("slice",),
    "selection_areas": (),
    "selection_layers": (),
    "alignment_chosen": (),
    "baselines": (),
    "new_brains": (),
    "planted": (),
    "lesions": (),
    "agreement": ("kind", "slice"),
    "profiles": ("slice",),
    "matches": (),
    "phantom": (),
    "calibration": (),
    "maps": ("slice",),
    "rim": ("slice",),
    "network_fit": ("network", "slice"),
    "network_chosen": ("network",),
    "network_agreement": ("network", "kind", "slice"),
    "network_matches": ("slice",),
    "network_map": ("network", "slice"),
    "figure": ("name",),
}


class Manifest:
    """Files by kind.

    Parameters
    ----------
    files : mapping of str to Path
        Keys as in `KINDS`, with their further parts after slashes.

    Raises
    ------
    ValueError
        If a key is of no known kind.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files
        for key in files:
            kind, *parts = key.split("/")
            if kind not in KINDS or len(parts) != len(KINDS[kind]):
                wanted = ", ".join("/".join((name, *rest)) for name, rest in KINDS.items())
                raise ValueError(f"{key}: no such kind of file; known are {wanted}")

    def paths(self, kind: str) -> dict[tuple[str, ...], Path]:
        """Return every file of a kind, by what follows the kind's name."""
        keys = {tuple(key.split("/")): path for key, path in self._files.items()}
        return {key[1:]: path for key, path in keys.items() if key[0] == kind}

    def tables(self, kind: str) -> dict[tuple[str, ...], pd.DataFrame]:
        """Read every table of a kind."""
        return {parts: read_table(path) for parts, path in self.paths(kind).items()}

    def records(self, kind: str) -> dict[tuple[str, ...], dict[str, Any]]:
        """Read every JSON object of a kind."""
        return {parts: read_record(path) for parts, path in self.paths(kind).items()}

    def table(self, kind: str, *parts: str) -> pd.DataFrame | None:
        """Read a table, or return None if the run has none."""
        path = self.paths(kind).get(parts)
        return None if path is None else read_table(path)

    def record(self, kind: str) -> dict[str, Any] | None:
        """Read a JSON object, or return None if the run has none."""
        return self.records(kind).get(())
