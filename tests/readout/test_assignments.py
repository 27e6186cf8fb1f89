"""Several assignments of one slice: their mean, and intervals that know the shared tissue."""

from __future__ import annotations

import numpy as np
import pytest

from brainarch.readout.assignments import MEAN, assignment_tables, join_assignments

BOOTSTRAP = {"block_px": 1000, "resamples": 400, "seed": 1}


def patches(make, planted, seed, apart):
    """Return test patches whose blocks are named rightly or wrongly as a whole, in part."""
    values, area = planted(seed, n=60, apart=apart)
    block = np.tile(np.arange(20), len(area) // 20)
    rng = np.random.default_rng(seed)
    values = values + rng.normal(size=(20, values.shape[1]))[block] * 2
    return make(values, area, block)


@pytest.fixture
def runs(make, planted):
    train = {
        run: {
            "cnn": make(*planted(seed, apart=4)),
            "texture": make(*planted(seed + 1, apart=3), network="texture"),
        }
        for run, seed in (("main", 0), ("blocks1", 4))
    }
    test = {
        run: {
            "cnn": patches(make, planted, seed, 4),
            "texture": patches(make, planted, seed, 3),
        }
        for run, seed in (("main", 10), ("blocks1", 14))
    }
    rng = np.random.default_rng(0)
    heads = {
        run: np.where(rng.random(180) < right, test[run]["cnn"].area, 0)
        for run, right in (("main", 0.9), ("blocks1", 0.7))
    }
    return train, test, heads


def test_the_mean_weighs_assignments_alike_and_differences_are_those_of_means(runs):
    accuracies, differences = assignment_tables(*runs, **BOOTSTRAP)
    found = accuracies.set_index(["assignment", "network", "classifier"])["accuracy"]
    for which in found.loc[MEAN].index:
        each = [found.loc[(run, *which)] for run in ("main", "blocks1")]
        assert found.loc[(MEAN, *which)] == pytest.approx(np.mean(each))
    assert found.loc[("main", "cnn", "cnn")] > found.loc[("blocks1", "cnn", "cnn")] + 0.1
    mean = found.loc[MEAN]
    for row in differences.itertuples():
        expected = mean[row.network, row.classifier] - mean[row.other_network, row.other_classifier]
        assert row.difference == pytest.approx(expected)
    head = differences[differences["classifier"] == "cnn"].iloc[0]
    assert head["other_network"] == "texture"
    assert mean["texture"][head["other_classifier"]] == mean["texture"].max()


def test_the_same_tissue_twice_says_no_more_than_once(runs):
    """Assignments whose test parts are the same patches give the interval of one of them."""
    train, test, heads = ({"main": part["main"]} for part in runs)
    twice = [dict.fromkeys(("main", "blocks1"), part["main"]) for part in runs]
    once, _ = assignment_tables(train, test, heads, **BOOTSTRAP)
    same, _ = assignment_tables(*twice, **BOOTSTRAP)
    rows = [
        table[table["assignment"] == MEAN].set_index(["network", "classifier"])
        for table in (once, same)
    ]
    wide = [(table["high"] - table["low"]).to_numpy() for table in rows]
    assert (wide[0] > 0.03).all()
    np.testing.assert_allclose(wide[1], wide[0], rtol=0.15)
    assert (rows[0]["blocks"] == rows[1]["blocks"]).all()


def test_joined_patches_keep_their_places_and_have_a_class_for_each_assignment(runs):
    _, test, _ = runs
    parts = [networks["cnn"] for networks in test.values()]
    joined = join_assignments(parts)
    assert len(joined) == 360
    assert sorted(set(joined.area.tolist())) == list(range(6))
    np.testing.assert_array_equal(joined.y[180:], parts[1].y)
    np.testing.assert_array_equal(joined.area[180:], parts[1].area + 3)
