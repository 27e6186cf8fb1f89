"""Example patches: choosing them and cutting them out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.geometry import CONTEXT, cut_windows, patch_share
from brainarch.seeds import generator

#: Examples of each area.
EXAMPLES = 3
#: Candidates of each area, from which examples far from each other are chosen.
CANDIDATES = 400


def choose_examples(patches: pd.DataFrame, names: Sequence[str], seed: int) -> pd.DataFrame:
    """Choose `EXAMPLES` patches of every area that lie far from each other; fewer if it has fewer.

    Parameters
    ----------
    patches : pandas.DataFrame
        Columns y, x, area (and more), of one slice.
    names : sequence of str
        Areas, in order.
    seed : int
        Of the random candidates.

    Returns
    -------
    pandas.DataFrame
        The chosen rows, by area; within an area, each lies as far as possible from those before.
    """
    chosen = []
    for name in names:
        own = patches[patches["area"] == name]
        if own.empty:
            continue
        rng = generator(seed, f"example patches {name}")
        candidates = own.iloc[np.sort(rng.permutation(len(own))[:CANDIDATES])]
        chosen.append(candidates.iloc[_spread_out(candidates[["y", "x"]].to_numpy(), EXAMPLES)])
    return pd.concat(chosen, ignore_index=True) if chosen else patches.iloc[:0]


def cut_patches(
    grey: NDArray[np.generic], y: NDArray[np.integer], x: NDArray[np.integer]
) -> NDArray[np.generic]:
    """Cut the patches of some pixels out of a slice, shape (n, 128, 128)."""
    return cut_windows(grey, y, x)[:, CONTEXT:-CONTEXT, CONTEXT:-CONTEXT]


def share_inside(
    labels: NDArray[np.integer],
    codes: NDArray[np.integer],
    y: NDArray[np.integer],
    x: NDArray[np.integer],
) -> NDArray[np.float64]:
    """Return the share of each patch that has a given code, shape (n,).

    Parameters
    ----------
    labels : ndarray of int, shape (rows, columns)
    codes, y, x : ndarray of int, shape (n,)
        Code and centre pixel of each patch.
    """
    shares = np.empty(len(codes))
    for code in np.unique(codes):
        own = codes == code
        shares[own] = patch_share(labels == code)[y[own], x[own]]
    return shares


def _spread_out(points: NDArray[np.integer], count: int) -> list[int]:
    """Return indices of points: the most central one, then always the farthest from those taken."""
    places = points.astype(np.float64)
    first = int(np.linalg.norm(places - places.mean(axis=0), axis=1).argmin())
    taken = [first]
    distance = np.linalg.norm(places - places[first], axis=1)
    while len(taken) < min(count, len(places)):
        following = int(distance.argmax())
        taken.append(following)
        distance = np.minimum(distance, np.linalg.norm(places - places[following], axis=1))
    return taken
