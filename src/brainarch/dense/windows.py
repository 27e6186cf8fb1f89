"""Any network, every window run alone: the slow way, for networks that cannot share computation.

A network with padding inside or with pooling over the whole map gives a window a result that
depends on where it is cut, so `brainarch.dense.schedule` refuses it. Here nothing is shared, and
nothing has to be understood.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from brainarch.errors import InputError

#: Windows run at once: larger batches were no faster on CPUs, and take more memory.
BATCH = 16


@dataclass(frozen=True)
class WindowCost:
    """What running one window takes.

    Parameters
    ----------
    units : int
        Length of its representation.
    multiplications : float
    values : int
        Numbers in the largest layer's output.
    """

    units: int
    multiplications: float
    values: int


class WindowEngine:
    """A trunk that runs every needed window of a tile alone.

    Parameters
    ----------
    trunk : nn.Module
        From (n, 1, window, window) to (n, units).
    window : int
        Side of a window in pixels.
    stride : int
        Distance of neighbouring grid pixels.
    dtype : torch.dtype
        That the trunk works in.
    device : torch.device
    """

    def __init__(
        self, trunk: nn.Module, window: int, stride: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        self.window = window
        self.stride = stride
        self._units = window_cost(trunk, window).units
        self._dtype = dtype
        self._trunk = copy.deepcopy(trunk).to(device, dtype).eval()
        convert_conv2d_weight_memory_format(self._trunk, torch.channels_last)

    def tile(self, padded: torch.Tensor, needed: NDArray[np.bool_] | None = None) -> torch.Tensor:
        """Return the representations of a tile's grid pixels; see `DenseEngine.tile`."""
        views = padded.unfold(0, self.window, self.stride).unfold(1, self.window, self.stride)
        rows, columns = views.shape[:2]
        wanted = np.ones((rows, columns), dtype=bool) if needed is None else needed
        grid = padded.new_full((rows, columns, self._units), math.nan)
        iy, ix = (torch.from_numpy(places).to(padded.device) for places in np.nonzero(wanted))
        with torch.inference_mode():
            for start in range(0, len(iy), BATCH):
                y, x = iy[start : start + BATCH], ix[start : start + BATCH]
                batch = views[y, x][:, None].to(self._dtype)
                found = self._trunk(batch.contiguous(memory_format=torch.channels_last))
                grid[y, x] = found.to(grid.dtype)
        return grid


def describe(trunk: nn.Module) -> str:
    """Return the layers in one line, for plans; equal for interchangeable trunks."""
    leaves = [module for module in trunk.modules() if not list(module.children())]
    return "windows: " + " ".join(repr(module).replace(" ", "") for module in leaves)


def window_cost(trunk: nn.Module, window: int) -> WindowCost:
    """Run one window of zeros and count.

    Raises
    ------
    InputError
        If the trunk takes no such window or gives no vector for it.
    """
    multiplications, values = 0.0, 0

    def count(module: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        nonlocal multiplications, values
        weight = getattr(module, "weight", None)
        if isinstance(weight, torch.Tensor) and weight.ndim > 1:
            multiplications += output.numel() * weight[0].numel()
        values = max(values, output.numel())

    leaves = [module for module in trunk.modules() if not list(module.children())]
    hooks = [module.register_forward_hook(count) for module in leaves]
    like = next(iter(trunk.parameters()))
    try:
        with torch.inference_mode():
            found = trunk(like.new_zeros(1, 1, window, window))
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"network: takes no window of {window} pixels ({reason})") from None
    finally:
        for hook in hooks:
            hook.remove()
    if found.ndim != 2:
        raise InputError(
            f"network: gives values of shape {tuple(found.shape)} for one window; wanted one "
            "vector, so flatten or pool them"
        )
    return WindowCost(found.shape[1], multiplications, values)
