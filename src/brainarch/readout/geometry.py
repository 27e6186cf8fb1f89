"""Geometry of representations: principal components, relations of areas, outliers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from brainarch.embedding.representations import Representations
from brainarch.geometry import MIN_SHARE
from brainarch.readout.hierarchy import covariance_measures
from brainarch.statistics.blocks import spatial_blocks
from brainarch.statistics.bootstrap import bootstrap_counts, index_blocks, pair_sizes
from brainarch.statistics.metrics import ratio
from brainarch.statistics.packing import take_apart

#: Principal components that are drawn.
DRAWN = 3
#: Principal components whose share of the variance is reported.
REPORTED = 10
#: Fewest train patches of an area for its covariance, and so its outliers, to be estimated.
MIN_PATCHES = 10

RELATION_COLUMNS = {
    "network": "network whose representation is meant",
    "area": "area",
    "other": "other area",
    "distance": "distance between the means of the two areas (the representation's units)",
    "spread": "root mean square distance of the area's patches from their mean (same units)",
    "other_spread": "the same of the other area",
    "separation": "distance divided by the root mean square of the two spreads",
    "low": "lower end of the separation's 95 % interval (spatial block bootstrap); empty where an "
    "area has fewer than 8 blocks",
    "high": "upper end of the separation's 95 % interval",
    "mahalanobis": "distance between the two means in units of the variability within areas "
    "(covariance common to all areas, shrunk after Ledoit and Wolf)",
    "cka": "how alike the two areas vary, 0 to 1: cosine of their covariance matrices (linear CKA "
    "with units as examples)",
    "nearest": "whether no area is less separated from this one than the other is",
}
OUTLIER_COLUMNS = {
    "z": "slice number",
    "y": "row of the patch's centre pixel",
    "x": "column of the patch's centre pixel",
    "area": "area of the centre pixel",
    "network": "network whose representation is meant",
    "distance": "Mahalanobis distance from the area's train patches, over the square root of the "
    "number of units: about 1 is usual",
    "rank": "1 is the farthest patch of the area",
    "closest_area": "area whose train patches it is closest to by the same distance",
    "log_likelihood": "natural logarithm of the area's density there: a Gaussian fitted to its "
    "train patches, units standardised",
    "share": "share of the patch inside the area, at least 0.9",
    "ranked": "test patches of the area that were ranked",
    "left_out": "test patches of the area that lie less far inside it and were not",
}


def principal_components(
    values: NDArray[np.floating], commensurate: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first principal components and their shares of the variance (V, Fig. 5).

    Parameters
    ----------
    values : ndarray, shape (n, units)
        Representations.
    commensurate : bool
        If False, units are standardised first (ours).

    Returns
    -------
    scores : ndarray of float64, shape (n, 3)
        Components 1 to 3; zeros where there are fewer than three.
    shares : ndarray of float64, shape (at most 10,)
        Share of the whole variance; NaN if there is none.
    """
    centred = comparable(values, commensurate)
    number = min(REPORTED, *centred.shape)
    if not centred.any():
        return np.zeros((len(centred), DRAWN)), np.full(number, np.nan)
    model = PCA(number, svd_solver="full")
    scores = model.fit_transform(centred)
    drawn = np.zeros((len(centred), DRAWN))
    drawn[:, : min(DRAWN, number)] = scores[:, :DRAWN]
    return drawn, np.asarray(model.explained_variance_ratio_, dtype=np.float64)


def comparable(values: NDArray[np.floating], commensurate: bool) -> NDArray[np.float64]:
    """Centre representations so that distances between them mean something.

    Parameters
    ----------
    values : ndarray, shape (n, units)
        Representations.
    commensurate : bool
        If False, every unit is also divided by its standard deviation; constant units become 0.
    """
    centred: NDArray[np.float64] = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
    if commensurate:
        return centred
    spread = centred.std(axis=0)
    # float32 features of one value leave a spread of rounding errors only.
    flat = spread <= 1e-6 * np.abs(values).max(axis=0, initial=0)
    scaled: NDArray[np.float64] = np.where(flat, 0.0, centred / np.where(flat, 1.0, spread))
    return scaled


def area_relations(
    content: Representations, *, resamples: int, block_px: int, seed: int
) -> pd.DataFrame:
    """Return how far apart areas are, relative to their own spread (ours).

    Parameters
    ----------
    content : Representations
        Of a network; units of different scales are standardised first.
    resamples, block_px, seed : int
        Of the block bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row per ordered pair of areas that have patches; columns as in `RELATION_COLUMNS`
        without ``network``.
    """
    names, counts = block_sums(content, block_px)
    n_areas = len(names)
    distance, spread, separation = _separations(counts.sum(axis=0)[None])
    low, high = bootstrap_counts(
        lambda sums: _separations(sums)[2],
        counts,
        resamples,
        seed,
        sizes=pair_sizes(counts[..., 0]),
        share=False,
    )
    others = np.where(np.eye(n_areas, dtype=bool), np.inf, separation[0])
    nearest = others.min(axis=1)
    mahalanobis, cka = covariance_measures(
        comparable(content.values, content.commensurate), index_blocks(content.area)[0]
    )
    rows = [
        {
            "area": names[a],
            "other": names[b],
            "distance": distance[0, a, b],
            "spread": spread[0, a],
            "other_spread": spread[0, b],
            "separation": separation[0, a, b],
            "low": low[a, b],
            "high": high[a, b],
            "mahalanobis": mahalanobis[a, b],
            "cka": cka[a, b],
            "nearest": bool(separation[0, a, b] == nearest[a]),
        }
        for a in range(n_areas)
        for b in range(n_areas)
        if a != b
    ]
    return pd.DataFrame(rows, columns=[name for name in RELATION_COLUMNS if name != "network"])


def block_sums(content: Representations, block_px: int) -> tuple[list[str], NDArray[np.float64]]:
    """Return what blocks add to the moments of the areas that have patches.

    Returns
    -------
    list of str
        Names of the areas.
    ndarray of float64, shape (blocks, areas, units + 2)
        Number, summed squared length, and sum of the patches; units as `comparable` gives them.
    """
    values = comparable(content.values, content.commensurate)
    area_index, n_areas = index_blocks(content.area)
    block_index, n_blocks = index_blocks(spatial_blocks(content.z, content.y, content.x, block_px))
    counts = np.zeros((n_blocks, n_areas, values.shape[1] + 2))
    np.add.at(counts[..., 0], (block_index, area_index), 1)
    np.add.at(counts[..., 1], (block_index, area_index), np.einsum("iu,iu->i", values, values))
    np.add.at(counts[..., 2:], (block_index, area_index), values)
    return [content.areas[index] for index in np.unique(content.area)], counts


def area_outliers(
    train: Representations,
    test: Representations,
    count: int,
    share: NDArray[np.floating] | None = None,
) -> pd.DataFrame:
    """Return the test patches that are least like the train patches of their area (ours).

    Distances are Mahalanobis distances with the covariance of each area's train patches, shrunk
    after Ledoit and Wolf, on standardised units. No patch shares a pixel with one ranked before it:
    else all of them would be one place.

    Parameters
    ----------
    train, test : Representations
        Of one network.
    count : int
        Patches reported of an area at most.
    share : ndarray of float, shape (test patches,), optional
        Share of each test patch inside its area: those below `MIN_SHARE` are of two areas and no
        outliers of either.

    Returns
    -------
    pandas.DataFrame
        By area and rank; columns as in `OUTLIER_COLUMNS` without ``network``. Areas with fewer
        than 10 train patches, or without a test patch far enough inside, have no rows.
    """
    scale = StandardScaler().fit(train.values.astype(np.float64))
    fitted = scale.transform(train.values.astype(np.float64))
    scored = scale.transform(test.values.astype(np.float64))
    numbers = np.bincount(train.area, minlength=len(train.areas))
    estimated = np.flatnonzero(numbers >= MIN_PATCHES)
    columns = [name for name in OUTLIER_COLUMNS if name != "network"]
    if len(estimated) == 0:
        return pd.DataFrame(columns=columns)
    models = [LedoitWolf().fit(fitted[train.area == index]) for index in estimated]
    squared = np.stack([model.mahalanobis(scored) for model in models], axis=1)
    units = scored.shape[1]
    distances = np.sqrt(squared / units)
    closest = estimated[distances.argmin(axis=1)]
    share = np.ones(len(test)) if share is None else share
    places = np.stack([test.z, test.y, test.x], axis=1)
    tables = []
    for column, index in enumerate(estimated):
        members = np.flatnonzero((test.area == index) & (share >= MIN_SHARE))
        order = members[np.argsort(-distances[members, column], kind="stable")]
        farthest = take_apart(order, places, count)
        density = np.linalg.slogdet(models[column].precision_)[1] - units * np.log(2 * np.pi)
        tables.append(
            pd.DataFrame(
                {
                    "z": test.z[farthest],
                    "y": test.y[farthest],
                    "x": test.x[farthest],
                    "area": test.areas[index],
                    "distance": distances[farthest, column],
                    "rank": np.arange(1, len(farthest) + 1),
                    "closest_area": _names(closest[farthest], test.areas),
                    "log_likelihood": (density - squared[farthest, column]) / 2,
                    "share": share[farthest],
                    "ranked": len(members),
                    "left_out": int((test.area == index).sum()) - len(members),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)[columns]


def _names(indices: NDArray[np.integer], areas: Sequence[str]) -> list[str]:
    return [areas[index] for index in indices]


def _separations(
    sums: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return distances, spreads and separations from numbers, squared lengths and sums.

    Shapes: (resamples, areas, units + 2) -> (resamples, areas, areas), (resamples, areas),
    (resamples, areas, areas).
    """
    mean, variance = spreads(sums)
    length = np.einsum("rau,rau->ra", mean, mean)
    products = mean @ mean.transpose(0, 2, 1)
    squared = length[:, :, None] + length[:, None, :] - 2 * products
    distance = np.sqrt(np.maximum(squared, 0))
    pooled = np.sqrt((variance[:, :, None] + variance[:, None, :]) / 2)
    return distance, np.sqrt(variance), ratio(distance, pooled)


def spreads(sums: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means, and mean squared distances from them, from moments as of `block_sums`.

    Shapes: (resamples, areas, units + 2) -> (resamples, areas, units), (resamples, areas).
    """
    number = sums[..., :1]
    mean = ratio(sums[..., 2:], np.broadcast_to(number, sums[..., 2:].shape))
    length = np.einsum("rau,rau->ra", mean, mean)
    return mean, np.maximum(ratio(sums[..., 1], number[..., 0]) - length, 0)
