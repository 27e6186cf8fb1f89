"""How much of a slice a few named places name rightly: `python bench/naming.py results/NAME`.

Places are drawn at random inside each area of the first slice of the page to explore; names are
given as that page gives them, to the rounded units, and judged on every labelled place of the first
slice and of the second, where nothing was named.
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.linear_model import RidgeClassifier

import brainarch
from brainarch.explorer.thin import MOST_PIXELS, step_within, thin_cube, unit_length
from brainarch.grids.labels import read_codes
from brainarch.pipeline.dataset import Dataset

#: How strongly weights are drawn to 0, as on the page (page/ridge.js).
ALPHA = 0.03
DRAWS = 20


def places(brain: Dataset, z: int) -> tuple[np.ndarray, np.ndarray]:
    """Return units and codes of a slice's labelled places: shape (n, units), (n,)."""
    cube = brain.cube(z)
    step = step_within(cube.shape, MOST_PIXELS)
    thin = thin_cube(cube, step)
    codes = read_codes(brain.labels().path, cube)[::step, ::step][thin.extracted]
    return unit_length(thin.values())[codes > 0], codes[codes > 0]


def main() -> None:
    """Print a row for each number of named places an area."""
    brain = brainarch.open(sys.argv[1])
    slices = [places(brain, z) for z in brain.config.extraction.slices[:2]]
    X, codes = slices[0]
    for count in (1, 2, 3, 5, 10, 20):
        right = []
        for seed in range(DRAWS):
            rng = np.random.default_rng(seed)
            own = [rng.choice(np.flatnonzero(codes == c), count, False) for c in np.unique(codes)]
            named = np.concatenate(own)
            fitted = RidgeClassifier(alpha=ALPHA).fit(X[named], codes[named])
            right.append([(fitted.predict(X_) == codes_).mean() for X_, codes_ in slices])
        low, median, high = np.quantile(right, (0, 0.5, 1), axis=0)
        found = (f"{m:.2f} ({a:.2f} to {b:.2f})" for a, m, b in zip(low, median, high, strict=True))
        print(f"{count:3d}  " + "   ".join(found))


if __name__ == "__main__":
    main()
