"""Planted clusters and components are found; degenerate coefficients do no harm."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from brainarch.discovery import mixture
from brainarch.discovery.clusters import fit_clusters
from brainarch.discovery.mixture import fit_mixture
from brainarch.errors import InputError


def blobs(rng, sizes, units=12, spread=0.3):
    truth = np.repeat(np.arange(len(sizes)), sizes)
    centres = np.maximum(rng.normal(size=(len(sizes), units)), 0) * 2
    return truth, np.maximum(centres[truth] + spread * rng.normal(size=(len(truth), units)), 0)


def test_clusters_are_found_and_ordered_by_size():
    truth, X = blobs(np.random.default_rng(0), (100, 400, 200, 300))
    fitted = fit_clusters(X, 4, seed=1)
    found = fitted.assign(X)
    assert adjusted_rand_score(truth, found) > 0.99
    assert np.bincount(found)[1:].tolist() == [400, 300, 200, 100]
    assert 0 < fitted.within_share < 0.2
    assert 0.8 < fitted.pca_share <= 1


def test_assignment_is_the_nearest_centre():
    rng = np.random.default_rng(2)
    X = rng.random((200, 6))
    fitted = fit_clusters(X, 3, seed=0)
    scores = (X - fitted.mean) @ fitted.axes.T
    distance = np.linalg.norm(scores[:, None] - fitted.centres[None], axis=2)
    assert np.array_equal(fitted.assign(X), distance.argmin(axis=1) + 1)


def test_components_are_found_and_ordered_by_weight():
    truth, C = blobs(np.random.default_rng(3), (500, 900, 300, 700), units=8)
    fitted = fit_mixture(C, 4, seed=1)
    found, probability = fitted.assign(C)
    assert fitted.converged
    assert adjusted_rand_score(truth, found) > 0.95
    assert np.all(np.diff(fitted.weights) <= 0)
    assert np.bincount(found)[1:].argmax() == 0
    assert probability.min() >= 0.25
    assert probability.max() <= 1


def test_the_scale_of_a_coefficient_does_not_matter():
    _, C = blobs(np.random.default_rng(4), (300, 300), units=5)
    scale = np.array([1e-3, 1.0, 50.0, 2.0, 7.0])
    one, _ = fit_mixture(C, 2, seed=0).assign(C)
    two, _ = fit_mixture(C * scale, 2, seed=0).assign(C * scale)
    assert adjusted_rand_score(one, two) > 0.999


def test_factors_all_but_absent_from_the_area_do_not_decide(monkeypatch):
    monkeypatch.setattr(mixture, "STARTS", 4)
    rng = np.random.default_rng(8)
    truth, C = blobs(rng, (500, 900, 300, 700), units=4, spread=0.5)
    rare = np.where(rng.random((len(C), 8)) < 0.03, 0.05 * rng.random((len(C), 8)), 0)
    found, _ = fit_mixture(np.hstack([C, rare]), 4, seed=1).assign(np.hstack([C, rare]))
    alone, _ = fit_mixture(C, 4, seed=1).assign(C)
    assert adjusted_rand_score(alone, found) > 0.95
    each = C.std(axis=0)
    equal = np.hstack([C / each, rare / rare.std(axis=0)])
    raised, _ = fit_mixture(equal, 4, seed=1).assign(equal)
    assert adjusted_rand_score(truth, raised) < adjusted_rand_score(truth, found) - 0.1


def test_zeros_and_constant_coefficients_do_no_harm():
    rng = np.random.default_rng(5)
    truth, C = blobs(rng, (600, 600), units=6)
    C[:, 0] = 0.0  # absent factor
    C[:, 1] = 3.0  # constant factor
    C[:, 2] = C[:, 3]  # singular covariance
    C[rng.random(1200) < 0.9, 4] = 0.0  # many exact zeros
    fitted = fit_mixture(C, 2, seed=0)
    assert fitted.used.tolist() == [False, False, True, True, True, True]
    found, probability = fitted.assign(C)
    assert np.isfinite(probability).all()
    assert adjusted_rand_score(truth, found) > 0.9


def test_too_little_is_refused():
    with pytest.raises(InputError, match="too few for 4 components"):
        fit_mixture(np.ones((5, 3)), 4, seed=0)
    with pytest.raises(InputError, match="no factor's coefficient varies"):
        fit_mixture(np.ones((50, 3)), 2, seed=0)
    with pytest.raises(InputError, match="too few for 4 clusters"):
        fit_clusters(np.ones((3, 5)), 4, seed=0)
    with pytest.raises(InputError, match="all alike"):
        fit_clusters(np.ones((30, 5)), 4, seed=0)
