"""States of a training: written in one step where they lie, checked, and gone on from."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

from brainarch.network.grey import Normalisation
from brainarch.training import fit
from brainarch.training.data import WindowDataset
from brainarch.training.fit import FitResult, fit_network
from brainarch.training.states import WholeStates, find_state

#: Steps of an epoch, of 3 epochs.
STEPS = 2


def windows(seed: int) -> WindowDataset:
    generator = np.random.default_rng(seed)
    grey = generator.integers(0, 256, (160, 160), dtype=np.uint8)
    y, x = generator.integers(70, 90, (2, 8))
    return WindowDataset({0: grey}, np.zeros(8, int), y, x, np.arange(8) % 2, Normalisation(0.5, 1))


def train(folder: Path) -> FitResult:
    return fit_network(
        windows(0), windows(1), 2, folder,
        epochs=3, batch_size=4, learning_rate=1e-4, dropout=0.3, seed=3, threads=1, device="cpu",
    )  # fmt: skip


def weights(result: FitResult) -> torch.Tensor:
    return torch.cat([value.flatten() for value in result.network.state_dict().values()])


class Stop(fit.StepSeed):
    """Stands for a kill in the last epoch."""

    def on_train_batch_start(self, trainer, *rest) -> None:  # type: ignore[no-untyped-def]
        if trainer.global_step == 2 * STEPS:
            raise SystemExit
        super().on_train_batch_start(trainer, *rest)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> FitResult:
    return train(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a training that was stopped in its last epoch."""
    monkeypatch.setattr(fit, "StepSeed", Stop)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))  # cannot be written
    with pytest.raises(SystemExit):
        train(tmp_path)
    monkeypatch.undo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.ckpt", "last.ckpt"]
    return tmp_path


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "names", "told"),
    [
        (cut, ["last"], "goes on from its best state before that"),
        (flip, ["last"], "goes on from its best state before that"),
        (flip, ["best"], "begins again"),
        (cut, ["last", "best"], "begins again"),
        (Path.unlink, ["best"], None),
    ],
)
def test_damaged_states_end_with_the_same_network(
    stopped: Path, whole: FitResult, caplog: pytest.LogCaptureFixture, damage, names, told
) -> None:
    for name in names:
        damage(stopped / f"{name}.ckpt")
    with caplog.at_level(logging.WARNING, "brainarch"):
        result = train(stopped)
    assert torch.equal(weights(result), weights(whole))
    assert result.curves.equals(whole.curves)
    lines = [r.getMessage() for r in caplog.records if r.name == "brainarch.training.states"]
    assert [told] * len(lines) == [line.partition("the training ")[2] for line in lines]
    assert bool(lines) == (told is not None)


def test_without_a_best_state_a_damaged_one_is_no_state(tmp_path: Path) -> None:
    assert find_state(tmp_path, with_best=False) is None
    path = tmp_path / "last.ckpt"
    WholeStates().save_checkpoint({"weights": torch.arange(10000.0)}, path)
    assert find_state(tmp_path, with_best=False) == path
    flip(path)
    assert find_state(tmp_path, with_best=False) is None


def test_a_state_that_cannot_be_written_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"exists|directory") as caught:
        WholeStates().save_checkpoint({}, tmp_path / "file/last.ckpt")
    assert str(tmp_path / "file") in str(caught.value.filename)
