"""The shapes of a network's layers, read from the module itself."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from torch import nn

from brainarch.geometry import WINDOW


def layer_shapes(network: nn.Module, window: int = WINDOW) -> pd.DataFrame:
    """Run one empty window through a network and note what leaves every layer.

    Parameters
    ----------
    network : torch.nn.Module
        Takes windows, shape (n, 1, window, window).
    window : int
        Side of a window in pixels.

    Returns
    -------
    pandas.DataFrame
        One row for the window and one per convolution, pooling or linear layer, in the order of the
        computation: name, kind (input, conv, pool or linear), kernel (px, 0 without), channels,
        size (px, 1 for a vector).
    """
    records: list[dict[str, Any]] = [
        {"name": "window", "kind": "input", "kernel": 0, "channels": 1, "size": window}
    ]
    hooks = []
    for name, layer in network.named_modules():
        kind = _kind(layer)
        if kind is not None:
            hooks.append(layer.register_forward_hook(_recorder(records, name, kind)))
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            network(torch.zeros(1, 1, window, window))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return pd.DataFrame(records)


def _kind(layer: nn.Module) -> str | None:
    kinds = ((nn.Conv2d, "conv"), (nn.MaxPool2d, "pool"), (nn.AvgPool2d, "pool"))
    for types, kind in (*kinds, (nn.Linear, "linear")):
        if isinstance(layer, types):
            return kind
    return None


def _recorder(records: list[dict[str, Any]], name: str, kind: str) -> Any:
    def record(layer: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        kernel: Any = getattr(layer, "kernel_size", 0)
        records.append(
            {
                "name": name,
                "kind": kind,
                "kernel": int(kernel[0] if isinstance(kernel, tuple) else kernel),
                "channels": int(output.shape[1]),
                "size": int(output.shape[-1]) if output.ndim == 4 else 1,
            }
        )

    return record
