"""Maps of codes as GeoJSON (RFC 7946) that QuPath imports as annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainarch.exports.polygons import Polygon, trace_polygons
from brainarch.grids.grid import Grid


def features(
    codes: NDArray[np.integer],
    grid: Grid,
    legend: Sequence[Mapping[str, str]],
    extra: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Return one feature for every code that there is.

    Parameters
    ----------
    codes : ndarray of int, shape (rows, columns)
        On the grid; 0 is none.
    grid : Grid
        Where its pixels lie: a corner is in pixels of the slice, x then y, and an element covers a
        square of one stride round the middle of its pixel.
    legend : sequence of mapping
        Title and colour (#RRGGBB) of each code.
    extra : mapping
        More properties of every feature.
    """
    shift = 0.5 - grid.stride / 2
    origin = float(grid.x[0]) + shift, float(grid.y[0]) + shift
    found = []
    for code, polygons in trace_polygons(codes).items():
        entry = legend[code - 1]
        placed = [_placed(polygon, origin, grid.stride) for polygon in polygons]
        pixels = int((codes == code).sum()) * grid.stride**2
        found.append(
            {
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": placed[0]}
                if len(placed) == 1
                else {"type": "MultiPolygon", "coordinates": placed},
                "properties": {
                    "objectType": "annotation",
                    "classification": {
                        "name": entry["title"],
                        "color": list(bytes.fromhex(entry["colour"][1:])),
                    },
                    "slice": grid.z,
                    "pixel_um": grid.pixel_um,
                    "area_px": pixels,
                    "area_um2": pixels * grid.pixel_um**2,
                    **extra,
                },
            }
        )
    return found


def _placed(
    polygon: Polygon, origin: tuple[float, float], step: int
) -> list[list[tuple[float, float]]]:
    return [[(origin[0] + x * step, origin[1] + y * step) for x, y in ring] for ring in polygon]
