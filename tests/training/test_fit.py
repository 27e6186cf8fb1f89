"""Training: planted textures are learnt, resuming repeats, the best epoch is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as lightning
import torch
from allocations import ALLOCATIONS
from stops import killed_at, noting

from brainarch.geometry import cut_windows
from brainarch.network.grey import Normalisation, to_unit
from brainarch.training import fit
from brainarch.training.data import WindowDataset, grey_statistics
from brainarch.training.fit import EpochShuffle, fit_network


def textures() -> np.ndarray:
    """Return a slice whose left half is fine noise and whose right half is coarse noise."""
    generator = np.random.default_rng(1)
    fine = generator.integers(0, 256, (256, 256))
    coarse = np.kron(generator.integers(0, 256, (32, 32)), np.ones((8, 8), dtype=int))
    return np.hstack([fine, coarse]).astype(np.uint8)


def dataset(seed: int, patches: int = 24, permute: bool = False) -> WindowDataset:
    generator = np.random.default_rng(seed)
    labels = np.arange(patches) % 2
    y = generator.integers(70, 186, patches)
    x = generator.integers(70, 186, patches) + 256 * labels
    if permute:
        labels = generator.permutation(labels)
    z = np.full(patches, 5)
    return WindowDataset({5: textures()}, z, y, x, labels, Normalisation(0.5, 0.29))


def options(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "epochs": 3,
        "batch_size": 8,
        "learning_rate": 1e-3,
        "dropout": 0.3,
        "seed": 11,
        "threads": 1,
        "device": "cpu",
    }
    return {**values, **changes}


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten() for value in network.state_dict().values()])


def test_windows_are_those_of_their_pixels() -> None:
    data = dataset(0)
    window, label = data[3]
    z, y, x = data._places[3]
    expected = Normalisation(0.5, 0.29).apply(
        to_unit(cut_windows(textures(), np.array([y]), np.array([x]))[0])
    )
    assert window.shape == (1, 134, 134)
    assert np.array_equal(window[0].numpy(), expected)
    assert int(label) == 1
    assert z == 5


def test_grey_statistics_are_those_of_all_pixels_together() -> None:
    generator = np.random.default_rng(2)
    parts = [generator.integers(0, 256, n, dtype=np.uint8) for n in (10, 1000)]
    whole = np.concatenate(parts) / 255
    statistics = grey_statistics(list(parts))
    assert statistics.mean == pytest.approx(whole.mean(), rel=1e-6)
    assert statistics.std == pytest.approx(whole.std(), rel=1e-6)


def test_every_epoch_sees_every_patch_once_in_another_order() -> None:
    order = EpochShuffle(20, seed=3)
    first = list(order)
    order.set_epoch(1)
    second = list(order)
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second
    order.set_epoch(0)
    assert list(order) == first


def test_planted_textures_are_told_apart(tmp_path: Path) -> None:
    result = fit_network(dataset(0, 48), dataset(1), 2, tmp_path, **options(epochs=4))
    assert result.best_val_accuracy == 1.0
    assert list(result.curves.columns) == ["epoch", "split", "loss", "accuracy"]
    assert len(result.curves) == 2 * 4
    val = result.curves[result.curves["split"] == "val"].set_index("epoch")["accuracy"]
    assert val[result.best_epoch] == val.max()
    assert not result.network.training


def test_permuted_labels_are_not_learnt(tmp_path: Path) -> None:
    train = dataset(0, 48, permute=True)
    result = fit_network(train, dataset(1, 40), 2, tmp_path, **options(epochs=3))
    assert result.best_val_accuracy < 0.85


def test_a_killed_training_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = options(epochs=2)
    train, val = dataset(0, 16), dataset(1, 8)
    whole = fit_network(train, val, 2, tmp_path / "whole", **brief)

    with monkeypatch.context() as patched:
        patched.setattr(fit, "StepSeed", killed_at(3))
        with pytest.raises(SystemExit):
            fit_network(train, val, 2, tmp_path / "cut", **brief)
    steps: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(fit, "StepSeed", noting(steps))
        resumed = fit_network(train, val, 2, tmp_path / "cut", **brief)
    assert 0 < steps[0] <= 3, "finished epochs are not repeated"
    assert torch.equal(weights(resumed.network), weights(whole.network))
    assert resumed.curves.equals(whole.curves)


def test_epochs_that_were_no_better_are_not_repeated_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs = []

    class Note(fit.StepSeed):
        def on_train_batch_start(self, trainer: lightning.Trainer, *rest: object) -> None:
            epochs.append(trainer.current_epoch)
            if epochs == [0, 1, 2]:
                raise SystemExit("killed")
            super().on_train_batch_start(trainer, *rest)

    monkeypatch.setattr(fit, "StepSeed", Note)
    still = options(epochs=4, learning_rate=0.0, batch_size=16)
    data = dataset(0, 8), dataset(1, 8)
    with pytest.raises(SystemExit):
        fit_network(*data, 2, tmp_path, **still)
    result = fit_network(*data, 2, tmp_path, **still)
    assert epochs == [0, 1, 2, 2, 3]
    assert result.best_epoch == 1


def test_an_allocation_of_several_tasks_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(name: str) -> torch.Tensor:
        train, val = dataset(0, 8), dataset(1, 8)
        return weights(fit_network(train, val, 2, tmp_path / name, **options(epochs=1)).network)

    alone = run("alone")
    for name, variables in ALLOCATIONS.items():
        with monkeypatch.context() as patched:
            for key, value in variables.items():
                patched.setenv(key, value)
            assert torch.equal(run(name), alone), name


@pytest.mark.parametrize("change", [{"seed": 12}, {"dropout": 0.0}])
def test_options_change_the_weights(tmp_path: Path, change: dict[str, object]) -> None:
    run: Callable[[dict[str, Any], str], torch.Tensor] = lambda chosen, name: weights(  # noqa: E731
        fit_network(dataset(0, 8), dataset(1, 8), 2, tmp_path / name, **chosen).network
    )
    base = options(epochs=1)
    assert torch.equal(run(base, "a"), run(base, "b"))
    assert not torch.equal(run(base, "c"), run(options(epochs=1, **change), "d"))
