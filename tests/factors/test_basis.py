"""Planted factors are found again."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from brainarch.errors import InputError
from brainarch.factors.basis import fit_basis, read_basis, write_basis
from brainarch.factors.nonnegative import nonnegative_coefficients
from brainarch.factors.rows import Rows
from brainarch.tables import read_table
from small_inputs import write_plain

SOLVER = {"starts": 1, "max_iterations": 200, "tolerance": 1e-4, "seed": 1}


def planted(n=600, seed=0, strengths=(1.0, 2.0, 4.0, 8.0)):
    """Return X = C B of sparse factors on partly separate units, with known strengths."""
    rng = np.random.default_rng(seed)
    k = len(strengths)
    B = rng.random((k, 24)) * (rng.random((k, 24)) < 0.4)
    B[np.arange(k), np.arange(k)] = 2.0  # a unit of its own each, so the answer is unique
    B[:, :k] *= np.eye(k)
    B /= np.linalg.norm(B, axis=1, keepdims=True)
    C = np.maximum(rng.normal(size=(n, k)), 0) * np.asarray(strengths)
    return C, B, (C @ B).astype(np.float32)


def test_planted_factors_are_recovered_up_to_order():
    _, B, X = planted()
    basis = fit_basis(Rows.of(X), 4, **SOLVER | {"max_iterations": 2000, "tolerance": 1e-7})
    similarity = basis.values @ B.T
    rows, columns = linear_sum_assignment(-similarity)
    assert similarity[rows, columns].min() > 0.999
    np.testing.assert_allclose(np.linalg.norm(basis.values, axis=1), 1)
    assert (basis.values >= 0).all()


def test_factors_come_in_the_order_of_explained_energy():
    _, B, X = planted()
    basis = fit_basis(Rows.of(X), 4, **SOLVER | {"max_iterations": 2000, "tolerance": 1e-7})
    assert (basis.values @ B.T).argmax(axis=1).tolist() == [3, 2, 1, 0]
    C, _ = nonnegative_coefficients(X, basis.values)
    energy = (C.astype(np.float64) ** 2).sum(axis=0)
    assert np.all(np.diff(energy) < 0)


def test_the_same_seed_gives_the_same_basis():
    _, _, X = planted(n=200)
    one, two = (fit_basis(Rows.of(X), 4, **SOLVER).values for _ in range(2))
    assert np.array_equal(one, two)


def test_reaching_the_last_iteration_is_said():
    rng = np.random.default_rng(6)
    X = rng.random((100, 12)).astype(np.float32)
    assert not fit_basis(Rows.of(X), 6, **SOLVER | {"max_iterations": 2}).converged
    assert fit_basis(Rows.of(X), 2, **SOLVER | {"max_iterations": 500, "tolerance": 1e-3}).converged


@pytest.mark.parametrize(
    ("X", "factors", "words"),
    [
        (np.ones((9, 4)), 5, "ask for fewer"),
        (np.ones((3, 8)), 5, "ask for fewer"),
        (-np.ones((9, 4)), 2, "0 values are not finite and 36 negative"),
        (np.full((9, 4), np.nan), 2, "36 values are not finite and 0 negative"),
        (np.zeros((9, 4)), 2, "every unit is 0"),
    ],
)
def test_unusable_input_is_refused_in_one_line(X, factors, words):
    with pytest.raises(InputError, match=words) as raised:
        fit_basis(Rows.of(X), factors, **SOLVER)
    assert "\n" not in str(raised.value)


def test_a_basis_survives_its_table_exactly(tmp_path):
    basis = np.random.default_rng(1).random((3, 6))
    write_basis(basis, tmp_path / "basis.csv")
    assert np.array_equal(read_basis(tmp_path / "basis.csv"), basis)


def test_a_damaged_basis_is_refused(tmp_path):
    path = tmp_path / "basis.csv"
    write_basis(np.random.default_rng(1).random((3, 6)), path)
    table = read_table(path)
    write_plain(table[:-1], path)
    with pytest.raises(InputError, match="one non-negative value"):
        read_basis(path)
    write_plain(table[["factor", "unit"]], path)
    with pytest.raises(InputError, match="not a basis table"):
        read_basis(path)
