from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import special_ortho_group

from brainarch.readout import geometry
from brainarch.readout.hierarchy import area_hierarchy, covariance_measures
from brainarch.readout.variability import area_variability

INTERVAL = {"resamples": 500, "block_px": 1000, "seed": 0}


def test_mahalanobis_is_the_distance_after_whitening():
    rng = np.random.default_rng(0)
    area = np.repeat([0, 1], 4000)
    mixing = rng.normal(size=(4, 4))
    apart = np.array([3.0, 0, 4, 0])
    values = (rng.normal(size=(8000, 4)) + area[:, None] * apart) @ mixing
    found, _ = covariance_measures(values, area)
    assert found[0, 1] == pytest.approx(5, rel=0.05)
    np.testing.assert_array_equal(np.diag(found), 0)


def test_cka_compares_how_areas_vary():
    """1 for the same variability at any scale; against tr(AB) / |A| |B| of numpy's covariances."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(300, 5)) * [5, 3, 1, 1, 0.1]
    turned = base @ special_ortho_group(5, seed=1).rvs()
    values = np.concatenate([base, 3 * base + 7, turned])
    _, found = covariance_measures(values, np.repeat([0, 1, 2], 300))
    assert found[0, 1] == pytest.approx(1)
    first, other = np.cov(base.T), np.cov(turned.T)
    expected = np.trace(first @ other) / np.linalg.norm(first) / np.linalg.norm(other)
    assert found[0, 2] == pytest.approx(expected)
    assert found[0, 2] < 0.95


def test_an_area_that_does_not_vary_has_no_cka(make):
    values = np.concatenate([np.ones((40, 3)), np.random.default_rng(0).random((40, 3))])
    _, found = covariance_measures(values, np.repeat([0, 1], 40))
    assert np.isnan(found[0]).all()
    table = geometry.area_relations(make(values, np.repeat([0, 1], 40)), **INTERVAL)
    assert set(area_hierarchy(table)["measure"]) == {"separation", "mahalanobis"}


def relations(distances: dict[tuple[str, str], float]) -> pd.DataFrame:
    both = distances | {(b, a): value for (a, b), value in distances.items()}
    rows = [
        {"area": a, "other": b, "separation": v, "mahalanobis": v, "cka": 1 - v / 10}
        for (a, b), v in sorted(both.items())
    ]
    return pd.DataFrame(rows)


def test_the_most_alike_are_joined_first():
    """Average linkage by hand: A-B at 1, C-D at 2, the two pairs at the mean of their four."""
    pairs = {("A", "B"): 1, ("C", "D"): 2, ("A", "C"): 5}
    pairs |= {("A", "D"): 6, ("B", "C"): 7, ("B", "D"): 8}
    found = area_hierarchy(relations(pairs))
    for measure, scale in (("separation", 1), ("mahalanobis", 1), ("cka", 0.1)):
        own = found[found["measure"] == measure]
        joined = [set(pair) for pair in zip(own["left"], own["right"], strict=True)]
        assert joined == [{0, 1}, {2, 3}, {4, 5}]
        assert own["height"].tolist() == pytest.approx([scale, 2 * scale, 6.5 * scale])
        assert own["cophenetic"].iloc[0] == pytest.approx(
            np.corrcoef([1, 5, 6, 7, 8, 2], [1, 6.5, 6.5, 6.5, 6.5, 2])[0, 1]
        )


def test_two_areas_are_one_step_and_one_is_none():
    found = area_hierarchy(relations({("A", "B"): 3}))
    assert found["step"].tolist() == [1, 1, 1]
    assert found["cophenetic"].isna().all()
    columns = ["area", "other", "separation", "mahalanobis", "cka"]
    assert area_hierarchy(pd.DataFrame(columns=columns)).empty


def test_variances_within_and_between_add_up(make):
    """With as many patches of each area, they are the whole variance."""
    rng = np.random.default_rng(0)
    area = np.repeat([0, 1, 2], 200)
    values = rng.normal(size=(600, 4)) * np.array([1, 2, 3])[area, None] + 2 * area[:, None]
    found = area_variability(make(values, area), **INTERVAL).set_index("area")
    total = np.float32(values).var(axis=0).sum()
    assert found.loc["all", "within"] + found.loc["all", "between"] == pytest.approx(total)
    for index, name in enumerate(("Ctx", "Str", "WM")):
        own = values[area == index]
        assert found.loc[name, "within"] == pytest.approx(own.var(axis=0).sum(), rel=1e-4)
        apart = own.mean(axis=0) - values.mean(axis=0)
        assert found.loc[name, "between"] == pytest.approx((apart**2).sum(), rel=1e-4)
    share = found["between"] / (found["within"] + found["between"])
    np.testing.assert_allclose(found["share_between"], share)
    ends = found[["share_between_low", "share_between_high"]]
    assert ((ends > 0) & (ends < 1)).all(axis=None)
    assert (ends["share_between_low"] < share).all()
    assert (ends["share_between_high"] > share).all()


def test_few_blocks_have_no_interval(make, planted):
    values, area = planted(0)
    found = area_variability(make(values, area, block=np.zeros(len(area))), **INTERVAL)
    assert found[["within_low", "share_between_high"]].isna().all(axis=None)
