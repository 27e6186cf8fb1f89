"""How unlike its training data a pixel is (ours; neither paper measures it).

The patches that trained the network are described by the mean representation of each area and one
covariance that all areas share: a Gaussian density for each area. A pixel's novelty is its
Mahalanobis distance from the nearest area: a network names every pixel, also one that is of no area
that it knows. Its log-likelihood follows from that distance.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.records import read_record, write_record

#: Name of the file's layout.
FORMAT = "brainarch-novelty-1"
REMEDY = "run `brainarch fit-novelty` again"


@dataclass(frozen=True, eq=False)
class Usual:
    """What representations of the training patches are like.

    Parameters
    ----------
    means : ndarray of float64, shape (areas, units)
        Of each area that has training patches.
    precision : ndarray of float64, shape (units, units)
        Inverse of the covariance inside areas, which all areas share.
    quantile, threshold : float
        Share of the training patches that are no farther than the threshold.
    network : str
        Digest of the network; see `brainarch.network.trained.TrainedNetwork`.
    """

    means: NDArray[np.float64]
    precision: NDArray[np.float64]
    quantile: float
    threshold: float
    network: str

    def distances(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the distance of representations from the nearest area.

        Parameters
        ----------
        values : ndarray, shape (n, units)

        Returns
        -------
        ndarray of float64, shape (n,)
            Mahalanobis distance over the square root of the number of units: about 1 is usual.
        """
        return np.asarray(self.area_distances(values).min(axis=1))

    def area_distances(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the distance of representations from every area, shape (n, areas)."""
        whitening = np.linalg.cholesky(self.precision)
        whitened = values.astype(np.float64) @ whitening
        found = np.empty((len(values), len(self.means)))
        for index, centre in enumerate(self.means @ whitening):
            own = whitened - centre
            found[:, index] = np.einsum("nu,nu->n", own, own)
        return np.asarray(np.sqrt(found / values.shape[1]))

    @property
    def log_density(self) -> float:
        """Natural logarithm of an area's density at its mean.

        That of a representation at distance d is ``log_density - units d**2 / 2``.
        """
        units = len(self.precision)
        return float(np.linalg.slogdet(self.precision)[1] - units * np.log(2 * np.pi)) / 2


def map_novelty(cube: Cube, usual: Usual) -> NDArray[np.float32]:
    """Return the novelty of every extracted pixel, shape (rows, columns); NaN elsewhere."""
    novelty = np.full(cube.shape, np.nan, dtype=np.float32)
    for iy, ix, X in cube.batches(desc="novelty"):
        novelty[iy, ix] = usual.distances(X)
    return novelty


def write_usual(usual: Usual, path: Path) -> None:
    """Write the description in one step."""
    arrays = {"means": usual.means.tolist(), "precision": usual.precision.tolist()}
    write_record(path, {"format": FORMAT, **asdict(usual), **arrays})


def read_usual(path: Path) -> Usual:
    """Read what `write_usual` wrote.

    Raises
    ------
    InputError
        If it is missing, damaged or something else.
    """
    content = read_record(path, REMEDY)
    if content.pop("format", None) != FORMAT:
        raise InputError(f"{path}: no description of training data; {REMEDY}")
    means, precision = (np.array(content.pop(name), float) for name in ("means", "precision"))
    return Usual(means, precision, **content)
