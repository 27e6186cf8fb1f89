"""The rank sweep finds planted numbers of factors, and its pieces are what they are called."""

from __future__ import annotations

import numpy as np
import pytest

from brainarch.factors.ranks import (
    RANK_COLUMNS,
    Descending,
    hold_out,
    matched_cosine,
    sweep_ranks,
    unit_parts,
)
from brainarch.factors.rows import BLOCK_ROWS, Rows

DESCENDING = Descending(starts=2, max_iterations=60, tolerance=3e-4)
PLANTED = 5


def planted(rows: int = 2000, noise: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(0)
    C = np.maximum(rng.normal(size=(rows, PLANTED)), 0)
    B = rng.exponential(size=(PLANTED, 64)) * (rng.random((PLANTED, 64)) < 0.5)
    X = C @ B
    return np.maximum(X + rng.normal(scale=noise * X.std(), size=X.shape), 0).astype(np.float32)


def test_held_out_error_is_least_at_the_planted_number_and_the_fits_is_not() -> None:
    found = sweep_ranks(Rows.of(planted(800)), [2, 4, 5, 6, 9], DESCENDING, seed=1, threads=1)
    assert list(found.columns) == list(RANK_COLUMNS)
    held = found.set_index("factors")["held_out_error"]
    assert held.idxmin() == PLANTED
    assert held[2] > 1.5 * held[5]
    assert held[9] > 1.01 * held[5]
    assert found["relative_error"].is_monotonic_decreasing
    stable = found.set_index("factors")["halves_cosine"]
    assert stable[5] > 0.98
    assert stable[9] < stable[5]
    assert (found["held_out_low"] <= found["held_out_error"]).all()
    assert (found["held_out_high"] >= found["held_out_error"]).all()


def test_without_noise_what_is_held_out_is_predicted() -> None:
    X = planted(600, noise=0.0)
    rows = np.arange(600) % 2 == 0
    (units, _) = unit_parts(64, np.random.default_rng(0))
    tight = Descending(1, 500, 1e-6)
    left, energy = hold_out(X, rows, units, PLANTED, tight)
    assert energy == pytest.approx(float((X[np.ix_(rows, units)].astype(float) ** 2).sum()))
    assert np.sqrt(left / energy) < 0.02


def test_held_out_values_are_not_seen() -> None:
    """Whatever stands there, the prediction is the same: the error is that of the other values."""
    X = planted(400)
    rows = np.arange(400) % 2 == 0
    (units, _) = unit_parts(64, np.random.default_rng(0))
    block = np.ix_(rows, units)
    other = X.copy()
    other[block] = 0
    left, energy = hold_out(other, rows, units, PLANTED, DESCENDING)
    assert energy == 0
    predicted = left
    double = X.copy()
    double[block] *= 2
    one, two = (hold_out(values, rows, units, PLANTED, DESCENDING) for values in (X, double))
    # ||aT - P||^2 at a = 0, 1, 2 determines itself
    assert two[0] - 2 * one[0] + predicted == pytest.approx(2 * one[1], rel=1e-6)


def test_units_are_cut_into_disjoint_parts() -> None:
    parts = unit_parts(64, np.random.default_rng(3))
    assert (np.sum(parts, axis=0) == 1).all()
    assert {int(part.sum()) for part in parts} == {32}


def test_matched_cosine_of_shuffled_rows_is_one() -> None:
    B = np.random.default_rng(1).random((4, 9))
    B /= np.linalg.norm(B, axis=1, keepdims=True)
    assert matched_cosine(B, B[[2, 0, 3, 1]]) == pytest.approx(1)
    assert matched_cosine(B[:1], np.eye(9)[:1]) == pytest.approx(B[0, 0])


def test_halves_are_of_blocks() -> None:
    """Two blocks: the second one is noise, and the halves agree in nothing."""
    X = np.concatenate([planted(BLOCK_ROWS), np.random.default_rng(2).random((BLOCK_ROWS, 64))])
    found = sweep_ranks(Rows.of(X), [5], DESCENDING, seed=1, threads=1)
    assert found["pixels"].iloc[0] == 4096
    assert found["halves_cosine"].iloc[0] < 0.9
