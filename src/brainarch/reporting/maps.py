"""What the network says of every extracted slice, annotated or not: one row a slice."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

#: Areas named of a slice, the largest first.
NAMED = 3


def map_rows(
    tables: Mapping[tuple[str, ...], pd.DataFrame], labelled: Collection[int]
) -> list[dict[str, Any]]:
    """Return what the page says of the map of each slice.

    Parameters
    ----------
    tables : mapping of (slice,) to pandas.DataFrame
        What the figure of each slice plots; see `brainarch.figures.slice_maps.prepare`.
    labelled : collection of int
        Slices with labels.

    Returns
    -------
    list of dict
        Of each slice its number, whether it is annotated, how many pixels were extracted, which
        areas are largest, the mean confidence, the share unlike the training data, and where
        the picture lies beside the page.
    """
    return [_row(int(z), table, int(z) in labelled) for (z,), table in tables.items()]


def _row(z: int, table: pd.DataFrame, annotated: bool) -> dict[str, Any]:
    values = table.set_index(["quantity", "item"])["y"]
    shares = values["share of extracted pixels"].drop("all").sort_values(ascending=False)
    largest = [f"{name} {100 * share:.0f} %" for name, share in shares[:NAMED].items()]
    return {
        "slice": z,
        "annotated": "yes" if annotated else "no: nothing to judge it by",
        "pixels": int(values["extracted pixels", "all"]),
        "largest": ", ".join(largest),
        "confidence": float(values["mean confidence", "all"]),
        "unusual": float(values["share unlike the training data", "all"]),
        "picture": f"../figures/maps_z{z:04d}.png",
    }
