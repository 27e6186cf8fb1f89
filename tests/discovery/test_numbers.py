"""Numbers of components: a planted number is found, BIC is scikit-learn's, halves are halves."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from brainarch.discovery import numbers
from brainarch.discovery.mixture import REGULARISATION
from brainarch.discovery.numbers import NUMBER_COLUMNS, chequered, compare_numbers


def planted(n: int = 600, seed: int = 0) -> np.ndarray:
    """Return coefficients of three groups, non-negative, of four factors and one that is absent."""
    rng = np.random.default_rng(seed)
    means = 4 * np.eye(5)[rng.integers(0, 3, n)] + [1, 1, 1, 1, 0]
    return np.maximum(means + 0.5 * rng.normal(size=(n, 5)) * [1, 1, 1, 1, 0], 0)


def test_the_planted_number_is_found_and_is_stable() -> None:
    C, half = planted(), np.arange(600) % 2 == 0
    found = compare_numbers(C, half, [1, 2, 3, 5], 300, seed=1).set_index("components")
    assert set(found.columns) | {"slice", "components"} == set(NUMBER_COLUMNS)
    assert found["bic"].idxmin() == found["bic_patches"].idxmin() == 3
    assert found["held_out"].idxmax() == 3
    assert found.loc[3, "halves"] > 0.99
    assert found.loc[3, "starts"] == pytest.approx(1)
    assert found.loc[5, "halves"] < 0.95
    # what is fitted rises with every component, what is held out is never much above it
    assert found["log_likelihood"].is_monotonic_increasing
    assert (found["held_out"] < found["log_likelihood"] + 0.1).all()


def test_bic_is_that_of_scikit_learn() -> None:
    C = planted(300)
    row = compare_numbers(C, np.arange(300) < 150, [2], 40, seed=2).iloc[0]
    used = C[:, :4]
    scaled = used / np.sqrt(np.square(C.std(axis=0)).mean())
    model = GaussianMixture(2, reg_covar=REGULARISATION, n_init=10, random_state=0).fit(scaled)
    assert row["bic"] == pytest.approx(model.bic(scaled), rel=1e-3)
    penalty = row["bic"] + 2 * 300 * row["log_likelihood"]
    assert row["parameters"] == round(penalty / np.log(300))
    fewer = -2 * 40 * row["log_likelihood"] + row["parameters"] * np.log(40)
    assert row["bic_patches"] == pytest.approx(fewer)


def test_a_half_is_scored_in_the_units_of_the_whole() -> None:
    """Halves of the very same values are as likely as the whole, whatever scale each has."""
    C = np.repeat(planted(200), 2, axis=0)
    row = compare_numbers(C, np.arange(400) % 2 == 0, [2], 40, seed=3).iloc[0]
    assert row["held_out"] == pytest.approx(row["log_likelihood"], abs=1e-3)


def test_halves_are_a_chequerboard_of_two_patches() -> None:
    iy, ix = np.indices((300, 300)).reshape(2, -1)
    half = chequered(iy, ix, 2).reshape(300, 300)
    side = numbers.BLOCK_PX // 2
    assert not half[:side, :side].any()
    assert half[:side, side : 2 * side].all()
    assert half[side : 2 * side, :side].all()
    assert not half[side : 2 * side, side : 2 * side].any()
    iy, ix = np.indices((20, 30)).reshape(2, -1)  # within one block: the lower rows
    assert (chequered(iy, ix, 2) == (iy >= 10)).all()
