import numpy as np
import pytest
import torch
from dense_fakes import AREAS, narrow_network
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score, precision_recall_fscore_support

from brainarch.dense.cube import Cube
from brainarch.dense.predict import (
    DISTANCES_UM,
    border_distance,
    border_table,
    confusion_table,
    metrics_table,
    predict_map,
)
from brainarch.statistics.metrics import confusion_by_block


def test_the_map_is_the_last_layer_s_choice(tmp_path):
    rng = np.random.default_rng(0)
    units = rng.gamma(1.0, size=(150, 9, 5)).astype(np.float32)
    done = rng.random((150, 9)) < 0.6
    cube = Cube.create(tmp_path / "c.zarr", np.arange(150), np.arange(9), 5, {"z": 0, "stride": 1})
    cube.write(0, 0, np.where(done[..., None], units, np.nan), done)
    network = narrow_network()
    torch.nn.init.normal_(network.head.weight, generator=torch.Generator().manual_seed(1))
    found = predict_map(cube, network.head)
    with torch.inference_mode():
        logits = network.head(torch.from_numpy(units)).numpy()
    np.testing.assert_array_equal(found.area, np.where(done, logits.argmax(axis=2) + 1, 0))
    assert len(np.unique(found.area)) == 4
    wanted = np.where(done, softmax(logits, axis=2).max(axis=2), np.nan)
    np.testing.assert_allclose(found.confidence, wanted, rtol=1e-5)
    assert found.area.dtype == np.uint8


def test_border_distance_equals_brute_force():
    labels = np.random.default_rng(1).integers(0, 3, size=(6, 7)).repeat(4, 0).repeat(3, 1)
    found = border_distance(labels)
    places = np.argwhere(labels >= 0)
    for y, x in places[::5]:
        others = places[labels[tuple(places.T)] != labels[y, x]]
        nearest = np.sqrt(((others - [y, x]) ** 2).sum(axis=1)).min()
        assert found[y, x] == pytest.approx(nearest if labels[y, x] else 0.0)


def test_the_edge_of_the_slice_is_no_border():
    assert np.isinf(border_distance(np.ones((4, 5), dtype=np.uint8))).all()
    labels = np.ones((4, 9), dtype=np.uint8)
    labels[:, 0] = 2
    assert border_distance(labels)[2].tolist() == [1, 1, 2, 3, 4, 5, 6, 7, 8]


def test_border_table_counts_by_distance():
    distance = np.array([1.0, 9.99, 10.0, 60.0, 1e4, np.inf])
    table = border_table(distance, np.array([True, False, True, False, True, True]))
    assert table["pixels"].sum() == 6
    assert len(table) == len(DISTANCES_UM) - 1
    by_low = table.set_index("distance_um_low")
    assert by_low.loc[0.0, ["pixels", "accuracy"]].tolist() == [2, 0.5]
    assert by_low.loc[10.0, "pixels"] == 1
    assert by_low.loc[50.0, "accuracy"] == 0
    assert by_low.loc[500.0, ["pixels", "accuracy"]].tolist() == [2, 1.0]
    assert np.isnan(by_low.loc[25.0, "accuracy"])


@pytest.fixture(scope="module")
def judged():
    rng = np.random.default_rng(2)
    true = rng.integers(3, size=4000)
    predicted = np.where(rng.random(4000) < 0.7, true, rng.integers(3, size=4000))
    return true, predicted, np.arange(4000) // 400


def test_metrics_are_those_of_another_library(judged):
    true, predicted, blocks = judged
    table = metrics_table(confusion_by_block(true, predicted, blocks, 3), AREAS, "test", seed=0)
    value = table.set_index(["area", "metric"])["value"]
    assert value["all", "accuracy"] == pytest.approx((true == predicted).mean())
    assert value["all", "balanced_accuracy"] == pytest.approx(
        balanced_accuracy_score(true, predicted)
    )
    wanted = precision_recall_fscore_support(true, predicted)
    for kind, metric in enumerate(("precision", "recall", "f1")):
        for index, area in enumerate(AREAS):
            assert value[area, metric] == pytest.approx(wanted[kind][index])
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    assert table["blocks"].eq(10).all()
    support = table.set_index(["area", "metric"])["patches"]
    assert support["all", "accuracy"] == 4000
    assert support["Str", "recall"] == (true == 1).sum()


def test_intervals_come_from_blocks_and_not_from_pixels(judged):
    true, predicted, _ = judged
    # All errors in one half of the blocks: the blocks' spread is large, the pixels' is not.
    order = np.argsort(true == predicted, kind="stable")
    blocks = np.empty(4000, dtype=int)
    blocks[order] = np.arange(4000) // 400
    spread = metrics_table(confusion_by_block(true, predicted, blocks, 3), AREAS, "test", seed=0)
    mixed = metrics_table(
        confusion_by_block(true, predicted, np.arange(4000) % 10, 3), AREAS, "test", seed=0
    )
    wide, narrow = (
        float(table["high"].iloc[0] - table["low"].iloc[0]) for table in (spread, mixed)
    )
    assert wide > 5 * narrow


def test_without_pixels_every_number_is_undefined_not_zero():
    table = metrics_table(np.zeros((0, 3, 3), dtype=np.int64), AREAS, "labelled", seed=0)
    assert table[["value", "low", "high"]].isna().all(axis=None)
    assert table["patches"].eq(0).all()


def test_confusion_table_holds_every_pair():
    table = confusion_table(np.arange(9).reshape(3, 3), AREAS)
    assert table.loc[(table["area"] == "Str") & (table["predicted"] == "VP"), "count"].item() == 5
    assert table["count"].sum() == 36
