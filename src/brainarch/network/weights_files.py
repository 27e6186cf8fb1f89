"""Files of weights that others made, read without running code from them."""

from __future__ import annotations

import pickle
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

#: What reading a damaged file raises.
DAMAGE = (
    *(RuntimeError, ValueError, EOFError, KeyError, TypeError, AttributeError, IndexError),
    *(zipfile.BadZipFile, zlib.error),
)


class UnreadableWeightsError(Exception):
    """A file of weights is damaged, or needs code to load; the message is one short line."""


def read_tensors(path: Path) -> Any:
    """Return what a safetensors file, or one of torch, holds: tensors by name, if it is in order.

    Raises
    ------
    UnreadableWeightsError
        If it is damaged, or needs code to load.
    OSError
        If it cannot be opened.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        _check_archive(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, *DAMAGE) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise UnreadableWeightsError(reason) from None


def _check_archive(source: Path) -> None:
    """Raise `ValueError` if a part of the file is not what its checksum says; torch does not look.

    States before torch 1.6 are no archives and have no checksums.
    """
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            if (part := archive.testzip()) is not None:
                raise ValueError(f"{part} is damaged")
