"""In which arithmetic a network is trained."""

from __future__ import annotations

from typing import Literal

import torch

#: What a user asks for, and what a training computes in.
Asked = Literal["auto", "float32"]
Precision = Literal["float32", "bfloat16"]

#: Lightning's names; with bfloat16, sums, weights, gradients of weights and the loss stay float32.
LIGHTNING: dict[Precision, Literal["32-true", "bf16-mixed"]] = {
    "float32": "32-true",
    "bfloat16": "bf16-mixed",
}


def find_precision(asked: Asked, device: str) -> Precision:
    """Return the arithmetic of a training on this machine.

    Parameters
    ----------
    asked : {"auto", "float32"}
        ``auto`` takes bfloat16 where the GPU, or the processor where there is none, multiplies it
        in matrix units (a processor: AMX); elsewhere it saves nothing or costs.
    device : {"auto", "cpu", "cuda"}

    Returns
    -------
    {"float32", "bfloat16"}
    """
    if asked == "float32":
        return "float32"
    if device != "cpu" and torch.cuda.is_available():
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = bool(torch.cpu.get_capabilities().get("amx_bf16", False))
    return "bfloat16" if fast else "float32"
