"""Maps of a slice as layers of the page: 8 bits a pixel, with what their values mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_hex
from numpy.typing import NDArray

from brainarch.explorer.blocks import Blocks
from brainarch.figures import style

#: Most pixels of a layer of codes, and of values (ours).
MOST_CODES = 2_200_000
#: Highest 8-bit number; 0 means no value.
TOP = 255

#: Colours of values from low to high, on dark tissue: those of the figures, darkest first.
CONFIDENCE_STOPS = tuple(to_hex(style.SHARES(1 - share)) for share in np.linspace(0, 1, 6))
COEFFICIENT_STOPS = tuple(to_hex(style.COEFFICIENTS(1 - share)) for share in np.linspace(0, 1, 6))

Entries = Sequence[Mapping[str, Any]]
Layer = dict[str, Any]


def named(entries: Entries) -> list[dict[str, str]]:
    """Return the legend of areas or layers: name, title and the colour that figures give them."""
    colours = style.complete_colours({entry["name"]: entry["colour"] for entry in entries})
    return [
        {"name": entry["name"], "title": entry["title"], "colour": colours[entry["name"]]}
        for entry in entries
    ]


def numbered(title: str, count: int) -> list[dict[str, str]]:
    """Return the legend of clusters or components, in the figures' colours."""
    return [
        {"name": str(number), "title": f"{title} {number}", "colour": colour}
        for number, colour in enumerate(style.subdivision_palette(count), start=1)
    ]


def codes_layer(
    blocks: Blocks,
    z: int,
    key: str,
    title: str,
    codes: NDArray[np.integer],
    grid: Mapping[str, Any],
    legend: Sequence[Mapping[str, str]],
    group: str,
) -> Layer:
    """Return a layer of codes; code c takes entry c - 1 of the legend, 0 is none."""
    return {
        "key": key,
        "title": title,
        "group": group,
        "kind": "codes",
        "grid": dict(grid),
        "block": blocks.add(f"{z}-{key}", codes.astype(np.uint8)),
        "legend": list(legend),
    }


def values_layer(
    blocks: Blocks,
    z: int,
    key: str,
    title: str,
    values: NDArray[np.floating],
    grid: Mapping[str, Any],
    stops: Sequence[str],
    group: str,
    high: float | None = None,
    note: str = "",
) -> Layer:
    """Return a layer of values from 0 to ``high``, NaN where there is none.

    ``high`` is the largest value if not given; number q stands for ``(q - 1) / 254 * high``.
    """
    there = np.isfinite(values)
    most = float(values[there].max(initial=0)) if high is None else high
    share = np.where(there, values, 0) / (most or 1)
    numbers = np.where(there, 1 + np.rint(share * (TOP - 1)), 0)
    return {
        "key": key,
        "title": title,
        "group": group,
        "kind": "values",
        "grid": dict(grid),
        "block": blocks.add(f"{z}-{key}", np.clip(numbers, 0, TOP).astype(np.uint8)),
        "high": most,
        "stops": list(stops),
        "note": note,
    }
