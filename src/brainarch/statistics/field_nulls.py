"""Surrogate maps with a map's own autocorrelation, which know nothing of any other map (ours).

Two smooth maps agree by chance far more often than as many independent pixels would. Surrogates are
Gaussian fields with the map's covariance; they are independent of each other, so that any number of
them can be drawn, unlike shifts of one map. The covariance is a sum of Gaussians of several widths
along rows and columns with weights of at least 0, fitted to that of all pairs of known pixels at
each displacement. A constant is fitted with them: taking the mean away lowers every covariance.

A map of few blobs tells little about its own covariance. What is compared with fields drawn from it
is therefore divided by its standard deviation under the covariance of the same map, each field's by
that which the field itself would have given (a studentised bootstrap).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.optimize import nnls

#: Ratio of neighbouring widths of a Gaussian; the widest in pixels, and as a share of the map.
WIDER, WIDEST, SHARE = 2.0, 64.0, 0.6
#: Round a circle of as many times the widest, nothing is alike.
ROUND = 5.0


class FieldModel:
    """Gaussian fields on the known pixels of a grid, whose covariance is fitted to maps there.

    Parameters
    ----------
    known : ndarray of bool, shape (rows, columns)
    """

    def __init__(self, known: NDArray[np.bool_]) -> None:
        self.known = known
        # so large that no displacement leads round the map
        lengths = [max(2 * size, ROUND * _widths(size)[-1]) for size in known.shape]
        high, wide = (fft.next_fast_len(int(length), real=True) for length in lengths)
        self._shape = (high, wide)
        gaussians = [
            [_gaussian(length, width) for width in _widths(size)]
            for length, size in zip(self._shape, known.shape, strict=True)
        ]
        self._parts = np.stack(
            [np.outer(one, other) for one in gaussians[0] for other in gaussians[1]]
        )
        number = self._pairs(known.astype(np.float64))
        self._seen = number > 0.5
        weight = np.sqrt(number[self._seen])
        columns = np.column_stack([*(self._parts[:, self._seen] * weight), -weight])
        q, self._triangle = np.linalg.qr(columns)
        self._rotate = q.T / weight

    def fit(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the weight of each Gaussian in the covariance of a map.

        Parameters
        ----------
        values : ndarray, shape (known pixels,)
            In raster order.
        """
        centred = np.zeros(self.known.shape)
        centred[self.known] = values - values.mean()
        weights, _ = nnls(self._triangle, self._rotate @ self._pairs(centred)[self._seen])
        return np.asarray(weights[:-1], dtype=np.float64)

    def draw(
        self, weights: NDArray[np.float64], count: int, rng: np.random.Generator
    ) -> Iterator[NDArray[np.float64]]:
        """Yield independent fields with a covariance, each of shape (known pixels,)."""
        rows, columns = self.known.shape
        covariance = np.tensordot(weights, self._parts, axes=1)
        amplitude = np.sqrt(np.maximum(fft.rfft2(covariance).real, 0.0))
        for _ in range(count):
            noise = fft.rfft2(rng.standard_normal(self._shape))
            field = fft.irfft2(amplitude * noise, self._shape)
            yield np.asarray(field[:rows, :columns][self.known])

    def variances(self, contrasts: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return what each Gaussian adds to the variance of weighted sums of a field.

        Parameters
        ----------
        contrasts : ndarray, shape (contrasts, known pixels)
            Weights of the pixels; those of a contrast add up to 0.

        Returns
        -------
        ndarray, shape (contrasts, Gaussians)
            Its product with the weights of `fit` is the variance of ``contrasts @ field``.
        """
        found = np.empty((len(contrasts), len(self._parts)))
        whole = np.zeros(self.known.shape)
        for row, contrast in zip(found, contrasts, strict=True):
            whole[self.known] = contrast
            row[:] = np.tensordot(self._parts, self._pairs(whole), axes=2)
        return found

    def _pairs(self, field: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the sum of the products of all pairs of pixels at each displacement."""
        spectrum = np.abs(fft.rfft2(field, self._shape)) ** 2
        return np.asarray(fft.irfft2(spectrum, self._shape))


def _widths(size: int) -> list[float]:
    """Return the widths along one axis in pixels, 0 (no neighbour is alike) first."""
    found, width = [0.0], 1.0
    while width <= min(SHARE * size, WIDEST):
        found.append(width)
        width *= WIDER
    return found


def _gaussian(length: int, width: float) -> NDArray[np.float64]:
    """Return a Gaussian of the distance from 0 round a circle."""
    place = np.arange(length)
    distance = np.minimum(place, length - place)
    if width == 0:
        return np.asarray(distance == 0, dtype=np.float64)
    return np.asarray(np.exp(-((distance / width) ** 2) / 2))
