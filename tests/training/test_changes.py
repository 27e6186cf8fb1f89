"""Changes of grey: each as its formula says, by crop, and nothing where none is drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainarch.training.changes import COLUMNS, change_grey, draw_changes

NONE = {"contrast": 1.0, "brightness": 0.0, "gamma": 1.0, "noise": 0.0, "levels": 0.0}


def unit(number: int = 1) -> torch.Tensor:
    return torch.rand(number, 1, 9, 11, generator=torch.Generator().manual_seed(1))


def noise(number: int = 1) -> torch.Tensor:
    return torch.randn(number, 1, 9, 11, generator=torch.Generator().manual_seed(2))


def changed(**values: float) -> tuple[np.ndarray, np.ndarray]:
    """Return grey values before and after the named changes, in float64."""
    row = torch.tensor([[{**NONE, **values}[name] for name in COLUMNS]])
    after = change_grey(unit(), row, 0.45, noise())
    return unit().double().numpy(), after.double().numpy()


def test_nothing_drawn_changes_nothing() -> None:
    before, after = changed()
    assert np.allclose(after, before, atol=1e-6)


@pytest.mark.parametrize("factor", [0.75, 1.3])
def test_contrast_scales_the_difference_to_the_mean(factor: float) -> None:
    before, after = changed(contrast=factor)
    assert np.allclose(after, np.clip(0.45 + factor * (before - 0.45), 0, 1), atol=1e-6)


def test_brightness_gamma_and_noise() -> None:
    before, after = changed(brightness=0.08)
    assert np.allclose(after, np.clip(before + 0.08, 0, 1), atol=1e-6)
    before, after = changed(gamma=1.3)
    assert np.allclose(after, before**1.3, atol=1e-6)
    before, after = changed(noise=0.06)
    assert np.allclose(after, np.clip(before + 0.06 * noise().numpy(), 0, 1), atol=1e-6)


@pytest.mark.parametrize("levels", [8, 19, 64])
def test_levels_are_evenly_spaced_and_nearest(levels: int) -> None:
    before, after = changed(levels=levels)
    possible = np.linspace(0, 1, levels)
    nearest = possible[np.abs(before[..., None] - possible).argmin(axis=-1)]
    assert np.allclose(after, nearest, atol=1e-6)


def test_each_crop_gets_its_own_changes() -> None:
    rows = torch.from_numpy(draw_changes(6, np.random.default_rng(0)))
    together = change_grey(unit(6), rows, 0.4, noise(6))
    alone = [change_grey(unit(6)[[k]], rows[[k]], 0.4, noise(6)[[k]]) for k in range(6)]
    assert torch.equal(together, torch.cat(alone))
    assert together.min() >= 0
    assert together.max() <= 1


def test_draws_fill_the_stated_ranges_and_halves() -> None:
    table = draw_changes(20_000, np.random.default_rng(3)).astype(np.float64)
    contrast, brightness, gamma, sigma, levels = table.T
    for values, low, high in (
        (contrast, 0.75, 1.3),
        (brightness, -0.08, 0.08),
        (np.log(gamma[gamma != 1]), -0.3, 0.3),
        (sigma[sigma > 0], 0.0, 0.06),
        (levels[levels > 0], 8, 64),
    ):
        slack = 0.01 * (high - low)
        assert low - 1e-6 <= values.min() < low + slack
        assert high - slack < values.max() <= high + 1e-6
        assert values.mean() == pytest.approx((low + high) / 2, abs=2 * slack)
    some = np.stack([gamma != 1, sigma > 0, levels > 0])
    assert some.mean(axis=1) == pytest.approx([0.5] * 3, abs=0.02)
    assert np.abs(np.corrcoef(some) - np.eye(3)).max() < 0.03
