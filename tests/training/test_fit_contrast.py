"""Learning without labels: textures end up apart, resuming repeats, the trunk alone is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stops import killed_at, noting

from brainarch.errors import InputError
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.training import fit_contrast as module
from brainarch.training.crops import crop_representations
from brainarch.training.fit_contrast import (
    CONTRAST_COLUMNS,
    ContrastResult,
    contrast_training,
    fit_contrast,
)
from brainarch.training.view_draws import ViewGround

NORMALISATION = Normalisation(0.5, 0.29)


def textures() -> np.ndarray:
    """Return a slice whose left half is fine noise and whose right half is coarse noise."""
    generator = np.random.default_rng(1)
    fine = generator.integers(0, 256, (200, 320))
    coarse = np.kron(generator.integers(0, 256, (25, 40)), np.ones((8, 8), dtype=int))
    return np.hstack([fine, coarse]).astype(np.uint8)


def run(partial: Path, **changes: Any) -> ContrastResult:
    values: dict[str, Any] = {
        "steps": 6, "epochs": 3, "places": 6, "side": 1, "learning_rate": 1e-3, "seed": 11,
        "device": "cpu",
    }  # fmt: skip
    return fit_contrast(
        [ViewGround(5, textures()), ViewGround(9, textures()[::-1].copy())],
        NORMALISATION, partial, **{**values, **changes},
    )  # fmt: skip


def windows_of(grey: np.ndarray) -> torch.Tensor:
    """Return normalised windows of a slice, the first two of every four fine."""
    windows = [grey[y : y + 134, x : x + 134] for y in (0, 60) for x in (0, 150, 330, 500)]
    unit = torch.from_numpy(np.stack(windows)[:, None] / 255).float()
    return (unit - NORMALISATION.mean) / NORMALISATION.std


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten() for value in network.state_dict().values()])


def test_curves_and_a_network_that_names_no_areas(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert list(result.curves.columns) == list(CONTRAST_COLUMNS)
    assert result.curves["epoch"].tolist() == [1, 2, 3]
    assert np.isfinite(result.curves["loss"]).all()
    assert not result.network.training
    assert result.network.n_areas == 0
    assert result.network(torch.zeros(2, 1, 134, 134)).shape == (2, 0)
    assert result.network.trunk(torch.zeros(2, 1, 134, 134)).shape == (2, 64)


@pytest.mark.parametrize("side", [1, 2])
def test_a_killed_training_goes_on_to_the_same_weights(
    side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(tmp_path / "whole", side=side)

    with monkeypatch.context() as patched:
        patched.setattr(module, "StepSeed", killed_at(3))
        with pytest.raises(SystemExit):
            run(tmp_path / "cut", side=side)
    steps: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(module, "StepSeed", noting(steps))
        resumed = run(tmp_path / "cut", side=side)
    assert 0 < steps[0] <= 3, "finished epochs are not repeated"
    assert torch.equal(weights(resumed.network), weights(whole.network))
    assert resumed.curves.equals(whole.curves)
    if side == 1:
        # control: another seed, reach or orientation is another training
        for change in ({"seed": 12}, {"reach": 0.0}, {"orientation": "fixed"}):
            other = run(tmp_path / "other" / next(iter(change)), **change)
            assert not torch.equal(weights(other.network), weights(whole.network))


def untrained(places: int, side: int = 1) -> tuple[Any, Any]:
    torch.manual_seed(2)
    return contrast_training(
        [ViewGround(5, textures())], NORMALISATION, steps=10, places=places, side=side, reach=40.0,
        orientation="any", learning_rate=1e-3, seed=3,
    )  # fmt: skip


def test_gradients_reach_every_layer_of_the_trunk_and_the_head_that_is_thrown_away() -> None:
    training, draws = untrained(8)
    loss, _ = training.loss_of(draws[0])
    loss.backward()
    for part in (training.network.trunk, training.projection):
        for name, parameter in part.named_parameters():
            assert parameter.grad is not None, name
            # what shifts all of a unit's values alike is normalised away
            assert (parameter.grad.abs().max() > 1e-3) == (name != "fc2.bias"), name
    optimizer = training.configure_optimizers()["optimizer"]
    trained = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert not trained & {id(p) for p in training.network.head.parameters()}
    assert len(trained) == 12 + 4


@pytest.mark.parametrize("side", [1, 2])
def test_the_network_that_is_read_gives_the_units_that_learnt(side: int) -> None:
    training, draws = untrained(12, side)
    training.network.trunk.relu6.norm.momentum = 1.0  # of the last step alone
    training.loss_of(draws[0])
    views = training.views_of(draws[1])
    with torch.inference_mode():
        learnt = crop_representations(training.eval().network, views)
        network = training.learnt_network()
        read = crop_representations(network, views)
    assert read.numpy() == pytest.approx(learnt.numpy(), abs=1e-5)
    assert read.std() > 0.1
    assert network.state_dict().keys() == AreaNetwork(0).state_dict().keys()


def test_no_unit_falls_silent(tmp_path: Path) -> None:
    result = run(tmp_path, steps=40, epochs=2, places=10)
    with torch.inference_mode():
        values = result.network.trunk(windows_of(textures()))
    assert (values.amax(dim=0) > 0).all(), "41 are silent without LiveUnits"


def test_the_same_view_twice_is_the_most_alike() -> None:
    training, draws = untrained(12)
    draw = draws[0]
    views = type(draw.views)(*(torch.cat([part[:12], part[:12]]) for part in draw.views))
    views.changes[:, 3] = 0  # no noise: the two are equal
    same = draw._replace(views=views)
    _, found = training.loss_of(same)
    assert found == 1
    # control: with wrong partners
    _, wrong = training.loss_of(same._replace(partners=draw.partners.roll(1)))
    assert wrong < 0.5


def test_views_are_float32_where_the_network_is_not() -> None:
    training, draws = untrained(3)
    seen = []
    for mixed in (False, True):
        torch.manual_seed(4)
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            seen.append(training.views_of(draws[0]))
            loss, _ = training.loss_of(draws[0])
    assert torch.equal(*seen)
    assert loss.dtype == torch.float32


def test_textures_end_up_apart(tmp_path: Path) -> None:
    result = run(tmp_path, steps=40, epochs=2, places=10, learning_rate=5e-4)
    assert result.curves["loss"].iloc[-1] < result.curves["loss"].iloc[0]
    windows = windows_of(textures())
    fine = torch.tensor([True, True, False, False] * 2)

    def margin(network: torch.nn.Module) -> float:
        """Return by how much same textures are more alike than different ones."""
        with torch.inference_mode():
            values = network.trunk(windows)
        cosine = torch.nn.functional.normalize(values, dim=1)
        alike = cosine @ cosine.T
        same = fine[:, None] == fine
        return float(alike[same].mean() - alike[~same].mean())

    torch.manual_seed(0)
    assert margin(result.network) > margin(AreaNetwork(0).eval()) + 0.2


def test_a_loss_that_is_not_finite_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not finite in epoch 1 \(nothing is kept\)"):
        run(tmp_path, learning_rate=1e30, steps=60)


def test_bfloat16_repeats_itself(tmp_path: Path) -> None:
    exact, first, again = (
        run(tmp_path / name, precision=precision)
        for name, precision in (("a", "float32"), ("b", "bfloat16"), ("c", "bfloat16"))
    )
    assert torch.equal(weights(first.network), weights(again.network))
    assert first.curves["loss"].to_numpy() == pytest.approx(exact.curves["loss"], rel=0.1)
    assert not torch.equal(weights(first.network), weights(exact.network))


@pytest.mark.gpu
def test_a_gpu_learns_and_repeats_itself(tmp_path: Path) -> None:
    first, again = (
        run(
            tmp_path / name,
            steps=60,
            epochs=2,
            places=32,
            learning_rate=5e-4,
            device="cuda",
            precision="bfloat16",
        )
        for name in ("first", "again")
    )
    assert first.device.startswith("cuda")
    assert first.curves["loss"].iloc[-1] < first.curves["loss"].iloc[0]
    assert torch.equal(weights(first.network), weights(again.network))
    assert all(value.dtype == torch.float32 for value in first.network.state_dict().values())
