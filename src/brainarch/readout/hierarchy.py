"""Areas as a hierarchy: which are alike, by several measures of their representations (ours)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.spatial.distance import squareform
from sklearn.covariance import LedoitWolf

from brainarch.statistics.metrics import ratio

#: Measures of two areas, columns of the table of relations, and whether larger means more alike.
MEASURES = {"separation": False, "mahalanobis": False, "cka": True}
#: Variability below this share of the largest is rounding.
ROUNDING = 1e-12
HIERARCHY_COLUMNS = {
    "network": "network whose representation is meant",
    "measure": "column of the table of relations that areas are joined by; cka as 1 - cka",
    "step": "order of the joining, from 1",
    "left": "what is joined: an area by its place in the table of relations, from 0, or, from the "
    "number of areas on, what an earlier step joined",
    "right": "what it is joined to, likewise",
    "height": "mean distance between the areas of the two (average linkage)",
    "size": "areas of the two together",
    "cophenetic": "correlation of the distances with those that the whole tree implies: 1 where "
    "the areas are a hierarchy; empty for fewer than three areas",
}


def covariance_measures(
    values: NDArray[np.float64], area: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far apart areas are, and how alike they vary.

    Parameters
    ----------
    values : ndarray of float64, shape (n, units)
        Representations of one scale.
    area : ndarray of int, shape (n,)
        0, 1 ... in the order of the result.

    Returns
    -------
    mahalanobis : ndarray of float64, shape (areas, areas)
        Distance between two means in units of the variability within areas: its covariance is
        common to all areas and shrunk after Ledoit and Wolf.
    cka : ndarray of float64, shape (areas, areas)
        Cosine of the covariance matrices of two areas' patches: linear CKA (Kornblith et al. 2019)
        with units as examples, centred over patches. NaN where an area does not vary.
    """
    areas = range(int(area.max()) + 1)
    means = np.stack([values[area == index].mean(axis=0) for index in areas])
    residuals = values - means[area]
    precision = LedoitWolf(assume_centered=True).fit(residuals).precision_
    apart = means[:, None] - means[None]
    squared = np.einsum("abu,uv,abv->ab", apart, precision, apart)
    own = [residuals[area == index] for index in areas]
    flat = np.stack([(rows.T @ rows).ravel() for rows in own])
    lengths = np.linalg.norm(flat, axis=1)
    lengths[lengths <= ROUNDING * lengths.max()] = 0
    return np.sqrt(np.maximum(squared, 0)), ratio(flat @ flat.T, np.outer(lengths, lengths))


def area_hierarchy(relations: pd.DataFrame) -> pd.DataFrame:
    """Join areas to a tree, the most alike first (average linkage).

    Parameters
    ----------
    relations : pandas.DataFrame
        Of one network: columns area, other and the `MEASURES`.

    Returns
    -------
    pandas.DataFrame
        Columns as in `HIERARCHY_COLUMNS` without ``network``; a measure that is undefined for a
        pair of areas, or a single area, has no rows.
    """
    names = list(dict.fromkeys(relations["area"]))
    rows = []
    for measure, alike in MEASURES.items() if len(names) > 1 else ():
        values = relations.pivot_table(index="area", columns="other", values=measure)
        matrix = values.reindex(index=names, columns=names).to_numpy(dtype=np.float64, copy=True)
        np.fill_diagonal(matrix, 1.0 if alike else 0.0)
        distances = squareform(1 - matrix if alike else matrix, checks=False)
        if not np.isfinite(distances).all():
            continue
        tree = linkage(distances, method="average")
        with np.errstate(invalid="ignore"):
            fits = cophenet(tree, distances)[0] if len(names) > 2 else np.nan
        rows += [
            {
                "measure": measure,
                "step": step,
                "left": int(left),
                "right": int(right),
                "height": height,
                "size": int(size),
                "cophenetic": fits,
            }
            for step, (left, right, height, size) in enumerate(tree, start=1)
        ]
    return pd.DataFrame(rows, columns=[name for name in HIERARCHY_COLUMNS if name != "network"])
