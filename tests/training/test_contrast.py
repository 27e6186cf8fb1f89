"""The contrast loss equals its definition; near windows neither repel nor count."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from brainarch.training.contrast import ALONE, contrast_loss, near_windows


def planted(number: int = 12) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return outputs, partners (the last one alone) and positions in two slices 120 apart."""
    rng = np.random.default_rng(0)
    outputs = torch.from_numpy(rng.normal(size=(number, 5)))
    positions = rng.uniform(0, 350, (number, 3))
    positions[:, 0] = 120 * rng.integers(0, 2, number)
    half = number // 2
    positions[half:] = positions[:half] + np.array([0, 10, 10])  # the second views lie close by
    partners = torch.tensor([*range(half, number), *range(half)])
    partners[-1] = ALONE
    return outputs, partners, torch.from_numpy(positions)


def brute_force(
    outputs: np.ndarray, partners: np.ndarray, positions: np.ndarray, apart: float, heat: float
) -> tuple[float, float]:
    """Sum over windows one by one, as InfoNCE is written down."""
    losses, found = [], []
    for i, partner in enumerate(partners):
        if partner == ALONE:
            continue
        cosines = {
            j: float(outputs[i] @ other / np.linalg.norm(outputs[i]) / np.linalg.norm(other))
            for j, other in enumerate(outputs)
            if j == partner or (j != i and math.dist(positions[i], positions[j]) >= apart)
        }
        total = sum(math.exp(cosine / heat) for cosine in cosines.values())
        losses.append(-math.log(math.exp(cosines[partner] / heat) / total))
        found.append(max(cosines, key=lambda j: cosines[j]) == partner)
    return float(np.mean(losses)), float(np.mean(found))


@pytest.mark.parametrize("apart", [1e-6, 200.0, 350.0])
@pytest.mark.parametrize("heat", [0.2, 1.0])
def test_loss_is_infonce_without_near_windows(apart: float, heat: float) -> None:
    outputs, partners, positions = planted()
    near = near_windows(positions, apart)
    loss, found = contrast_loss(outputs, partners, near, heat)
    truth = brute_force(outputs.numpy(), partners.numpy(), positions.numpy(), apart, heat)
    assert loss.item() == pytest.approx(truth[0], rel=1e-5)
    assert found.item() == pytest.approx(truth[1])


def test_near_is_the_distance_in_space() -> None:
    rng = np.random.default_rng(1)
    # far from the origin, where products of float32 would lose the neighbours' distance
    positions = rng.uniform(0, 400, (60, 3)) + np.array([0, 20000, 60000])
    positions[:, 0] = rng.choice([4, 54, 104], 60)
    positions = positions.astype(np.float32)
    near = near_windows(torch.from_numpy(positions), 200.0).numpy()
    truth = np.array([[math.dist(a, b) < 200 for b in positions] for a in positions])
    assert np.array_equal(near, truth)
    assert near.diagonal().all()
    # slices count: some pairs are far in space but near in the plane
    plane = np.linalg.norm(positions[:, None, 1:] - positions[:, 1:], axis=-1) < 200
    assert (plane & ~near).any()
    assert 0.05 < near.mean() < 0.95


def test_near_windows_do_not_repel_and_without_the_mask_they_do() -> None:
    outputs, partners, positions = planted()
    near = near_windows(positions)
    outputs.requires_grad_()
    window = int(near[:-1].sum(dim=1).argmax())
    mask = near[window].clone()
    mask[[window, int(partners[window])]] = False
    assert mask.any()
    only_one = torch.full_like(partners, ALONE)
    only_one[window] = partners[window]
    for excluded, repels in ((near, False), (torch.eye(len(near), dtype=torch.bool), True)):
        gradient = torch.autograd.grad(contrast_loss(outputs, only_one, excluded)[0], outputs)[0]
        pushed = gradient[mask]
        assert bool((pushed != 0).any()) is repels
        if repels:
            # a step down the gradient makes each less alike to that window
            with torch.no_grad():
                unit = torch.nn.functional.normalize(outputs, dim=1)
                assert (pushed @ unit[window] > 0).all()


def test_windows_without_partner_or_rival_leave_the_loss_finite() -> None:
    outputs = torch.randn(4, 3, requires_grad=True)
    everything = torch.ones(4, 4, dtype=torch.bool)
    loss, _ = contrast_loss(outputs, torch.tensor([1, 0, ALONE, ALONE]), everything)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert outputs.grad is not None
    assert torch.isfinite(outputs.grad).all()
    assert contrast_loss(outputs, torch.full((4,), ALONE), everything)[0].item() == 0


def test_same_outputs_end_at_the_logarithm_of_the_number() -> None:
    number = 8
    partners = torch.arange(number).roll(number // 2)
    loss, _ = contrast_loss(torch.ones(number, 3), partners, torch.eye(number, dtype=torch.bool))
    assert loss.item() == pytest.approx(math.log(number - 1))
