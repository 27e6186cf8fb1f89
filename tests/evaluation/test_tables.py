from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from brainarch.evaluation import tables
from brainarch.evaluation.probabilities import predicted_areas
from brainarch.statistics.metrics import confusion_by_block

AREAS = ("Ctx", "Str", "WM", "ZI")
#: Blocks of the sample's patches.
BLOCKS = np.random.default_rng(9).integers(0, 25, 300)


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
        }
    )
    return patches, scores / scores.sum(axis=1, keepdims=True), true


def metrics_of(patches, probabilities, without=None, seed=1):
    bootstrap = {"block_px": 512, "resamples": 1000, "seed": seed}
    return tables.subset_metrics(
        patches, probabilities, AREAS, BLOCKS, without=without, **bootstrap
    )


def value(table, area, metric):
    return table[(table["area"] == area) & (table["metric"] == metric)].iloc[0]


def test_metrics_are_sklearns(sample):
    patches, probabilities, true = sample
    table = metrics_of(patches, probabilities)
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
    table = metrics_of(patches, probabilities)
    defined = table[table["value"].notna() & (table["blocks"] >= 8)]
    assert len(defined) == 2 + 3 * 3
    assert (defined["low"] <= defined["value"]).all()
    assert (defined["value"] <= defined["high"]).all()
    within = defined["value"].between(0, 1, inclusive="neither")
    assert (defined["low"] < defined["high"])[within].all()
    row = value(table, "Str", "f1")
    striatum = (patches["area"] == "Str").to_numpy()
    assert row["patches"] == striatum.sum()
    assert row["blocks"] == len(set(BLOCKS[striatum]))
    assert row["block_px"] == 512
    assert 0 < row["independent_patches"] < striatum.sum()
    assert value(table, "all", "accuracy")["patches"] == 300


def test_an_area_without_patches_is_undefined_not_zero(sample):
    patches, probabilities, _ = sample
    table = metrics_of(patches, probabilities)
    assert np.isnan(value(table, "ZI", "recall")["value"])
    assert np.isnan(value(table, "ZI", "recall")["low"])
    assert value(table, "ZI", "recall")["patches"] == 0


def test_leaving_an_area_out_drops_its_patches_and_its_logit(sample):
    patches, probabilities, true = sample
    table = metrics_of(patches, probabilities, without="Str")
    kept = true != 1
    rest = np.array([0, 2, 3])[probabilities[kept][:, [0, 2, 3]].argmax(axis=1)]
    assert set(table["subset"]) == {"without Str"}
    assert set(table["area"]) == {"all", "Ctx", "WM", "ZI"}
    assert value(table, "all", "accuracy")["value"] == np.mean(rest == true[kept])
    recall = np.mean(rest[true[kept] == 2] == 2)
    assert value(table, "WM", "recall")["value"] == recall
    # Choosing among all areas would not do as well: the logit matters.
    assert np.mean(probabilities[kept].argmax(axis=1) == true[kept]) < np.mean(rest == true[kept])


def test_seed_decides_the_intervals_only(sample):
    patches, probabilities, _ = sample
    first, again, other = (metrics_of(patches, probabilities, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["low"].equals(other["low"])
    assert first["value"].equals(other["value"])


def test_confusion_table_is_conserved(sample):
    patches, probabilities, true = sample
    predicted = probabilities.argmax(axis=1)
    confusions = confusion_by_block(true, predicted, BLOCKS, 4)
    table = tables.confusion_table(confusions, AREAS)
    assert len(table) == 16
    assert table["count"].sum() == 300
    by_hand = (patches["area"] == "Ctx") & (probabilities.argmax(axis=1) == 2)
    chosen = (table["area"] == "Ctx") & (table["predicted"] == "WM")
    assert table.loc[chosen, "count"].item() == by_hand.sum()


def test_predictions_keep_the_patches(sample):
    patches, probabilities, _ = sample
    table = tables.prediction_table(patches, probabilities, AREAS)
    pd.testing.assert_frame_equal(table[list(patches.columns)], patches)
    np.testing.assert_allclose(table[[f"p_{a}" for a in AREAS]].sum(axis=1), 1, atol=1e-6)
    assert table["predicted"].tolist() == [AREAS[i] for i in probabilities.argmax(axis=1)]


def test_predicted_areas_among_some():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    assert predicted_areas(probabilities).tolist() == [0, 2]
    assert predicted_areas(probabilities, [1, 2]).tolist() == [1, 2]
    assert predicted_areas(probabilities, [0, 1]).tolist() == [0, 1]


#: Areas of a predicted slice.
MAPPED = AREAS[:3]


def map_metrics(confusions):
    bootstrap = {"block_px": 512, "resamples": 1000, "seed": 0}
    return tables.metric_table(confusions, MAPPED, subset="test", drawn=False, **bootstrap)


def test_an_area_drawn_as_often_as_another_stays_so():
    """One area is always named: right for exactly one patch in three, however blocks fall."""
    true = np.repeat(np.arange(3), 100)
    blocks = (true * 4 + np.arange(300) % 6) % 12
    confusions = confusion_by_block(true, np.ones(300, int), blocks, 3)
    bootstrap = {"block_px": 512, "resamples": 500, "seed": 0}
    drawn, loose = (
        tables.metric_table(confusions, MAPPED, subset="all", drawn=kept, **bootstrap).iloc[0]
        for kept in (True, False)
    )
    assert (drawn["low"], drawn["value"], drawn["high"]) == pytest.approx((1 / 3,) * 3)
    assert loose["high"] - loose["low"] > 0.1


@pytest.fixture(scope="module")
def judged():
    rng = np.random.default_rng(2)
    true = rng.integers(3, size=4000)
    predicted = np.where(rng.random(4000) < 0.7, true, rng.integers(3, size=4000))
    return true, predicted, np.arange(4000) // 400


def test_metrics_are_those_of_another_library(judged):
    true, predicted, blocks = judged
    table = map_metrics(confusion_by_block(true, predicted, blocks, 3))
    value = table.set_index(["area", "metric"])["value"]
    assert value["all", "accuracy"] == pytest.approx((true == predicted).mean())
    assert value["all", "balanced_accuracy"] == pytest.approx(
        reference.balanced_accuracy_score(true, predicted)
    )
    wanted = reference.precision_recall_fscore_support(true, predicted)
    for kind, metric in enumerate(("precision", "recall", "f1")):
        for index, area in enumerate(MAPPED):
            assert value[area, metric] == pytest.approx(wanted[kind][index])
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    assert table["blocks"].eq(10).all()
    assert table["independent_patches"].isna().all()
    assert set(table["subset"]) == {"test"}
    support = table.set_index(["area", "metric"])["patches"]
    assert support["all", "accuracy"] == 4000
    assert support["Str", "recall"] == (true == 1).sum()


def test_intervals_come_from_blocks_and_not_from_pixels(judged):
    true, predicted, _ = judged
    # All errors in one half of the blocks: the blocks' spread is large, the pixels' is not.
    order = np.argsort(true == predicted, kind="stable")
    blocks = np.empty(4000, dtype=int)
    blocks[order] = np.arange(4000) // 400
    spread = map_metrics(confusion_by_block(true, predicted, blocks, 3))
    mixed = map_metrics(confusion_by_block(true, predicted, np.arange(4000) % 10, 3))
    wide, narrow = (
        float(table["high"].iloc[0] - table["low"].iloc[0]) for table in (spread, mixed)
    )
    assert wide > 5 * narrow


def test_without_pixels_every_number_is_undefined_not_zero():
    table = map_metrics(np.zeros((0, 3, 3), dtype=np.int64))
    assert table[["value", "low", "high"]].isna().all(axis=None)
    assert table["patches"].eq(0).all()


def test_confusion_table_holds_every_pair():
    table = tables.confusion_table(np.arange(9).reshape(1, 3, 3), MAPPED)
    assert table.loc[(table["area"] == "Str") & (table["predicted"] == "WM"), "count"].item() == 5
    assert table["count"].sum() == 36
