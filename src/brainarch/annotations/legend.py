"""The legend: which code of a label image is which area."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from brainarch.errors import InputError
from brainarch.tables import read_bytes, write_table

#: What an area may be called in files and tables; display titles are free.
NAME_PATTERN = re.compile(r"[A-Za-z0-9_-]+")
#: Names that tables use for something else.
RESERVED = ("all", "none", "unlabelled")
#: Largest code that a uint8 label image holds.
MAX_AREAS = 255

COLUMNS = {
    "code": "value of the area's pixels in the label image, from 1; 0 is unlabelled",
    "name": "name of the area in files and tables",
}


@dataclass(frozen=True)
class Area:
    """One entry of a legend.

    Attributes
    ----------
    code : int
        Value of the area's pixels in the label image, from 1.
    name : str
        Name in files and tables.
    """

    code: int
    name: str

    def __post_init__(self) -> None:
        if not NAME_PATTERN.fullmatch(self.name):
            raise InputError(
                f"area {self.name!r}: a name may hold letters A-Z a-z, digits, _ and - only; "
                "put what figures should show into the title"
            )
        if _reads_as_number(self.name):
            raise InputError(f"area {self.name!r}: tables would read a number; put a letter first")
        if self.name in RESERVED:
            raise InputError(f"area {self.name!r}: tables use this word; choose another name")


@dataclass(frozen=True)
class Legend:
    """The areas of a label image, in the order of their codes 1 ... n."""

    areas: tuple[Area, ...]

    def __post_init__(self) -> None:
        if not self.areas:
            raise InputError("legend: it names no area; give at least one")
        if len(self.areas) > MAX_AREAS:
            raise InputError(f"legend: {len(self.areas)} areas; at most {MAX_AREAS} fit")
        codes = [area.code for area in self.areas]
        if codes != list(range(1, len(codes) + 1)):
            raise InputError(f"legend: codes are {codes}; wanted 1 to {len(codes)} in order")
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise InputError(f"legend: area {twice[0]} stands there twice; give each its own name")

    def __len__(self) -> int:
        return len(self.areas)

    @property
    def names(self) -> tuple[str, ...]:
        """Names in files and tables, in code order."""
        return tuple(area.name for area in self.areas)

    def code_of(self, name: str) -> int:
        """Return the code of an area.

        Raises
        ------
        InputError
            If the legend has no such area.
        """
        if name not in self.names:
            raise InputError(f"area {name!r}: not in the legend, which has {', '.join(self.names)}")
        return self.names.index(name) + 1

    def name_of(self, code: int) -> str:
        """Return the name of the area with a code from 1 to n."""
        return self.areas[code - 1].name


def make_legend(names: Sequence[str]) -> Legend:
    """Build a legend from names in code order; the first gets code 1.

    Raises
    ------
    InputError
        If a name is malformed or stands there twice.
    """
    return Legend(tuple(Area(code, name) for code, name in enumerate(names, start=1)))


def read_legend(path: Path) -> Legend:
    """Read a legend table (columns code, name).

    Raises
    ------
    InputError
        If the file is missing or was changed, or is another table.
    """
    head, *rows = csv.reader(read_bytes(path).decode().splitlines())  # as text: a name may be NA
    if head != list(COLUMNS):
        raise InputError(f"{path}: columns are {head}; wanted {list(COLUMNS)}")
    return Legend(tuple(Area(int(code), name) for code, name in rows))


def write_legend(legend: Legend, path: Path) -> None:
    """Write a legend table and its sidecar."""
    rows = [(area.code, area.name) for area in legend.areas]
    write_table(pd.DataFrame(rows, columns=list(COLUMNS)), Path(path), COLUMNS)


def _reads_as_number(text: str) -> bool:
    """Return whether a CSV reader would take the text for a number (nan and inf included)."""
    try:
        float(text)
    except ValueError:
        return False
    return True
