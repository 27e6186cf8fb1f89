"""What a network's file says beside its weights, read without them and without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from brainarch.errors import InputError

#: The only key of the header: safetensors writes several in an order that differs every time.
HEADER = "brainarch"


def read_header(path: Path) -> dict[str, Any]:
    """Return what `brainarch.network.trained.save_network` wrote beside the weights.

    Returns
    -------
    dict
        Areas, normalisation, pixel_um, dtype and more; empty if the file is not one of ours.

    Raises
    ------
    InputError
        If the file is missing, cut short or no safetensors file.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such network; run `brainarch train` or check the path")
    try:
        with safe_open(path, framework="np") as stream:
            header = json.loads((stream.metadata() or {}).get(HEADER, "{}"))
    except (SafetensorError, ValueError):
        raise InputError(
            f"{path}: not a safetensors file, or cut short; a file that needs code to load is "
            "refused, save its tensors as safetensors"
        ) from None
    return header if isinstance(header, dict) else {}
