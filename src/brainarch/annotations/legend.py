"""The legend: which code of a label image is which area, and how it is shown."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from brainarch.errors import InputError
from brainarch.tables import write_table

#: What an area may be called in files and tables; display titles are free.
NAME_PATTERN = re.compile(r"[A-Za-z0-9_-]+")
#: What a colour looks like.
COLOUR_PATTERN = re.compile(r"#[0-9A-Fa-f]{6}")
#: Colours that areas get in turn when none is given (Okabe and Ito, then Tol's muted colours).
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442",
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255",
    "#AA4499",
)  # fmt: skip
#: Names that tables use for something else.
RESERVED = ("all", "none", "unlabelled")
#: Largest code that a uint8 label image holds.
MAX_AREAS = 255

COLUMNS = {
    "code": "value of the area's pixels in the label image, from 1; 0 is unlabelled",
    "name": "name of the area in files and tables",
    "title": "name of the area in figures",
    "colour": "colour of the area in figures (hex RGB)",
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
    title : str
        Name in figures.
    colour : str
        Colour in figures, ``#RRGGBB``.
    """

    code: int
    name: str
    title: str
    colour: str

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
        if not COLOUR_PATTERN.fullmatch(self.colour):
            raise InputError(f"area {self.name}: colour {self.colour!r} is not of the form #0072B2")

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Colour as three numbers from 0 to 255."""
        value = int(self.colour[1:], 16)
        return value >> 16, value >> 8 & 255, value & 255


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

    @property
    def titles(self) -> tuple[str, ...]:
        """Names in figures, in code order."""
        return tuple(area.title for area in self.areas)

    @property
    def colours(self) -> tuple[str, ...]:
        """Colours in figures, in code order."""
        return tuple(area.colour for area in self.areas)

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


def make_legend(
    names: Sequence[str],
    titles: dict[str, str] | None = None,
    colours: dict[str, str] | None = None,
) -> Legend:
    """Build a legend from names in code order.

    Parameters
    ----------
    names : sequence of str
        Area names; the first gets code 1.
    titles, colours : dict of str to str, optional
        Display title (by default the name) and colour (by default the next free one) by name.

    Raises
    ------
    InputError
        If a name or colour is malformed, stands there twice, or a title or colour is for no area.
    """
    titles, colours = titles or {}, colours or {}
    for kind, given in (("title", titles), ("colour", colours)):
        for name in given:
            if name not in names:
                raise InputError(f"{kind} of {name!r}: no such area; areas are {', '.join(names)}")
    taken = {colour.upper() for colour in colours.values()}
    free = [colour for colour in COLOURS if colour not in taken] or list(COLOURS)
    areas = []
    for code, name in enumerate(names, start=1):
        colour = colours.get(name) or free[(code - 1) % len(free)]
        areas.append(Area(code, name, titles.get(name, name), colour))
    return Legend(tuple(areas))


def read_legend(path: Path) -> Legend:
    """Read a legend table (columns code, name, title, colour).

    Raises
    ------
    InputError
        If the file is missing or malformed.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            head, *rows = csv.reader(file)  # as text: a title may look like a number
    except FileNotFoundError:
        raise InputError(f"{path}: no such table; run the stage that writes it") from None
    except (ValueError, csv.Error) as error:
        raise InputError(f"{path}: not a readable CSV table ({error})") from None
    if head != list(COLUMNS):
        raise InputError(f"{path}: columns are {head}; wanted {list(COLUMNS)}")
    for row in rows:
        if len(row) != len(head) or not all(row):
            raise InputError(f"{path}: line {row} is not complete; fill in {', '.join(head)}")
    try:
        return Legend(
            tuple(Area(int(code), name, title, colour) for code, name, title, colour in rows)
        )
    except (InputError, ValueError) as error:
        raise InputError(f"{path}: {error}") from None


def write_legend(legend: Legend, path: Path) -> None:
    """Write a legend table and its sidecar."""
    rows = [(area.code, area.name, area.title, area.colour) for area in legend.areas]
    write_table(pd.DataFrame(rows, columns=list(COLUMNS)), Path(path), COLUMNS)


def _reads_as_number(text: str) -> bool:
    """Return whether a CSV reader would take the text for a number (nan and inf included)."""
    try:
        float(text)
    except ValueError:
        return False
    return True
