"""Typical patches: of a factor those where it is strongest, of a part those nearest its mean."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.geometry import PATCH, PATCH_BEFORE
from brainarch.statistics.packing import take_apart

#: Patches of each factor, component and cluster.
TYPICAL = 6

TYPICAL_COLUMNS = {
    "slice": "slice",
    "kind": "factor, component or cluster",
    "name": "its number",
    "rank": "1 is the most typical",
    "y": "row of the patch's pixel",
    "x": "column of the patch's pixel",
    "value": "the factor's coefficient; of a part: distance of the pixel's coefficients from their "
    "mean over the part, each in units of its deviation there",
}


def strongest(
    C: NDArray[np.floating], y: NDArray[np.integer], x: NDArray[np.integer], shape: tuple[int, int]
) -> pd.DataFrame:
    """Return the patches in which each factor is strongest, none sharing a pixel with another.

    Parameters
    ----------
    C : ndarray, shape (n, factors)
        Coefficients.
    y, x : ndarray of int, shape (n,)
        Their pixels.
    shape : tuple of int
        Rows and columns of the slice.

    Returns
    -------
    DataFrame
        Columns kind, name, rank, y, x, value; at most `TYPICAL` rows a factor, none where it is 0.
    """
    frames = []
    for factor in range(C.shape[1]):
        present = np.flatnonzero(C[:, factor] > 0)
        order = present[np.argsort(-C[present, factor], kind="stable")]
        frames.append(_rows("factor", factor + 1, order, C[:, factor], y, x, shape))
    return pd.concat(frames, ignore_index=True)


def nearest(
    kind: str,
    codes: NDArray[np.integer],
    C: NDArray[np.floating],
    y: NDArray[np.integer],
    x: NDArray[np.integer],
    shape: tuple[int, int],
) -> pd.DataFrame:
    """Return the patches whose coefficients are nearest to the mean of their part; as `strongest`.

    Parameters
    ----------
    kind : str
        What the parts are called.
    codes : ndarray of int, shape (n,)
        Part of each pixel, from 1; 0 is none.
    C, y, x, shape
        As for `strongest`.
    """
    frames = [_rows(kind, 0, np.zeros(0, dtype=np.intp), C[:, 0], y, x, shape)]
    for code in np.unique(codes[codes > 0]):
        own = np.flatnonzero(codes == code)
        deviation = C[own].std(axis=0)
        scale = np.where(deviation > 0, deviation, 1.0)
        distance = np.zeros(len(codes))
        distance[own] = np.linalg.norm((C[own] - C[own].mean(axis=0)) / scale, axis=1)
        order = own[np.argsort(distance[own], kind="stable")]
        frames.append(_rows(kind, int(code), order, distance, y, x, shape))
    return pd.concat(frames, ignore_index=True)


def _rows(
    kind: str,
    name: int,
    order: NDArray[np.intp],
    values: NDArray[np.floating],
    y: NDArray[np.integer],
    x: NDArray[np.integer],
    shape: tuple[int, int],
) -> pd.DataFrame:
    """Take pixels in an order whose patches lie on the slice and share no pixel with another."""
    low, past = PATCH_BEFORE, PATCH - PATCH_BEFORE
    whole = (y[order] >= low) & (y[order] <= shape[0] - past)
    whole &= (x[order] >= low) & (x[order] <= shape[1] - past)
    places = np.stack([np.zeros_like(y), y, x], axis=1)
    chosen = take_apart(order[whole], places, TYPICAL)
    return pd.DataFrame(
        {
            "kind": kind,
            "name": name,
            "rank": np.arange(1, len(chosen) + 1),
            "y": y[chosen],
            "x": x[chosen],
            "value": values[chosen],
        }
    )
