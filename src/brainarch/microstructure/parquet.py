"""Tables as Parquet, for programs that take columns with their types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import fastparquet
import pandas as pd

from brainarch.atomic import replacing
from brainarch.tables import COLUMNS


def write_parquet(frame: pd.DataFrame, path: Path, columns: Mapping[str, str]) -> None:
    """Write a table, and in the file's metadata the meaning of each column as JSON.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table; its index is not written. Text is stored as UTF-8, missing numbers as NaN.
    path : Path
        Where the file goes.
    columns : mapping of str to str
        The meaning of every column, with its unit.
    """
    with replacing(path) as temporary:
        fastparquet.write(
            str(temporary),
            frame,
            write_index=False,
            has_nulls=False,
            object_encoding="utf8",
            custom_metadata={COLUMNS: json.dumps(dict(columns))},
        )
