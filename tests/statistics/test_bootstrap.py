from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from brainarch.statistics import bootstrap
from brainarch.statistics.metrics import accuracies, confusion_by_block, precision_recall_f1


def resample_rows(statistic, blocks, resamples, seed):
    """Return the interval of a statistic of row numbers, resample by resample."""
    rng = np.random.default_rng(seed)
    ids = np.unique(blocks)
    members = {block: np.flatnonzero(blocks == block) for block in ids}
    values = [
        statistic(np.concatenate([members[block] for block in rng.choice(ids, len(ids))]))
        for _ in range(resamples)
    ]
    return np.quantile(values, [0.025, 0.975])


def mean_interval(values, blocks, resamples, seed):
    """Return the interval of the mean of rows by `bootstrap_counts`."""
    positions, _ = bootstrap.index_blocks(blocks)
    counts = np.stack([np.bincount(positions, values), np.bincount(positions)], axis=1)
    return bootstrap.bootstrap_counts(lambda sums: sums[:, 0] / sums[:, 1], counts, resamples, seed)


def test_spatial_blocks_are_squares():
    y, x = (grid.ravel() for grid in np.mgrid[0:20, 0:30])
    found = bootstrap.spatial_blocks(y, x, side=8)
    by_hand = {}
    for row, column, block in zip(y, x, found, strict=True):
        by_hand.setdefault((row // 8, column // 8), set()).add(block)
    assert all(len(ids) == 1 for ids in by_hand.values())
    assert len(np.unique(found)) == len(by_hand) == 3 * 4


def test_mean_interval_is_that_of_block_means():
    # Equal blocks of identical rows: the mean of the rows is the mean of n block values, and its
    # bootstrap standard deviation is theirs (population) over sqrt(n). Rows are 25 times more.
    rng = np.random.default_rng(0)
    level_of_block = rng.normal(size=60)
    blocks = np.repeat(np.arange(60), 25)
    values = level_of_block[blocks]
    low, high = mean_interval(values, blocks, 4000, seed=3)
    half = norm.ppf(0.975) * level_of_block.std() / np.sqrt(60)
    assert low == pytest.approx(level_of_block.mean() - half, abs=0.12 * half)
    assert high == pytest.approx(level_of_block.mean() + half, abs=0.12 * half)


def test_rows_as_their_own_blocks_would_give_a_narrow_interval():
    # Control: ignoring the blocks understates the width by about sqrt(25).
    rng = np.random.default_rng(0)
    right = (rng.random(60) < 0.5)[np.repeat(np.arange(60), 25)]
    by_block = bootstrap.accuracy_interval(right, np.repeat(np.arange(60), 25), 2000, seed=0)
    by_row = bootstrap.accuracy_interval(right, np.arange(1500), 2000, seed=0)
    width = (by_block.high - by_block.low) / (by_row.high - by_row.low)
    assert width == pytest.approx(5, rel=0.1)


def test_blocks_are_drawn_whole():
    rows = np.array([2, 2, 3])  # of each block
    seen = []

    def statistic(sums):
        seen.append(sums)
        return sums[:, 0]

    bootstrap.bootstrap_counts(statistic, np.diag(rows), 50, seed=0)
    times = seen[0] / rows
    assert times.shape == (50, 3)
    assert (times == times.round()).all()
    assert (times.sum(axis=1) == 3).all()
    assert (times[:, 0] == 0).any()


def test_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(5)
    blocks = np.repeat(np.arange(40), 10)
    covered = 0
    for trial in range(200):
        rates = rng.beta(8, 2, size=40)
        right = rng.random(400) < rates[blocks]
        low, high = bootstrap.accuracy_interval(right, blocks, 400, seed=trial)
        covered += low <= 0.8 <= high
    # Binomial 3 standard deviations around 95 %, less what percentile intervals lose at 40 blocks.
    assert 0.88 <= covered / 200 <= 0.99


def test_counts_give_the_interval_of_rows():
    rng = np.random.default_rng(2)
    blocks = rng.integers(0, 30, 600)
    true, predicted = rng.integers(0, 3, 600), rng.integers(0, 3, 600)

    def recall_by_rows(rows):
        return (predicted[rows] == 0)[true[rows] == 0].mean()

    low, high = resample_rows(recall_by_rows, blocks, 3000, seed=1)
    fast = bootstrap.bootstrap_counts(
        lambda sums: precision_recall_f1(sums)[1],
        confusion_by_block(true, predicted, blocks, 3),
        3000,
        seed=1,
    )
    assert fast[0].shape == (3,)
    assert fast[0][0] == pytest.approx(low, abs=0.1 * (high - low))
    assert fast[1][0] == pytest.approx(high, abs=0.1 * (high - low))


def test_accuracy_interval_is_that_of_the_confusions():
    rng = np.random.default_rng(2)
    blocks = rng.integers(0, 30, 600)
    true, predicted = rng.integers(0, 3, 600), rng.integers(0, 3, 600)
    counts = confusion_by_block(true, predicted, blocks, 3)
    low, high = bootstrap.bootstrap_counts(accuracies, counts, 1000, seed=4)
    found = bootstrap.accuracy_interval(true == predicted, blocks, 1000, seed=4)
    assert found == pytest.approx((float(low), float(high)))


def test_seed_decides():
    right, blocks = np.arange(90) % 4 > 0, np.arange(90) // 7
    first = bootstrap.accuracy_interval(right, blocks, 50, seed=1)
    assert bootstrap.accuracy_interval(right, blocks, 50, seed=1) == first
    assert bootstrap.accuracy_interval(right, blocks, 50, seed=2) != first


def test_one_block_has_no_interval():
    right, blocks = np.array([True, False, True]), np.zeros(3, int)
    assert np.isnan(bootstrap.accuracy_interval(right, blocks, 100, seed=0)).all()
    assert np.isnan(mean_interval(right, blocks, 100, seed=0)).all()


def test_undefined_resamples_are_left_out_until_they_are_most():
    values = np.array([[0.2, 0.2], [0.4, np.nan], [np.nan, np.nan], [0.6, np.nan]])
    low, high = bootstrap.percentile_interval(values)
    np.testing.assert_allclose([low[0], high[0]], np.quantile([0.2, 0.4, 0.6], [0.025, 0.975]))
    assert np.isnan([low[1], high[1]]).all()
