"""What of factors and components is the tissue's, and what the training's: networks compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_mutual_info_score

from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.grids.maps import SliceMaps
from brainarch.microstructure.meaning import correlate
from brainarch.microstructure.sampling import sampled_pixels
from brainarch.tables import write_table

#: Correlation, or shared pixels of components, from which a finding is called stable (ours).
STABLE = 0.8

NETWORK_COLUMNS = {
    "slice": "slice",
    "network": "network that is compared with the main one",
    "kind": "factor or component",
    "name": "number of the main network's",
    "match": "number of the other network's that it is matched with, one to one; empty without one",
    "agreement": "of factors Spearman's correlation of the coefficients; of components shared "
    "pixels over those of either (Jaccard)",
    "low": "lower end of the 95 % interval of a correlation from a spatial block bootstrap",
    "high": "upper end of the 95 % interval",
    "p": "(1 + fields that correlate at least as strongly) / (1 + fields), of correlations; fields "
    "are as autocorrelated as the other network's coefficients and know nothing of this one",
    "stable": f"agreement at least {STABLE}",
    "ami": "adjusted mutual information of all components of both; empty for factors",
    "pixels": "pixels that were looked at",
}


def compare_networks(
    *,
    coefficients: Path,
    others: Mapping[str, Path],
    components: Path | None = None,
    other_components: Mapping[str, Path] | None = None,
    agreement: Path,
    nulls: int,
    resamples: int,
    seed: int,
) -> None:
    """Match factors and components of several networks on one slice.

    Parameters
    ----------
    coefficients, others : Path, mapping of str to Path
        Coefficient maps of the slice: the main network's, and the others' by name.
    components, other_components : optional
        Maps of the components likewise.
    agreement : Path
        Table to write.
    nulls, resamples, seed : int
        As for `brainarch.microstructure.stages.explain_factors`.

    Raises
    ------
    InputError
        If the maps are of different slices or grids.
    """
    own = CoefficientMaps.open(coefficients)
    frames = []
    for name, path in others.items():
        other = CoefficientMaps.open(path)
        _require_alike(own, other)
        found = match_factors(own, other, nulls=nulls, resamples=resamples, seed=seed)
        frames.append(found.assign(network=name))
        if components is not None and other_components is not None:
            maps = [SliceMaps.open(place) for place in (components, other_components[name])]
            _require_alike(*maps)
            codes = [opened.read("subdivision") for opened in maps]
            frames.append(match_parts(*codes).assign(network=name))
    whole = pd.concat(frames, ignore_index=True).assign(slice=own.z)
    whole["stable"] = whole["agreement"] >= STABLE
    write_table(whole.reindex(columns=list(NETWORK_COLUMNS)), agreement, NETWORK_COLUMNS)


def match_factors(
    own: CoefficientMaps, other: CoefficientMaps, *, nulls: int, resamples: int, seed: int
) -> pd.DataFrame:
    """Match factors one to one so that their coefficients correlate most; see `NETWORK_COLUMNS`."""
    first, second = sampled_pixels(own), sampled_pixels(other)
    measures = {str(factor + 1): values for factor, values in enumerate(second.C.T)}
    found = correlate(
        first.C, measures, first.blocks, first.seen, nulls=nulls, resamples=resamples, seed=seed
    )
    rho = found.pivot_table(index="factor", columns="measure", values="rho", dropna=False)
    rho = rho.reindex(index=range(1, own.factors + 1), columns=list(measures))
    pairs = pd.DataFrame(_pairs(rho.fillna(-1.0).to_numpy()), columns=["factor", "match"])
    matched = found.assign(match=found["measure"].astype(int)).merge(pairs, on=["factor", "match"])
    matched = matched.rename(columns={"factor": "name", "rho": "agreement"}).assign(kind="factor")
    return matched[["kind", "name", "match", "agreement", "low", "high", "p", "pixels"]]


def match_parts(own: NDArray[np.integer], other: NDArray[np.integer]) -> pd.DataFrame:
    """Match the parts of two maps one to one so that they share most; see `NETWORK_COLUMNS`.

    Parameters
    ----------
    own, other : ndarray of int, same shape
        Codes from 1; pixels with 0 in either are left out.
    """
    both = (own > 0) & (other > 0)
    a, b = own[both].astype(np.int64), other[both].astype(np.int64)
    if not len(a):
        raise InputError("components of two networks: no pixel in common; extract the same rows")
    table = np.zeros((a.max(), b.max()))
    np.add.at(table, (a - 1, b - 1), 1)
    either = table.sum(axis=1)[:, None] + table.sum(axis=0) - table
    jaccard = table / np.maximum(either, 1)
    rows: list[dict[str, Any]] = [
        {"name": name, "match": match, "agreement": jaccard[name - 1, match - 1]}
        for name, match in _pairs(jaccard)
    ]
    frame = pd.DataFrame(rows).assign(kind="component", pixels=len(a))
    return frame.assign(ami=float(adjusted_mutual_info_score(a, b)))


def _pairs(agreement: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return pairs of a row and a column, from 1, with the greatest sum of agreement."""
    rows, columns = linear_sum_assignment(agreement, maximize=True)
    return [(int(row) + 1, int(column) + 1) for row, column in zip(rows, columns, strict=True)]


def _require_alike(own: Any, other: Any) -> None:
    same = own.z == other.z and np.array_equal(own.y, other.y) and np.array_equal(own.x, other.x)
    if not same:
        raise InputError(
            f"{other.path}: another slice or grid than {own.path}; make both with one "
            "extraction.slices, rows and stride"
        )
