"""Checkpoints on disk: safetensors files that carry the network and what belongs to it.

Loading never runs code from the file: tensors are safetensors, everything else is JSON in the
header. Files made by ``torch.save`` are read with ``weights_only=True``.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from brainarch.atomic import replacing
from brainarch.errors import InputError
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation

#: Name of the network definition that this version of the package reads.
ARCHITECTURE = "area-network-134"


@dataclass(frozen=True)
class Checkpoint:
    """A trained network and what it needs to be applied.

    Parameters
    ----------
    network : AreaNetwork
        In evaluation mode, on the CPU.
    areas : tuple of str
        Area names, in the order of the last layer's outputs; none if it was trained without labels.
    normalisation : Normalisation
        Of the training slices.
    voxel_um : float
        Edge of the training volume's voxel in micrometres.
    dtype : str
        Dtype of the grey values it was trained on.
    training : dict
        What is worth knowing about the training: seed, epochs, best epoch, accuracies.
    """

    network: AreaNetwork
    areas: tuple[str, ...]
    normalisation: Normalisation
    voxel_um: float
    dtype: str
    training: dict[str, Any]


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint in one step."""
    header = {
        "architecture": ARCHITECTURE,
        "areas": json.dumps(list(checkpoint.areas), ensure_ascii=False),
        "normalisation": json.dumps(asdict(checkpoint.normalisation)),
        "voxel_um": json.dumps(checkpoint.voxel_um),
        "dtype": checkpoint.dtype,
        "training": json.dumps(checkpoint.training, ensure_ascii=False),
    }
    tensors = {name: value.contiguous() for name, value in checkpoint.network.state_dict().items()}
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata=header)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint that `save_checkpoint` wrote.

    Raises
    ------
    InputError
        If the file is missing, is no safetensors file, or holds another network.
    """
    tensors, header = _read_safetensors(path)
    if header.get("architecture") != ARCHITECTURE:
        found = header.get("architecture", "none named")
        raise InputError(
            f"{path}: checkpoint of another network ({found}, expected {ARCHITECTURE}); "
            "train one with `brainarch train`"
        )
    areas = tuple(json.loads(header["areas"]))
    network = AreaNetwork(len(areas))
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: weights do not fit the network ({reason})") from None
    network.eval()
    return Checkpoint(
        network=network,
        areas=areas,
        normalisation=Normalisation(**json.loads(header["normalisation"])),
        voxel_um=float(json.loads(header["voxel_um"])),
        dtype=header["dtype"],
        training=json.loads(header["training"]),
    )


def require_areas(checkpoint: Checkpoint, areas: tuple[str, ...], path: Path) -> None:
    """Raise `InputError` unless a checkpoint was trained on exactly these areas, in this order."""
    if not checkpoint.areas:
        raise InputError(
            f"{path}: trained without labels, so that it names no areas; embed or extract with it, "
            "or take a network that was trained on them"
        )
    if checkpoint.areas != areas:
        raise InputError(
            f"{path}: trained on {len(checkpoint.areas)} areas ({', '.join(checkpoint.areas)}), "
            f"but the legend has {len(areas)} ({', '.join(areas)}); train again or use its legend"
        )


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read named tensors from a safetensors file or one made by ``torch.save``.

    Raises
    ------
    InputError
        If the file is missing or unreadable, or if loading it would need to run code.
    """
    if path.suffix == ".safetensors":
        return _read_safetensors(path)[0]
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{path}: no such weights file") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError):
        raise InputError(
            f"{path}: refused, because it is unreadable or needs to run code to load; "
            "save its tensors as safetensors"
        ) from None
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not all(
        isinstance(value, torch.Tensor) for value in content.values()
    ):
        raise InputError(f"{path}: holds no table of named tensors; save a state_dict")
    return content


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint; run `brainarch train` or check the path")
    try:
        with safe_open(path, framework="pt") as stream:
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
            return tensors, stream.metadata() or {}
    except SafetensorError:
        raise InputError(
            f"{path}: not a safetensors file; a file that needs code to load is refused, "
            "save its tensors as safetensors"
        ) from None
