"""What a network's layers mean for dense extraction: its window and its fragment schedule.

A trunk of unpadded convolutions, ReLU, 2x2 max pooling and fully connected layers gives the same
result for a window wherever it is cut, so neighbouring windows can share their computation. The
window and the strides are derived from the module here and written down nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from brainarch.errors import InputError

#: Grid strides that dense extraction offers (DESIGN.md section 3).
STRIDES = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Convolution:
    """An unpadded convolution with a square kernel and stride 1.

    Parameters
    ----------
    weight : Tensor, shape (outputs, inputs, side, side)
    bias : Tensor, shape (outputs,)
    """

    weight: torch.Tensor
    bias: torch.Tensor

    @property
    def side(self) -> int:
        """Side of the kernel in pixels."""
        return int(self.weight.shape[-1])

    @property
    def inputs(self) -> int:
        """Number of input channels."""
        return int(self.weight.shape[1])

    @property
    def outputs(self) -> int:
        """Number of output channels."""
        return int(self.weight.shape[0])


@dataclass(frozen=True)
class Rectifier:
    """A ReLU."""


@dataclass(frozen=True)
class Pool:
    """2x2 max pooling.

    Parameters
    ----------
    step : int
        Distance of neighbouring inputs in pixels of the slice: 1 for the first pool, then 2, 4, 8.
    """

    step: int

    def splits(self, stride: int) -> bool:
        """Say whether a grid of this stride needs all four offsets of the pool.

        The pooled map has a value every ``2 * step`` pixels, which is enough as long as the grid is
        no finer.
        """
        return 2 * self.step > stride


Layer = Convolution | Rectifier | Pool


@dataclass(frozen=True)
class Schedule:
    """A trunk, taken apart.

    Parameters
    ----------
    layers : tuple of Layer
        Everything before the flattening.
    wide : Convolution
        The first fully connected layer, as the convolution that it is on a larger map.
    tail : tuple of Convolution or Rectifier
        What follows, pixel by pixel: the further fully connected layers have kernels of side 1.
    window : int
        Side in pixels of what one representation depends on.
    """

    layers: tuple[Layer, ...]
    wide: Convolution
    tail: tuple[Convolution | Rectifier, ...]
    window: int

    @property
    def units(self) -> int:
        """Length of a representation."""
        linear = [layer for layer in (self.wide, *self.tail) if isinstance(layer, Convolution)]
        return linear[-1].outputs

    @property
    def step(self) -> int:
        """Distance in pixels of neighbouring positions where the wide layer reads."""
        return 1 << sum(isinstance(layer, Pool) for layer in self.layers)

    @property
    def description(self) -> str:
        """The layers in one line, for plans and messages; equal for interchangeable trunks."""
        return " ".join(_name(layer) for layer in (*self.layers, self.wide, *self.tail))

    def phases(self, stride: int) -> int:
        """Return how many fragments an axis falls into at a grid stride."""
        pools = [layer for layer in self.layers if isinstance(layer, Pool)]
        return 1 << sum(pool.splits(stride) for pool in pools)

    def sizes(self, stride: int, count: int) -> list[int]:
        """Return the side of every layer's input so that each fragment gives ``count`` outputs.

        Returns
        -------
        list of int
            One number a layer, then the wide layer's input; the first is the side of the tile in
            pixels, padding included.
        """
        side = count + self.wide.side - 1
        sizes = [side]
        for layer in reversed(self.layers):
            if isinstance(layer, Convolution):
                side += layer.side - 1
            elif isinstance(layer, Pool):
                side = 2 * side + int(layer.splits(stride))
            sizes.append(side)
        return sizes[::-1]

    def to(self, dtype: torch.dtype, device: torch.device) -> Schedule:
        """Return the same schedule with weights of another dtype or device, channels last."""

        def moved(layer: Convolution) -> Convolution:
            weight = layer.weight.to(device, dtype)
            return Convolution(
                weight.contiguous(memory_format=torch.channels_last), layer.bias.to(device, dtype)
            )

        return Schedule(
            layers=tuple(
                moved(layer) if isinstance(layer, Convolution) else layer for layer in self.layers
            ),
            wide=moved(self.wide),
            tail=tuple(
                moved(layer) if isinstance(layer, Convolution) else layer for layer in self.tail
            ),
            window=self.window,
        )


def derive_schedule(trunk: nn.Module) -> Schedule:
    """Take a trunk apart.

    Parameters
    ----------
    trunk : nn.Sequential
        Unpadded convolutions, ReLU, 2x2 max pooling and dropout; then Flatten, fully connected
        layers, ReLU and dropout. Dropout does nothing in evaluation and is left out.

    Returns
    -------
    Schedule
        With the trunk's own weights, not copies.

    Raises
    ------
    InputError
        If the result of a window would depend on where it is cut (padding inside), or a layer is
        of another kind; the message names the layer and the reason.
    """
    if not isinstance(trunk, nn.Sequential):
        raise InputError(
            f"network: dense extraction reads an nn.Sequential, not a {type(trunk).__name__}; "
            "give the layers in their order"
        )
    layers: list[Layer] = []
    tail: list[Convolution | Rectifier] = []
    flat = False
    step = 1
    for name, module in trunk.named_children():
        if isinstance(module, nn.Dropout | nn.Dropout2d | nn.Identity):
            continue
        if isinstance(module, nn.ReLU):
            (tail if flat else layers).append(Rectifier())
        elif isinstance(module, nn.Flatten) and not flat:
            flat = True
        elif isinstance(module, nn.Linear) and flat:
            tail.append(_pointwise(module))
        elif isinstance(module, nn.Conv2d) and not flat:
            layers.append(_convolution(name, module))
        elif isinstance(module, nn.MaxPool2d) and not flat:
            layers.append(_pool(name, module, step))
            step *= 2
        else:
            raise _refusal(name, module, flat)
    wide, rest = _widen(layers, tail)
    schedule = Schedule(tuple(layers), wide, rest, window=0)
    return Schedule(tuple(layers), wide, rest, window=schedule.sizes(schedule.step, 1)[0])


def _widen(
    layers: Iterable[Layer], tail: list[Convolution | Rectifier]
) -> tuple[Convolution, tuple[Convolution | Rectifier, ...]]:
    """Turn the first fully connected layer into a convolution over the last map's channels."""
    convolutions = [layer for layer in layers if isinstance(layer, Convolution)]
    if not convolutions or not tail or not isinstance(tail[0], Convolution):
        raise InputError(
            "network: dense extraction needs convolutions, then Flatten and a fully connected "
            "layer; this trunk has another order"
        )
    first, channels = tail[0], convolutions[-1].outputs
    side = math.isqrt(first.inputs // channels)
    if side * side * channels != first.inputs:
        raise InputError(
            f"network: its first fully connected layer reads {first.inputs} values, which is no "
            f"square map of {channels} channels; give a square window"
        )
    weight = first.weight.reshape(first.outputs, channels, side, side)
    return Convolution(weight, first.bias), tuple(tail[1:])


def _pointwise(module: nn.Linear) -> Convolution:
    weight = module.weight.detach()
    bias = weight.new_zeros(len(weight)) if module.bias is None else module.bias.detach()
    return Convolution(weight[:, :, None, None], bias)


def _convolution(name: str, module: nn.Conv2d) -> Convolution:
    padded = module.padding not in {(0, 0), "valid"}
    if padded:
        raise InputError(
            f"network: layer {name} pads its input, so a window's result depends on where it is "
            "cut; use padding 0 and a larger window"
        )
    height, width = module.kernel_size
    plain = module.stride == (1, 1) and module.dilation == (1, 1) and module.groups == 1
    if height != width or not plain:
        raise InputError(
            f"network: layer {name} must be a convolution with a square kernel, stride 1, "
            "dilation 1 and one group"
        )
    weight = module.weight.detach()
    bias = weight.new_zeros(len(weight)) if module.bias is None else module.bias.detach()
    return Convolution(weight, bias)


def _pool(name: str, module: nn.MaxPool2d, step: int) -> Pool:
    def pair(value: object) -> object:
        return value if isinstance(value, tuple) else (value, value)

    kernel, stride = pair(module.kernel_size), pair(module.stride)
    if pair(module.padding) != (0, 0):
        raise InputError(
            f"network: layer {name} pads its input, so a window's result depends on where it is "
            "cut; use padding 0"
        )
    if kernel != (2, 2) or stride != (2, 2) or pair(module.dilation) != (1, 1) or module.ceil_mode:
        raise InputError(f"network: layer {name} must be MaxPool2d(2), without dilation or ceil")
    return Pool(step)


def _refusal(name: str, module: nn.Module, flat: bool) -> InputError:
    kind = type(module).__name__
    if isinstance(module, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        reason = "pools over the whole map, so its result depends on the size of the input"
    elif isinstance(module, nn.Linear):
        reason = "reads a map that was not flattened"
    elif flat:
        reason = "stands behind Flatten, where only Linear, ReLU and Dropout are understood"
    else:
        reason = "is none of Conv2d, ReLU, MaxPool2d(2), Dropout, Flatten and Linear"
    return InputError(f"network: layer {name} ({kind}) {reason}; dense extraction cannot use it")


def _name(layer: Layer) -> str:
    if isinstance(layer, Convolution):
        return f"conv{layer.side}:{layer.inputs}>{layer.outputs}"
    return "pool2" if isinstance(layer, Pool) else "relu"
