from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.cluster import KMeans

from brainarch.readout import clusters


def table(train, test):
    return compare({"cnn": train}, {"cnn": test}).iloc[0]


def compare(train, test):
    return clusters.cluster_table(train, test, resamples=1000, block_px=1000, seed=1)


def test_planted_clusters_are_found(make, planted):
    found = table(make(*planted(0, n=100)), make(*planted(1, n=100)))
    assert found["v_measure"] > 0.97
    assert found["ari"] > 0.97
    assert found["ami"] > 0.97
    assert found["components"] == 3
    assert found["converged"]
    assert found["low"] <= found["v_measure"] <= found["high"]


def test_clusters_that_are_not_areas_score_nothing(make, planted):
    rng = np.random.default_rng(3)
    values, area = planted(0, n=100)
    held, truth = planted(1, n=100)
    found = table(make(values, area), make(held, rng.permutation(truth)))
    assert found["v_measure"] < 0.05
    assert abs(found["ari"]) < 0.03
    assert abs(found["ami"]) < 0.03


def test_scores_are_sklearns(make, planted):
    train, test = make(*planted(0, apart=2.5)), make(*planted(1, apart=2.5))
    assigned = clusters.assign_clusters(train.values, test.values, 3, seed=1).assigned
    found = table(train, test)
    assert 0.1 < found["v_measure"] < 0.95
    expected = reference.homogeneity_completeness_v_measure(test.area, assigned)
    got = [found["homogeneity"], found["completeness"], found["v_measure"]]
    np.testing.assert_allclose(got, expected, rtol=1e-9)
    assert found["ari"] == pytest.approx(reference.adjusted_rand_score(test.area, assigned))
    assert found["ami"] == pytest.approx(reference.adjusted_mutual_info_score(test.area, assigned))


def test_starts_that_end_elsewhere_are_told(make, planted):
    """Overlapping clusters: the kept start is the likeliest, the range that of all of them."""
    train, test = make(*planted(0, apart=2.0)), make(*planted(1, apart=2.0))
    every = clusters.assign_clusters(train.values, test.values, 3, seed=1).every
    each = [reference.v_measure_score(test.area, assigned) for assigned in every]
    found = table(train, test)
    assert found["starts"] == len(each) == clusters.STARTS >= 20
    assert (found["lowest"], found["highest"]) == pytest.approx((min(each), max(each)))
    assert found["lowest"] < found["highest"]
    assert found["lowest"] <= found["v_measure"] <= found["highest"]


def test_the_difference_of_two_networks_is_paired(make, planted):
    """Both networks fail in the same blocks: their difference is known better than either."""
    rng = np.random.default_rng(0)
    values, area = planted(0, n=200)
    held, truth = planted(1, n=200)
    block = np.arange(600) % 20
    wrong = block < 8  # in these blocks patches look like those of another area
    held[wrong] = held[wrong][rng.permutation(wrong.sum())]
    blurred = [v + rng.normal(scale=2.5, size=v.shape) for v in (values, held)]
    found = compare(
        {"cnn": make(values, area), "texture": make(blurred[0], area)},
        {"cnn": make(held, truth, block=block), "texture": make(blurred[1], truth, block=block)},
    ).set_index("network")
    row = found.loc["texture"]
    assert row["behind"] == pytest.approx(found["v_measure"]["cnn"] - row["v_measure"])
    assert row["behind_low"] < row["behind"] < row["behind_high"]
    assert row["behind_high"] - row["behind_low"] < 0.7 * (row["high"] - row["low"])
    assert np.isnan(found.loc["cnn", "behind"])


def test_elongated_clusters_need_full_covariances():
    # Two crossing cigars, which k-means cuts across.
    rng = np.random.default_rng(0)
    area = np.repeat([0, 1], 300)
    stretch = np.array([[5.0, 0.5], [0.5, 5.0]])
    values = rng.normal(size=(600, 2)) * stretch[area] + area[:, None] * np.array([5.0, 0.0])
    spherical = KMeans(2, n_init=5, random_state=0).fit_predict(values)
    assigned = clusters.assign_clusters(values, values, 2, seed=0).assigned
    assert reference.v_measure_score(area, assigned) > 0.6
    assert reference.v_measure_score(area, spherical) < 0.5


def test_silent_units_do_no_harm(planted):
    values, _ = planted(0, n=100)
    silent = np.zeros((len(values), 5))
    held, truth = planted(1, n=100)
    heard = silent.copy()
    heard[::10, 0] = 0.1
    assigned = clusters.assign_clusters(
        np.hstack([values, silent]), np.hstack([held, heard]), 3, seed=1
    ).assigned
    assert reference.v_measure_score(truth, assigned) > 0.9


def test_wide_networks_are_reduced(planted, monkeypatch):
    widths = []
    fit = clusters.fit_checked

    def spy(model, data, name):  # the start that goes on
        widths.append(data.shape[1])
        return fit(model, data, name=name)

    monkeypatch.setattr(clusters, "fit_checked", spy)
    values, _ = planted(0, n=40, units=100, apart=20)
    held, _ = planted(1, n=40, units=100, apart=20)
    clusters.assign_clusters(values, held, 3, seed=1)
    clusters.assign_clusters(values[:, :64], held[:, :64], 3, seed=1)
    assert widths == [64, 64]


def test_seed_decides(planted):
    values, _ = planted(0, apart=3)
    first, again = (clusters.assign_clusters(values, values, 3, seed=4).assigned for _ in "ab")
    np.testing.assert_array_equal(first, again)
