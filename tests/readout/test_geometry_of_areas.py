from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.covariance import LedoitWolf
from sklearn.preprocessing import StandardScaler

from brainarch.readout import geometry

#: Of intervals that a test does not look at.
INTERVAL = {"resamples": 2000, "block_px": 1000, "seed": 0}


def test_components_are_those_of_the_covariance():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5)) + 10
    scores, shares = geometry.principal_components(values)
    variances = np.linalg.eigvalsh(np.cov(values.T))[::-1]
    np.testing.assert_allclose(shares, variances / variances.sum())
    np.testing.assert_allclose(scores.var(axis=0, ddof=1), variances[:3])
    np.testing.assert_allclose(scores.mean(axis=0), 0, atol=1e-10)


def test_two_units_have_two_components():
    scores, shares = geometry.principal_components(np.random.default_rng(0).random((20, 2)))
    assert scores.shape == (20, 3)
    assert not scores[:, 2].any()
    assert shares.shape == (2,)
    assert shares.sum() == pytest.approx(1)


def test_constant_representations_have_no_components():
    scores, shares = geometry.principal_components(np.full((20, 4), 0.1, np.float32))
    assert not scores.any()
    assert np.isnan(shares).all()


def test_different_units_are_standardised():
    rng = np.random.default_rng(0)
    values = rng.random((50, 3))
    _, first = geometry.principal_components(values, commensurate=False)
    _, second = geometry.principal_components(values * [1, 100, 1e-3], commensurate=False)
    np.testing.assert_allclose(first, second)
    assert geometry.principal_components(values * [1, 100, 1e-3])[1][0] > 0.99


def test_rounding_errors_are_not_blown_up():
    constant = np.full((50, 1), 0.1, np.float32)
    constant[::3] = np.nextafter(np.float32(0.1), np.float32(1))
    assert not geometry.comparable(constant, commensurate=False).any()


def test_relations_are_distances_over_spreads(make):
    rng = np.random.default_rng(0)
    area = np.repeat([0, 1, 2], 400)
    means = np.array([[0.0, 0, 0, 0], [3, 0, 0, 0], [3, 8, 0, 0]])
    spread = np.array([1.0, 1.0, 2.0])
    values = means[area] + spread[area, None] * rng.normal(size=(1200, 4))
    found = geometry.area_relations(make(values, area), **INTERVAL).set_index(["area", "other"])
    assert len(found) == 6
    near = found.loc[("Ctx", "Str")]
    assert near["distance"] == pytest.approx(3, rel=0.05)
    # Spread in four dimensions: sqrt(4) standard deviations.
    assert near["spread"] == pytest.approx(2, rel=0.05)
    assert near["separation"] == pytest.approx(1.5, rel=0.05)
    far = found.loc[("WM", "Str")]
    assert far["spread"] == pytest.approx(4, rel=0.05)
    assert far["separation"] == pytest.approx(8 / np.sqrt((4**2 + 2**2) / 2), rel=0.05)
    assert found["nearest"].to_dict() == {
        ("Ctx", "Str"): True,
        ("Ctx", "WM"): False,
        ("Str", "Ctx"): True,
        ("Str", "WM"): False,
        ("WM", "Ctx"): False,
        ("WM", "Str"): True,
    }


def test_separation_has_the_interval_of_resampled_blocks(make):
    rng = np.random.default_rng(1)
    area, block = np.arange(300) % 2, rng.integers(0, 15, 300)
    values = rng.normal(size=(300, 3)) + area[:, None] + rng.normal(size=15)[block, None]

    def separation(rows):
        parts = [values[rows][area[rows] == index] for index in (0, 1)]
        distance = np.linalg.norm(parts[0].mean(axis=0) - parts[1].mean(axis=0))
        return distance / np.sqrt(np.mean([part.var(axis=0).sum() for part in parts]))

    found = geometry.area_relations(make(values, area, block=block), **INTERVAL).iloc[0]
    assert found["separation"] == pytest.approx(separation(np.arange(300)), rel=1e-5)
    draws = [rng.integers(0, 15, 15) for _ in range(1000)]
    resampled = [
        separation(np.concatenate([np.flatnonzero(block == index) for index in draw]))
        for draw in draws
    ]
    half = 2.145 * np.std(resampled) * np.sqrt(15 / 14)  # Student's t, 14 degrees of freedom
    assert found["low"] == pytest.approx(found["separation"] - half, abs=0.2 * half)
    assert found["high"] == pytest.approx(found["separation"] + half, abs=0.2 * half)


def test_absent_areas_have_no_relations(make, planted):
    values, area = planted(0)
    kept = area != 1
    found = geometry.area_relations(make(values[kept], area[kept]), **INTERVAL)
    assert set(found["area"]) == {"Ctx", "WM"}


def test_planted_outliers_are_found(make, planted):
    held, truth = planted(1, n=60)
    held[7] += 30
    held[70] = planted(0)[0][100]  # a patch of WM among those of Str
    found = geometry.area_outliers(make(*planted(0, n=60)), make(held, truth), count=2)
    assert found["rank"].tolist() == [1, 2] * 3
    first = found[found["rank"] == 1].set_index("area")
    assert first.loc["Ctx", "x"] == 7
    assert first.loc["Str", "x"] == 70
    assert first.loc["Str", "closest_area"] == "WM"
    assert (first.loc[["Ctx", "Str"], "distance"] > 2.5).all()
    assert first.loc["WM", "distance"] < 2.5


def test_patches_across_a_border_are_no_outliers(make, planted):
    held, truth = planted(1, n=60)
    held[7] += 30
    held[8] += 20
    share = np.ones(len(held))
    share[7] = 0.8
    found = geometry.area_outliers(make(*planted(0, n=60)), make(held, truth), 2, share)
    assert found[found["area"] == "Ctx"]["x"].tolist()[0] == 8
    assert 7 not in set(found["x"])
    own = found[found["area"] == "Ctx"]
    assert set(zip(own["ranked"], own["left_out"], strict=True)) == {(59, 1)}
    assert (own["share"] == 1).all()


def test_no_outlier_shares_a_pixel_with_one_before_it(make, planted):
    held, truth = planted(1, n=60)
    held[[7, 8]] += np.array([[30], [20]], dtype=held.dtype)
    x = 200 * np.arange(len(truth))
    x[8] = x[7] + 5
    test = make(held, truth, x=x, y=np.zeros_like(x))
    found = geometry.area_outliers(make(*planted(0, n=60)), test, count=60)
    own = found[found["area"] == "Ctx"]
    assert len(own) == 59  # the second is next to the first
    assert own["rank"].tolist() == list(range(1, 60))


def test_a_log_likelihood_is_scipys(make):
    rng = np.random.default_rng(3)
    values, held = rng.normal(size=(2, 400, 5)).astype(np.float32) * [1, 2, 3, 4, 5]
    area = np.zeros(400)
    found = geometry.area_outliers(make(values, area), make(held, area), count=1).iloc[0]
    scale = StandardScaler().fit(values.astype(float))
    model = LedoitWolf().fit(scale.transform(values.astype(float)))
    points = scale.transform(held.astype(float))
    density = multivariate_normal(model.location_, model.covariance_).logpdf(points)
    assert found["log_likelihood"] == pytest.approx(density.min())


def test_distances_of_usual_patches_are_about_one(make):
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(6, 6))
    values, held = rng.normal(size=(2, 3000, 6)) @ mixing
    area = np.zeros(3000)
    test = make(held, area, x=200 * np.arange(3000))
    found = geometry.area_outliers(make(values, area), test, count=3000)
    assert np.sqrt(np.mean(found["distance"] ** 2)) == pytest.approx(1, rel=0.03)


def test_areas_with_few_train_patches_have_no_outliers(make, planted):
    values, area = planted(0, n=12)
    train = make(values[4:], area[4:])
    found = geometry.area_outliers(train, make(*planted(1, n=12)), count=3)
    assert set(found["area"]) == {"Str", "WM"}
    assert geometry.area_outliers(make(values[:5], area[:5]), train, count=3).empty
