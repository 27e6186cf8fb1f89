"""Components of two slices matched by their profiles."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import jensenshannon

from brainarch.discovery.agreement import summarise_null
from brainarch.seeds import generator
from brainarch.statistics.depth_nulls import rearranged_bands

#: Distance of two profiles up to which one counts as the other, said before any run (ours):
#: profiles of 0.9 and 0.1, and of 0.75 and 0.25, are 0.14 apart; of 0.5 and 0.5, 0.38.
MATCHED = 0.25
#: What the mean distance is compared with. Random bands alone would not do: maps without any band
#: have profiles that are all alike.
NULLS = {
    "bands": "the other slice's map with its bands in other orders along depth",
    "depth": "both slices' depth cut at random places into as many bands",
}
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
    **{
        f"{null}_{what}": f"{text}, {of}"
        for null, of in NULLS.items()
        for what, text in {
            "median": "median of that mean distance for surrogates",
            "1": "1st percentile of it",
            "p": "(1 + k) / (1 + effective), k the surrogates matched at least as well",
            "effective": "surrogates that differ from each other",
        }.items()
    },
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
    empty = (first.sum(axis=1) == 0)[:, None] | (second.sum(axis=1) == 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        distances = jensenshannon(first[:, None], second[None], base=2, axis=2)
    # the root of what rounds to less than nothing is not a number: equal profiles
    return np.where(empty, 1.0, np.nan_to_num(distances))


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


def rearranged_distances(
    profiles: NDArray[np.floating],
    surrogates: NDArray[np.integer],
    bins: NDArray[np.integer],
) -> NDArray[np.float64]:
    """Return the mean distance of matches between profiles and those of surrogate maps.

    Parameters
    ----------
    profiles : ndarray, shape (subdivisions, bins)
        Of one slice.
    surrogates : ndarray of int, shape (count, pixels)
        Maps of the other slice; codes from 1.
    bins : ndarray of int, shape (pixels,)
        Layer or bin of depth of these pixels, from 1.

    Returns
    -------
    ndarray, shape (count,)
    """
    values = np.empty(len(surrogates))
    for index, codes in enumerate(surrogates):
        table = np.zeros((int(codes.max()), profiles.shape[1]))
        np.add.at(table, (codes - 1, bins - 1), 1)
        distances = profile_distances(profiles, table)
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


def match_nulls(
    mean: float,
    profiles: NDArray[np.floating],
    pixels: tuple[NDArray[np.floating], NDArray[np.floating]],
    codes: NDArray[np.integer],
    places: NDArray[np.floating],
    depth: NDArray[np.floating],
    bins: NDArray[np.integer],
    *,
    count: int,
    seed: int,
) -> dict[str, float | int]:
    """Compare the mean distance of matches with those of surrogates.

    Parameters
    ----------
    mean : float
        Of the two slices' own matches.
    profiles : ndarray, shape (subdivisions, bins)
        Of the reference slice.
    pixels : tuple of ndarray, shape (bins,)
        Pixels of each slice by bin.
    codes, depth, bins : ndarray, shape (n,)
        Of pixels of the other slice: subdivision from 1, relative depth, layer or bin from 1.
    places : ndarray, shape (n, 2)
        Where they lie, in pixels.
    count, seed : int
        Surrogates of each null.

    Returns
    -------
    dict
        Of each null median, 1st percentile, p and effective; see `MATCH_COLUMNS`.
    """
    rngs = {name: generator(seed, f"null matches {name}") for name in NULLS}
    drawn = rearranged_bands(codes, places, depth, count, rngs["bands"])
    moved = rearranged_distances(profiles, drawn.codes, bins)
    rulers = random_band_distances(*pixels, len(profiles), count, rngs["depth"])
    found: dict[str, float | int] = {}
    for name, null, effective in (("bands", moved, drawn.effective), ("depth", rulers, count)):
        beside = summarise_null(-mean, -null, effective)
        found |= {
            f"{name}_median": -beside["median"],
            f"{name}_1": -beside["null_99"],
            f"{name}_p": beside["p"],
            f"{name}_effective": effective,
        }
    return found


def _random_bands(
    pixels: NDArray[np.floating], bands: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return how many pixels of each bin lie in each of some bands, shape (bands, bins)."""
    stops = np.cumsum(pixels, dtype=np.float64)
    cuts = np.concatenate([[0.0], np.sort(rng.uniform(0, stops[-1], bands - 1)), [stops[-1]]])
    low = np.maximum(cuts[:-1, None], (stops - pixels)[None])
    high = np.minimum(cuts[1:, None], stops[None])
    return np.asarray(np.maximum(high - low, 0.0), dtype=np.float64)
