"""The manifest: which results a summary is made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from brainarch.config.model import Config
from brainarch.errors import InputError
from brainarch.tables import read_table

#: Kinds of files, and what follows each kind's name after a slash: ``metrics/main/test``.
KINDS: dict[str, tuple[str, ...]] = {
    "legend": (),
    "areas": (),
    "counts": ("run",),
    "independent": ("run",),
    "training": ("run",),
    "metrics": ("run", "split"),
    "confusion": ("run", "split"),
    "plan": (),
    "proof": ("slice",),
    "prediction_metrics": ("slice",),
    "prediction_confusion": ("slice",),
    "classifiers": (),
    "mixture": (),
    "gram_error": (),
    "fit": (),
    "projection": ("slice",),
    "selection_areas": (),
    "selection_layers": (),
    "alignment_chosen": (),
    "agreement": ("kind", "slice"),
    "matches": (),
    "phantom": (),
    "figure": ("name",),
}


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    config: Config
    files: dict[str, Path]


class Manifest:
    """Files by kind.

    Parameters
    ----------
    files : dict of str to Path
        Keys as in `KINDS`, with their further parts after slashes.
    path : Path
        The manifest's own path, for messages.
    """

    def __init__(self, files: dict[str, Path], path: Path) -> None:
        self._files = files
        self.path = path
        for key, file in files.items():
            kind, *parts = key.split("/")
            if kind not in KINDS or len(parts) != len(KINDS[kind]):
                wanted = ", ".join("/".join((name, *rest)) for name, rest in KINDS.items())
                raise InputError(f"{path}: files.{key}: no such kind of file; known are {wanted}")
            if not file.exists():
                raise InputError(f"{path}: files.{key}: {file} does not exist; run its stage first")

    def path_of(self, *key: object) -> Path | None:
        """Return a file's path, or None if the run has no such file."""
        return self._files.get("/".join(map(str, key)))

    def parts(self, kind: str) -> list[tuple[str, ...]]:
        """Return what follows a kind's name, for every file of that kind, in their order."""
        keys = (tuple(key.split("/")) for key in self._files)
        return [key[1:] for key in keys if key[0] == kind]

    def table(self, *key: object) -> pd.DataFrame | None:
        """Read a table, or return None if the run has none."""
        path = self.path_of(*key)
        return None if path is None else read_table(path)

    def record(self, *key: object) -> dict[str, Any] | None:
        """Read a JSON object, or return None if the run has none."""
        path = self.path_of(*key)
        if path is None:
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise InputError(
                f"{path}: not readable as JSON ({error}); run its stage again"
            ) from None
        if not isinstance(content, dict):
            raise InputError(f"{path}: no JSON object; run its stage again")
        return content


def read_manifest(path: Path) -> tuple[Config, Manifest]:
    """Read a manifest: ``{"config": {...}, "files": {"metrics/main/test": "...", ...}}``.

    Raises
    ------
    InputError
        If it is missing, malformed, or names a file that does not exist.
    """
    try:
        document = _Document.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise InputError(f"{path}: no such manifest; the workflow writes it") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{path}: {where}: {first['msg']}; see brainarch.reporting.manifest"
        ) from None
    except ValueError as error:
        raise InputError(f"{path}: not a manifest ({error}); the workflow writes it") from None
    return document.config, Manifest(document.files, path)
