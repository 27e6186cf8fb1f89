"""What tells areas apart without any factor: one unit, the mean grey, an untrained network (ours).

Factors stand for areas only as far as they do better than these. A single unit of the trained
network says what training put there, whatever NMF finds; factors of the untrained network say what
NMF finds in any network; the patch's mean grey says how far brightness alone goes. Each is chosen
on the fitted slices, as factors are, and judged on another one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from brainarch.factors.alignment import ALIGNED, RankedMaps
from brainarch.factors.selection import select_factors
from brainarch.geometry import PATCH

BASELINE_COLUMNS = {
    "slice": "slice that nothing was fitted or chosen on",
    "name": "name of the area",
    "baseline": "unit (the best single unit of the trained network), grey (mean grey of the patch) "
    "or untrained (the best factor of the untrained network)",
    "which": "number of the unit or factor, or bright or dark: chosen on the fitted slices",
    "auroc_fitted": "AUROC on the fitted slices",
    "auroc": "AUROC on this slice",
    "aligned": f"auroc at least {ALIGNED:g}",
    "step_px": "distance of the pixels that were looked at, in pixels of the slice",
}

Values = NDArray[np.float32]
Codes = NDArray[np.integer]
#: Values of the labelled pixels of a slice, shape (n, columns), and their area codes from 1 (n,).
Labelled = tuple[Values, Codes]


def mean_grey(grey: NDArray[np.generic], y: Codes, x: Codes) -> Values:
    """Return the mean grey of the patches of a grid's pixels, shape (len(y), len(x)).

    Grey is 0 beyond the slice, as for the network.
    """
    # uniform_filter centres an even box half a pixel off: rows y-64 ... y+63, as a patch
    means = uniform_filter(grey.astype(np.float32), PATCH, mode="constant")
    return np.asarray(means[np.ix_(y, x)], dtype=np.float32)


def best_units(
    fitted: Labelled, others: Mapping[int, Labelled], names: Sequence[str]
) -> pd.DataFrame:
    """Choose for each area the column that tells it best, and judge it on other slices.

    Parameters
    ----------
    fitted : Labelled
        Pixels of the fitted slices.
    others : mapping of int to Labelled
        By slice: those of the other slices.
    names : sequence of str
        Names of the areas by code.

    Returns
    -------
    DataFrame
        Columns slice, name, which (column, from 1), auroc_fitted, auroc.
    """
    own = _auroc(*fitted, len(names))
    best = {area: int(np.argmax(own[:, area])) for area in _known(own)}
    return _judged(own, best, others, names)


def best_factors(
    fitted: Labelled, others: Mapping[int, Labelled], names: Sequence[str]
) -> pd.DataFrame:
    """Choose columns for areas one to one by AUROC, as factors are; see `best_units`."""
    own = _auroc(*fitted, len(names))
    known = _known(own)
    pairs = pd.DataFrame(
        [(f, area, own[f, area]) for f in range(len(own)) for area in known],
        columns=["factor", "area", "auroc"],
    )
    count = min(len(known), len(own))
    chosen = select_factors(pairs, count, "auroc")
    best = dict(zip(chosen["area"], chosen["factor"], strict=True))
    return _judged(own, {area: best[area] for area in known if area in best}, others, names)


def bright_or_dark(
    fitted: Labelled, others: Mapping[int, Labelled], names: Sequence[str]
) -> pd.DataFrame:
    """Judge one column, or its negative where that tells an area better; see `best_units`."""

    def both(values: Values) -> Values:
        return np.concatenate([values, -values], axis=1)

    signed = {z: (both(values), codes) for z, (values, codes) in others.items()}
    found = best_units((both(fitted[0]), fitted[1]), signed, names)
    return found.assign(which=found["which"].map({1: "bright", 2: "dark"}))


def _auroc(values: Values, codes: Codes, areas: int) -> NDArray[np.float64]:
    """Return the AUROC of every column for every area, shape (columns, areas)."""
    return RankedMaps(list(values.T)).auroc(codes, areas)


def _known(own: NDArray[np.float64]) -> list[int]:
    return [area for area in range(own.shape[1]) if np.isfinite(own[:, area]).all()]


def _judged(
    own: NDArray[np.float64],
    best: dict[int, int],
    others: Mapping[int, Labelled],
    names: Sequence[str],
) -> pd.DataFrame:
    rows = []
    for z, (values, codes) in others.items():
        found = _auroc(values, codes, len(names))
        rows += [
            (z, names[area], column + 1, own[column, area], found[column, area])
            for area, column in best.items()
            if np.isfinite(found[column, area])
        ]
    return pd.DataFrame(rows, columns=["slice", "name", "which", "auroc_fitted", "auroc"])
