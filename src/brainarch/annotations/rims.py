"""Thin rims of one code between two others, which smooth edges leave in a label image.

A program that draws with smooth (anti-aliased) edges, or enlarges labels with interpolation, puts
codes between 1 and 3 along every border of the two: a rim of 2 that nobody drew.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

#: A part of a code is thin where no square of this side fits into it, in pixels (ours).
SIDE = 5
#: How far off the two other codes may be, as the side of a square in pixels (ours).
REACH = 9
#: Fewest pixels of a code in rims that are told; three areas that meet leave a few (ours).
FEWEST = 20


class Rim(NamedTuple):
    """Pixels of a code in rims, and the nearest codes on the two sides of most of them."""

    code: int
    pixels: int
    lower: int
    higher: int


def find_rims(image: NDArray[np.integer]) -> list[Rim]:
    """Return the rims of a label image, by code.

    Parameters
    ----------
    image : ndarray of int, shape (rows, columns)
        Codes as they were drawn: a rim's code lies between those of its sides.
    """
    mask = rim_mask(image)
    if not mask.any():
        return []
    rims = []
    for code in np.unique(image[mask]).tolist():
        own = mask & (image == code)
        pixels = int(own.sum())
        if pixels >= FEWEST:
            # the nearest codes: other rims lie between this one and the areas beyond
            below, above = image < code, image > code
            lower = maximum_filter(np.where(below, image, image.min()), REACH)[own]
            higher = minimum_filter(np.where(above, image, image.max()), REACH)[own]
            rims.append(Rim(code, pixels, _most(lower), _most(higher)))
    return rims


def rim_mask(image: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return the pixels of thin parts of a code that have a lower and a higher code beside them."""
    uniform = minimum_filter(image, SIDE) == maximum_filter(image, SIDE)
    thin = ~maximum_filter(uniform, SIDE)
    between = (minimum_filter(image, REACH) < image) & (image < maximum_filter(image, REACH))
    return thin & between


def describe_rims(rims: list[Rim], names: dict[int, str]) -> str:
    """Return the rims of one slice as words; codes without a name stand as they are."""

    def named(code: int) -> str:
        return f"{names[code]} ({code})" if code in names else str(code)

    return "; ".join(
        f"{named(rim.code)} has {rim.pixels:,} px in thin rims between {named(rim.lower)} and "
        f"{named(rim.higher)}"
        for rim in rims
    )


def _most(values: NDArray[np.integer]) -> int:
    found, counts = np.unique(values, return_counts=True)
    return int(found[counts.argmax()])
