"""The plotted table: every number that a figure's panels show, in one form for all figures.

A drawing function takes its numbers from this table and from nowhere else, so that the CSV beside
a figure is what the figure shows. Pictures (slices, maps, Gram matrices) are too large for a table:
it holds their numbers instead (pixels per area, range shown, block means).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

#: Meaning of each column of a plotted table.
COLUMNS = {
    "panel": "letter of the panel",
    "quantity": "what y measures",
    "unit": "unit of y, empty for plain counts and shares of 1",
    "series": "line, map or row that the value belongs to: a network, a slice, an area",
    "item": "category or column that the value belongs to: an area, a factor, a layer",
    "x": "position on the horizontal axis where it is a number",
    "y": "the value shown",
    "z": "third coordinate of a point in three dimensions",
    "low": "lower end of the 95 % interval, empty without one",
    "high": "upper end of the 95 % interval, empty without one",
}
_NUMBERS = ("x", "y", "z", "low", "high")


def entry(
    panel: str,
    quantity: str,
    y: float,
    *,
    unit: str = "",
    series: Any = "",
    item: Any = "",
    x: float = np.nan,
    z: float = np.nan,
    low: float = np.nan,
    high: float = np.nan,
) -> dict[str, Any]:
    """Return one row of a plotted table; see `COLUMNS`."""
    numbers = {"x": x, "y": y, "z": z, "low": low, "high": high}
    return {
        "panel": panel,
        "quantity": quantity,
        "unit": unit,
        "series": str(series),
        "item": str(item),
        **{name: float(value) for name, value in numbers.items()},
    }


def table(entries: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Collect rows into a plotted table with all columns."""
    frame = pd.DataFrame(list(entries), columns=list(COLUMNS))
    types = {name: (float if name in _NUMBERS else object) for name in COLUMNS}
    return frame.astype(types)


def rows_of(frame: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows of any table as named tuples."""
    yield from frame.itertuples(index=False)


def pick(
    plotted: pd.DataFrame,
    panel: str | None = None,
    quantity: str | None = None,
    series: str | None = None,
    item: str | None = None,
) -> pd.DataFrame:
    """Return the rows of a panel, quantity, series or item, in their order."""
    keep = np.ones(len(plotted), dtype=bool)
    wanted = {"panel": panel, "quantity": quantity, "series": series, "item": item}
    for column, value in wanted.items():
        if value is not None:
            keep &= (plotted[column] == value).to_numpy()
    return plotted[keep]


def ordered(values: Iterable[Any]) -> list[str]:
    """Return the distinct values as text, in order of first appearance."""
    return list(dict.fromkeys(str(value) for value in values))


def matrix(rows: pd.DataFrame, series: Sequence[str], items: Sequence[str]) -> pd.DataFrame:
    """Return the values as a matrix with one row per series and one column per item (NaN: none)."""
    wide = rows.pivot_table(index="series", columns="item", values="y", aggfunc="first")
    return wide.reindex(index=list(series), columns=list(items))
