"""Torchvision for CUDA beside a torch without it, which Lightning then cannot be imported beside.

Its compiled part does not load there, which no network needs; only the declarations of two
operators are missed. Lightning's metrics import torchvision wherever it is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

import torch

#: Declarations end with the object that made them.
_DECLARED: list[Any] = []


def mend_torchvision() -> None:
    """Declare what the installed torchvision misses, if it misses anything; nothing otherwise."""
    if torch.version.cuda or importlib.util.find_spec("torchvision") is None:
        return
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        for loaded in [key for key in sys.modules if key.partition(".")[0] == "torchvision"]:
            del sys.modules[loaded]
        _declare_operators()


def _declare_operators() -> None:
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        schema = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(schema)  # type: ignore[no-untyped-call]  # torch has no types here
    _DECLARED.append(library)
