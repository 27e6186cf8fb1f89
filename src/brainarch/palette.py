"""The colours of areas where nobody chose any: in label stores by code, in figures in turn."""

from __future__ import annotations

#: Okabe and Ito's, which hold up under colour blindness; then, one after the other, the colour that
#: lies farthest (CIE94) from all before it and from grey, for normal sight, deuteranopia and
#: protanopia alike.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442",
    "#891400", "#00624E", "#89D89D", "#4E3B62", "#003BB1", "#4E89FF", "#FF4E76", "#B13B14",
    "#76D8FF", "#9D4E76", "#89C4B1", "#89273B", "#62764E", "#274E89", "#89C462", "#279D4E",
    "#62C4C4",
)  # fmt: skip


def colour_of(code: int) -> str:
    """Return the colour of a code from 1, ``#RRGGBB``; past the last they come again, paler."""
    turn, index = divmod(code - 1, len(COLOURS))
    white = turn / (turn + 2)
    parts = (round(white * 255 + (1 - white) * part) for part in bytes.fromhex(COLOURS[index][1:]))
    return "#" + bytes(parts).hex().upper()


def rgba_of(code: int) -> list[int]:
    """Return the colour of a code from 1 in a label image: red, green, blue, opacity, 0 to 255."""
    return [*bytes.fromhex(colour_of(code)[1:]), 255]
