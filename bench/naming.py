"""How much a few named places name rightly: `python bench/naming.py results/NAME`.

First as on the page to explore: places are drawn at random inside each area of its first slice, and
judged on every labelled place of that slice and of the second, where nothing was named. Then every
compared network on the sampled test patches, some of which are named and the rest judged. Patches
overlap, so this compares networks and says less of each.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeClassifier

import brainarch
from brainarch.embedding.representations import load_representations
from brainarch.explorer.thin import MOST_PIXELS, step_within, thin_cube, unit_length
from brainarch.grids.labels import read_codes
from brainarch.pipeline.dataset import Dataset

#: How strongly weights are drawn to 0, as on the page (page/ridge.js).
ALPHA = 0.03
COUNTS = (1, 2, 3, 5, 10, 20)
DRAWS = 20
#: Units and codes of places: shape (n, units), (n,).
Places = tuple[np.ndarray, np.ndarray]


def places(brain: Dataset, z: int, network: str) -> Places:
    """Return a slice's labelled places as the page has them."""
    cube = brain.cube(z, network)
    step = step_within(cube.shape, MOST_PIXELS)
    thin = thin_cube(cube, step)
    codes = read_codes(brain.labels().path, cube)[::step, ::step][thin.extracted]
    return unit_length(thin.values())[codes > 0], codes[codes > 0]


def patches(brain: Dataset, network: str) -> Places:
    """Return the test patches; units that are not commensurate are standardised first."""
    path = brain.pipeline.results.representations(network, "test")
    found = load_representations(Path(path))
    X = found.values.astype(np.float64)
    if not found.commensurate:
        X = (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-9)
    return unit_length(X), found.area


def judge(named: Places, others: Sequence[Places]) -> list[str]:
    """Return a row for each number of named places: the share right, median and range of draws.

    Where ``others`` is empty, the places that were not named are judged.
    """
    X, codes = named
    rows = []
    for count in COUNTS:
        right = []
        for seed in range(DRAWS):
            rng = np.random.default_rng(seed)
            own = [rng.choice(np.flatnonzero(codes == c), count, False) for c in np.unique(codes)]
            chosen = np.concatenate(own)
            fitted = RidgeClassifier(alpha=ALPHA).fit(X[chosen], codes[chosen])
            rest = np.delete(np.arange(len(codes)), chosen)
            judged = others or [(X[rest], codes[rest])]
            right.append([(fitted.predict(X_) == codes_).mean() for X_, codes_ in judged])
        low, median, high = np.quantile(right, (0, 0.5, 1), axis=0)
        found = (f"{m:.2f} ({a:.2f} to {b:.2f})" for a, m, b in zip(low, median, high, strict=True))
        rows.append(f"{count:3d}  " + "   ".join(found))
    return rows


def main() -> None:
    """Print a table for the page, and one for each network."""
    brain = brainarch.open(sys.argv[1])
    slices = brain.config.extraction.slices[:2]
    for network in brain.pipeline.extracted:
        shown = [places(brain, z, network) for z in slices]
        print(f"{network}: places named of each area of slice {slices[0]}; right on {slices}")
        print("\n".join(judge(shown[0], shown)))
    for network in brain.pipeline.networks:
        print(f"{network}: test patches named of each area; right among the rest")
        print("\n".join(judge(patches(brain, network), [])))


if __name__ == "__main__":
    main()
