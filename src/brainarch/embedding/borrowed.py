"""Networks that others trained, as describers of patches: torchvision, timm, a module of one's own.

A network is run as far as one of its layers, whose values, averaged over positions, are the
representation. Weights come from a file and no code is run from it.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from brainarch.embedding.names import EXTRA, LIBRARIES
from brainarch.errors import InputError
from brainarch.geometry import CONTEXT, WINDOW
from brainarch.network.beside_torchvision import mend_torchvision
from brainarch.network.weights_files import UnreadableWeightsError, read_tensors

#: Mean and standard deviation of ImageNet's colours: what such networks expect where they say
#: nothing else.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: Patches in one pass.
BATCH = 16
#: Names under which training programs put the weights among other things.
WRAPPED = ("state_dict", "model", "model_state_dict", "teacher")
#: Names told where one is not known.
NEAREST = 3


@dataclass(frozen=True)
class Recipe:
    """How a network of another library is used.

    Attributes
    ----------
    model : str
        ``torchvision/NAME``, ``timm/NAME``, or ``module:function`` that returns a module.
    layer : str
        Its layer, as ``named_modules`` calls it, whose output is taken.
    input_px : int
        Side of the image that it is given; the patch of 128 pixels is resized to it.
    pooling : {"mean", "first"}
        Mean over positions; or the first token of a transformer, its summary of the image.
    """

    model: str
    layer: str
    input_px: int
    pooling: str


class _LayerReachedError(Exception):
    """Ends a pass: what lies behind the layer is not needed, and may be missing."""

    def __init__(self, values: Any) -> None:
        self.values = values


class BorrowedDescriber:
    """Represents windows by a layer of a network that others trained.

    Parameters
    ----------
    model : torch.nn.Module
        Takes images of three colours.
    recipe : Recipe
    mean, std : sequence of float
        Of each colour, by which images are normalised.

    Raises
    ------
    InputError
        If there is no such layer, or its values are none of a layer's (not finite, no channels).
    """

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        mean: Sequence[float] = MEAN,
        std: Sequence[float] = STD,
    ) -> None:
        layers = dict(model.named_modules())
        if recipe.layer not in layers:
            raise InputError(
                f"layer {recipe.layer}: {recipe.model} has none of that name; "
                f"{_nearest(recipe.layer, [name for name in layers if name])}"
            )
        self._model, self._recipe = model.eval(), recipe
        layers[recipe.layer].register_forward_hook(_end)
        self._mean, self._std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in (mean, std))
        found = self.describe(np.full((1, WINDOW, WINDOW), 0.5, dtype=np.float32))
        if not np.isfinite(found).all():
            raise InputError(
                f"weights of {recipe.model}: they lack some that come before layer "
                f"{recipe.layer}, or hold no numbers; name an earlier layer or another file"
            )
        self._units = found.shape[1]

    @property
    def unit_names(self) -> tuple[str, ...]:
        """Names unit_000 ..., one for each channel of the layer."""
        return tuple(f"unit_{index:03d}" for index in range(self._units))

    @property
    def commensurate(self) -> bool:
        """All units belong to one layer."""
        return True

    def describe(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the representations, shape (n, units), of windows of grey values in [0, 1].

        Grey stands for all three colours; the context around the patch is not shown.
        """
        inside = slice(CONTEXT, WINDOW - CONTEXT)
        parts = []
        with torch.inference_mode():
            for start in range(0, len(windows), BATCH):
                patches = torch.from_numpy(windows[start : start + BATCH, None, inside, inside])
                parts.append(self._layer((self._resized(patches) - self._mean) / self._std))
        return np.concatenate(parts)

    def _resized(self, patches: torch.Tensor) -> torch.Tensor:
        side = self._recipe.input_px
        if patches.shape[-1] == side:
            return patches
        size = (side, side)
        resize = nn.functional.interpolate
        return resize(patches, size, mode="bilinear", antialias=True, align_corners=False)

    def _layer(self, images: torch.Tensor) -> NDArray[np.float32]:
        try:
            self._model(images)
        except _LayerReachedError as reached:
            return self._pooled(reached.values)
        except (RuntimeError, AssertionError) as error:
            raise InputError(
                f"{self._recipe.model} cannot be given images of {self._recipe.input_px} px "
                f"({_line(error)}); set another input_px"
            ) from None
        raise InputError(f"layer {self._recipe.layer}: {self._recipe.model} does not use it")

    def _pooled(self, values: Any) -> NDArray[np.float32]:
        """Return a layer's output as one row an image."""
        first = self._recipe.pooling == "first"
        if isinstance(values, torch.Tensor) and values.ndim == 4 and not first:  # maps
            values = values.mean(dim=(2, 3))
        elif isinstance(values, torch.Tensor) and values.ndim == 3:  # tokens
            summaries = int(getattr(self._model, "num_prefix_tokens", 0))
            values = values[:, 0] if first else values[:, summaries:].mean(dim=1)
        if not isinstance(values, torch.Tensor) or values.ndim != 2:
            raise InputError(
                f"layer {self._recipe.layer}: pooling {self._recipe.pooling} is not possible of "
                "its output; wanted maps or tokens (mean), or tokens (first)"
            )
        rows: NDArray[np.float32] = values.float().numpy()
        return rows


def borrowed_describer(
    recipe: Recipe, weights: Path, sha256: str | None = None
) -> BorrowedDescriber:
    """Build a network of another library, with weights from a file.

    Parameters
    ----------
    recipe : Recipe
    weights : Path
        A safetensors file, or one of torch, which has to have a stated checksum.
    sha256 : str, optional
        What the file's SHA-256 must be.

    Raises
    ------
    InputError
        If library, model, layer or file are not there, do not fit, or need code to load.
    """
    tensors = read_weights(weights, sha256)
    model, colours = _build(recipe.model)
    load_weights(model, tensors, weights, recipe.model)
    return BorrowedDescriber(model, recipe, *colours)


def read_weights(path: Path, sha256: str | None) -> dict[str, torch.Tensor]:
    """Read a file of weights without running code from it.

    Raises
    ------
    InputError
        If it is missing, damaged, of another checksum, or needs code to load.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file of weights; check weights")
    if sha256 is not None:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != sha256.lower():
            raise InputError(
                f"{path}: its SHA-256 is {found}, the config says {sha256}; get the file again, or "
                "correct sha256 if you trust it"
            )
    safe = path.suffix == ".safetensors"
    if not safe and sha256 is None:
        raise InputError(f"{path}: no safetensors file; state its sha256 in the config")
    try:
        content = read_tensors(path)
    except (UnreadableWeightsError, OSError) as error:
        what = (
            f"damaged or no safetensors file ({_line(error)})"
            if safe
            else f"damaged, or needs code to load, which is refused ({_line(error)}); save its "
            "tensors as safetensors"
        )
        raise InputError(f"{path}: {what}") from None
    for name in WRAPPED:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping):
        raise InputError(f"{path}: holds no table of weights by name")
    return {str(k): v for k, v in content.items() if isinstance(v, torch.Tensor)}


def load_weights(
    model: nn.Module, tensors: Mapping[str, torch.Tensor], path: Path, name: str
) -> None:
    """Give a network its weights; those that the file lacks become NaN, so that no use goes unseen.

    Raises
    ------
    InputError
        If the file is of another network.
    """
    own = model.state_dict()
    wrong = [key for key, v in tensors.items() if key in own and own[key].shape != v.shape]
    strange = [key for key in tensors if key not in own]
    if wrong or strange or not tensors:
        found = f"{(wrong or strange)[0]} does not fit" if wrong or strange else "it is empty"
        raise InputError(f"{path}: weights of another network than {name} ({found})")
    with torch.no_grad():
        for key, value in own.items():
            if key in tensors:
                value.copy_(tensors[key])
            elif value.is_floating_point():
                value.fill_(torch.nan)


def _build(model: str) -> tuple[nn.Module, tuple[Sequence[float], Sequence[float]]]:
    """Return a network without its weights, and the mean and spread of the colours it expects."""
    library, _, name = model.partition("/")
    if library not in LIBRARIES:
        return _own_module(model), (MEAN, STD)
    found = _library(library)
    names = list(found.list_models())
    if name not in names:
        raise InputError(f"{model}: {library} has no such network; {_nearest(name, names)}")
    if library == "torchvision":
        return found.get_model(name, weights=None), (MEAN, STD)
    built: nn.Module = found.create_model(name, pretrained=False)
    told: Mapping[str, Any] = getattr(built, "pretrained_cfg", {})
    return built, (told.get("mean", MEAN), told.get("std", STD))


def _own_module(path: str) -> nn.Module:
    """Call ``module:function`` of the user's own."""
    module, _, function = path.partition(":")
    try:
        build: Callable[[], Any] = getattr(importlib.import_module(module), function)
        built = build()
    except Exception as error:  # the user's own code may fail in any way
        raise InputError(f"{path}: cannot be built ({_line(error)})") from None
    if not isinstance(built, nn.Module):
        raise InputError(f"{path}: must return a torch.nn.Module, not {type(built).__name__}")
    return built


def _library(name: str) -> Any:
    """Import a library of networks.

    Raises
    ------
    InputError
        If it is not installed or does not fit the installed torch.
    """
    try:
        mend_torchvision()
        return importlib.import_module("torchvision.models" if name == "torchvision" else name)
    except (ImportError, RuntimeError, OSError) as error:
        raise InputError(
            f"{name}: cannot be imported ({_line(error)}); install {EXTRA} beside this torch"
        ) from None


def _end(_module: nn.Module, _given: Any, values: Any) -> None:
    raise _LayerReachedError(values)


def _nearest(name: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, names, NEAREST, cutoff=0.3) or names[:NEAREST]
    return "nearest are " + ", ".join(close)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
