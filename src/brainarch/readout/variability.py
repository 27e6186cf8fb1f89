"""Variability of representations within areas against between areas (V's subject; measure ours)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.embedding.representations import Representations
from brainarch.readout.geometry import block_sums, spreads
from brainarch.statistics.bootstrap import block_sizes, bootstrap_counts
from brainarch.statistics.metrics import ratio

#: The parts of the variance, and the share of one.
PARTS = ("within", "between", "share_between")
_INTERVAL = "end of its 95 % interval (spatial block bootstrap; none below 8 blocks)"
VARIABILITY_COLUMNS = {
    "network": "network whose representation is meant",
    "area": "area; all: the mean of the areas, each weighing the same",
    "within": "mean squared distance of the area's patches from their mean (the representation's "
    "units, squared)",
    "within_low": f"lower {_INTERVAL}",
    "within_high": f"upper {_INTERVAL}",
    "between": "squared distance of the area's mean from the mean of all areas' means (same units)",
    "between_low": f"lower {_INTERVAL}",
    "between_high": f"upper {_INTERVAL}",
    "share_between": "between / (within + between); of all, the share of the whole variance that "
    "lies between areas",
    "share_between_low": f"lower {_INTERVAL}",
    "share_between_high": f"upper {_INTERVAL}",
}


def area_variability(
    content: Representations, *, resamples: int, block_px: int, seed: int
) -> pd.DataFrame:
    """Return how much representations vary within areas and between them.

    Parameters
    ----------
    content : Representations
        Of a network; units of different scales are standardised first.
    resamples, block_px, seed : int
        Of the block bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row for each area that has patches, and ``all``; columns as in `VARIABILITY_COLUMNS`
        without ``network``.
    """
    names, counts = block_sums(content, block_px)
    found = _parts(counts.sum(axis=0)[None])[0]
    rows = counts[..., 0]
    sizes = np.concatenate([rows, block_sizes(rows)[:, None]], axis=1)
    low, high = bootstrap_counts(
        _parts,
        counts,
        resamples,
        seed,
        sizes=np.repeat(sizes[:, :, None], len(PARTS), axis=2),
        share=np.array([part == "share_between" for part in PARTS]),
    )
    table = pd.DataFrame({"area": [*names, "all"]})
    for column, part in enumerate(PARTS):
        table[part] = found[:, column]
        table[f"{part}_low"], table[f"{part}_high"] = low[:, column], high[:, column]
    return table


def _parts(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return within, between and its share from numbers, squared lengths and sums.

    Shapes: (resamples, areas, units + 2) -> (resamples, areas + 1, 3); the last row is of all.
    """
    mean, variance = spreads(sums)
    apart = mean - mean.mean(axis=1, keepdims=True)
    parts = np.stack([variance, np.einsum("rau,rau->ra", apart, apart)], axis=-1)
    parts = np.concatenate([parts, parts.mean(axis=1, keepdims=True)], axis=1)
    share = ratio(parts[..., 1], parts.sum(axis=-1))
    return np.concatenate([parts, share[..., None]], axis=-1)
