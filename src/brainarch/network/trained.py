"""Trained networks on disk: safetensors files that carry the weights and what belongs to them.

Loading never runs code from the file: tensors are safetensors, everything else is JSON in the
header. Equal networks give equal files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from brainarch.atomic import write_bytes
from brainarch.errors import InputError
from brainarch.network.architecture import ARCHITECTURES, AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.network.header import HEADER, read_header

#: What the header says the SHA-256 of everything else in the file is.
CHECKSUM = "sha256"


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network and what it needs to be applied.

    Parameters
    ----------
    network : AreaNetwork
        In evaluation mode, on the CPU.
    areas : tuple of str
        Area names, in the order of the last layer's outputs; none if it was trained without labels.
    outside : bool
        Whether there is one output more, for what is no tissue; it is no area.
    normalisation : Normalisation
        Of the training slices.
    pixel_um : float
        Edge of the training volume's voxel in micrometer.
    dtype : str
        Dtype of the grey values it was trained on.
    training : dict
        What is worth knowing about the training: seed, epochs, best epoch, accuracies.
    """

    network: AreaNetwork
    areas: tuple[str, ...]
    normalisation: Normalisation
    pixel_um: float
    dtype: str
    training: dict[str, Any]
    outside: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of what the network computes: all but ``training``, whatever the file's bytes."""
        return _checksum(_described(self), self.network.state_dict())


def save_network(trained: TrainedNetwork, path: Path) -> None:
    """Write a trained network in one step."""
    content = {
        "architecture": trained.network.architecture,
        **_described(trained),
        "training": trained.training,
    }
    tensors = {name: value.contiguous() for name, value in trained.network.state_dict().items()}
    content = json.loads(json.dumps(content))
    content[CHECKSUM] = _checksum(content, tensors)
    header = json.dumps(content, ensure_ascii=False, sort_keys=True)
    # written by us: safetensors' own writer does not say which file a full disk refused
    write_bytes(path, save(tensors, metadata={HEADER: header}))


def load_network(path: Path) -> TrainedNetwork:
    """Read a network that `save_network` wrote.

    Raises
    ------
    InputError
        If the file is missing, damaged or no safetensors file, holds another network, or weights
        that are no numbers.
    """
    tensors, header = _read(path)
    architecture = ARCHITECTURES.get(header.get("architecture", ""))
    if architecture is None:
        found = header.get("architecture", "none named")
        raise InputError(
            f"{path}: holds another network ({found}, expected {' or '.join(ARCHITECTURES)}); "
            "train one with `brainarch train`"
        )
    if header.pop(CHECKSUM, None) != _checksum(header, tensors):
        raise InputError(
            f"{path}: damaged, or changed since it was written (its SHA-256 is another); "
            "train it again with `brainarch train`"
        )
    areas, outside = tuple(header["areas"]), header.get("outside", False)
    network = architecture(len(areas) + outside)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: weights do not fit the network ({reason})") from None
    wrong = [name for name, value in tensors.items() if not torch.isfinite(value).all()]
    if wrong:
        raise InputError(f"{path}: {wrong[0]} holds NaN or infinite weights; train again")
    network.eval()
    return TrainedNetwork(
        network=network,
        areas=areas,
        normalisation=Normalisation(**header["normalisation"]),
        pixel_um=float(header["pixel_um"]),
        dtype=header["dtype"],
        training=header["training"],
        outside=outside,
    )


def require_areas(trained: TrainedNetwork, areas: tuple[str, ...], path: Path) -> None:
    """Raise `InputError` unless a network was trained on exactly these areas, in this order."""
    if not trained.areas:
        raise InputError(
            f"{path}: trained without labels, so that it names no areas; embed or extract with it, "
            "or take a network that was trained on them"
        )
    if trained.areas != areas:
        raise InputError(
            f"{path}: trained on {len(trained.areas)} areas ({', '.join(trained.areas)}), "
            f"but the legend has {len(areas)} ({', '.join(areas)}); train again or use its legend"
        )


def _checksum(content: dict[str, Any], tensors: Mapping[str, torch.Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()


def _described(trained: TrainedNetwork) -> dict[str, Any]:
    return {
        "areas": list(trained.areas),
        **({"outside": True} if trained.outside else {}),
        "normalisation": asdict(trained.normalisation),
        "pixel_um": trained.pixel_um,
        "dtype": trained.dtype,
    }


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return a file's tensors and header; an empty header if it is not one of ours."""
    header = read_header(path)
    try:
        with safe_open(path, framework="pt") as stream:
            return {name: stream.get_tensor(name) for name in stream.keys()}, header  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(f"{path}: its weights cannot be read ({error})") from None
