"""Tables on disk: CSV files with a sidecar that says what each column means.

The sidecar also holds the SHA-256 of the table, so that what is read is what was written.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from brainarch.atomic import write_bytes
from brainarch.errors import InputError
from brainarch.records import AGAIN, read_record, write_record

#: Keys of a sidecar: the meaning of each column, and the table's SHA-256.
COLUMNS, TABLE = "columns", "table_sha256"
#: How a sidecar's name ends.
SIDECAR = ".columns.json"


def sidecar_path(path: Path) -> Path:
    """Return the path of a table's column description, ``name.columns.json``."""
    return path.with_suffix(SIDECAR)


def write_table(frame: pd.DataFrame, path: Path, columns: Mapping[str, str]) -> None:
    """Write a table and its sidecar.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table; its index is not written.
    path : Path
        Where the CSV goes.
    columns : mapping of str to str
        The meaning of every column, with its unit.

    Raises
    ------
    ValueError
        If the described columns are not exactly the table's.
    """
    if set(frame.columns) != set(columns):
        difference = sorted(set(map(str, frame.columns)) ^ set(columns))
        raise ValueError(f"{path.name}: columns and their descriptions differ in {difference}")
    content = frame.to_csv(index=False).encode()
    write_bytes(path, content)
    meanings = {str(name): columns[str(name)] for name in frame.columns}
    write_record(sidecar_path(path), {COLUMNS: meanings, TABLE: _digest(content)})


def read_table(path: Path, *needed: str, empty: bool = False) -> pd.DataFrame:
    """Read a table that `write_table` wrote.

    Parameters
    ----------
    path : Path
    *needed : str
        Columns that it must have.
    empty : bool
        Whether it may be without a row.

    Raises
    ------
    InputError
        If table or sidecar is missing or was changed, or lacks a column or rows.
    """
    content = read_bytes(path)
    frame = pd.read_csv(io.BytesIO(content), keep_default_na=False, na_values=["", "nan"])
    absent = [name for name in needed if name not in frame.columns]
    if absent:
        raise InputError(f"{path}: has no column {absent[0]}; {AGAIN}")
    if frame.empty and not empty:
        raise InputError(f"{path}: has no row below its header; {AGAIN}")
    return frame


def read_bytes(path: Path) -> bytes:
    """Return a table as it stands in its file, once it is known to be what was written.

    Raises
    ------
    InputError
        If table or sidecar is missing or was changed.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such table; run the stage that writes it") from None
    if _read_sidecar(path).get(TABLE) != _digest(content):
        raise InputError(f"{path}: damaged, or changed since it was written; {AGAIN}")
    return content


def read_columns(path: Path) -> dict[str, str]:
    """Return the column descriptions that stand beside a table."""
    return dict(_read_sidecar(path)[COLUMNS])


def _read_sidecar(path: Path) -> dict[str, Any]:
    remedy = f"{path.name} cannot be checked without it; {AGAIN.replace('it', path.name, 1)}"
    found = read_record(sidecar_path(path), remedy)
    return found if isinstance(found.get(COLUMNS), dict) else {COLUMNS: {}}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
