"""Outlines of a map of codes: closed rings along the sides of its elements."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

#: Corners (x, y) in elements; the last one is the first.
Ring = list[tuple[int, int]]
#: The outer ring, then those of the holes.
Polygon = list[Ring]

#: East, south, west, north as steps of (y, x): each is a right turn from the one before. A way
#: east follows the upper side of an element, south its right side and so on.
_STEPS = ((0, 1), (1, 0), (0, -1), (-1, 0))
#: The corner (y, x) of an element where the way along each side starts.
_STARTS = ((0, 0), (0, 1), (1, 1), (1, 0))


def trace_polygons(codes: NDArray[np.integer]) -> dict[int, list[Polygon]]:
    """Return the polygons of every code but 0.

    Parameters
    ----------
    codes : ndarray of int, shape (rows, columns)

    Returns
    -------
    dict of int to list of Polygon
        One polygon for each part whose elements touch along a side, valid in the sense of OGC and
        RFC 7946: outer rings run counterclockwise where y goes up, holes the other way round.
    """
    polygons = {}
    for code in np.unique(codes[codes > 0]):
        parts, count = ndimage.label(codes == code)
        rings = _trace_rings(np.pad(parts, 1), count)
        polygons[int(code)] = [sorted(own, key=_twice_area, reverse=True) for own in rings]
    return polygons


def _trace_rings(parts: NDArray[np.integer], count: int) -> list[list[Ring]]:
    """Return the rings of parts 1 ... count; ``parts`` has a border of 0."""
    found: list[list[Ring]] = [[] for _ in range(count)]
    shifts = ((1, 0), (-1, 1), (-1, 0), (1, 1))
    beyond = np.stack([np.roll(parts, shift, axis) for shift, axis in shifts])
    open_sides = {
        (int(y), int(x), int(side))
        for side, y, x in zip(*np.nonzero((beyond != parts) & (parts > 0)), strict=True)
    }
    for start in sorted(open_sides):
        if start in open_sides:
            y, x, _ = start
            found[int(parts[y, x]) - 1].append(_follow(parts, open_sides, start))
    return found


def _follow(
    parts: NDArray[np.integer], open_sides: set[tuple[int, int, int]], start: tuple[int, int, int]
) -> Ring:
    """Go once round, the part on the right-hand side; sides that were passed are taken away.

    Where two elements of a part touch at a corner alone, the way goes on to the other one, so that
    no ring meets itself.
    """
    y, x, side = start
    part, before, ring = parts[y, x], -1, []
    while (y, x, side) in open_sides:
        open_sides.remove((y, x, side))
        if side != before:
            # without the border of 0
            ring.append((x + _STARTS[side][1] - 1, y + _STARTS[side][0] - 1))
        before = side
        ahead, left = _STEPS[side], _STEPS[side - 1]
        if parts[y + ahead[0] + left[0], x + ahead[1] + left[1]] == part:
            y, x, side = y + ahead[0] + left[0], x + ahead[1] + left[1], (side + 3) % 4
        elif parts[y + ahead[0], x + ahead[1]] == part:
            y, x = y + ahead[0], x + ahead[1]
        else:
            side = (side + 1) % 4
    if side == before:
        ring.pop(0)  # the way began in the middle of a line
    return [*ring, ring[0]]


def _twice_area(ring: Ring) -> int:
    """Return twice the signed area: positive for outer rings, negative for holes."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring))
