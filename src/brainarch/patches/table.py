"""Patch tables: where each sampled patch is and which area it belongs to."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from brainarch.errors import InputError
from brainarch.tables import read_table, write_table

#: Meaning of the columns of a patch table.
COLUMNS = {
    "z": "slice number",
    "y": "row of the patch's centre pixel; the patch covers rows y-64 ... y+63 (px)",
    "x": "column of the patch's centre pixel; the patch covers columns x-64 ... x+63 (px)",
    "area": "name of the area of the centre pixel",
    "share": "share of the patch inside that area (0 to 1)",
    "block": "spatial block of the centre pixel, the unit of the block bootstrap",
}
INTEGERS = ("z", "y", "x", "block")


def read_patches(path: Path) -> pd.DataFrame:
    """Read a patch table.

    Returns
    -------
    pandas.DataFrame
        Columns z, y, x, block (int64), area (str) and share (float64), one row a patch.

    Raises
    ------
    InputError
        If it is missing, has other columns or values, or is empty.
    """
    path = Path(path)
    frame = read_table(path)
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise InputError(f"{path}: not a patch table, it has no column {missing[0]}")
    frame = frame[list(COLUMNS)]
    if frame.empty:
        raise InputError(f"{path}: it holds no patch; run `brainarch sample` again")
    try:
        types = dict.fromkeys(INTEGERS, "int64")
        return frame.astype({**types, "share": "float64", "area": str})
    except ValueError as error:
        raise InputError(f"{path}: not a patch table ({error})") from None


def write_patches(frame: pd.DataFrame, path: Path) -> None:
    """Write a patch table and its sidecar; columns as in `COLUMNS`."""
    write_table(frame[list(COLUMNS)], Path(path), COLUMNS)
