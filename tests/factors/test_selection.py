"""Factor selection against a literal, pixel by pixel reading of its definition."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainarch.factors.selection import (
    Presence,
    count_presence,
    score_pairs,
    select_by_rules,
    select_factors,
    vary_papers_rule,
)


def literal(C, labels, areas, *, leakage, count, threshold):
    """Score with Python loops over pixels, strike out rows and columns of a table."""
    scores = {}
    for factor in range(C.shape[1]):
        for area in range(1, areas + 1):
            coverage = leaked = 0
            for value, label in zip(C[:, factor], labels, strict=True):
                if label != 0 and value > threshold:
                    coverage += label == area
                    leaked += label != area
            if (labels == area).any():
                scores[factor + 1, area] = coverage - leakage * leaked
    chosen = []
    for _ in range(count):
        best = max(scores, key=lambda pair: (scores[pair], -pair[0], -pair[1]))
        chosen.append((*best, scores[best]))
        scores = {
            pair: score
            for pair, score in scores.items()
            if pair[0] != best[0] and pair[1] != best[1]
        }
    return chosen


def ours(C, labels, areas, *, leakage, count, threshold):
    pixels = np.bincount(labels, minlength=areas + 1)[1:]
    above = np.array([count_presence(column > threshold, labels, areas) for column in C.T])
    return select_factors(score_pairs(Presence(above, pixels), leakage), count)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("leakage", "threshold"), [(0.5, 0.0), (0.3, 0.2), (0.0, 0.0)])
def test_selection_equals_the_literal_definition(seed, leakage, threshold):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 5, 120)
    C = np.maximum(rng.normal(size=(120, 6)), 0)
    expected = literal(C, labels, 4, leakage=leakage, count=4, threshold=threshold)
    found = ours(C, labels, 4, leakage=leakage, count=4, threshold=threshold)
    assert [tuple(row) for row in found[["factor", "area"]].to_numpy()] == [
        row[:2] for row in expected
    ]
    np.testing.assert_allclose(found["score"], [row[2] for row in expected])
    assert found["rank"].tolist() == [1, 2, 3, 4]


def test_planted_factors_find_their_areas():
    labels = np.repeat([1, 2, 3, 0], 50)
    C = np.zeros((200, 5))
    C[labels == 2, 0] = 1
    C[labels == 3, 3] = 1
    C[labels == 1, 4] = 1
    C[labels > 0, 1] = 1  # everywhere: leaks
    found = ours(C, labels, 3, leakage=0.5, count=3, threshold=0.0).set_index("area")
    assert found["factor"].to_dict() == {1: 5, 2: 1, 3: 4}
    assert (found["covered_share"] == 1).all()
    assert (found["leaked_share"] == 0).all()


def test_coverage_and_leakage_are_the_designs():
    labels = np.array([1, 1, 1, 2, 2, 0])
    C = np.array([[1, 0, 2, 3, 0, 9.0]]).T
    row = ours(C, labels, 2, leakage=0.5, count=1, threshold=0.0).iloc[0]
    assert (row["area"], row["coverage"], row["leakage"], row["score"]) == (1, 2, 0.5, 1.5)
    assert row["covered_share"] == pytest.approx(2 / 3)
    assert row["leaked_share"] == pytest.approx(1 / 2)


def test_the_threshold_counts():
    labels = np.array([1, 1, 2, 2])
    C = np.array([[1.0, 1.0, 0.1, 0.1]]).T
    assert ours(C, labels, 2, leakage=1.0, count=1, threshold=0.0).iloc[0]["score"] == 0
    assert ours(C, labels, 2, leakage=1.0, count=1, threshold=0.5).iloc[0]["score"] == 2


def test_an_area_without_pixels_is_never_selected():
    labels = np.array([1, 1, 3, 3])
    C = np.eye(4)[:, :3]
    found = ours(C, labels, 3, leakage=0.5, count=2, threshold=0.0)
    assert set(found["area"]) == {1, 3}
    with pytest.raises(ValueError, match="3 pairs asked for, 2 possible"):
        ours(C, labels, 3, leakage=0.5, count=3, threshold=0.0)


def test_each_rule_takes_pairs_by_its_own_column_and_says_where_they_differ():
    pairs = pd.DataFrame(
        {
            "factor": [1, 1, 2, 2],
            "area": [1, 2, 1, 2],
            "score": [9, 8, 7, 1],
            "auroc": [0.6, 0.5, 0.9, 0.7],
        }
    )
    found = select_by_rules(pairs, 2, "auroc")
    assert found["rule"].tolist() == ["auroc", "auroc", "papers", "papers"]
    assert found["shown"].tolist() == [True, True, False, False]
    assert list(zip(found["factor"], found["area"], strict=True)) == [
        (2, 1),
        (1, 2),
        (1, 1),
        (2, 2),
    ]
    assert found["differs"].all()
    assert select_by_rules(pairs, 2, "papers")["rule"].iloc[0] == "papers"
    alike = select_by_rules(pairs.assign(auroc=pairs["score"]), 2, "papers")
    assert not alike["differs"].any()


def test_other_thresholds_and_weights_are_the_same_rule():
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 4, 300)
    C = np.maximum(rng.normal(size=(300, 5)), 0)
    pixels = np.bincount(labels, minlength=4)[1:]
    presences = {}
    for threshold in (0.0, 0.7):
        above = np.array([count_presence(column > threshold, labels, 3) for column in C.T])
        presences[str(threshold)] = Presence(above, pixels)
    auroc = rng.random((5, 3))
    found = vary_papers_rule(presences, auroc, 3)
    for (threshold, leakage), own in found.groupby(["threshold", "lambda"]):
        expected = literal(C, labels, 3, leakage=leakage, count=3, threshold=float(threshold))
        pairs = list(zip(own["factor"], own["area"], strict=True))
        assert pairs == [pair[:2] for pair in expected]
        assert own["auroc"].tolist() == [auroc[f - 1, a - 1] for f, a in pairs]
    empty = Presence(presences["0.0"].above, pixels * np.array([1, 0, 1]))
    assert set(vary_papers_rule({"0": empty}, auroc, 3)["area"]) == {1, 3}
