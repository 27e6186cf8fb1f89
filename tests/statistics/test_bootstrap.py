from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.ndimage import gaussian_filter

from brainarch.statistics import bootstrap
from brainarch.statistics.blocks import choose_blocks, spatial_blocks
from brainarch.statistics.metrics import confusion_by_block, precision_recall_f1


def mean(values, blocks, area=None, *, share=True, resamples=2000, seed=0):
    area = np.zeros(len(values), int) if area is None else area
    return bootstrap.stratified_mean(
        values, area, blocks, resamples=resamples, seed=seed, share=share
    )


def test_equal_blocks_give_students_interval_of_their_means():
    # Identical rows within equal blocks: the closed form is the t interval of n block values.
    rng = np.random.default_rng(0)
    level = rng.normal(size=12)
    found = mean(np.repeat(level, 25), np.repeat(np.arange(12), 25), share=False, resamples=20000)
    low, high = stats.t.interval(0.95, 11, level.mean(), level.std(ddof=1) / np.sqrt(12))
    assert found.value == pytest.approx(level.mean())
    assert found.low == pytest.approx(low, abs=0.02 * (high - low))
    assert found.high == pytest.approx(high, abs=0.02 * (high - low))


def test_rows_as_their_own_blocks_would_give_a_narrow_interval():
    # Control: ignoring the blocks understates the width by about sqrt(25).
    rng = np.random.default_rng(0)
    right = (rng.random(60) < 0.5)[np.repeat(np.arange(60), 25)]
    by_block, by_row = mean(right, np.repeat(np.arange(60), 25)), mean(right, np.arange(1500))
    width = (by_block.high - by_block.low) / (by_row.high - by_row.low)
    assert width == pytest.approx(5, rel=0.15)


def test_blocks_are_drawn_whole():
    rows = np.arange(2, 12)  # of each block
    seen = []

    def statistic(sums):
        seen.append(sums)
        return sums[:, 0]

    bootstrap.bootstrap_counts(statistic, np.diag(rows), 50, 0, sizes=rows, share=False)
    times = seen[-1] / rows
    assert times.shape == (50, 10)
    assert (times == times.round()).all()
    assert (times.sum(axis=1) == 10).all()
    assert (times[:, 0] == 0).any()


def test_a_constant_answer_is_right_for_exactly_one_area_in_six():
    """Patches are drawn equally for each area; so are those of every resample."""
    rng = np.random.default_rng(1)
    area = np.repeat(np.arange(6), 200)
    blocks = (area * 3 + rng.integers(0, 9, 1200)) % 20  # areas lie in some of the blocks only
    found = mean(area == 2, blocks, area)
    assert (found.value, found.low, found.high) == pytest.approx((1 / 6, 1 / 6, 1 / 6))
    # Control: with areas as they fall into the drawn blocks, it would seem uncertain.
    loose = mean(area == 2, blocks)
    assert loose.high - loose.low > 0.1


def test_tables_keep_the_shares_too():
    rng = np.random.default_rng(1)
    drawn = rng.integers(1, 50, (7, 3, 4)).astype(float)
    total = np.array([[5, 5, 0, 0], [0, 3, 0, 0], [1, 1, 1, 1]])
    found = bootstrap.keep_shares(drawn, total)
    np.testing.assert_allclose(found.sum(axis=2), np.tile([10, 3, 4], (7, 1)))
    recall = precision_recall_f1(found[..., :3])[1]
    np.testing.assert_allclose(recall, precision_recall_f1(drawn[..., :3])[1])
    drawn[2, 1] = 0  # a resample without the second area says nothing
    assert np.isnan(bootstrap.keep_shares(drawn, total)[2]).all()


def test_a_paired_difference_computed_by_hand():
    """Ten blocks of two patches of one area: the second predictor is wrong twice, the first once.

    The differences of the blocks' means are 0.5, 0 (seven times), -0.5 and 0.5.
    """
    blocks = np.repeat(np.arange(10), 2)
    first, second = np.ones(20, bool), np.ones(20, bool)
    second[[0, 18]] = False
    first[16] = False
    by_block = np.array([0.5, 0, 0, 0, 0, 0, 0, 0, -0.5, 0.5])
    found = mean(first.astype(int) - second, blocks, share=False, resamples=20000)
    assert found.value == pytest.approx(0.05)
    half = stats.t.ppf(0.975, 9) * by_block.std(ddof=1) / np.sqrt(10)
    assert found.low == pytest.approx(0.05 - half, rel=0.03)
    assert found.high == pytest.approx(0.05 + half, rel=0.03)
    same = mean(first.astype(int) - first, blocks, share=False)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_a_paired_difference_is_known_better_than_either():
    rng = np.random.default_rng(0)
    blocks, area = np.repeat(np.arange(30), 40), np.tile(np.arange(4), 300)
    hard = rng.beta(4, 1, 30)[blocks]
    draw = rng.random(1200)
    first, second = draw < hard, draw < hard - 0.05
    difference = mean(first.astype(int) - second, blocks, area, share=False)
    alone = mean(first, blocks, area)
    assert difference.low > 0
    assert difference.high - difference.low < 0.4 * (alone.high - alone.low)


@pytest.mark.parametrize("n_blocks", [8, 20])
@pytest.mark.parametrize("rate", [0.6, 0.9])
def test_coverage_of_unequal_blocks(n_blocks, rate):
    """Nominal 95 %; 250 trials leave a standard deviation of 1.4 points."""
    rng = np.random.default_rng(n_blocks)
    covered = 0
    for trial in range(250):
        sizes = np.ceil(20 * np.exp(rng.normal(0, 0.5, n_blocks))).astype(int)
        blocks = np.repeat(np.arange(n_blocks), sizes)
        rates = rng.beta(10 * rate, 10 * (1 - rate), n_blocks)
        right = rng.random(len(blocks)) < rates[blocks]
        found = mean(right, blocks, resamples=200, seed=trial)
        covered += found.low <= rate <= found.high
    assert 0.90 <= covered / 250 <= 0.985


def coverage_on_a_slice(length, trials, seed):
    """Return how often intervals of an accuracy of 0.85 hold it, and the blocks' mean side.

    Patches are drawn equally for six areas of a slice of 1080 x 3280 pixels, and the errors of
    neighbours are alike over some distance.
    """
    rng = np.random.default_rng(seed)
    shape, areas, n = (135, 410), 6, 900  # every eighth pixel
    covered, sides = 0, []
    for trial in range(trials):
        rough = rng.normal(size=shape)
        smooth = gaussian_filter(rough, length / np.sqrt(np.pi) / 8, mode="wrap")
        y = rng.integers(0, shape[0], n)
        area = np.arange(n) % areas
        x = (area + rng.random(n)) * shape[1] / areas
        x = x.astype(int)
        right = (smooth / smooth.std())[y, x] > stats.norm.ppf(0.15)
        z = np.zeros(n, int)
        side = choose_blocks("auto", right, area, z, 8 * y, 8 * x).side
        blocks = spatial_blocks(z, 8 * y, 8 * x, side)
        found = mean(right, blocks, area, resamples=200, seed=trial)
        covered += found.low <= 0.85 <= found.high
        sides.append(side)
    return covered / trials, float(np.mean(sides))


def test_coverage_where_errors_are_alike_over_some_distance():
    """Stratified patches, blocks by the errors' own correlation; 60 trials, so within 3 s. d."""
    covered, side = coverage_on_a_slice(60, 60, seed=1)
    assert 200 < side < 700
    assert 0.85 <= covered <= 1


@pytest.mark.slow
@pytest.mark.parametrize("length", [30, 60, 90])
def test_coverage_on_a_slice_is_between_90_and_98_percent(length):
    covered, _ = coverage_on_a_slice(length, 600, seed=length)
    assert 0.90 - 0.02 <= covered <= 0.98 + 0.01


def test_counts_give_the_interval_of_rows():
    rng = np.random.default_rng(2)
    blocks = rng.integers(0, 30, 600)
    true, predicted = rng.integers(0, 3, 600), rng.integers(0, 3, 600)
    members = [np.flatnonzero(blocks == block) for block in range(30)]
    recalls = []
    for _ in range(2000):
        rows = np.concatenate([members[block] for block in rng.integers(0, 30, 30)])
        recalls.append((predicted[rows] == 0)[true[rows] == 0].mean())
    value = (predicted[true == 0] == 0).mean()
    counts = confusion_by_block(true, predicted, blocks, 3)
    low, high = bootstrap.bootstrap_counts(
        lambda sums: precision_recall_f1(sums)[1],
        counts,
        2000,
        1,
        sizes=np.ones(30),
        share=False,
    )
    half = stats.t.ppf(0.975, 29) * np.std(recalls) * np.sqrt(30 / 29)
    assert low[0] == pytest.approx(value - half, abs=0.1 * half)
    assert high[0] == pytest.approx(value + half, abs=0.1 * half)


def test_shares_stay_between_0_and_1():
    right = np.ones(200, bool)
    right[:3] = False
    found = mean(right, np.arange(200) // 20)
    assert 0 < found.low < found.value < found.high < 1


def test_unequal_blocks_are_worth_fewer():
    assert bootstrap.effective_blocks(np.ones(9)) == pytest.approx(9)
    assert bootstrap.effective_blocks(np.array([4.0, 1, 1, 1, 1])) == pytest.approx(64 / 20)


def test_seed_decides():
    right, blocks = np.arange(90) % 4 > 0, np.arange(90) // 7
    first = mean(right, blocks, resamples=50, seed=1)
    assert mean(right, blocks, resamples=50, seed=1) == first
    assert mean(right, blocks, resamples=50, seed=2) != first


def test_fewer_than_eight_blocks_have_no_interval():
    right = np.arange(80) % 5 > 0
    few, enough = mean(right, np.arange(80) % 7), mean(right, np.arange(80) % 8)
    assert np.isnan([few.low, few.high]).all()
    assert (few.value, few.blocks) == (0.8, 7)
    assert np.isfinite([enough.low, enough.high]).all()


def test_each_statistic_counts_its_own_blocks():
    """Of twelve blocks, three hold the second area: its recall has no interval."""
    counts = np.zeros((12, 2, 2), int)
    counts[:, 0] = [8, 2]
    counts[::2, 0, 0] += 3
    counts[:3, 1] = [1, 4]
    low, high = bootstrap.bootstrap_counts(
        lambda sums: precision_recall_f1(sums)[1],
        counts,
        500,
        0,
        sizes=counts.sum(axis=2),
        share=True,
    )
    assert low[0] < high[0]
    assert np.isnan([low[1], high[1]]).all()


def test_statistics_undefined_in_most_resamples_have_no_interval():
    counts = np.ones((10, 1))

    def statistic(sums):
        lost = np.arange(len(sums)) % 5 > 0
        return np.where(lost if len(sums) > 1 else False, np.nan, sums[:, 0])

    low, high = bootstrap.bootstrap_counts(
        statistic, counts, 100, 0, sizes=counts[:, 0], share=False
    )
    assert np.isnan([low, high]).all()
