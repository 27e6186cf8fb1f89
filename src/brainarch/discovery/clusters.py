"""Clusters of an area's pixels: PCA, then k-means (V, Fig. 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from brainarch.errors import InputError
from brainarch.seeds import derived_seed

#: Principal components that k-means works on (ours; V does not say).
PCA_COMPONENTS = 10
#: Starts of k-means (ours).
STARTS = 10
#: Most pixels that PCA and k-means are fitted on (ours); every pixel is assigned.
FIT_PIXELS = 100_000


@dataclass(frozen=True)
class Clustering:
    """A fitted PCA and k-means.

    Attributes
    ----------
    mean : ndarray, shape (units,)
    axes : ndarray, shape (components, units)
        Principal axes, rows of unit length.
    centres : ndarray, shape (clusters, components)
        In the order of the clusters' size among the fitted pixels, largest first.
    pca_share : float
        Share of the variance that the components keep.
    within_share : float
        Share of the components' variance that is left within clusters.
    iterations : int
        Of the best start of k-means.
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    centres: NDArray[np.float64]
    pca_share: float
    within_share: float
    iterations: int

    def assign(self, X: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Return the cluster 1 ... k of every row of X (n, units)."""
        scores = (X - self.mean) @ self.axes.T
        # |s - c|^2 without |s|^2, which is the same for all centres.
        nearness = scores @ self.centres.T - 0.5 * (self.centres**2).sum(axis=1)
        return np.asarray(nearness.argmax(axis=1) + 1, dtype=np.uint8)


def fit_clusters(
    X: NDArray[np.floating],
    clusters: int,
    seed: int,
    threads: int = 1,
) -> Clustering:
    """Fit PCA and k-means.

    Parameters
    ----------
    X : ndarray, shape (n, units)
        Representations of pixels.
    clusters : int
        k (V: 4).
    seed : int
        Of the starts of k-means.
    threads : int
        CPU threads.

    Raises
    ------
    InputError
        If X has fewer distinct rows than clusters.
    """
    X = np.asarray(X, dtype=np.float64)
    if len(X) < clusters or np.allclose(X, X[0]):
        raise InputError(
            f"clusters: {len(X)} pixels{' that are all alike' if len(X) >= clusters else ''}, too "
            f"few for {clusters} clusters; lower discovery.clusters"
        )
    with threadpool_limits(limits=threads):
        pca = PCA(n_components=min(PCA_COMPONENTS, *X.shape), svd_solver="full").fit(X)
        scores = (X - pca.mean_) @ pca.components_.T
        means = KMeans(
            n_clusters=clusters, n_init=STARTS, random_state=derived_seed(seed, "k-means")
        ).fit(scores)
    sizes = np.bincount(means.labels_, minlength=clusters)
    order = np.argsort(-sizes, kind="stable")
    total = float(((scores - scores.mean(axis=0)) ** 2).sum())
    return Clustering(
        mean=pca.mean_,
        axes=pca.components_,
        centres=means.cluster_centers_[order],
        pca_share=float(pca.explained_variance_ratio_.sum()),
        within_share=float(means.inertia_) / total,
        iterations=int(means.n_iter_),
    )
