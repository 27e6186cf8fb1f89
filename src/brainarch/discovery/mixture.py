"""Components of an area: a Gaussian mixture on the factors' coefficients (M, A)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from brainarch.errors import InputError
from brainarch.seeds import derived_seed

#: Starts, each from k-means (ours; A: 1).
STARTS = 20
#: Most EM iterations of a start (ours).
MAX_ITERATIONS = 300
#: Added to the variances, in units of the coefficients' mean variance (ours). Half of the
#: coefficients are exactly 0; with less, components settle on which ones are.
REGULARISATION = 0.05
#: Pixels for each free parameter below which the log says that there are too few (ours).
PIXELS_PER_PARAMETER = 10
#: Standard deviations below this are none.
TINY = float(np.finfo(np.float32).tiny)
#: Most pixels that the mixture is fitted on (ours; neighbours share most of their patch, so more
#: add time and hardly information); every pixel is assigned.
FIT_PIXELS = 6_000

COMPONENT_COLUMNS = {
    "component": "component, from 1, by weight, largest first",
    "factor": "factor, from 1",
    "mean": "mean coefficient of the component's pixels",
    "standard_deviation": "standard deviation of the coefficient over these pixels",
}


@dataclass(frozen=True)
class Mixture:
    """A fitted mixture.

    Attributes
    ----------
    used : ndarray of bool, shape (k,)
        Factors that vary in the area; the others are left out.
    scale : float
        What coefficients are divided by: the root of their mean variance.
    model : sklearn.mixture.GaussianMixture
        In these units, full covariances; components ordered by weight, largest first.
    converged : bool
    iterations : int
        Of the best start.
    log_likelihood : float
        Mean per pixel, in nats, of the scaled coefficients.
    agreement : list of float
        Adjusted Rand index of each start's components with those of the best start, which is kept:
        how far what was found depends on where the search began.
    """

    used: NDArray[np.bool_]
    scale: float
    model: GaussianMixture
    converged: bool
    iterations: int
    log_likelihood: float
    agreement: list[float]

    @property
    def weights(self) -> NDArray[np.float64]:
        """Share of the pixels that each component explains."""
        return np.asarray(self.model.weights_, dtype=np.float64)

    @property
    def parameters(self) -> int:
        """Number of free parameters: weights, means and full covariances."""
        components, factors = self.model.means_.shape
        return int(components * (1 + factors + factors * (factors + 1) // 2) - 1)

    def assign(self, C: NDArray[np.floating]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return the most probable component 1 ... and its probability for rows of C (n, k)."""
        posterior = self.model.predict_proba(C[:, self.used] / self.scale)
        best = posterior.argmax(axis=1)
        probability = np.take_along_axis(posterior, best[:, None], axis=1)[:, 0]
        return np.asarray(best + 1, dtype=np.uint8), probability.astype(np.float32)


def fit_mixture(
    C: NDArray[np.floating],
    components: int,
    seed: int,
    threads: int = 1,
    starts: int = STARTS,
) -> Mixture:
    """Fit a Gaussian mixture with full covariances to coefficients.

    All coefficients are divided by one number, so that the regularisation, which many coefficients
    of exactly 0 make necessary, fits any representation. They share a scale already, the basis
    having rows of unit length; to divide each by its own deviation would raise factors that are all
    but absent from the area to the rank of those that make it up.

    Parameters
    ----------
    C : ndarray, shape (n, k)
        Coefficients of pixels.
    components : int
        Components (M, A: 4).
    seed : int
        Of the starts.
    threads : int
        CPU threads.
    starts : int
        Of which the best is kept.

    Raises
    ------
    InputError
        If there are too few pixels, or no coefficient varies.
    """
    C = np.asarray(C, dtype=np.float64)
    if len(C) < 2 * components:
        raise InputError(
            f"components: {len(C)} pixels are too few for {components} components; "
            "lower discovery.inside_px or discovery.components"
        )
    deviation = C.std(axis=0)
    used = deviation > 1e-6 * max(float(deviation.max()), TINY)
    if not used.any():
        raise InputError(
            "components: no factor's coefficient varies in the area; fit the factors on a slice "
            "that holds it"
        )
    scale = float(np.sqrt(np.square(deviation).mean()))
    scaled = C[:, used] / scale
    with threadpool_limits(limits=threads), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        models = [
            GaussianMixture(
                n_components=components,
                covariance_type="full",
                max_iter=MAX_ITERATIONS,
                reg_covar=REGULARISATION,
                random_state=derived_seed(seed, f"mixture {start}"),
            ).fit(scaled)
            for start in range(starts)
        ]
        found = [model.predict(scaled) for model in models]
        best = int(np.argmax([model.lower_bound_ for model in models]))
        model = models[best]
        order = np.argsort(-model.weights_, kind="stable")
        for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
            setattr(model, name, getattr(model, name)[order])
        likelihood = float(model.score(scaled))
    return Mixture(
        used=used,
        scale=scale,
        model=model,
        converged=bool(model.converged_),
        iterations=int(model.n_iter_),
        log_likelihood=likelihood,
        agreement=[float(adjusted_rand_score(found[best], other)) for other in found],
    )


class ComponentMoments:
    """Running sums of the coefficients of each component's pixels.

    Parameters
    ----------
    components, factors : int
    """

    def __init__(self, components: int, factors: int) -> None:
        self.sizes = np.zeros(components, dtype=np.int64)
        self._sums = np.zeros((2, components, factors))

    def add(self, found: NDArray[np.integer], C: NDArray[np.floating]) -> None:
        """Count pixels of components ``found`` (n,), from 1, with coefficients C (n, factors)."""
        _, components, factors = self._sums.shape
        self.sizes += np.bincount(found, minlength=components + 1)[1:]
        for power in (1, 2):
            for factor in range(factors):
                weights = C[:, factor].astype(np.float64) ** power
                counted = np.bincount(found, weights=weights, minlength=components + 1)
                self._sums[power - 1, :, factor] += counted[1:]

    def table(self) -> pd.DataFrame:
        """Return mean and standard deviation by component and factor: `COMPONENT_COLUMNS`."""
        _, components, factors = self._sums.shape
        mean, square = self._sums / np.maximum(self.sizes, 1)[:, None]
        return pd.DataFrame(
            {
                "component": np.repeat(np.arange(1, components + 1), factors),
                "factor": np.tile(np.arange(1, factors + 1), components),
                "mean": mean.ravel(),
                "standard_deviation": np.sqrt(np.maximum(square - mean**2, 0)).ravel(),
            }
        )
