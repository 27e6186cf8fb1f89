"""Surrogate fields: their covariance is the map's, and they are independent of each other."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from brainarch.statistics.field_nulls import FieldModel


def lagged(field: np.ndarray, lag: int) -> float:
    """Mean product of neighbours that many columns apart, over known pairs."""
    return float(np.nanmean(field[:, lag:] * field[:, : field.shape[1] - lag]))


def test_covariance_is_that_of_the_maps_process_and_fields_are_independent() -> None:
    """The process is known: its covariance is the kernel's with itself, a Gaussian."""
    rng = np.random.default_rng(0)
    sigma = 2.0
    field = gaussian_filter(rng.normal(size=(160, 260)), sigma, mode="wrap")[20:140, 20:240]
    field[:, 70:80] = np.nan
    known = np.isfinite(field)
    drawn = np.full((100, *field.shape), np.nan)
    model = FieldModel(known)
    weights = model.fit(field[known])
    for own, values in zip(drawn, model.draw(weights, 100, rng), strict=True):
        own[known] = values
    variance = 1 / (4 * np.pi * sigma**2)
    for lag in (0, 1, 2, 4, 12):
        expected = variance * np.exp(-(lag**2) / (4 * sigma**2))
        found = np.mean([lagged(own, lag) for own in drawn])
        np.testing.assert_allclose(found, expected, atol=0.12 * variance)
    apart = np.corrcoef(drawn[:, known])[np.triu_indices(100, 1)]
    assert abs(apart.mean()) < 0.01


def test_variance_of_a_contrast_is_that_of_the_fields() -> None:
    rng = np.random.default_rng(2)
    known = rng.random((30, 50)) < 0.8
    model = FieldModel(known)
    weights = model.fit(gaussian_filter(rng.normal(size=known.shape), 3)[known])
    left = np.broadcast_to(np.arange(50) < 20, known.shape)[known]
    contrast = left / left.sum() - ~left / (~left).sum()
    drawn = [contrast @ field for field in model.draw(weights, 2000, rng)]
    np.testing.assert_allclose(
        model.variances(contrast[None]) @ weights, [np.var(drawn)], rtol=0.12
    )


def test_the_same_seed_draws_the_same_fields() -> None:
    values = np.random.default_rng(1).normal(size=600)
    model = FieldModel(np.ones((20, 30), dtype=bool))
    weights = model.fit(values)
    one, other = (
        np.stack(list(model.draw(weights, 3, np.random.default_rng(7)))) for _ in range(2)
    )
    np.testing.assert_array_equal(one, other)
    assert one.shape == (3, 600)
