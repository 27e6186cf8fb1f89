"""Training on crops: textures are learnt, resuming repeats, labels weigh alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stops import killed_at, noting

from brainarch.errors import InputError
from brainarch.geometry import crop_pixels, cut_windows
from brainarch.network.grey import Normalisation, to_unit
from brainarch.training import fit
from brainarch.training.crop_module import CropTraining, equal_mass, rate_factor
from brainarch.training.cutting import cuts_of, pad_slices
from brainarch.training.data import WindowDataset
from brainarch.training.draws import CropDraw
from brainarch.training.fit import FitResult
from brainarch.training.fit_crops import fit_crops
from brainarch.training.places import IGNORED, CropGround, CropPlaces, margins

NORMALISATION = Normalisation(0.5, 0.29)
NAMES = ["fine", "coarse"]


def textures() -> np.ndarray:
    """Return a slice whose left half is fine noise and whose right half is coarse noise."""
    generator = np.random.default_rng(1)
    fine = generator.integers(0, 256, (200, 200))
    coarse = np.kron(generator.integers(0, 256, (25, 25)), np.ones((8, 8), dtype=int))
    return np.hstack([fine, coarse]).astype(np.uint8)


def labels() -> np.ndarray:
    codes = np.zeros((200, 400), dtype=np.uint8)
    codes[60:140, 60:140], codes[60:140, 260:340] = 1, 2
    return codes


def val(patches: int = 16) -> WindowDataset:
    generator = np.random.default_rng(2)
    truth = np.arange(patches) % 2
    y, x = generator.integers(70, 130, (2, patches))
    z = np.full(patches, 5)
    return WindowDataset({5: textures()}, z, y, x + 200 * truth, truth, NORMALISATION)


def run(partial: Path, **changes: Any) -> FitResult:
    values: dict[str, Any] = {
        "steps": 6,
        "evaluations": 2,
        "crops": 4,
        "side": 2,
        "learning_rate": 1e-3,
        "dropout": 0.3,
        "orientation": "fixed",
        "changes": True,
        "seed": 11,
        "device": "cpu",
    }
    ground = CropGround(5, textures(), labels())
    return fit_crops([ground], val(), NAMES, NORMALISATION, partial, **{**values, **changes})


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten() for value in network.state_dict().values()])


def test_planted_textures_are_told_apart(tmp_path: Path) -> None:
    result = run(tmp_path, steps=20, crops=6, orientation="any")
    assert result.best_val_accuracy == 1.0
    assert list(result.curves.columns) == list(fit.CURVE_COLUMNS)
    assert result.curves["epoch"].tolist() == [1, 1, 2, 2]
    val_rows = result.curves[result.curves["split"] == "val"].set_index("epoch")["accuracy"]
    assert val_rows[result.best_epoch] == val_rows.max()
    assert not result.network.training


def test_bfloat16_learns_the_same_and_repeats_itself(tmp_path: Path) -> None:
    exact, first, again = (
        run(tmp_path / name, steps=20, crops=6, orientation="any", precision=precision)
        for name, precision in (("a", "float32"), ("b", "bfloat16"), ("c", "bfloat16"))
    )
    assert first.best_val_accuracy == 1.0
    assert torch.equal(weights(first.network), weights(again.network))
    assert not torch.equal(weights(first.network), weights(exact.network))
    assert all(value.dtype == torch.float32 for value in first.network.state_dict().values())


def test_permuted_labels_are_not_learnt(tmp_path: Path) -> None:
    result = run(tmp_path, steps=20, crops=6, permute_labels=True)
    assert result.curves.loc[result.curves["split"] == "train", "accuracy"].max() < 0.7


def test_a_killed_training_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(tmp_path / "whole", orientation="any")

    with monkeypatch.context() as patched:
        patched.setattr(fit, "StepSeed", killed_at(4))
        with pytest.raises(SystemExit):
            run(tmp_path / "cut", orientation="any")
    steps: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(fit, "StepSeed", noting(steps))
        resumed = run(tmp_path / "cut", orientation="any")
    assert 0 < steps[0] <= 4, "finished epochs are not repeated"
    assert torch.equal(weights(resumed.network), weights(whole.network))
    assert resumed.curves.equals(whole.curves)
    # control: another seed, orientation or no changes of grey is another training
    for change in ({"seed": 12}, {"orientation": "fixed"}, {"changes": False}):
        other = run(tmp_path / "other" / next(iter(change)), **{"orientation": "any", **change})
        assert not torch.equal(weights(other.network), weights(whole.network))


def test_a_loss_that_is_not_finite_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not finite in epoch 1 \(nothing is kept\)"):
        run(tmp_path, learning_rate=1e30, steps=60)


def test_an_unknown_orientation_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="orientation sideways"):
        run(tmp_path, orientation="sideways")


def module(changes: bool) -> tuple[CropTraining, CropGround]:
    ground = CropGround(5, textures(), np.ones((200, 400), dtype=np.uint8))
    slices = pad_slices([ground], 2)
    training = CropTraining(
        1, slices, 255, NORMALISATION,
        side=2, dropout=0.3, learning_rate=1e-3, steps=10, changes=changes,
    )  # fmt: skip
    return training, ground


@pytest.mark.parametrize("changes", [False, True])
def test_crops_hold_the_windows_of_patches_and_raw_grey_0_beyond(changes: bool) -> None:
    training, ground = module(changes)
    places = CropPlaces([ground], ["one"], 2).draw(12, np.random.default_rng(0))
    shape = (training.slices.shape[1], training.slices.shape[2])
    cuts = torch.from_numpy(cuts_of(places, np.zeros(12, dtype=int), shape, crop_pixels(2)))
    table = torch.tensor([[1.2, 0.05, 1.1, 0.02, 30.0]]).repeat(12, 1)
    crops = training.crops_of(CropDraw(cuts, table, torch.zeros(12, 2, 2)))[:, 0].numpy()
    beyond, before = 0, margins(2)[0]
    inside = np.ones_like(ground.grey)
    for crop, row, column in zip(crops, places.rows, places.columns, strict=True):
        y, x = (int(v) - before + 67 for v in (row, column))  # centre of the first window
        if not (0 <= y < 200 and 0 <= x < 400):
            continue
        place = np.array([y]), np.array([x])
        window = NORMALISATION.apply(to_unit(cut_windows(ground.grey, *place)[0]))
        outside = cut_windows(inside, *place)[0] == 0
        zero = NORMALISATION.apply(np.zeros(1))
        assert np.allclose(crop[:134, :134][outside], zero, atol=1e-6)
        assert np.allclose(crop[:134, :134], window, atol=1e-5) is not changes
        beyond += outside.any()
    assert beyond > 0


def test_areas_that_occur_have_equal_mass() -> None:
    labels = torch.tensor([0, 0, 0, 2, IGNORED, 2, 0, 3])
    weights = equal_mass(labels, 5)
    assert weights.sum() == pytest.approx(1)
    for area in (0, 2, 3):
        assert weights[labels == area].sum() == pytest.approx(1 / 3)
    assert weights[labels == IGNORED].sum() == 0


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    rates = [rate_factor(step, 200) for step in range(200)]
    assert max(rates) == pytest.approx(1, abs=0.01)
    assert 5 <= int(np.argmax(rates)) <= 10
    assert rates[0] < 0.11
    assert rates[100] == pytest.approx(0.5, abs=0.01)
    assert 0 <= rates[-1] < 1e-3
    assert (np.diff(rates[10:]) < 0).all()


@pytest.mark.gpu
def test_a_gpu_learns_and_repeats_itself(tmp_path: Path) -> None:
    first, again = (
        run(
            tmp_path / name,
            steps=40,
            crops=6,
            orientation="any",
            device="cuda",
            precision="bfloat16",
        )
        for name in ("first", "again")
    )
    assert first.device.startswith("cuda")
    assert first.best_val_accuracy == 1.0
    assert torch.equal(weights(first.network), weights(again.network))
    assert all(value.dtype == torch.float32 for value in first.network.state_dict().values())
