"""Options that hold several values in one text, such as ``720,1420,5805`` or ``WM=6,8``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from brainarch.errors import InputError
from brainarch.volume.units import voxel_sides


def parse_shape(text: str) -> tuple[int, int, int]:
    """Return the three positive numbers of ``"720,1420,5805"``.

    Raises
    ------
    InputError
        If it is something else.
    """
    sizes = parse_integers("--shape", text)
    if len(sizes) != 3 or min(sizes) < 1:
        raise InputError(f"--shape {text}: wanted slices,rows,columns, e.g. 720,1420,5805")
    return sizes[0], sizes[1], sizes[2]


def positive(option: str, value: float) -> float:
    """Return a number that is above 0 and finite.

    Raises
    ------
    InputError
        If it is not.
    """
    if not 0 < value < math.inf:
        raise InputError(f"{option} {value:g}: wanted a positive number")
    return value


def parse_integer(option: str, text: str) -> int:
    """Return the one whole number of ``"4"``.

    Raises
    ------
    InputError
        If it is something else.
    """
    numbers = parse_integers(option, text)
    if len(numbers) != 1:
        raise InputError(f"{option} {text}: wanted one whole number")
    return numbers[0]


def parse_integers(option: str, text: str) -> list[int]:
    """Return the whole numbers of ``"4,54"``.

    Raises
    ------
    InputError
        If one is not a whole number.
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"{option} {text}: wanted whole numbers, e.g. 4 or 4,54") from None


def parse_list(option: str, texts: Sequence[str]) -> list[int]:
    """Return the whole numbers of an option that may be repeated, each a comma list."""
    return [number for text in texts for number in parse_integers(option, text)]


def parse_voxel(option: str, text: str) -> tuple[float, float, float]:
    """Return the sides z, y and x of ``"1.17"`` or ``"5,1.3,1.3"``.

    Raises
    ------
    InputError
        If it is something else.
    """
    try:
        sides = [positive(option, float(part)) for part in text.split(",")]
        return voxel_sides(sides if len(sides) > 1 else sides[0])
    except ValueError:
        raise InputError(f"{option} {text}: wanted a number, or three: z,y,x") from None
    except InputError as error:
        told = str(error).removeprefix(f"{option} ")
        raise InputError(f"{option} {told}") from None


def parse_window(option: str, text: str) -> tuple[float, float]:
    """Return the two numbers of ``"-0.5,2e3"``, the lower one first.

    Raises
    ------
    InputError
        If it is something else.
    """
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low, high = 0.0, 0.0
    if not low < high or math.isinf(high - low):
        raise InputError(f"{option} {text}: wanted LOW,HIGH, two numbers, the lower one first")
    return low, high


def parse_pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    """Return the pairs of a repeated option ``NAME=VALUE``.

    Raises
    ------
    InputError
        If a text has no ``=``, or a name stands there twice.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name or not value:
            raise InputError(f"{option} {text}: wanted NAME=VALUE")
        if name in pairs:
            raise InputError(f"{option} {text}: {name} stands there twice")
        pairs[name] = value
    return pairs


def parse_shares(option: str, texts: Sequence[str]) -> dict[str, float]:
    """Return the shares of a repeated option ``AREA=SHARE``, each above 0 and at most 1.

    Raises
    ------
    InputError
        If one is something else.
    """
    shares = {}
    for name, value in parse_pairs(option, texts).items():
        try:
            share = float(value)
        except ValueError:
            share = 0.0
        if not 0 < share <= 1:
            raise InputError(f"{option} {name}={value}: wanted a share above 0 and at most 1")
        shares[name] = share
    return shares
