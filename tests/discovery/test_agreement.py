"""Agreement equals scikit-learn's; planted layers beat the nulls, unrelated maps do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.cluster import KMeans
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    v_measure_score,
)

from brainarch.discovery.agreement import agreement, compare_with_nulls, contingency

EDGES = np.array([0, 0.11, 0.36, 0.51, 0.77])


def layered(rows=80, columns=100):
    """Return wavy layers from left to right and their relative depth."""
    y, x = np.mgrid[:rows, :columns]
    depth = (x + 0.5) / columns
    labels = np.digitize(depth + 0.02 * np.sin(y / 9), EDGES).clip(1, 5)
    return labels, depth


def component_map(labels, seed, strength):
    """Cluster three smooth random fields, the first two shifted by layer."""
    rng = np.random.default_rng(seed)
    fields = gaussian_filter(rng.normal(size=(*labels.shape, 3)), (6, 6, 0))
    fields /= fields.std()
    fields[..., 0] += strength * np.array([0, -1, 1, 0, 1.5, -1])[labels]
    fields[..., 1] += strength * np.array([0, 1, -1, 1, 0, 0])[labels]
    clusters = KMeans(4, n_init=2, random_state=seed).fit_predict(fields.reshape(-1, 3))
    return clusters.reshape(labels.shape) + 1


@pytest.mark.parametrize("seed", range(4))
def test_agreement_equals_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    a = rng.integers(1, 5, 400)
    b = np.where(rng.random(400) < 0.2 * seed, a + 1, rng.integers(1, 7, 400))
    found = agreement(contingency(a, b))
    assert found["ami"] == pytest.approx(adjusted_mutual_info_score(a, b), abs=1e-9)
    assert found["v_measure"] == pytest.approx(v_measure_score(a, b), abs=1e-9)
    assert found["ari"] == pytest.approx(adjusted_rand_score(a, b), abs=1e-9)


@pytest.mark.parametrize(
    ("a", "b"), [([1, 1, 1], [1, 1, 1]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [3, 1, 2])]
)
def test_agreement_of_degenerate_maps_equals_scikit_learn(a, b):
    found = agreement(contingency(np.array(a), np.array(b)))
    assert found["ami"] == pytest.approx(adjusted_mutual_info_score(a, b))
    assert found["v_measure"] == pytest.approx(v_measure_score(a, b))
    assert found["ari"] == pytest.approx(adjusted_rand_score(a, b))


def test_only_pixels_that_both_maps_have_are_compared():
    a = np.array([[1, 1, 2, 0], [2, 2, 0, 1]])
    b = np.array([[1, 1, 2, 2], [0, 2, 1, 1]])
    assert contingency(a, b).tolist() == [[3, 0], [0, 2]]
    assert np.isnan(agreement(contingency(a, np.zeros_like(b)))["ari"])


def test_planted_layers_are_above_all_nulls():
    labels, depth = layered()
    frame = compare_with_nulls(
        component_map(labels, 0, 1.5), labels, block=25, count=60, seed=0, depth=depth
    )
    assert set(frame["null"]) == {"shift", "block", "depth"}
    ami = frame[frame["statistic"] == "ami"]
    assert (ami["maps"] == 60).all()
    assert ami["above_nulls"].all()
    assert ami["above"].all()
    assert (ami["p"] == 1 / 61).all()


def test_unrelated_smooth_maps_are_not_above_both_nulls():
    labels, depth = layered(60, 80)
    verdicts = []
    for seed in range(8):
        frame = compare_with_nulls(
            component_map(labels, seed, 0.0), labels, block=20, count=30, seed=seed, depth=depth
        )
        verdicts.append(frame[frame["statistic"] == "ami"]["above_nulls"].all())
    assert sum(verdicts) <= 1


def test_permuted_pixels_would_have_called_them_findings():
    """The reason why pixels are never permuted: the control that this module does without."""
    labels, _ = layered()
    rng = np.random.default_rng(0)
    values = component_map(labels, 3, 0.0)
    own = agreement(contingency(values, labels))["ami"]
    null = [
        agreement(contingency(values, rng.permutation(labels.ravel()).reshape(labels.shape)))["ami"]
        for _ in range(30)
    ]
    assert own > np.percentile(null, 99)


def test_a_map_without_common_pixels_is_no_finding():
    labels, depth = layered(40, 50)
    nothing = np.zeros_like(labels)
    frame = compare_with_nulls(nothing, labels, block=10, count=20, seed=0, depth=depth)
    assert frame["value"].isna().all()
    assert (frame["pixels"] == 0).all()
    assert not frame["above_nulls"].any()
