"""Surrogate maps with a map's own autocorrelation, which know nothing of any other map (ours).

Two smooth maps agree by chance far more often than as many independent pixels would. Surrogates are
Gaussian fields with the map's covariance; they are independent of each other, so that any number of
them can be drawn, unlike shifts of one map. The covariance is a sum of Gaussians of several widths
along rows and columns with weights of at least 0, fitted to that of all pairs of known pixels at
each displacement. A constant is fitted with them: taking the mean away lowers every covariance.
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


def field_surrogates(
    values: NDArray[np.floating], count: int, rng: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Yield fields as autocorrelated as a map.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        NaN where unknown; their mean is taken away.
    count : int
        Fields wanted.
    rng : numpy.random.Generator

    Yields
    ------
    ndarray of float64, shape (known pixels,)
        In raster order.
    """
    known = np.isfinite(values)
    rows, columns = values.shape
    amplitude, shape = _amplitude(values, known)
    for _ in range(count):
        field = fft.irfft2(amplitude * fft.rfft2(rng.standard_normal(shape)), shape)
        yield field[:rows, :columns][known]


def _amplitude(
    values: NDArray[np.floating], known: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """Return the root of the covariance's spectrum, and the size that it is of."""
    centred = np.where(known, values - values[known].mean(), 0.0)
    # so large that no displacement leads round the map
    lengths = [max(2 * size, ROUND * _widths(size)[-1]) for size in values.shape]
    high, wide = (fft.next_fast_len(int(length), real=True) for length in lengths)

    def pairs(field: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.asarray(fft.irfft2(np.abs(fft.rfft2(field, (high, wide))) ** 2, (high, wide)))

    number, products = pairs(known.astype(np.float64)), pairs(centred)
    gaussians = [
        [_gaussian(length, width) for width in _widths(size)]
        for length, size in zip((high, wide), values.shape, strict=True)
    ]
    parts = [np.outer(one, other) for one in gaussians[0] for other in gaussians[1]]
    seen = number > 0.5
    weight = np.sqrt(number[seen])
    columns = [*(part[seen] * weight for part in parts), -weight]
    weights, _ = nnls(np.stack(columns, axis=1), products[seen] / weight)
    covariance = np.tensordot(weights[:-1], np.stack(parts), axes=1)
    return np.sqrt(np.maximum(fft.rfft2(covariance).real, 0.0)), (high, wide)


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
