"""How well a factor tells an area from the rest: AUROC beside fields like it (ours).

A factor is called aligned with an area when its AUROC is at least 0.85 on a slice that the basis
was not fitted on, the factor having been selected on the fitted slices; it is contradicted there
when it tells another area better.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar, cast

import numba
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from brainarch.seeds import generator
from brainarch.statistics.field_nulls import FieldModel
from brainarch.statistics.levels import LEVEL

#: AUROC from which a factor is called aligned (DESIGN).
ALIGNED = 0.85
#: AUROC of a factor that knows nothing of an area.
NOTHING = 0.5
#: About how many pixels factors and fields are compared at, since coefficients vary over patches,
#: not over pixels; and how many times as many their bounding box has at most, where they are few
#: in a large slice (ours).
COMPARED, SPARSEST = 4000, 4

F = TypeVar("F", bound=Callable[..., Any])


def _compiled(function: F) -> F:
    return cast(F, numba.njit(cache=True)(function))


class RankedMaps:
    """Coefficient maps sorted once, so that the AUROC for many label maps is cheap.

    Parameters
    ----------
    maps : iterable of ndarray of float32, of one shape
        One per factor; NaN where absent, at the same pixels in all.
    """

    def __init__(self, maps: Iterable[NDArray[np.float32]]) -> None:
        orders: list[NDArray[np.int64]] = []
        ends: list[NDArray[np.bool_]] = []
        for values in maps:
            if not orders:
                self.valid: NDArray[np.bool_] = np.isfinite(values)
            flat = values[self.valid]
            order = np.argsort(flat, kind="stable")
            ordered = flat[order]
            end = np.ones(len(flat), dtype=np.bool_)
            end[:-1] = ordered[1:] != ordered[:-1]
            orders.append(order.astype(np.int64))
            ends.append(end)
        self._orders = np.array(orders)
        self._ends = np.array(ends)

    def auroc(self, labels: NDArray[np.integer], areas: int) -> NDArray[np.float64]:
        """Return the AUROC of every factor for every area against the other labelled pixels.

        Parameters
        ----------
        labels : ndarray of int, shaped as the maps
            Codes 1 ... areas; 0 is left out.
        areas : int
            Number of areas.

        Returns
        -------
        ndarray, shape (factors, areas)
            Ties count half; NaN for an area without pixels or without others.
        """
        codes = labels[self.valid].astype(np.int64)
        above = _pairs_above(self._orders, self._ends, codes, areas)
        pixels = np.bincount(codes, minlength=areas + 1)[1 : areas + 1].astype(np.float64)
        others = pixels.sum() - pixels
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(pixels * others > 0, above / (pixels * others), np.nan)


@_compiled
def _pairs_above(
    orders: NDArray[np.int64],
    ends: NDArray[np.bool_],
    codes: NDArray[np.int64],
    areas: int,
) -> NDArray[np.float64]:
    factors, n = orders.shape
    above = np.zeros((factors, areas))
    for factor in range(factors):
        below = np.zeros(areas + 1)
        tied = np.zeros(areas + 1)
        below_all = 0.0
        tied_all = 0.0
        for position in range(n):
            code = codes[orders[factor, position]]
            if code > 0:
                tied[code] += 1.0
                tied_all += 1.0
            if ends[factor, position] and tied_all > 0:
                for area in range(1, areas + 1):
                    if tied[area] > 0:
                        lower = below_all - below[area]
                        equal = tied_all - tied[area]
                        above[factor, area - 1] += tied[area] * (lower + 0.5 * equal)
                        below[area] += tied[area]
                        tied[area] = 0.0
                below_all += tied_all
                tied_all = 0.0
    return above


def compare_factors(
    maps: Sequence[NDArray[np.float32]],
    labels: NDArray[np.integer],
    areas: int,
    *,
    chosen: Collection[int],
    count: int,
    seed: int,
) -> pd.DataFrame:
    """Return the AUROC of every factor for every area, of some beside that of fields like them.

    The nulls are Gaussian fields as autocorrelated as the ranks of the factor's own coefficients,
    which know nothing of the areas; see `brainarch.statistics.field_nulls`. The labels stay where
    they are, so that an area which smooth maps often tell has a high null. Shifted labels are none:
    they cut areas, and what tells an area by chance also tells the few places near it.

    Parameters
    ----------
    maps : sequence of ndarray of float32, shape (rows, columns)
        The coefficient maps of one slice; NaN where absent, at the same pixels in all.
    labels : ndarray of int, shape (rows, columns)
        Codes 1 ... areas on the maps' grid; 0 is left out.
    areas : int
        Number of areas.
    chosen : collection of int
        The factors, from 1, that are compared with fields: a null takes a second or two.
    count : int
        Fields for each of these factors.
    seed : int
        Of the fields.

    Returns
    -------
    DataFrame
        One row per factor (from 1) and area (code): pixels, auroc, null_99 (the AUROC above
        which p is at most `LEVEL`; NaN if there are too few fields for that), p (share of the
        fields that tell the area as well, the factor counted with them). null_99 and p are
        NaN for other factors, and where none of the pixels at which fields are compared lies in
        the area, or none outside it.
    """
    ranked = RankedMaps(maps)
    own = ranked.auroc(labels, areas)
    labelled = ranked.valid & (labels > 0)
    thin = _thin(labelled)
    few, seen = labels[thin], labelled[thin]
    limit, p = np.full_like(own, np.nan), np.full_like(own, np.nan)
    pixels = np.bincount(few[seen], minlength=areas + 1)[1 : areas + 1]
    told = np.flatnonzero((pixels > 0) & (pixels < seen.sum()))
    if len(told):
        inside = few[seen] == 1 + told[:, None]
        null = _FieldNull(seen, inside)
        for number in chosen:
            i, rng = number - 1, generator(seed, f"alignment null {number}")
            limit[i, told], p[i, told] = null.compare(maps[i][thin][seen], count, rng)
    pixels = np.bincount(labels[labelled], minlength=areas + 1)[1 : areas + 1]
    factor, area = np.indices(own.shape) + 1
    frame = pd.DataFrame(
        {
            "factor": factor.ravel(),
            "area": area.ravel(),
            "pixels": np.broadcast_to(pixels, own.shape).ravel(),
            "auroc": own.ravel(),
            "null_99": limit.ravel(),
            "p": p.ravel(),
        }
    )
    return frame[frame["pixels"] > 0].reset_index(drop=True)


def _thin(seen: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and columns at which fields are compared, of pixels that can be looked at."""
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    box = float(np.ptp(rows) + 1) * float(np.ptp(columns) + 1)
    step = max(1, round(math.sqrt(max(seen.sum() / COMPARED, box / (SPARSEST * COMPARED)))))
    return slice(rows[0], rows[-1] + 1, step), slice(columns[0], columns[-1] + 1, step)


class _FieldNull:
    """How well fields like a map tell areas from the rest.

    Parameters
    ----------
    seen : ndarray of bool, shape (rows, columns)
        Labelled pixels that are looked at.
    inside : ndarray of bool, shape (areas, pixels seen)
        Which of them lie in each area.
    """

    def __init__(self, seen: NDArray[np.bool_], inside: NDArray[np.bool_]) -> None:
        self._model = FieldModel(seen)
        # times the ranks, this is the AUROC less a half: that of Mann and Whitney
        n, pixels = inside.shape[1], inside.sum(axis=1, keepdims=True)
        self._contrasts = (inside / pixels - ~inside / (n - pixels)) / n
        self._variances = self._model.variances(self._contrasts)

    def compare(
        self, values: NDArray[np.floating], count: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the AUROC above which p is at most `LEVEL`, and p of the values.

        Parameters
        ----------
        values : ndarray, shape (pixels seen,)
        count : int
        rng : numpy.random.Generator

        Returns
        -------
        limit, p : ndarray, shape (areas,)
        """
        weights, above, spread = self._told(values)
        fields = self._model.draw(weights, count, rng)
        null = np.array([_divided(*self._told(field)[1:]) for field in fields])
        p = (1 + (null >= _divided(above, spread)).sum(axis=0)) / (1 + count)
        place = math.floor(LEVEL * (1 + count))  # as many, the factor with them, may be as high
        highest = -np.sort(-null, axis=0)[place - 1] if place else np.full_like(spread, np.nan)
        return np.minimum(NOTHING + highest * spread, 1.0), p

    def _told(self, values: NDArray[np.floating]) -> tuple[NDArray[np.float64], ...]:
        """Return the map's covariance, its AUROC less a half, and the spread of that."""
        ranks = rankdata(values)
        weights = self._model.fit(ranks)
        return weights, self._contrasts @ ranks, np.sqrt(np.maximum(self._variances @ weights, 0))


def _divided(above: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(above, spread, out=np.zeros_like(above), where=spread > 0)


def judge_selected(alignment: pd.DataFrame, selected: pd.DataFrame) -> pd.DataFrame:
    """Look at the selected pairs on the slices that were not fitted.

    Parameters
    ----------
    alignment : DataFrame
        Columns slice, fitted, factor, target, name, auroc, null_99, p.
    selected : DataFrame
        The pairs that are shown: columns target, name, factor, auroc (on the fitted slices).

    Returns
    -------
    DataFrame
        One row per target, name and slice that was not fitted: factor, auroc_fitted, auroc,
        null_99, p, above_null (p at most `LEVEL`), aligned (auroc at least `ALIGNED`), best (the
        area that this factor tells best on that slice) and contradicted (that is another one, or
        auroc is below 0.5).
    """
    others = alignment[~alignment["fitted"]]
    told = ["auroc_fitted", "auroc", "null_99", "p"]
    ordered = others.sort_values("auroc", ascending=False, kind="stable", na_position="last")
    best = ordered.drop_duplicates(["slice", "target", "factor"])
    best = best[["slice", "target", "factor", "name"]].rename(columns={"name": "best"})
    pairs = selected[["target", "name", "factor", "auroc"]]
    pairs = pairs.rename(columns={"auroc": "auroc_fitted"})
    chosen = others.merge(pairs, on=["target", "name", "factor"], how="inner")
    chosen = chosen.merge(best, on=["slice", "target", "factor"], how="left")
    chosen["above_null"] = chosen["p"] <= LEVEL
    chosen["aligned"] = chosen["auroc"] >= ALIGNED
    chosen["contradicted"] = (chosen["best"] != chosen["name"]) | (chosen["auroc"] < NOTHING)
    told += ["above_null", "aligned", "best", "contradicted"]
    order = ["slice", "target", "name", "factor", *told]
    return chosen.sort_values(["slice", "target"], kind="stable")[order].reset_index(drop=True)
