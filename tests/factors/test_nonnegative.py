"""Non-negative coefficients against scipy, row by row."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from brainarch.factors.nonnegative import nonnegative_coefficients, unit_rows


def reference(X, B):
    return np.array([nnls(B.T, row.astype(np.float64))[0] for row in X])


@pytest.mark.parametrize("correlated", [False, True])
def test_coefficients_equal_scipy_nnls(correlated):
    rng = np.random.default_rng(1)
    B = np.maximum(rng.normal(size=(7, 20)), 0)
    if correlated:  # nearly collinear rows make coordinate descent slow
        B = B[0] + 0.05 * B
    X = np.maximum(rng.normal(size=(60, 20)), 0).astype(np.float32)
    C, unfinished = nonnegative_coefficients(X, B)
    expected = reference(X, B)
    assert unfinished == 0
    np.testing.assert_allclose(C, expected, atol=2e-5 * expected.max())
    assert (expected == 0).any(), "no row has an inactive factor: the test is too easy"
    assert np.all(C[expected == 0] < 1e-6)


def test_inactive_coefficients_are_exactly_zero():
    X = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]], dtype=np.float32)
    C, _ = nonnegative_coefficients(X, np.eye(2))
    assert C.tolist() == [[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]


def test_a_row_depends_neither_on_its_batch_nor_on_threads():
    rng = np.random.default_rng(2)
    X = np.maximum(rng.normal(size=(50, 9)), 0).astype(np.float32)
    B = rng.random((4, 9))
    whole, _ = nonnegative_coefficients(X, B, threads=2)
    alone = np.concatenate([nonnegative_coefficients(X[i : i + 1], B)[0] for i in range(50)])
    assert np.array_equal(whole, alone)


def test_a_factor_of_zeros_gets_nothing():
    B = np.array([[1.0, 1.0], [0.0, 0.0]])
    C, unfinished = nonnegative_coefficients(np.array([[2.0, 2.0]], dtype=np.float32), B)
    assert unfinished == 0
    np.testing.assert_allclose(C, [[2.0, 0.0]])


def test_unit_rows_leave_the_product_unchanged():
    rng = np.random.default_rng(3)
    C, B = rng.random((30, 5)), rng.random((5, 12)) * np.array([[0.01], [1], [3], [100], [7]])
    scaled_C, scaled_B = unit_rows(C, B)
    np.testing.assert_allclose(np.linalg.norm(scaled_B, axis=1), 1)
    np.testing.assert_allclose(scaled_C @ scaled_B, C @ B)


def test_unit_rows_keep_a_row_of_zeros():
    C, B = unit_rows(np.ones((2, 2)), np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert C.tolist() == [[5.0, 0.0], [5.0, 0.0]]
    assert B.tolist() == [[0.6, 0.8], [0.0, 0.0]]
