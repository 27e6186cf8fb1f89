"""AUROC of factors for areas, its nulls, and what becomes of selected pairs on another slice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from brainarch.factors.alignment import (
    ALIGNED,
    RankedMaps,
    area_kappas,
    compare_factors,
    judge_selected,
)


def test_auroc_is_sklearns_with_ties_and_gaps():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, (20, 30))
    maps = np.maximum(rng.normal(size=(3, 20, 30)), 0).astype(np.float32)  # half are ties at 0
    maps[1] = np.round(maps[1], 1)
    maps[:, :3] = np.nan
    found = RankedMaps(list(maps)).auroc(labels, 4)
    seen = (labels > 0) & np.isfinite(maps[0])
    for factor in range(3):
        for area in (1, 2, 3):
            expected = roc_auc_score(labels[seen] == area, maps[factor][seen])
            assert found[factor, area - 1] == pytest.approx(expected, abs=1e-12)
    assert np.isnan(found[:, 3]).all(), "area 4 has no pixel"


def areas_map(rows=90, columns=150):
    """Return four areas as slanted stripes with an unlabelled border."""
    y, x = np.mgrid[:rows, :columns]
    labels = np.clip((x + y / 3) * 4 / (columns + rows / 3), 0, 3.99).astype(int) + 1
    labels[:5], labels[-5:] = 0, 0
    return labels


def smooth(rng, shape, sigma=9):
    field = gaussian_filter(rng.normal(size=shape), sigma)
    return field / field.std()


def test_a_planted_factor_is_above_its_null_and_noise_is_not():
    rng = np.random.default_rng(4)
    labels = areas_map()
    maps = [
        ((labels == 2) * 3 + smooth(rng, labels.shape)).astype(np.float32),
        *(smooth(rng, labels.shape).astype(np.float32) for _ in range(4)),
    ]
    ranked = RankedMaps(maps)
    frame = compare_factors(ranked, labels, 4, block=30, count=100, seed=1)
    planted = frame[(frame["factor"] == 1) & (frame["area"] == 2)].iloc[0]
    assert planted["auroc"] > 0.95
    assert planted["above_null"]
    assert 50 <= planted["maps_shift"] <= 100
    assert 50 <= planted["maps_block"] <= 100
    assert planted["null_99"] == max(planted["null_99_shift"], planted["null_99_block"])
    noise = frame[frame["factor"] > 1]
    assert noise["above_null"].mean() <= 1 / 16


def test_kappa_of_each_area_equals_scikit_learns():
    rng = np.random.default_rng(8)
    a = rng.integers(1, 4, 200)
    b = np.where(rng.random(200) < 0.5, a, rng.integers(1, 4, 200))
    expected = [cohen_kappa_score(a == area, b == area) for area in (1, 2, 3)]
    np.testing.assert_allclose(area_kappas(a, b, 4), [*expected, 0])


def test_a_large_area_beside_narrow_ones_is_not_compared_with_copies_of_itself():
    rng = np.random.default_rng(9)
    labels = np.ones((80, 160), dtype=int)
    labels[:, 90:] = 2 + np.arange(70) // 10  # shifting by 10 takes these seven away
    planted = ((labels == 1) * 2.5 + smooth(rng, labels.shape)).astype(np.float32)
    frame = compare_factors(RankedMaps([planted]), labels, 8, block=20, count=150, seed=0)
    row = frame[frame["area"] == 1].iloc[0]
    assert row["auroc"] > 0.9
    assert row["maps_shift"] < 150, "no shift left the large area where it is"
    assert row["null_99_shift"] < row["auroc"] - 0.05
    assert row["above_null"]


def test_shifted_bands_are_few_different_surrogates():
    """Areas in bands shift along one axis alone; patches of areas have many more places."""
    rng = np.random.default_rng(10)
    bands = areas_map()
    ranked = RankedMaps([smooth(rng, bands.shape).astype(np.float32)])
    few = compare_factors(ranked, bands, 4, block=30, count=100, seed=0)["effective"]
    assert (few < 30).all()
    points = rng.random((30, 2)) * bands.shape
    y, x = np.mgrid[: bands.shape[0], : bands.shape[1]]
    near = ((y[..., None] - points[:, 0]) ** 2 + (x[..., None] - points[:, 1]) ** 2).argmin(axis=2)
    many = compare_factors(ranked, near + 1, 30, block=10, count=100, seed=0)["effective"]
    assert many.median() > 40


def test_without_surrogates_nothing_is_above():
    labels = np.ones((6, 6), dtype=int)
    labels[:, 3:] = 2
    ranked = RankedMaps([(labels == 1).astype(np.float32)])
    frame = compare_factors(ranked, labels, 2, block=6, count=30, seed=0)
    assert frame["auroc"].tolist() == [1.0, 0.0]
    assert frame["maps_block"].tolist() == [0, 0]
    assert not frame["above_null"].any()


def judged(own, rival, factor=1):
    """Judge a pair whose factor has these AUROCs for its area and for another, on slice 2."""
    rows = [(1, True, "Ctx", 1, 0.9), (1, True, "Str", 1, 0.6), (1, True, "Ctx", 2, 0.8)]
    rows += [(2, False, "Ctx", 1, own), (2, False, "Str", 1, rival), (2, False, "Ctx", 2, 0.99)]
    frame = pd.DataFrame(rows, columns=["slice", "fitted", "name", "factor", "auroc"]).assign(
        target="area", null_99=0.6, effective=99, above_null=True
    )
    pair = {"target": "area", "name": "Ctx", "factor": factor, "auroc": 0.9}
    found = judge_selected(frame, pd.DataFrame([pair]))
    assert len(found) == 1
    return found.iloc[0]


def test_the_selected_factor_is_looked_at_however_good_another_is():
    row = judged(0.7, 0.4)
    assert (row["slice"], row["factor"], row["auroc_fitted"], row["auroc"]) == (2, 1, 0.9, 0.7)
    assert not row["aligned"]
    assert judged(ALIGNED, 0.4)["aligned"]
    assert judged(0.7, 0.4, factor=2)["auroc"] == 0.99


def test_a_pair_is_contradicted_where_its_factor_tells_another_area_better():
    assert not judged(0.7, 0.4)["contradicted"]
    row = judged(0.7, 0.94)
    assert row["contradicted"]
    assert row["best"] == "Str"
    assert judged(0.45, 0.4)["contradicted"]
