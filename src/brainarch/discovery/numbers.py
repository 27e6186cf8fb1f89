"""How many components: mixtures of several numbers compared on one sample of pixels (ours)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from brainarch.discovery.mixture import Mixture, fit_mixture
from brainarch.geometry import PATCH
from brainarch.progress import progress

#: Starts of each mixture: fewer than of the one that is kept, for there are three for each number.
STARTS = 5
#: Side in pixels of the slice of the blocks whose chequerboard makes two halves: two patches.
BLOCK_PX = 2 * PATCH

NUMBER_COLUMNS = {
    "slice": "slice",
    "components": "number of components",
    "log_likelihood": "mean log-likelihood of a pixel of the sample (nats, coefficients divided by "
    "the root of their mean variance)",
    "held_out": "the same of pixels of each half under the mixture of the other half: where it no "
    "longer rises, more components describe the sample only",
    "parameters": "free parameters",
    "bic": "Bayesian information criterion, were the sampled pixels independent: lowest is best",
    "bic_patches": "the same for as many independent pixels as patches fit into the area without "
    "sharing a pixel, which is nearer to the truth",
    "starts": "mean adjusted Rand index of other starts with the best: 1 if all find the same",
    "halves": "adjusted Rand index, on the whole sample, of the mixtures of the two halves",
    "pixels": "pixels of the sample",
    "patches": "patches that fit into the area without sharing a pixel",
}


def compare_numbers(
    C: NDArray[np.floating],
    half: NDArray[np.bool_],
    numbers: Sequence[int],
    patches: int,
    seed: int,
    threads: int = 1,
) -> pd.DataFrame:
    """Fit mixtures of several numbers of components, to all pixels and to two halves of them.

    Parameters
    ----------
    C : ndarray, shape (n, k)
        Coefficients of a sample of the area's pixels.
    half : ndarray of bool, shape (n,)
        Which half each pixel is of.
    numbers : sequence of int
        Numbers of components.
    patches : int
        Patches that fit into the area without sharing a pixel.
    seed, threads : int
        As for `brainarch.discovery.mixture.fit_mixture`.

    Returns
    -------
    pandas.DataFrame
        A row of each number; columns as in `NUMBER_COLUMNS` without slice.

    Raises
    ------
    InputError
        If a half has too few pixels, or no coefficient varies.
    """
    rows = []
    for components in progress(numbers, desc="numbers of components", unit="mixture"):
        whole, *parts = (
            fit_mixture(own, components, seed, threads, STARTS) for own in (C, C[half], C[~half])
        )
        held_out = [
            _score(own, C[part], whole.scale)
            for own, part in zip(parts, (~half, half), strict=True)
        ]
        found = [own.assign(C)[0] for own in parts]
        rows.append(
            {
                "components": components,
                "log_likelihood": whole.log_likelihood,
                "held_out": float(np.mean(held_out)),
                "parameters": whole.parameters,
                "bic": _bic(whole, len(C)),
                "bic_patches": _bic(whole, patches),
                "starts": float((np.sum(whole.agreement) - 1) / (STARTS - 1)),  # 1: the best's own
                "halves": float(adjusted_rand_score(*found)),
                "pixels": len(C),
                "patches": patches,
            }
        )
    return pd.DataFrame(rows)


def chequered(iy: NDArray[np.integer], ix: NDArray[np.integer], stride: int) -> NDArray[np.bool_]:
    """Return the half of each pixel, shape (n,): every other block of a chequerboard.

    An area too small for that, of which one half would get less than a third, is cut in two rows.

    Parameters
    ----------
    iy, ix : ndarray of int, shape (n,)
        Pixels of a grid, in raster order.
    stride : int
        Of the grid, in pixels of the slice.
    """
    side = max(1, BLOCK_PX // stride)
    half = np.asarray((iy // side + ix // side) % 2 == 1)
    return half if 1 / 3 <= half.mean() <= 2 / 3 else np.arange(len(iy)) >= len(iy) // 2


def _bic(mixture: Mixture, pixels: int) -> float:
    return -2 * pixels * mixture.log_likelihood + mixture.parameters * float(np.log(pixels))


def _score(mixture: Mixture, C: NDArray[np.floating], scale: float) -> float:
    """Return the mean log-likelihood of pixels whose coefficients are divided by ``scale``."""
    own = C[:, mixture.used].astype(np.float64) / mixture.scale
    unit = float(np.log(mixture.scale / scale))
    return float(mixture.model.score(own)) - int(mixture.used.sum()) * unit
