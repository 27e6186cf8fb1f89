"""The network: shapes, the window it reads, and checkpoints that never run code."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from brainarch.errors import InputError
from brainarch.geometry import WINDOW
from brainarch.network.architecture import REPRESENTATION_UNITS, AreaNetwork
from brainarch.network.checkpoint import (
    Checkpoint,
    load_checkpoint,
    load_weights,
    require_areas,
    save_checkpoint,
)
from brainarch.network.grey import Normalisation, to_unit

AREAS = ("Ctx", "Str", "VP")


@pytest.fixture
def checkpoint() -> Checkpoint:
    torch.manual_seed(3)
    return Checkpoint(
        network=AreaNetwork(len(AREAS)).eval(),
        areas=AREAS,
        normalisation=Normalisation(0.5, 0.1),
        voxel_um=1.17,
        dtype="uint8",
        training={"epochs": 2, "note": "δ"},
    )


def test_layer_shapes_are_the_authors(checkpoint: Checkpoint) -> None:
    sides = []
    value = torch.zeros(1, 1, WINDOW, WINDOW)
    for layer in checkpoint.network.trunk:
        value = layer(value)
        if isinstance(layer, torch.nn.Conv2d | torch.nn.MaxPool2d):
            sides.append(value.shape[-1])
    assert sides == [128, 64, 60, 30, 28, 14, 12, 6]
    assert value.shape == (1, REPRESENTATION_UNITS)
    assert checkpoint.network.trunk.fc1.in_features == 6 * 6 * 128


def test_output_depends_on_exactly_the_window(checkpoint: Checkpoint) -> None:
    # a ReLU or a pool may hide a pixel for one input, so gradients of several inputs are added up
    touched = torch.zeros(WINDOW, WINDOW)
    for seed in range(6):
        generator = torch.Generator().manual_seed(seed)
        window = torch.randn(1, 1, WINDOW, WINDOW, generator=generator, requires_grad=True)
        checkpoint.network(window).square().sum().backward()
        assert window.grad is not None
        touched += window.grad[0, 0].abs()
    assert touched[0].any()
    assert touched[-1].any()
    assert touched[:, 0].any()
    assert touched[:, -1].any()
    assert (touched > 0).float().mean() > 0.999


def test_any_smaller_window_is_refused(checkpoint: Checkpoint) -> None:
    with pytest.raises(RuntimeError):
        checkpoint.network(torch.zeros(1, 1, WINDOW - 1, WINDOW - 1))


def test_checkpoint_round_trip(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "net work.safetensors"
    save_checkpoint(checkpoint, path)
    loaded = load_checkpoint(path)
    assert replace(loaded, network=checkpoint.network) == checkpoint
    for name, value in checkpoint.network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], value)


def test_checkpoint_of_other_areas_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    with pytest.raises(
        InputError, match=r"trained on 3 areas \(Ctx, Str, VP\), but the legend has 2"
    ):
        require_areas(checkpoint, ("Ctx", "Str"), path)
    require_areas(checkpoint, AREAS, path)


@pytest.mark.filterwarnings("error")
def test_a_network_that_names_no_areas_is_stored_and_refused_where_they_are_named(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    path = tmp_path / "network.safetensors"
    nameless = replace(checkpoint, network=AreaNetwork(0).eval(), areas=())
    save_checkpoint(nameless, path)
    loaded = load_checkpoint(path)
    assert loaded.areas == ()
    windows = torch.zeros(2, 1, WINDOW, WINDOW)
    assert loaded.network(windows).shape == (2, 0)
    assert torch.equal(loaded.network.trunk(windows), nameless.network.trunk(windows))
    with pytest.raises(InputError, match="trained without labels, so that it names no areas"):
        require_areas(loaded, AREAS, path)


def test_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"w": torch.zeros(2)}, path, metadata={"architecture": "other"})
    with pytest.raises(InputError, match="checkpoint of another network"):
        load_checkpoint(path)
    save_file({"w": torch.zeros(2)}, path)
    with pytest.raises(InputError, match="none named"):
        load_checkpoint(path)


def test_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such checkpoint"):
        load_checkpoint(tmp_path / "none.safetensors")
    path = tmp_path / "text.safetensors"
    path.write_text("hello")
    with pytest.raises(InputError, match="not a safetensors file"):
        load_checkpoint(path)


class Payload:
    """Unpickling this would create a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("how", ["torch", "pickle"])
def test_a_file_that_needs_code_is_refused_and_not_run(tmp_path: Path, how: str) -> None:
    marker, path = tmp_path / "ran", tmp_path / "weights.pt"
    if how == "torch":
        torch.save({"w": Payload(marker)}, path)
    else:
        path.write_bytes(pickle.dumps(Payload(marker)))
    with pytest.raises(InputError, match="needs to run code to load"):
        load_weights(path)
    assert not marker.exists()


def test_weights_saved_by_torch_are_read(tmp_path: Path) -> None:
    weights = {"w": torch.arange(3.0)}
    torch.save({"state_dict": weights}, tmp_path / "a.ckpt")
    assert torch.equal(load_weights(tmp_path / "a.ckpt")["w"], weights["w"])
    save_file(weights, tmp_path / "a.safetensors")
    assert torch.equal(load_weights(tmp_path / "a.safetensors")["w"], weights["w"])


def test_grey_values() -> None:
    assert to_unit(np.array([0, 51, 255], dtype=np.uint8)).tolist() == pytest.approx([0, 0.2, 1])
    assert to_unit(np.array([65535], dtype=np.uint16)).tolist() == [1.0]
    with pytest.raises(ValueError, match="uint8 or uint16"):
        to_unit(np.array([0.5]))
    applied = Normalisation(0.5, 0.25).apply(np.array([0.75], dtype=np.float32))
    assert applied.dtype == np.float32
    assert applied.tolist() == [1.0]
