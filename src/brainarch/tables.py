"""Tables on disk: CSV files with a sidecar that says what each column means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from brainarch.atomic import replacing, write_json
from brainarch.errors import InputError

#: Metrics of a table with a column ``metric`` that are shares.
SHARES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1")
#: What mends a damaged table.
AGAIN = "remove it and run the same command again, or the stage that writes it"


def sidecar_path(path: Path) -> Path:
    """Return the path of a table's column description, ``name.columns.json``."""
    return path.with_suffix(".columns.json")


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
    with replacing(path) as temporary:
        frame.to_csv(temporary, index=False)
    write_json(sidecar_path(path), {str(name): columns[str(name)] for name in frame.columns})


def read_table(path: Path, *needed: str, empty: bool = False) -> pd.DataFrame:
    """Read a table that `write_table` wrote.

    Parameters
    ----------
    path : Path
    *needed : str
        Columns that it must have; by default those that its sidecar, if there is one, describes.
    empty : bool
        Whether it may be without a row.

    Raises
    ------
    InputError
        If the file is missing, is no CSV table, or lacks a column or rows.
    """
    try:
        frame = pd.read_csv(path, keep_default_na=False, na_values=["", "nan"])
    except FileNotFoundError:
        raise InputError(f"{path}: no such table; run the stage that writes it") from None
    except ValueError as error:  # of the parser, or of bytes that are no text
        said = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not a readable CSV table ({said}); {AGAIN}") from None
    absent = [name for name in needed or _described(path) if name not in frame.columns]
    if absent:
        raise InputError(f"{path}: has no column {absent[0]}; {AGAIN}")
    if frame.empty and not empty:
        raise InputError(f"{path}: has no row below its header; {AGAIN}")
    _check_shares(frame, path)
    return frame


def _check_shares(frame: pd.DataFrame, path: Path) -> None:
    """Refuse accuracies, other metrics and their intervals that are no shares from 0 to 1."""
    shares = {"accuracy": pd.Series(data=True, index=frame.index)} if "accuracy" in frame else {}
    if "metric" in frame:
        of_shares = frame["metric"].isin(SHARES)
        shares |= {name: of_shares for name in ("value", "low", "high") if name in frame}
    for name, rows in shares.items():
        column = frame.loc[rows, name]
        wrong = column.notna() & ~pd.to_numeric(column, errors="coerce").between(0, 1)
        if wrong.any():
            raise InputError(f"{path}: {name} is {column[wrong].iloc[0]}; wanted 0 to 1; {AGAIN}")


def read_columns(path: Path) -> dict[str, str]:
    """Return the column descriptions that stand beside a table."""
    text = sidecar_path(path).read_text(encoding="utf-8")
    return {str(name): str(meaning) for name, meaning in json.loads(text).items()}


def _described(path: Path) -> list[str]:
    """Return the columns that a table's sidecar describes; none where it has no readable one."""
    try:
        return list(read_columns(path))
    except (OSError, ValueError, AttributeError):
        return []
