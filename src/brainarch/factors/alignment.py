"""How well a factor tells an area from the rest: AUROC beside spatial nulls (ours).

A factor is called aligned with an area when its AUROC is at least 0.85 on a slice that the basis
was not fitted on, the factor having been selected on the fitted slices; it is contradicted there
when it tells another area better.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import numba
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.seeds import generator
from brainarch.statistics.spatial_nulls import (
    MAX_KAPPA,
    MIN_MAPS,
    PERCENTILE,
    block_surrogates,
    shift_surrogates,
)

#: AUROC from which a factor is called aligned (DESIGN).
ALIGNED = 0.85
#: AUROC of a factor that knows nothing of an area.
CHANCE = 0.5

#: Pixels of surrogates that are compared with each other, at most.
COMPARED = 4000

F = TypeVar("F", bound=Callable[..., Any])


def _compiled(function: F) -> F:
    return cast(F, numba.njit(cache=True)(function))


class RankedMaps:
    """Coefficient maps sorted once, so that the AUROC for many label maps is cheap.

    Parameters
    ----------
    maps : iterable of ndarray of float32, shape (rows, columns)
        One per factor; NaN where absent, at the same pixels in all.
    """

    def __init__(self, maps: Iterator[NDArray[np.float32]] | list[NDArray[np.float32]]) -> None:
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
        labels : ndarray of int, shape (rows, columns)
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
    ranked: RankedMaps,
    labels: NDArray[np.integer],
    areas: int,
    *,
    block: int,
    count: int,
    seed: int,
) -> pd.DataFrame:
    """Return the AUROC of every factor for every area beside the 99th percentile of two nulls.

    A surrogate counts for an area only if that area itself is no copy of the true one (Cohen's
    kappa of inside against outside at most `MAX_KAPPA`): a shift that takes narrow areas away
    altogether may leave most of a large one where it is.

    Parameters
    ----------
    ranked : RankedMaps
        The coefficient maps of one slice.
    labels : ndarray of int, shape (rows, columns)
        Codes 1 ... areas on the maps' grid; 0 is left out.
    areas : int
        Number of areas.
    block : int
        Side of a shuffled block in pixels of these arrays.
    count : int
        Surrogates of each null.
    seed : int
        Of the surrogates.

    Returns
    -------
    DataFrame
        One row per factor (from 1) and area (code): pixels, auroc, null_99 (the higher of the two),
        null_99_shift, null_99_block (NaN with fewer than `MIN_MAPS` surrogates), maps_shift,
        maps_block (surrogates that count), effective (how many of them differ in the area, of the
        null with fewer), above_null (auroc above both; false unless both exist).
    """
    thin = max(1, labels.size // COMPARED)
    own = ranked.auroc(labels, areas)
    limits, maps, differing = {}, {}, {}
    for name in ("shift", "block"):
        rng = generator(seed, f"alignment null {name}")
        surrogates = (
            shift_surrogates(labels, ranked.valid, count, rng)
            if name == "shift"
            else block_surrogates(labels, ranked.valid, block, count, rng)
        )
        null = np.full((count, *own.shape), np.nan)
        codes: list[NDArray[np.integer]] = []
        for i, surrogate in enumerate(surrogates):
            seen = ranked.valid & (labels > 0) & (surrogate > 0)
            copied = area_kappas(labels[seen], surrogate[seen], areas) > MAX_KAPPA
            null[i] = np.where(copied, np.nan, ranked.auroc(surrogate, areas))
            codes.append(np.where(ranked.valid, surrogate, 0).ravel()[::thin])
        maps[name] = np.isfinite(null).sum(axis=0)
        counted: NDArray[np.bool_] = np.asarray(np.isfinite(null).any(axis=1))
        differing[name] = [
            _count_different([codes[i] == 1 + area for i in np.flatnonzero(counted[:, area])])
            for area in range(areas)
        ]
        limits[name] = np.where(maps[name] >= MIN_MAPS, _percentile(null), np.nan)
    factor, area = np.meshgrid(np.arange(1, len(own) + 1), np.arange(1, areas + 1), indexing="ij")
    seen_codes = labels[ranked.valid]
    pixels = np.bincount(seen_codes[seen_codes > 0], minlength=areas + 1)[1 : areas + 1]
    frame = pd.DataFrame(
        {
            "factor": factor.ravel(),
            "area": area.ravel(),
            "pixels": np.broadcast_to(pixels, own.shape).ravel(),
            "auroc": own.ravel(),
            "null_99": np.fmax(limits["shift"], limits["block"]).ravel(),
            "null_99_shift": limits["shift"].ravel(),
            "null_99_block": limits["block"].ravel(),
            "maps_shift": maps["shift"].ravel(),
            "maps_block": maps["block"].ravel(),
            "effective": np.broadcast_to(
                np.minimum(differing["shift"], differing["block"]), own.shape
            ).ravel(),
        }
    )
    frame["above_null"] = (frame["auroc"] > frame["null_99_shift"]) & (
        frame["auroc"] > frame["null_99_block"]
    )
    return frame[frame["pixels"] > 0].reset_index(drop=True)


def _count_different(inside: list[NDArray[np.bool_]]) -> int:
    """Count masks no two of which are copies of each other (Cohen's kappa above `MAX_KAPPA`)."""
    if not inside:
        return 0
    masks = np.array(inside, dtype=np.float32)
    size, total = masks.sum(axis=1), masks.shape[1]
    both = masks @ masks.T
    observed = (total - size[:, None] - size + 2 * both) / total
    chance = (np.outer(size, size) + np.outer(total - size, total - size)) / total**2
    copies = observed - chance > MAX_KAPPA * (1 - chance)
    kept: list[int] = []
    for index in range(len(masks)):
        if not copies[index, kept].any():
            kept.append(index)
    return len(kept)


def area_kappas(
    true: NDArray[np.integer], other: NDArray[np.integer], areas: int
) -> NDArray[np.float64]:
    """Return Cohen's kappa of two label arrays for each area against all others; 0 if undefined.

    Parameters
    ----------
    true, other : ndarray of int, shape (n,)
        Codes 1 ... areas.
    areas : int
        Number of areas.
    """
    flat = (true.astype(np.int64) - 1) * areas + other - 1
    table = np.bincount(flat, minlength=areas * areas).reshape(areas, areas) / max(len(true), 1)
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    observed = 1 - rows - columns + 2 * table.diagonal()
    expected = rows * columns + (1 - rows) * (1 - columns)
    left = 1 - expected
    return np.where(left > 1e-12, (observed - expected) / np.where(left > 1e-12, left, 1), 0.0)


def _percentile(null: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the percentile over surrogates, NaN where none had the area."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        return np.asarray(np.nanpercentile(null, PERCENTILE, axis=0), dtype=np.float64)


def judge_selected(alignment: pd.DataFrame, selected: pd.DataFrame) -> pd.DataFrame:
    """Look at the selected pairs on the slices that were not fitted.

    Parameters
    ----------
    alignment : DataFrame
        Columns slice, fitted, factor, target, name, auroc, null_99, effective, above_null.
    selected : DataFrame
        The pairs that are shown: columns target, name, factor, auroc (on the fitted slices).

    Returns
    -------
    DataFrame
        One row per target, name and slice that was not fitted: factor, auroc_fitted, auroc,
        null_99, effective, above_null, aligned (auroc at least `ALIGNED`), best (the area that this
        factor tells best on that slice) and contradicted (that is another one, or auroc is below
        0.5).
    """
    others = alignment[~alignment["fitted"]]
    told = ["auroc_fitted", "auroc", "null_99", "effective", "above_null"]
    ordered = others.sort_values("auroc", ascending=False, kind="stable", na_position="last")
    best = ordered.drop_duplicates(["slice", "target", "factor"])
    best = best[["slice", "target", "factor", "name"]].rename(columns={"name": "best"})
    pairs = selected[["target", "name", "factor", "auroc"]]
    pairs = pairs.rename(columns={"auroc": "auroc_fitted"})
    chosen = others.merge(pairs, on=["target", "name", "factor"], how="inner")
    chosen = chosen.merge(best, on=["slice", "target", "factor"], how="left")
    chosen["aligned"] = chosen["auroc"] >= ALIGNED
    chosen["contradicted"] = (chosen["best"] != chosen["name"]) | (chosen["auroc"] < CHANCE)
    order = ["slice", "target", "name", "factor", *told, "aligned", "best", "contradicted"]
    return chosen.sort_values(["slice", "target"], kind="stable")[order].reset_index(drop=True)
