"""The authors' weights: the same function as their layers by hand, and files that are refused."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from brainarch.dense.schedule import derive_schedule
from brainarch.errors import InputError
from brainarch.geometry import CONTEXT
from brainarch.network.architecture import AreaNetwork, AuthorsNetwork
from brainarch.network.foreign import import_weights, take_network
from brainarch.network.grey import Normalisation
from brainarch.network.trained import TrainedNetwork, load_network, save_network

AREAS = ("Ctx", "HypoTh", "Str", "VP", "WM", "ZI")


def published(seed: int = 0) -> OrderedDict[str, torch.Tensor]:
    """Return a state as their file holds it: three input channels, seven layers, six outputs."""
    torch.manual_seed(seed)
    layers = {
        "conv1": nn.Conv2d(3, 16, 7), "conv2": nn.Conv2d(16, 32, 5), "conv3": nn.Conv2d(32, 64, 3),
        "conv4": nn.Conv2d(64, 128, 3), "fc1": nn.Linear(4608, 1024), "fc2": nn.Linear(1024, 64),
        "fc3": nn.Linear(64, 6),
    }  # fmt: skip
    return OrderedDict(
        (f"{name}.{part}", value)
        for name, layer in layers.items()
        for part, value in layer.state_dict().items()
    )


def by_hand(state: dict[str, torch.Tensor], patches: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Compute logits and latents layer by layer, as they are described."""
    x = patches.repeat(1, 3, 1, 1)
    for index, padding in ((1, 1), (2, 1), (3, 0), (4, 0)):
        x = functional.conv2d(
            x, state[f"conv{index}.weight"], state[f"conv{index}.bias"], padding=padding
        )
        x = functional.max_pool2d(functional.relu(x), 2)
    x = functional.relu(functional.linear(x.flatten(1), state["fc1.weight"], state["fc1.bias"]))
    latents = functional.linear(x, state["fc2.weight"], state["fc2.bias"])
    return functional.linear(latents, state["fc3.weight"], state["fc3.bias"]), latents


@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
def test_imported_weights_compute_what_the_authors_network_does(tmp_path: Path, ending) -> None:
    state = published()
    source = tmp_path / f"cnn_weights{ending}"
    torch.save(state, source) if ending == ".pt" else save_file(dict(state), source)
    import_weights(source, tmp_path / "n.safetensors", AREAS, 1.17, "uint8")
    trained = load_network(tmp_path / "n.safetensors")
    assert isinstance(trained.network, AuthorsNetwork)
    assert trained.normalisation == Normalisation(0.0, 1.0)
    windows = torch.rand(3, 1, 134, 134)
    logits, latents = by_hand(state, windows[..., CONTEXT:-CONTEXT, CONTEXT:-CONTEXT])
    with torch.inference_mode():
        torch.testing.assert_close(trained.network(windows), logits, atol=1e-5, rtol=1e-4)
        found = trained.network.trunk(windows)
    torch.testing.assert_close(found, latents, atol=1e-5, rtol=1e-4)
    assert (found < 0).any(), "without a ReLU"


def test_dropout_stands_in_three_places_and_dense_extraction_refuses_it() -> None:
    network = AuthorsNetwork(6)
    assert sum(isinstance(layer, nn.Dropout) for layer in network.modules()) == 3
    assert sum(isinstance(layer, nn.Dropout) for layer in AreaNetwork(6).modules()) == 2
    with pytest.raises(InputError):
        derive_schedule(network.trunk)


def test_a_run_takes_it_with_its_areas_in_its_own_order(tmp_path: Path) -> None:
    torch.save(published(), tmp_path / "w.pt")
    import_weights(tmp_path / "w.pt", tmp_path / "n.safetensors", AREAS, 1.17, "uint8")
    own = ("Ctx", "Str", "VP", "ZI", "HypoTh", "WM")
    take_network(weights=tmp_path / "n.safetensors", network=tmp_path / "m.safetensors", areas=own)
    one, other = (load_network(tmp_path / f"{name}.safetensors") for name in "nm")
    assert other.areas == own
    windows = torch.rand(2, 1, 134, 134)
    with torch.inference_mode():
        first, second = one.network(windows), other.network(windows)
        assert torch.equal(one.network.trunk(windows), other.network.trunk(windows))
    order = [AREAS.index(area) for area in own]
    assert torch.equal(other.network.head.weight, one.network.head.weight[order])
    assert torch.equal(other.network.head.bias, one.network.head.bias[order])
    # rows in another order may be added up in another way
    np.testing.assert_allclose(second, first[:, order], rtol=1e-5, atol=1e-7)
    with pytest.raises(InputError, match="but this run has A, B"):
        take_network(
            weights=tmp_path / "n.safetensors", network=tmp_path / "m.safetensors", areas=("A", "B")
        )
    ours = TrainedNetwork(AreaNetwork(2).eval(), ("A", "B"), Normalisation(0, 1), 1.0, "uint8", {})
    save_network(ours, tmp_path / "ours.safetensors")
    with pytest.raises(InputError, match="not the authors' network"):
        take_network(
            weights=tmp_path / "ours.safetensors", network=tmp_path / "m", areas=("A", "B")
        )


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def flipped(path: Path) -> None:
    """Write the weights with a changed bit."""
    torch.save(published(), path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda path: path.write_bytes(b"nothing"), "without running code"),
        (lambda path: torch.save({"conv1": Evil(path.with_name("ran"))}, path), "running code"),
        (lambda path: torch.save([1, 2], path), "more than names and tensors"),
        (lambda path: torch.save({"conv1.weight": torch.ones(1)}, path), "lacks conv1.bias"),
        (lambda path: torch.save(published() | {"x": torch.ones(1)}, path), "a layer too many, x"),
        (
            lambda path: torch.save(published() | {"fc1.weight": torch.ones(2, 2)}, path),
            "not the authors'",
        ),
        (flipped, "is damaged"),
        (lambda path: None, "no such file"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path: Path, made, message: str) -> None:
    made(tmp_path / "w.pt")
    with pytest.raises(InputError, match=message) as error:
        import_weights(tmp_path / "w.pt", tmp_path / "n.safetensors", AREAS, 1.17, "uint8")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "n.safetensors").exists()


def test_names_must_fit_the_outputs(tmp_path: Path) -> None:
    torch.save(published(), tmp_path / "w.pt")
    with pytest.raises(InputError, match="has 6 outputs, but --areas names 2"):
        import_weights(tmp_path / "w.pt", tmp_path / "n.safetensors", ("A", "B"), 1.17, "uint8")
    with pytest.raises(InputError, match="different names"):
        import_weights(tmp_path / "w.pt", tmp_path / "n.safetensors", ("A", "A"), 1.17, "uint8")
