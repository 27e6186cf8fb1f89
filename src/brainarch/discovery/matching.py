"""Components of two slices matched by their profiles."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import jensenshannon

_PAIR_COLUMNS = {
    "slice": "reference slice",
    "other_slice": "the other slice",
    "by": "profile that was compared: layer or depth",
    "component": "component of the reference slice",
}
_UNIT = "Jensen-Shannon distance of the profiles, base 2 (0 equal, 1 disjoint)"
MATCH_COLUMNS = _PAIR_COLUMNS | {
    "matched": "its match on the other slice, one to one at the least total distance",
    "distance": _UNIT,
    "nearest": "component of the other slice at the least distance (A's match)",
    "nearest_distance": "its distance",
    "next_distance": "least distance of the components that are not the match",
    "mean_distance": "mean distance of all matches",
    "null_median": "median of that mean for random bands of the two slices, matched likewise",
    "null_1": "1st percentile of it",
    "p": "(1 + random bands matched at least as well) / (1 + all)",
}
DISTANCE_COLUMNS = _PAIR_COLUMNS | {
    "other": "component of the other slice",
    "distance": _UNIT,
    "matched": "whether the two are matched",
}


def profile_distances(
    first: NDArray[np.floating], second: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the Jensen-Shannon distances of two sets of profiles.

    Parameters
    ----------
    first, second : ndarray, shape (m, bins), (n, bins)
        Non-negative; rows are scaled to a sum of 1. A row of zeros, a component without a pixel in
        any bin, is at distance 1 from everything.

    Returns
    -------
    ndarray, shape (m, n)
        Square root of the divergence to base 2, so between 0 (equal) and 1 (disjoint).
    """
    distances = np.ones((len(first), len(second)))
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            if a.sum() > 0 and b.sum() > 0:
                distances[i, j] = float(jensenshannon(a, b, base=2))
    return np.where(np.isfinite(distances), distances, 0.0)


def random_band_distances(
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    bands: int,
    count: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the mean distance of matches between random bands of two slices.

    Any two maps in bands have components that match somehow: this says how well.

    Parameters
    ----------
    first, second : ndarray, shape (bins,)
        Pixels of each slice by bin, from the upper border down.
    bands : int
        Bands that each slice is cut into, at places drawn uniformly among its pixels.
    count : int
        How often.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (count,)
    """
    values = np.empty(count)
    for index in range(count):
        distances = profile_distances(
            _random_bands(first, bands, rng), _random_bands(second, bands, rng)
        )
        values[index] = distances[linear_sum_assignment(distances)].mean()
    return values


def match_profiles(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Match the components of two slices one to one, at the least total distance.

    A takes each component's nearest one, which may give one component twice; the column ``nearest``
    says which that is.

    Parameters
    ----------
    first, second : DataFrame
        Profiles, one row per component (the index), one column per bin, as
        `brainarch.discovery.profiles.profile_matrix` returns. The same bins in both.

    Returns
    -------
    matches : DataFrame
        component, matched, distance, nearest, nearest_distance, next_distance (to the nearest
        component that is not the match; how clear the match is).
    distances : DataFrame
        component, other, distance, matched (bool): all pairs.

    Raises
    ------
    ValueError
        If the bins differ.
    """
    if list(first.columns) != list(second.columns):
        raise ValueError("profiles have different bins")
    values = profile_distances(first.to_numpy(), second.to_numpy())
    rows, columns = linear_sum_assignment(values)
    pairs = dict(zip(rows.tolist(), columns.tolist(), strict=True))
    matches, distances = [], []
    for i, component in enumerate(first.index):
        for j, other in enumerate(second.index):
            distances.append((component, other, values[i, j], pairs.get(i) == j))
        if i in pairs:
            j = pairs[i]
            nearest = int(values[i].argmin())
            others = np.delete(values[i], j)
            matches.append(
                (
                    component,
                    second.index[j],
                    values[i, j],
                    second.index[nearest],
                    values[i, nearest],
                    float(others.min()) if len(others) else np.nan,
                )
            )
    names = ["component", "matched", "distance", "nearest", "nearest_distance", "next_distance"]
    return (
        pd.DataFrame(matches, columns=names),
        pd.DataFrame(distances, columns=["component", "other", "distance", "matched"]),
    )


def _random_bands(
    pixels: NDArray[np.floating], bands: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return how many pixels of each bin lie in each of some bands, shape (bands, bins)."""
    stops = np.cumsum(pixels, dtype=np.float64)
    cuts = np.concatenate([[0.0], np.sort(rng.uniform(0, stops[-1], bands - 1)), [stops[-1]]])
    low = np.maximum(cuts[:-1, None], (stops - pixels)[None])
    high = np.minimum(cuts[1:, None], stops[None])
    return np.asarray(np.maximum(high - low, 0.0), dtype=np.float64)
