"""Factor selection: which factor is present where an area is, and nowhere else.

Two rules take pairs of factors and areas one after the other. ``papers`` (M; A) counts pixels above
a threshold; with their threshold of 0 a factor that is a little present everywhere wins over one
that is strong in the area alone. ``auroc`` (ours) asks how well the coefficient ranks the area's
pixels above the other labelled ones, which needs neither threshold nor lambda.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: The column by which each rule takes pairs.
RULES = {"auroc": "auroc", "papers": "score"}
#: Weights of leakage that the papers' rule is tried with (M: 0.5; A: 0.3).
LEAKAGES = (0.1, 0.3, 0.5, 1.0)


@dataclass(frozen=True)
class Presence:
    """Where factors are present, counted over the labelled pixels.

    Attributes
    ----------
    above : ndarray of int64, shape (k, areas)
        Pixels of an area in which a factor's coefficient is above the threshold.
    pixels : ndarray of int64, shape (areas,)
        Pixels of an area.
    """

    above: NDArray[np.int64]
    pixels: NDArray[np.int64]


def count_presence(
    present: NDArray[np.bool_], labels: NDArray[np.integer], areas: int
) -> NDArray[np.int64]:
    """Count, by area, the pixels in which one factor is present.

    Parameters
    ----------
    present : ndarray of bool, any shape
        Whether the coefficient is above the threshold.
    labels : ndarray of int, same shape
        Area codes 1 ... areas; 0 is unlabelled and counts nowhere.
    areas : int
        Number of areas.

    Returns
    -------
    ndarray of int64, shape (areas,)
    """
    return np.bincount(labels[present], minlength=areas + 1)[1 : areas + 1].astype(np.int64)


def score_pairs(presence: Presence, leakage: float) -> pd.DataFrame:
    """Score every (factor, area): coverage - leakage.

    Parameters
    ----------
    presence : Presence
        Counts over labelled pixels.
    leakage : float
        lambda, the weight of pixels outside the area (M: 0.5 over areas; A: 0.3 over layers).

    Returns
    -------
    DataFrame
        One row per pair, areas without a pixel left out: factor (from 1), area (code), score,
        coverage, leakage (lambda included), pixels, covered_share (of the area's pixels) and
        leaked_share (of the labelled pixels outside it, lambda left out; ours).
    """
    above, pixels = presence.above, presence.pixels
    outside = above.sum(axis=1, keepdims=True) - above
    elsewhere = pixels.sum() - pixels
    factor, area = np.meshgrid(
        np.arange(1, len(above) + 1), np.arange(1, len(pixels) + 1), indexing="ij"
    )
    frame = pd.DataFrame(
        {
            "factor": factor.ravel(),
            "area": area.ravel(),
            "score": (above - leakage * outside).ravel(),
            "coverage": above.ravel(),
            "leakage": (leakage * outside).ravel(),
            "pixels": np.broadcast_to(pixels, above.shape).ravel(),
            "covered_share": (above / np.maximum(pixels, 1)).ravel(),
            "leaked_share": (outside / np.maximum(elsewhere, 1)).ravel(),
        }
    )
    return frame[frame["pixels"] > 0].reset_index(drop=True)


def select_by_rules(pairs: pd.DataFrame, count: int, shown: str) -> pd.DataFrame:
    """Select pairs by every rule, and say where the rules differ.

    Parameters
    ----------
    pairs : DataFrame
        As `score_pairs` returns, with a column ``auroc``.
    count : int
        p; at most the number of factors and of areas in ``pairs``.
    shown : str
        The rule whose pairs are shown.

    Returns
    -------
    DataFrame
        Columns rule, shown, differs (the other rules give the area another factor, or none), rank,
        then those of ``pairs``; the pairs that are shown come first.
    """
    found = {rule: select_factors(pairs, count, by) for rule, by in RULES.items()}
    frames = []
    for rule in sorted(RULES, key=lambda rule: rule != shown):
        own = found[rule]
        others = [dict(zip(f["area"], f["factor"], strict=True)) for f in found.values()]
        differs = [
            any(other.get(area) != factor for other in others)
            for area, factor in zip(own["area"], own["factor"], strict=True)
        ]
        own.insert(0, "differs", differs)
        own.insert(0, "shown", rule == shown)
        own.insert(0, "rule", rule)
        frames.append(own)
    return pd.concat(frames, ignore_index=True)


def select_factors(pairs: pd.DataFrame, count: int, by: str = "score") -> pd.DataFrame:
    """Take the best (factor, area), strike out its row and column, repeat.

    Ties go to the lower factor, then to the lower area code, as in A.

    Parameters
    ----------
    pairs : DataFrame
        As `score_pairs` returns.
    count : int
        p; at most the number of factors and of areas in ``pairs``.
    by : str
        The column of which the highest value is the best.

    Returns
    -------
    DataFrame
        The chosen rows with a first column ``rank`` from 1.

    Raises
    ------
    ValueError
        If ``count`` is more than there are factors or areas.
    """
    most = min(pairs["factor"].nunique(), pairs["area"].nunique())
    if count > most:
        raise ValueError(f"{count} pairs asked for, {most} possible")
    left = pairs.sort_values([by, "factor", "area"], ascending=[False, True, True])
    chosen = []
    for _ in range(count):
        best = left.iloc[0]
        chosen.append(left.index[0])
        left = left[(left["factor"] != best["factor"]) & (left["area"] != best["area"])]
    picked = pairs.loc[chosen].reset_index(drop=True)
    picked.insert(0, "rank", np.arange(1, count + 1))
    return picked


def vary_papers_rule(
    presences: Mapping[str, Presence], auroc: NDArray[np.float64], count: int
) -> pd.DataFrame:
    """Select pairs by the papers' rule with other thresholds and weights of leakage.

    Parameters
    ----------
    presences : mapping of str to Presence
        By what the threshold is called.
    auroc : ndarray, shape (k, areas)
        Of every factor for every area.
    count : int
        p, as for `select_factors`; fewer where fewer areas have a pixel.

    Returns
    -------
    DataFrame
        Columns threshold, lambda, then those of `select_factors` and auroc.
    """
    frames = []
    for threshold, presence in presences.items():
        for leakage in LEAKAGES:
            pairs = score_pairs(presence, leakage)
            own = select_factors(pairs, min(count, pairs["area"].nunique()))
            own["auroc"] = auroc[own["factor"] - 1, own["area"] - 1]
            own["threshold"], own["lambda"] = threshold, leakage
            frames.append(own)
    return pd.concat(frames, ignore_index=True)
