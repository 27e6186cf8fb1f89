"""Units of length in image metadata, and what they are in micrometer."""

from __future__ import annotations

import math
from collections.abc import Sequence

from brainarch.errors import InputError

#: Micrometer in one of each unit, by every spelling that is met in OME-TIFF and OME-Zarr files.
MICROMETER = {
    **dict.fromkeys(("micrometer", "micrometre", "micron", "microns", "um", "µm", "μm"), 1.0),
    **dict.fromkeys(("angstrom", "å", "Å"), 1e-4),
    **dict.fromkeys(("picometer", "picometre", "pm"), 1e-6),
    **dict.fromkeys(("nanometer", "nanometre", "nm"), 1e-3),
    **dict.fromkeys(("millimeter", "millimetre", "mm"), 1e3),
    **dict.fromkeys(("centimeter", "centimetre", "cm"), 1e4),
    **dict.fromkeys(("meter", "metre", "m"), 1e6),
    **dict.fromkeys(("inch", "in"), 25_400.0),
}
#: What image files say where nobody measured: lengths without a physical size.
UNMEASURED = ("pixel", "pixels", "reference frame")
#: Voxel sizes that differ by less than this relative amount agree; metadata are often rounded.
AGREEMENT = 1e-3
#: Sides of a voxel that differ by less than this relative amount are equal.
CUBE = 1e-6
#: What is said of pixels whose sides differ.
SQUARE = (
    "pixels must be square (y and x alike); scale the slices to square pixels first, for example "
    "with Image > Scale of Fiji"
)

#: A declared voxel: its side in micrometer where it is a cube, else its sides along z, y and x.
Voxel = float | Sequence[float]
#: Sides of a voxel along z, y and x in micrometer; None where they are not stated.
Sides = tuple[float | None, float | None, float | None]


def micrometer_in(unit: str) -> float | None:
    """Return how many micrometer one unit is, or None for what is no known unit of length."""
    text = unit.strip()
    # Short symbols mean other units in capitals: Mm is a megameter.
    return MICROMETER.get(text.lower() if len(text) > 2 else text)


def is_length(value: float) -> bool:
    """Return whether a number can be a length: positive and finite."""
    return math.isfinite(value) and value > 0


def voxel_sides(voxel_um: Voxel) -> tuple[float, float, float]:
    """Return the sides of a declared voxel along z, y and x, in micrometer.

    Raises
    ------
    InputError
        If they are no lengths, or pixels are not square: windows and patches are squares.
    """
    sides = [*voxel_um] if isinstance(voxel_um, Sequence) else [voxel_um] * 3
    if len(sides) != 3:
        raise InputError(
            f"voxel size of {len(sides)} numbers: wanted the side of a cube, or z, y and x"
        )
    if not all(map(is_length, sides)):
        raise InputError(f"voxel size {sides_text(tuple(sides))} um: must be positive and finite")
    z, y, x = sides
    if not are_equal(y, x):
        raise InputError(f"voxel size {sides_text((z, y, x))} um: {SQUARE}")
    return z, y, x


def are_equal(*sides: float) -> bool:
    """Return whether sides of a voxel are equal."""
    return max(sides) - min(sides) <= CUBE * max(sides)


def agree(one: float, other: float) -> bool:
    """Return whether two statements of a voxel's size agree."""
    return abs(one - other) <= AGREEMENT * max(abs(one), abs(other))


def sides_text(sides: Sides | tuple[float, ...]) -> str:
    """Return the sides of a voxel as words: ``1.17`` for a cube, else ``2 x 1.17 x 1.17``."""
    known = [side for side in sides if side is not None]
    if len(known) == len(sides) and are_equal(*known):
        return f"{known[-1]:g}"
    return " x ".join("?" if side is None else f"{side:g}" for side in sides)
