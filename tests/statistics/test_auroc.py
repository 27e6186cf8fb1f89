from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from brainarch.statistics.auroc import auroc, auroc_of_ranks, average_ranks


@pytest.mark.parametrize("distinct", [2, 7, 10_000])
def test_auroc_is_sklearns(distinct):
    rng = np.random.default_rng(distinct)
    score = rng.integers(0, distinct, (20, 30)).astype(np.float32)
    mask = rng.random((20, 30)) < 0.3
    assert auroc(score, mask) == pytest.approx(roc_auc_score(mask.ravel(), score.ravel()))


def test_auroc_counts_pairs():
    score, mask = np.array([3, 1, 2, 2, 5]), np.array([True, False, True, False, False])
    inside, outside = score[mask], score[~mask]
    pairs = [(a > b) + 0.5 * (a == b) for a in inside for b in outside]
    assert auroc(score, mask) == pytest.approx(np.mean(pairs))


def test_constant_scores_say_nothing():
    assert auroc(np.zeros(9), np.arange(9) < 4) == 0.5


def test_reversed_scores_mirror():
    rng = np.random.default_rng(0)
    score, mask = rng.normal(size=200), rng.random(200) < 0.4
    assert auroc(score, mask) + auroc(-score, mask) == pytest.approx(1)


def test_many_masks_of_one_ranking():
    rng = np.random.default_rng(0)
    score = rng.integers(0, 9, 100)
    ranks = average_ranks(score)
    for _ in range(5):
        mask = rng.random(100) < 0.5
        assert auroc_of_ranks(ranks, mask) == auroc(score, mask)


@pytest.mark.parametrize("mask", [np.zeros(4, bool), np.ones(4, bool)])
def test_full_or_empty_mask_has_none(mask):
    assert np.isnan(auroc(np.arange(4), mask))


def test_nan_scores_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        auroc(np.array([1.0, np.nan]), np.array([True, False]))


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="shape"):
        auroc(np.arange(4), np.ones(3, bool))
