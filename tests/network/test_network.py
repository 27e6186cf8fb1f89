"""The network: shapes, the window it reads, and files that never run code."""

from __future__ import annotations

import json
import pickle
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from brainarch.errors import InputError
from brainarch.geometry import WINDOW
from brainarch.network.architecture import REPRESENTATION_UNITS, AreaNetwork
from brainarch.network.grey import Normalisation, to_unit
from brainarch.network.trained import (
    TrainedNetwork,
    load_network,
    require_areas,
    save_network,
)
from brainarch.training.stages import write_untrained

AREAS = ("Ctx", "Str", "VP")


@pytest.fixture
def trained() -> TrainedNetwork:
    torch.manual_seed(3)
    return TrainedNetwork(
        network=AreaNetwork(len(AREAS)).eval(),
        areas=AREAS,
        normalisation=Normalisation(0.5, 0.1),
        pixel_um=1.17,
        dtype="uint8",
        training={"epochs": 2, "note": "δ"},
    )


def test_layer_shapes_are_the_authors(trained: TrainedNetwork) -> None:
    sides = []
    value = torch.zeros(1, 1, WINDOW, WINDOW)
    for layer in trained.network.trunk:
        value = layer(value)
        if isinstance(layer, torch.nn.Conv2d | torch.nn.MaxPool2d):
            sides.append(value.shape[-1])
    assert sides == [128, 64, 60, 30, 28, 14, 12, 6]
    assert value.shape == (1, REPRESENTATION_UNITS)
    assert trained.network.trunk.fc1.in_features == 6 * 6 * 128


def test_output_depends_on_exactly_the_window(trained: TrainedNetwork) -> None:
    # a ReLU or a pool may hide a pixel for one input, so gradients of several inputs are added up
    touched = torch.zeros(WINDOW, WINDOW)
    for seed in range(6):
        generator = torch.Generator().manual_seed(seed)
        window = torch.randn(1, 1, WINDOW, WINDOW, generator=generator, requires_grad=True)
        trained.network(window).square().sum().backward()
        assert window.grad is not None
        touched += window.grad[0, 0].abs()
    assert touched[0].any()
    assert touched[-1].any()
    assert touched[:, 0].any()
    assert touched[:, -1].any()
    assert (touched > 0).float().mean() > 0.999


def test_any_smaller_window_is_refused(trained: TrainedNetwork) -> None:
    with pytest.raises(RuntimeError):
        trained.network(torch.zeros(1, 1, WINDOW - 1, WINDOW - 1))


def test_a_saved_network_is_loaded(trained: TrainedNetwork, tmp_path: Path) -> None:
    path = tmp_path / "net work.safetensors"
    save_network(trained, path)
    loaded = load_network(path)
    assert replace(loaded, network=trained.network) == trained
    for name, value in trained.network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], value)


def test_a_network_of_other_areas_is_refused(trained: TrainedNetwork, tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    with pytest.raises(
        InputError, match=r"trained on 3 areas \(Ctx, Str, VP\), but the legend has 2"
    ):
        require_areas(trained, ("Ctx", "Str"), path)
    require_areas(trained, AREAS, path)


@pytest.mark.filterwarnings("error")
def test_a_network_that_names_no_areas_is_stored_and_refused_where_they_are_named(
    trained: TrainedNetwork, tmp_path: Path
) -> None:
    path = tmp_path / "network.safetensors"
    nameless = replace(trained, network=AreaNetwork(0).eval(), areas=())
    save_network(nameless, path)
    loaded = load_network(path)
    assert loaded.areas == ()
    windows = torch.zeros(2, 1, WINDOW, WINDOW)
    assert loaded.network(windows).shape == (2, 0)
    assert torch.equal(loaded.network.trunk(windows), nameless.network.trunk(windows))
    with pytest.raises(InputError, match="trained without labels, so that it names no areas"):
        require_areas(loaded, AREAS, path)


def test_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    header = {"brainarch": json.dumps({"architecture": "other"})}
    save_file({"w": torch.zeros(2)}, path, metadata=header)
    with pytest.raises(InputError, match=r"holds another network \(other, expected"):
        load_network(path)
    save_file({"w": torch.zeros(2)}, path)
    with pytest.raises(InputError, match="none named"):
        load_network(path)


def test_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such network"):
        load_network(tmp_path / "none.safetensors")
    path = tmp_path / "text.safetensors"
    path.write_text("hello")
    with pytest.raises(InputError, match="not a safetensors file"):
        load_network(path)


class Payload:
    """Unpickling this would create a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("how", ["torch", "pickle"])
def test_a_file_that_needs_code_is_refused_and_not_run(tmp_path: Path, how: str) -> None:
    marker, path = tmp_path / "ran", tmp_path / "network.safetensors"
    if how == "torch":
        torch.save({"w": Payload(marker)}, path)
    else:
        path.write_bytes(pickle.dumps(Payload(marker)))
    with pytest.raises(InputError, match="a file that needs code to load is refused"):
        load_network(path)
    assert not marker.exists()


def test_equal_networks_give_equal_files(trained: TrainedNetwork, tmp_path: Path) -> None:
    paths = [tmp_path / f"{index}.safetensors" for index in range(6)]
    for path in paths:
        save_network(trained, path)
    assert len({path.read_bytes() for path in paths}) == 1
    save_network(load_network(paths[0]), tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == paths[0].read_bytes()


def test_the_digest_is_of_what_a_network_computes(trained: TrainedNetwork) -> None:
    assert replace(trained, training={}).digest == trained.digest
    assert deepcopy(trained).digest == trained.digest
    laid_out = deepcopy(trained)
    laid_out.network.to(memory_format=torch.channels_last)
    assert laid_out.digest == trained.digest
    moved = deepcopy(trained)
    with torch.no_grad():
        moved.network.head.bias[0] += 1e-6
    others = [
        moved,
        replace(trained, areas=("Str", "Ctx", "VP")),
        replace(trained, normalisation=Normalisation(0.5, 0.2)),
        replace(trained, pixel_um=1.2),
        replace(trained, dtype="uint16"),
    ]
    assert len({other.digest for other in others} | {trained.digest}) == 6


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(
    trained: TrainedNetwork, tmp_path: Path, value: float
) -> None:
    with torch.no_grad():
        trained.network.trunk.conv2.bias[3] = value
    save_network(trained, tmp_path / "n.safetensors")
    with pytest.raises(InputError, match=r"trunk\.conv2\.bias holds NaN or infinite weights") as it:
        load_network(tmp_path / "n.safetensors")
    assert "\n" not in str(it.value)


def test_grey_values() -> None:
    assert to_unit(np.array([0, 51, 255], dtype=np.uint8)).tolist() == pytest.approx([0, 0.2, 1])
    assert to_unit(np.array([65535], dtype=np.uint16)).tolist() == [1.0]
    with pytest.raises(ValueError, match="uint8 or uint16"):
        to_unit(np.array([0.5]))
    applied = Normalisation(0.5, 0.25).apply(np.array([0.75], dtype=np.float32))
    assert applied.dtype == np.float32
    assert applied.tolist() == [1.0]


def test_the_untrained_network_is_the_same_one_with_other_weights(
    trained: TrainedNetwork, tmp_path: Path
) -> None:
    save_network(trained, tmp_path / "trained.safetensors")
    found = []
    for seed in (1, 1, 2):
        write_untrained(
            network=tmp_path / "trained.safetensors", untrained=tmp_path / "new", seed=seed
        )
        found.append(load_network(tmp_path / "new"))
    one, same, other = found
    assert len({one.digest, same.digest, other.digest, trained.digest}) == 3
    assert one.digest == same.digest
    assert one.areas == ()
    assert one.normalisation == trained.normalisation
