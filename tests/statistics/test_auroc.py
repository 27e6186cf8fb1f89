"""The interval of an AUROC: against scikit-learn, drawn pixels, and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from brainarch.statistics.auroc import auroc_interval


def planted(rng: np.random.Generator, blocks: int, shift: float = 1.5, spread: float = 0.6):
    """Return values, inside and blocks: pixels of a block share a level of their own."""
    ids = np.repeat(np.arange(blocks), 40)
    inside = (np.arange(len(ids)) % 40) < 15
    level = spread * rng.normal(size=blocks)[ids]
    noise = np.sqrt(1 - spread**2) * rng.normal(size=len(ids))
    return shift * inside + level + noise, inside, ids


def test_the_value_is_scikit_learns_with_ties() -> None:
    rng = np.random.default_rng(0)
    values = np.round(rng.normal(size=300), 1)
    inside = rng.random(300) < 0.3
    found = auroc_interval(values, inside, rng.integers(0, 12, 300), resamples=50, seed=0)
    assert found.value == pytest.approx(roc_auc_score(inside, values), abs=1e-12)
    assert found.low < found.value < found.high


def test_a_resample_is_the_auroc_of_the_blocks_that_were_drawn(monkeypatch) -> None:
    rng = np.random.default_rng(1)
    values, inside, ids = planted(rng, 10)
    times = rng.multinomial(10, np.full(10, 0.1), size=20)
    seen = []

    def keep(statistic, counts, *_, **__):
        seen.append(statistic(times.astype(float) @ counts))
        return np.float64(0), np.float64(1)

    monkeypatch.setattr("brainarch.statistics.auroc.bootstrap_counts", keep)
    auroc_interval(values, inside, ids, resamples=20, seed=0)
    for drawn, found in zip(times, seen[0], strict=True):
        rows = np.concatenate([np.flatnonzero(ids == b) for b in np.repeat(np.arange(10), drawn)])
        assert found == pytest.approx(roc_auc_score(inside[rows], values[rows]), abs=1e-12)


def test_an_area_of_few_blocks_has_no_interval() -> None:
    rng = np.random.default_rng(2)
    values, inside, ids = planted(rng, 30)
    found = auroc_interval(values, inside & (ids < 5), ids, resamples=100, seed=0)
    assert np.isnan([found.low, found.high]).all()
    assert found.blocks == 5


def covered(trials: int, blocks: int, spread: float) -> float:
    truth = norm.cdf(1.5 / np.sqrt(2))  # pixels of different blocks, nearly all of the pairs
    hits = []
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        found = auroc_interval(*planted(rng, blocks, spread=spread), resamples=300, seed=seed)
        hits.append(found.low <= truth <= found.high)
    return float(np.mean(hits))


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    assert 0.88 <= covered(150, 24, 0.6) <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [12, 24, 60])
@pytest.mark.parametrize("spread", [0.3, 0.7])
def test_intervals_cover_in_nine_to_ninety_eight_of_a_hundred_trials(blocks, spread) -> None:
    assert 0.90 <= covered(1000, blocks, spread) <= 0.98
