"""Networks that others trained: what they compute, and files that are refused."""

from __future__ import annotations

import hashlib
import pickle
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from brainarch.embedding.borrowed import MEAN, STD, BorrowedDescriber, Recipe, borrowed_describer
from brainarch.errors import InputError
from brainarch.geometry import CONTEXT, WINDOW

MODEL = "small_model:build"
RECIPE = Recipe(MODEL, "colours", 128, "mean")
SOURCE = """
from torch import nn

def build():
    model = nn.Sequential()
    model.add_module("colours", nn.Conv2d(3, 2, 1))
    model.add_module("wide", nn.Conv2d(2, 4, 3))
    return model

def wrong():
    return 5
"""


@pytest.fixture(autouse=True)
def small_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small_model.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    """Return the first layer's weights; what lies behind it is left out."""
    torch.manual_seed(0)
    return {"colours.weight": torch.randn(2, 3, 1, 1), "colours.bias": torch.randn(2)}


@pytest.fixture
def weights(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    save_file(tensors, tmp_path / "small.safetensors")
    return tmp_path / "small.safetensors"


@pytest.fixture
def windows() -> NDArray[np.float32]:
    return np.random.default_rng(0).random((18, WINDOW, WINDOW), dtype=np.float32)


def test_values_are_the_layers_mean_over_the_patch(
    weights: Path, tensors: dict[str, torch.Tensor], windows: NDArray[np.float32]
) -> None:
    """Of a convolution of single pixels the mean is that of the mean grey value."""
    found = borrowed_describer(RECIPE, weights)
    inside = slice(CONTEXT, WINDOW - CONTEXT)
    grey = windows[:, inside, inside].mean(axis=(1, 2), dtype=np.float64)
    colours = (grey[:, None] - MEAN) / STD
    matrix = tensors["colours.weight"][:, :, 0, 0].numpy().T
    expected = colours @ matrix + tensors["colours.bias"].numpy()
    np.testing.assert_allclose(found.describe(windows), expected, rtol=1e-4, atol=1e-4)
    assert found.unit_names == ("unit_000", "unit_001")
    windows[:, :CONTEXT] = 0  # the context is not shown
    np.testing.assert_allclose(found.describe(windows), expected, rtol=1e-4, atol=1e-4)


def test_a_file_of_torch_needs_its_checksum_and_gives_the_same(
    weights: Path, tensors: dict[str, torch.Tensor], windows: NDArray[np.float32], tmp_path: Path
) -> None:
    path = tmp_path / "small.pt"
    torch.save({"epoch": 3, "state_dict": tensors}, path)
    with pytest.raises(InputError, match="state its sha256"):
        borrowed_describer(RECIPE, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    found = borrowed_describer(RECIPE, path, digest.upper()).describe(windows)
    np.testing.assert_array_equal(found, borrowed_describer(RECIPE, weights).describe(windows))
    with pytest.raises(InputError, match=f"its SHA-256 is {digest}, the config says 00"):
        borrowed_describer(RECIPE, path, "0" * 64)


class Harm:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_file_that_needs_code_is_refused_and_not_run(tmp_path: Path) -> None:
    path, trace = tmp_path / "harm.pt", tmp_path / "trace"
    path.write_bytes(pickle.dumps(Harm(trace)))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(InputError, match="needs code to load, which is refused"):
        borrowed_describer(RECIPE, path, digest)
    assert not trace.exists()


def test_damaged_and_foreign_weights_are_refused(
    weights: Path, tensors: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="no such file of weights"):
        borrowed_describer(RECIPE, tmp_path / "none.safetensors")
    other = tmp_path / "other.safetensors"
    for changes, words in (
        ({"fc.bias": torch.zeros(2)}, r"another network than small_model:build \(fc.bias does"),
        ({"colours.bias": torch.zeros(3)}, "colours.bias does not fit"),
        ({"colours.bias": torch.full((2,), torch.nan)}, "hold no numbers"),
    ):
        save_file(tensors | changes, other)
        with pytest.raises(InputError, match=words):
            borrowed_describer(RECIPE, other)
    weights.write_bytes(weights.read_bytes()[:-5])
    with pytest.raises(InputError, match="damaged or no safetensors file"):
        borrowed_describer(RECIPE, weights)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe(MODEL, "colour", 128, "mean"), "layer colour: .* nearest are colours"),
        (Recipe(MODEL, "wide", 128, "mean"), "lack some that come before layer wide"),
        (Recipe(MODEL, "colours", 128, "first"), "pooling first is not possible"),
        (Recipe("small_model:wrong", "colours", 128, "mean"), "not int"),
        (Recipe("small_model:none", "colours", 128, "mean"), "cannot be built .*no attribute"),
        (Recipe("no_such_model:build", "colours", 128, "mean"), "cannot be built .*No module"),
    ],
)
def test_what_does_not_fit_the_model_is_one_line(recipe: Recipe, words: str, weights: Path) -> None:
    with pytest.raises(InputError, match=words):
        borrowed_describer(recipe, weights)


def test_tokens_are_averaged_without_the_summary_or_the_summary_is_taken() -> None:
    class Tokens(torch.nn.Module):
        num_prefix_tokens = 1

        def __init__(self) -> None:
            super().__init__()
            self.last = torch.nn.Identity()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            values = torch.tensor([[9.0], [1.0], [3.0]]).expand(len(images), 3, 1)
            return self.last(values)  # type: ignore[no-any-return]

    window = np.zeros((2, WINDOW, WINDOW), dtype=np.float32)
    for pooling, expected in (("mean", 2.0), ("first", 9.0)):
        describer = BorrowedDescriber(Tokens(), Recipe("x", "last", 128, pooling))
        np.testing.assert_array_equal(describer.describe(window), [[expected]] * 2)


@pytest.mark.skipif(find_spec("torchvision") is None, reason="needs brainarch[networks]")
def test_a_library_that_is_installed_says_the_nearest_names(weights: Path) -> None:
    for name in ("torchvision/resnet19", "timm/resnet19"):
        if find_spec(name.partition("/")[0]) is not None:
            with pytest.raises(InputError, match=r"no such network; nearest are .*resnet1"):
                borrowed_describer(Recipe(name, "layer3", 128, "mean"), weights)
    with pytest.raises(InputError, match="weights of another network than torchvision/squeezenet"):
        borrowed_describer(Recipe("torchvision/squeezenet1_1", "features", 128, "mean"), weights)
