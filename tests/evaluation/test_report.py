from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from brainarch.evaluation import report
from brainarch.evaluation.apply import predicted_areas
from brainarch.statistics.metrics import confusion_by_block, confusion_matrix

AREAS = ("Ctx", "Str", "WM", "ZI")


@pytest.fixture
def sample():
    """Patches of three areas (ZI has none) and probabilities that are right about 2 in 3 times."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, 300)
    scores = rng.random((300, 4)) + 0.8 * np.eye(4)[true]
    patches = pd.DataFrame(
        {
            "z": 1,
            "y": rng.integers(0, 2000, 300),
            "x": rng.integers(0, 2000, 300),
            "area": np.array(AREAS, dtype=object)[true],
            "share": 1.0,
            "block": rng.integers(0, 25, 300),
        }
    )
    return patches, scores / scores.sum(axis=1, keepdims=True), true


def value(table, area, metric):
    return table[(table["area"] == area) & (table["metric"] == metric)].iloc[0]


def test_metrics_are_sklearns(sample):
    patches, probabilities, true = sample
    table = report.subset_metrics(patches, probabilities, AREAS, seed=1)
    predicted = probabilities.argmax(axis=1)
    assert value(table, "all", "accuracy")["value"] == reference.accuracy_score(true, predicted)
    expected = reference.precision_recall_fscore_support(
        true, predicted, labels=range(4), zero_division=np.nan
    )
    for metric, numbers in zip(("precision", "recall", "f1"), expected[:3], strict=True):
        got = [value(table, area, metric)["value"] for area in AREAS]
        np.testing.assert_allclose(got, numbers, rtol=1e-12)


def test_intervals_hold_their_values_and_counts_are_of_the_area(sample):
    patches, probabilities, _ = sample
    table = report.subset_metrics(patches, probabilities, AREAS, seed=1)
    defined = table[table["value"].notna()]
    assert (defined["low"] <= defined["value"]).all()
    assert (defined["value"] <= defined["high"]).all()
    within = defined["value"].between(0, 1, inclusive="neither")
    assert (defined["low"] < defined["high"])[within].all()
    row = value(table, "Str", "f1")
    striatum = patches[patches["area"] == "Str"]
    assert row["patches"] == len(striatum)
    assert row["blocks"] == striatum["block"].nunique()
    assert 0 < row["independent_patches"] < len(striatum)
    assert value(table, "all", "accuracy")["patches"] == 300


def test_an_area_without_patches_is_undefined_not_zero(sample):
    patches, probabilities, _ = sample
    table = report.subset_metrics(patches, probabilities, AREAS, seed=1)
    assert np.isnan(value(table, "ZI", "recall")["value"])
    assert np.isnan(value(table, "ZI", "recall")["low"])
    assert value(table, "ZI", "recall")["patches"] == 0


def test_leaving_an_area_out_drops_its_patches_and_its_logit(sample):
    patches, probabilities, true = sample
    table = report.subset_metrics(patches, probabilities, AREAS, without=["Str", "ZI"], seed=1)
    kept = true != 1
    rest = probabilities[kept][:, [0, 2]].argmax(axis=1) * 2
    assert set(table["subset"]) == {"without Str, ZI"}
    assert set(table["area"]) == {"all", "Ctx", "WM"}
    assert value(table, "all", "accuracy")["value"] == np.mean(rest == true[kept])
    recall = np.mean(rest[true[kept] == 2] == 2)
    assert value(table, "WM", "recall")["value"] == recall
    # Choosing among all areas would not do as well: the logit matters.
    assert np.mean(probabilities[kept].argmax(axis=1) == true[kept]) < np.mean(rest == true[kept])


def test_seed_decides_the_intervals_only(sample):
    patches, probabilities, _ = sample
    first, again, other = (
        report.subset_metrics(patches, probabilities, AREAS, seed=seed) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first["low"].equals(other["low"])
    assert first["value"].equals(other["value"])


def test_confusion_table_is_conserved(sample):
    patches, probabilities, true = sample
    confusion = confusion_matrix(true, predicted_areas(probabilities), 4)
    table = report.confusion_table(confusion, AREAS)
    assert len(table) == 16
    assert table["count"].sum() == 300
    by_hand = (patches["area"] == "Ctx") & (probabilities.argmax(axis=1) == 2)
    chosen = (table["area"] == "Ctx") & (table["predicted"] == "WM")
    assert table.loc[chosen, "count"].item() == by_hand.sum()


def test_metric_table_of_a_map_needs_no_independent_patches():
    rng = np.random.default_rng(0)
    confusions = confusion_by_block(
        rng.integers(0, 2, 500), rng.integers(0, 2, 500), rng.integers(0, 9, 500), 2
    )
    table = report.metric_table(confusions, ("a", "b"))
    assert table["independent_patches"].isna().all()
    assert value(table, "all", "balanced_accuracy")["value"] == pytest.approx(0.5, abs=0.1)


def test_predictions_keep_the_patches(sample):
    patches, probabilities, _ = sample
    table = report.prediction_table(patches, probabilities, AREAS)
    pd.testing.assert_frame_equal(table[list(patches.columns)], patches)
    np.testing.assert_allclose(table[[f"p_{a}" for a in AREAS]].sum(axis=1), 1, atol=1e-6)
    assert table["predicted"].tolist() == [AREAS[i] for i in probabilities.argmax(axis=1)]


def test_predicted_areas_among_some():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    assert predicted_areas(probabilities).tolist() == [0, 2]
    assert predicted_areas(probabilities, [1, 2]).tolist() == [1, 2]
    assert predicted_areas(probabilities, [0, 1]).tolist() == [0, 1]
