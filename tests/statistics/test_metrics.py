from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from brainarch.statistics import metrics


@pytest.fixture
def labels() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    true = rng.integers(0, 5, 400)
    predicted = np.where(rng.random(400) < 0.6, true, rng.integers(0, 5, 400))
    return true, predicted, rng.integers(100, 117, 400)


def confusion_matrix(true, predicted, n):
    """Count all pairs as if they lay in one block."""
    return metrics.confusion_by_block(true, predicted, np.zeros(len(true), int), n)[0]


def test_confusion_matrix_is_sklearns(labels):
    true, predicted, _ = labels
    found = confusion_matrix(true, predicted, 5)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, reference.confusion_matrix(true, predicted))


def test_confusion_keeps_areas_that_never_occur():
    found = confusion_matrix(np.array([0, 0]), np.array([0, 2]), 4)
    assert found.shape == (4, 4)
    assert found[0, 0] == found[0, 2] == 1
    assert found.sum() == 2


@pytest.mark.parametrize("bad", [-1, 3])
def test_an_index_out_of_range_is_refused(bad):
    with pytest.raises(ValueError, match="outside 0"):
        confusion_matrix(np.array([0, bad]), np.array([0, 0]), 3)


def test_labels_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="shapes"):
        confusion_matrix(np.array([0, 1]), np.array([0]), 3)


def test_confusion_by_block_counts_each_block(labels):
    true, predicted, blocks = labels
    stack = metrics.confusion_by_block(true, predicted, blocks, 5)
    for matrix, block in zip(stack, np.unique(blocks), strict=True):
        inside = blocks == block
        np.testing.assert_array_equal(
            matrix, reference.confusion_matrix(true[inside], predicted[inside], labels=range(5))
        )


def test_precision_recall_f1_are_sklearns(labels):
    true, predicted, _ = labels
    found = metrics.precision_recall_f1(confusion_matrix(true, predicted, 5))
    expected = reference.precision_recall_fscore_support(true, predicted)[:3]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_undefined_ratios_are_nan():
    # Area 1 has patches but is never predicted, 2 is predicted but has none, 3 neither.
    confusion = np.array([[5, 0, 1, 0], [3, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    precision, recall, f1 = metrics.precision_recall_f1(confusion)
    np.testing.assert_allclose(precision, [5 / 8, np.nan, 0, np.nan])
    np.testing.assert_allclose(recall, [5 / 6, 0, np.nan, np.nan])
    np.testing.assert_allclose(f1, [10 / 14, 0, 0, np.nan])
    expected = reference.precision_recall_fscore_support(
        [0] * 6 + [1] * 3, [0] * 5 + [2] + [0] * 3, labels=range(4), zero_division=np.nan
    )
    np.testing.assert_allclose((precision, recall, f1), expected[:3])


def test_accuracies_are_sklearns(labels):
    true, predicted, _ = labels
    confusion = confusion_matrix(true, predicted, 5)
    assert metrics.accuracies(confusion) == reference.accuracy_score(true, predicted)


def test_empty_confusion_has_no_accuracy():
    assert np.isnan(metrics.accuracies(np.zeros((3, 3))))


def test_stacks_give_what_single_matrices_give(labels):
    true, predicted, blocks = labels
    stack = metrics.confusion_by_block(true, predicted, blocks, 5)
    np.testing.assert_array_equal(
        metrics.accuracies(stack), [metrics.accuracies(matrix) for matrix in stack]
    )
    np.testing.assert_array_equal(
        metrics.precision_recall_f1(stack)[2],
        [metrics.precision_recall_f1(matrix)[2] for matrix in stack],
    )


@pytest.mark.parametrize("seed", range(4))
def test_cluster_scores_are_sklearns(seed):
    rng = np.random.default_rng(seed)
    area = rng.integers(0, 4, 300)
    cluster = np.where(rng.random(300) < seed / 3, area, rng.integers(0, 6, 300))
    table = metrics.joint_counts_by_block(area, cluster, np.zeros(300, int), (4, 6))[0]
    np.testing.assert_allclose(
        [float(value) for value in metrics.v_measures(table)],
        reference.homogeneity_completeness_v_measure(area, cluster),
        atol=1e-12,
    )
    assert float(metrics.adjusted_rand(table)) == pytest.approx(
        reference.adjusted_rand_score(area, cluster), abs=1e-12
    )


@pytest.mark.parametrize(
    ("area", "cluster"),
    [([0] * 6, [0, 0, 1, 1, 2, 2]), ([0, 0, 1, 1], [0] * 4), ([0] * 3, [0] * 3)],
)
def test_cluster_scores_of_trivial_partitions_are_sklearns(area, cluster):
    blocks = np.zeros(len(area), int)
    table = metrics.joint_counts_by_block(np.array(area), np.array(cluster), blocks, (2, 3))[0]
    np.testing.assert_allclose(
        [float(value) for value in metrics.v_measures(table)],
        reference.homogeneity_completeness_v_measure(area, cluster),
        atol=1e-12,
    )
    assert float(metrics.adjusted_rand(table)) == reference.adjusted_rand_score(area, cluster)
