"""Shared information and given-back share against other ways to compute them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import nnls

from brainarch.factors import information
from brainarch.factors.information import FactorSample, mutual_information, random_choices


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    B = rng.random((5, 12)) * (rng.random((5, 12)) < 0.6)
    B /= np.linalg.norm(B, axis=1, keepdims=True)
    C = rng.exponential(size=(200, 5)) * [1, 4, 1, 2, 1]
    X = (C @ B + 0.05 * rng.random((200, 12))).astype(np.float32)
    return X, B, FactorSample(X, B)


def test_the_share_is_that_of_non_negative_least_squares(sample):
    X, B, found = sample
    for chosen in ((1,), (0, 3), (0, 1, 2, 3, 4)):
        left = sum(nnls(B[list(chosen)].T, x.astype(float))[1] ** 2 for x in X)
        expected = 1 - left / (X.astype(float) ** 2).sum()
        assert found.share(chosen) == pytest.approx(expected, abs=1e-5)


def test_the_strong_factors_give_back_more_than_random_ones(sample):
    _, _, found = sample
    row = found.compare([1, 3], np.random.default_rng(0))
    shares = [found.share(choice) for choice in combinations(range(5), 2)]
    assert row["share"] == max(shares)
    assert row["share_median"] == np.median(shares)
    assert row["share_above"] == 0.9
    assert row["share_all"] > row["share"]
    assert set(row) <= set(information.CHOICE_COLUMNS)


def test_mutual_information_of_copies_is_their_entropy_and_of_strangers_none():
    rng = np.random.default_rng(1)
    one, other = rng.random(20000), rng.random(20000)
    found = mutual_information(np.stack([one, np.exp(one), other], axis=1))
    assert found[0, 1] == pytest.approx(np.log2(information.BINS), abs=0.01)
    assert found[0, 2] < 0.02
    assert np.array_equal(found, found.T)
    assert mutual_information(np.zeros((50, 2))).max() == pytest.approx(0)


def test_pairs_hold_pearsons_correlation(sample):
    X, B, found = sample
    C = np.array([nnls(B.T, x.astype(float))[0] for x in X])
    table = found.pairs()
    assert len(table) == 10
    row = table[(table["factor"] == 2) & (table["other"] == 4)].iloc[0]
    assert row["correlation"] == pytest.approx(np.corrcoef(C[:, 1], C[:, 3])[0, 1], abs=1e-4)


def test_choices_are_all_where_they_are_few_and_never_twice():
    assert random_choices(4, 2, np.random.default_rng(0)) == list(combinations(range(4), 2))
    many = random_choices(20, 6, np.random.default_rng(0))
    assert len(set(many)) == len(many) == information.CHOICES
    assert all(len(set(choice)) == 6 for choice in many)
