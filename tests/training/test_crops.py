"""A crop's windows give what each gives alone, and its gradients are theirs."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.nn import functional

from brainarch.geometry import STRIDE, WINDOW, crop_pixels
from brainarch.network.architecture import AreaNetwork
from brainarch.training.crops import crop_logits


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def network(dropout: float = 0.3) -> AreaNetwork:
    torch.manual_seed(3)
    return AreaNetwork(5, dropout)


def crops(number: int, side: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(4)
    return torch.randn(number, 1, crop_pixels(side), crop_pixels(side), generator=generator)


def windows_of(crops: torch.Tensor, side: int) -> torch.Tensor:
    """Cut every window out: shape (n * side * side, 1, 134, 134), by crop, row and column."""
    parts = [
        crop[:, STRIDE * i : STRIDE * i + WINDOW, STRIDE * j : STRIDE * j + WINDOW]
        for crop in crops
        for i in range(side)
        for j in range(side)
    ]
    return torch.stack(parts)


def loop(net: AreaNetwork, crops: torch.Tensor, side: int) -> torch.Tensor:
    logits = net(windows_of(crops, side))
    return logits.reshape(len(crops), side, side, -1).permute(0, 3, 1, 2)


@pytest.mark.parametrize("side", [1, 2, 4])
def test_windows_of_a_crop_are_those_windows_alone(side: int) -> None:
    net, data = network().eval(), crops(2, side)
    with torch.no_grad():
        together, alone = crop_logits(net, data), loop(net, data, side)
    assert together.shape == (2, 5, side, side)
    assert (together - alone).abs().max() <= 1e-5 * alone.abs().max()
    # Control: the neighbouring window's logits are not within the tolerance.
    shifted = alone.roll(1, dims=3)
    assert side == 1 or (together - shifted).abs().max() > 1e-3 * alone.abs().max()


def test_gradients_are_those_of_the_loop_over_windows() -> None:
    side = 3
    data = crops(2, side).double()
    labels = torch.randint(5, (2, side, side), generator=torch.Generator().manual_seed(5))
    found = []
    for apply in (lambda net: crop_logits(net, data), lambda net: loop(net, data, side)):
        net = copy.deepcopy(network()).double().eval()
        functional.cross_entropy(apply(net), labels).backward()
        found.append([p.grad for p in net.parameters()])
    for together, alone in zip(*found, strict=True):
        assert together is not None
        assert alone is not None
        assert alone.abs().max() > 0
        assert (together - alone).abs().max() <= 1e-10 * alone.abs().max()


def test_each_windows_outputs_are_dropped_independently_at_the_networks_rate() -> None:
    side, rate = 3, 0.4
    net = network(rate).train()
    seen = []
    net.trunk.dropout1.register_forward_hook(lambda _, args, out: seen.append((args[0], out)))
    same = torch.ones(4, 1, crop_pixels(side), crop_pixels(side))  # every window alike
    crop_logits(net, same)
    before, after = seen[0]
    dropped = (after == 0)[before > 0].reshape(4 * side * side, -1)
    assert dropped.float().mean() == pytest.approx(rate, abs=0.02)
    assert len(torch.unique(dropped, dim=0)) == 4 * side * side
