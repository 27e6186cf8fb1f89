"""AUROC of factors for areas, its nulls, and what becomes of selected pairs on another slice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from brainarch.factors import alignment
from brainarch.factors.alignment import (
    ALIGNED,
    RankedMaps,
    _FieldNull,
    compare_factors,
    judge_selected,
)
from brainarch.statistics.levels import LEVEL


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
    frame = compare_factors(maps, labels, 4, chosen=[1, 2, 3, 5], count=199, seed=1)
    planted = frame[(frame["factor"] == 1) & (frame["area"] == 2)].iloc[0]
    assert planted["auroc"] > 0.95
    assert planted["p"] == pytest.approx(1 / 200)
    assert 0.6 < planted["null_99"] < planted["auroc"]
    noise = frame[frame["factor"] > 1].set_index("factor")["p"]
    assert (noise <= LEVEL).sum() <= 1
    assert noise[4].isna().all(), "not asked for"
    assert noise.drop(4).notna().all()


def test_the_nulls_aurocs_are_those_of_the_fields_themselves():
    """Without the division, the contrast of the ranks is scikit-learn's AUROC."""
    rng = np.random.default_rng(6)
    labels = areas_map()[::3, ::3]
    seen = labels > 0
    null = _FieldNull(seen, labels[seen] == np.arange(1, 5)[:, None])
    values = smooth(rng, labels.shape)[seen]
    _, above, spread = null._told(values)
    expected = [roc_auc_score(labels[seen] == area, values) - 0.5 for area in range(1, 5)]
    np.testing.assert_allclose(above, expected, atol=1e-12)
    drawn = null._model.draw(null._model.fit(rankdata(values)), 300, rng)
    variances = np.var([null._contrasts @ field for field in drawn], axis=0)
    np.testing.assert_allclose(np.sqrt(variances), spread, rtol=0.15)


def test_a_large_area_beside_narrow_ones_is_told():
    rng = np.random.default_rng(9)
    labels = np.ones((80, 160), dtype=int)
    labels[:, 90:] = 2 + np.arange(70) // 10
    planted = ((labels == 1) * 2.5 + smooth(rng, labels.shape)).astype(np.float32)
    row = compare_factors([planted], labels, 8, chosen=[1], count=199, seed=0).iloc[0]
    assert row["area"] == 1
    assert row["auroc"] > 0.9
    assert row["p"] <= LEVEL


def test_an_area_between_the_pixels_compared_has_no_null_and_is_not_above(monkeypatch):
    monkeypatch.setattr(alignment, "COMPARED", 36)
    labels = np.ones((12, 12), dtype=int)
    labels[:, 6:], labels[1, 1] = 2, 3
    rng = np.random.default_rng(3)
    maps = [(labels == 3).astype(np.float32) + smooth(rng, labels.shape).astype(np.float32) / 9]
    frame = compare_factors(maps, labels, 4, chosen=[1], count=30, seed=0).set_index("area")
    assert frame.index.tolist() == [1, 2, 3], "area 4 has no pixel"
    assert frame["auroc"][3] == 1
    assert frame.loc[3, ["null_99", "p"]].isna().all()
    assert frame.loc[1, "p"] >= 1 / 31
    assert np.isnan(frame.loc[1, "null_99"]), "30 fields decide nothing at 1 %"


def test_a_factor_that_is_nowhere_present_tells_nothing():
    labels = areas_map()
    frame = compare_factors(
        [np.zeros(labels.shape, np.float32)], labels, 4, chosen=[1], count=9, seed=0
    )
    assert (frame["auroc"] == 0.5).all()
    assert (frame["p"] == 1).all()


def judged(own, rival, factor=1):
    """Judge a pair whose factor has these AUROCs for its area and for another, on slice 2."""
    rows = [(1, True, "Ctx", 1, 0.9), (1, True, "Str", 1, 0.6), (1, True, "Ctx", 2, 0.8)]
    rows += [(2, False, "Ctx", 1, own), (2, False, "Str", 1, rival), (2, False, "Ctx", 2, 0.99)]
    frame = pd.DataFrame(rows, columns=["slice", "fitted", "name", "factor", "auroc"]).assign(
        target="area", null_99=0.6, p=own / 100
    )
    pair = {"target": "area", "name": "Ctx", "factor": factor, "auroc": 0.9}
    found = judge_selected(frame, pd.DataFrame([pair]))
    assert len(found) == 1
    return found.iloc[0]


def test_the_selected_factor_is_looked_at_however_good_another_is():
    row = judged(0.7, 0.4)
    assert (row["slice"], row["factor"], row["auroc_fitted"], row["auroc"]) == (2, 1, 0.9, 0.7)
    assert not row["aligned"]
    assert row["above_null"]
    assert judged(ALIGNED, 0.4)["aligned"]
    assert judged(0.7, 0.4, factor=2)["auroc"] == 0.99
    assert not judged(1.1, 0.4)["above_null"]


def test_a_pair_is_contradicted_where_its_factor_tells_another_area_better():
    assert not judged(0.7, 0.4)["contradicted"]
    row = judged(0.7, 0.94)
    assert row["contradicted"]
    assert row["best"] == "Str"
    assert judged(0.45, 0.4)["contradicted"]
