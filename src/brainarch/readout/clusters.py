"""GMM score (V, Fig. 4): how clusters found without labels agree with the areas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_mutual_info_score, v_measure_score
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from brainarch.embedding.representations import Representations
from brainarch.progress import progress
from brainarch.readout.convergence import fit_checked
from brainarch.seeds import derived_seed
from brainarch.statistics.blocks import spatial_blocks
from brainarch.statistics.bootstrap import block_sizes, bootstrap_counts, keep_shares
from brainarch.statistics.metrics import adjusted_rand, joint_counts_by_block, v_measures

#: Starts of the expectation maximisation, of which the likeliest is kept (ours): with few, what is
#: found depends on the seed.
STARTS = 20
#: Increase of the mean log-likelihood at which a start ends, and at which the likeliest of them,
#: which goes on, does (scikit-learn's).
SEARCH_TOLERANCE, TOLERANCE = 1e-2, 1e-3
#: Most iterations of a start.
MAX_ITERATIONS = 500
#: Units that the mixture is fitted on; wider networks are reduced to so many by PCA (ours).
MAX_UNITS = 64
#: Added to the variances of standardised units (ours), since units that are silent in all patches
#: of a cluster would otherwise make any patch in which they speak infinitely unlikely.
REGULARISATION = 1e-3

#: The network that the others are compared with.
TRAINED = "cnn"

CLUSTER_COLUMNS = {
    "network": "network whose representation is clustered",
    "v_measure": "V-measure of clusters and areas of the test patches (0 to 1)",
    "homogeneity": "1 if every cluster holds one area only (0 to 1)",
    "completeness": "1 if every area lies in one cluster only (0 to 1)",
    "ari": "adjusted Rand index (about 0 by chance, 1 if equal)",
    "ami": "adjusted mutual information (about 0 by chance, 1 if equal)",
    "starts": "starts of the mixture, of which the likeliest is kept",
    "lowest": "lowest V-measure of any start, as far as it was followed",
    "highest": "highest V-measure of any start",
    "components": "components of the Gaussian mixture: as many as areas",
    "low": "lower end of the V-measure's 95 % interval (spatial block bootstrap of test patches)",
    "high": "upper end of the V-measure's 95 % interval",
    "ari_low": "lower end of the adjusted Rand index's 95 % interval",
    "ari_high": "upper end of the adjusted Rand index's 95 % interval",
    "behind": "V-measure of the trained network minus this one's, on the same patches",
    "behind_low": "lower end of its 95 % interval (paired)",
    "behind_high": "upper end of its 95 % interval",
    "patches": "test patches",
    "blocks": "spatial blocks of these patches",
    "converged": "whether the best start converged",
}


def cluster_table(
    train: Mapping[str, Representations],
    test: Mapping[str, Representations],
    *,
    resamples: int,
    block_px: int,
    seed: int,
) -> pd.DataFrame:
    """Return how well clusters of every network's representation agree with the areas.

    Parameters
    ----------
    train, test : mapping of str to Representations
        By network. The mixture is fitted on train, without areas; test patches are assigned.
    resamples, block_px, seed : int
        Of the block bootstrap, and of the mixture's starts.

    Returns
    -------
    pandas.DataFrame
        Columns as in `CLUSTER_COLUMNS`.
    """
    rows: list[dict[str, Any]] = []
    tables: dict[str, NDArray[np.int64]] = {}
    for network in progress(list(train), desc="clustering", unit="network"):
        held = test[network]
        components = len(np.unique(train[network].area))
        found = assign_clusters(
            train[network].values, held.values, components, seed, name=f"GMM on {network}"
        )
        each = [v_measure_score(held.area, assigned) for assigned in found.every]
        blocks = spatial_blocks(held.z, held.y, held.x, block_px)
        shape = (len(held.areas), components)
        tables[network] = joint_counts_by_block(held.area, found.assigned, blocks, shape)
        rows.append(
            {
                "network": network,
                **_scores(tables[network], resamples, seed),
                "ami": float(adjusted_mutual_info_score(held.area, found.assigned)),
                "starts": len(each),
                "lowest": min(each),
                "highest": max(each),
                "components": components,
                "patches": len(held),
                "converged": found.converged,
            }
        )
    for row in rows:
        if TRAINED in tables and row["network"] != TRAINED:
            other = tables[row["network"]]
            row.update(_behind(tables[TRAINED], other, resamples, seed))
    return pd.DataFrame(rows, columns=list(CLUSTER_COLUMNS))


class Clusters(NamedTuple):
    """Test rows given to the components of a mixture that was fitted from several starts.

    Attributes
    ----------
    every : list of ndarray of int64, shape (m,)
        Component of each test row, by start.
    best : int
        The start that is likeliest on the train rows.
    converged : bool
        Whether that start converged.
    """

    every: list[NDArray[np.int64]]
    best: int
    converged: bool

    @property
    def assigned(self) -> NDArray[np.int64]:
        """Component of each test row, from the likeliest start."""
        return self.every[self.best]


def assign_clusters(
    train: NDArray[np.floating],
    test: NDArray[np.floating],
    components: int,
    seed: int,
    *,
    name: str = "GMM",
) -> Clusters:
    """Fit a Gaussian mixture on train representations and assign test representations.

    Parameters
    ----------
    train, test : ndarray, shapes (n, units) and (m, units)
        Standardised by the train mean and standard deviation first.
    components : int
        Of the mixture, with full covariances.
    seed : int
        The config's.
    name : str
        For the log line if it does not converge.
    """
    steps = [StandardScaler()]
    if train.shape[1] > MAX_UNITS:
        steps.append(PCA(min(MAX_UNITS, len(train)), svd_solver="full"))
    scale = make_pipeline(*steps).fit(train.astype(np.float64))
    fitted, held = (scale.transform(values.astype(np.float64)) for values in (train, test))
    models = [
        GaussianMixture(
            components,
            covariance_type="full",
            max_iter=MAX_ITERATIONS,
            tol=SEARCH_TOLERANCE,
            reg_covar=REGULARISATION,
            random_state=derived_seed(seed, f"gaussian mixture {start}"),
            warm_start=True,
        ).fit(fitted)
        for start in range(STARTS)
    ]
    best = int(np.argmax([model.lower_bound_ for model in models]))
    models[best].set_params(tol=TOLERANCE)
    converged = fit_checked(models[best], fitted, name=name)
    every = [np.asarray(model.predict(held), dtype=np.int64) for model in models]
    return Clusters(every, best, converged)


def _scores(counts: NDArray[np.int64], resamples: int, seed: int) -> dict[str, float]:
    """Return the scores of tables of areas and clusters, one a block."""
    total = counts.sum(axis=0)
    homogeneity, completeness, v_measure = (float(v) for v in v_measures(total))

    def scores(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        drawn = keep_shares(sums, total)
        return np.stack([v_measures(drawn)[2], adjusted_rand(drawn)], axis=1)

    low, high = bootstrap_counts(
        scores,
        counts,
        resamples,
        seed,
        sizes=block_sizes(counts.sum(axis=2)),
        share=np.array([True, False]),
    )
    return {
        "v_measure": v_measure,
        "homogeneity": homogeneity,
        "completeness": completeness,
        "ari": float(adjusted_rand(total)),
        "low": float(low[0]),
        "high": float(high[0]),
        "ari_low": float(low[1]),
        "ari_high": float(high[1]),
        "blocks": len(counts),
    }


def _behind(
    trained: NDArray[np.int64], other: NDArray[np.int64], resamples: int, seed: int
) -> dict[str, float]:
    """Return the paired difference of two networks' V-measures, with its interval."""
    clusters = trained.shape[2]
    both = np.concatenate([trained, other], axis=2)
    totals = trained.sum(axis=0), other.sum(axis=0)

    def difference(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        halves = sums[..., :clusters], sums[..., clusters:]
        first, second = (
            v_measures(keep_shares(half, total))[2]
            for half, total in zip(halves, totals, strict=True)
        )
        result: NDArray[np.float64] = first - second
        return result

    low, high = bootstrap_counts(
        difference, both, resamples, seed, sizes=block_sizes(trained.sum(axis=2)), share=False
    )
    value = difference(both.sum(axis=0)[None].astype(np.float64))[0]
    return {"behind": float(value), "behind_low": float(low), "behind_high": float(high)}
