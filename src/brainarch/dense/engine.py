"""The dense computation of one tile: tensors in, tensors out.

Every layer runs once over the whole tile. A 2x2 pool that would drop positions the grid needs is
split into its four offsets; each offset is a map of its own, a *fragment*, and the fragments go on
as a batch until the end, where they are interleaved (Giusti et al. 2013). Pools whose step the grid
covers anyway stay plain, so a stride of 16 needs no fragments at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from brainarch.dense.schedule import (
    STRIDES,
    Convolution,
    Layer,
    Pool,
    Rectifier,
    Schedule,
)
from brainarch.dense.spectral import COLUMNS, SpectralConvolution

#: Fragments are worked on in groups whose next map is about this large, to stay in a processor's
#: cache; a GPU has its own size (`brainarch.dense.device_plan`).
GROUP_BYTES = 8 * 2**20

Offset = tuple[int, int]
Tail = tuple[Convolution | Rectifier, ...]


@dataclass(frozen=True)
class _Leaf:
    """The wide layer's input of a few fragments: (fragments, rows, columns, channels)."""

    maps: torch.Tensor
    offsets: list[Offset]


class DenseEngine:
    """A trunk prepared for tiles at one grid stride.

    Parameters
    ----------
    schedule : Schedule
        The trunk, in the dtype and on the device that are to be worked in.
    stride : int
        Distance of neighbouring grid pixels: one of 1, 2, 4, 8, 16.
    block : tuple of int or None
        Rows and columns of outputs per fragment that one transform of the wide layer gives; None
        runs it as a plain convolution.
    dtype : torch.dtype, optional
        What convolutions and the wide layer work in; the schedule's own by default. Sums over
        channels and what follows the wide layer keep the schedule's.
    group_bytes : int
        Fragments are worked on in groups whose next map is about this large.

    Notes
    -----
    One engine may serve several threads; it changes nothing of its own.
    """

    def __init__(
        self,
        schedule: Schedule,
        stride: int,
        block: tuple[int, int] | None,
        dtype: torch.dtype | None = None,
        group_bytes: int = GROUP_BYTES,
    ) -> None:
        if stride not in STRIDES:
            raise ValueError(f"stride must be one of {STRIDES}, not {stride}")
        self.schedule = schedule
        self.stride = stride
        self.phases = schedule.phases(stride)
        like = schedule.wide.weight
        self._dtype = dtype or like.dtype
        self._group_bytes = group_bytes
        rounded = schedule.to(self._dtype, like.device)
        self._layers = _pool_first(rounded.layers)
        self._wide = rounded.wide
        self._spectral = None
        if block is not None:
            self._spectral = SpectralConvolution(schedule.wide, block, self._dtype)

    def side_for(self, count: int, axis: int) -> int:
        """Return the tile's side in pixels that ``count`` grid pixels along an axis are made of."""
        return self.schedule.sizes(self.stride, self._outputs(count, axis))[0]

    def tile(self, padded: torch.Tensor, needed: NDArray[np.bool_] | None = None) -> torch.Tensor:
        """Return the representations of a tile's grid pixels.

        Parameters
        ----------
        padded : Tensor, shape (height, width)
            Normalised grey values: the window of grid pixel (i, j) starts at
            (i * stride, j * stride). The schedule's dtype and device.
        needed : ndarray of bool, shape (rows, columns), optional
            Grid pixels that matter; blocks without any are left out. All by default.

        Returns
        -------
        Tensor, shape (rows, columns, units)
            One representation for every window that fits in; NaN where it was left out.
        """
        window, stride = self.schedule.window, self.stride
        rows, columns = ((side - window) // stride + 1 for side in padded.shape)
        if min(rows, columns) < 1:
            raise ValueError(f"a tile of {tuple(padded.shape)} holds no window of {window}")
        counts = self._outputs(rows, 0), self._outputs(columns, 1)
        tile = _fit(padded, self.side_for(rows, 0), self.side_for(columns, 1))
        maps = tile.to(self._dtype)[None, :, :, None]
        with torch.inference_mode():
            leaves = self._leaves(maps, [(0, 0)], 0)
            if self._spectral is None:
                grid = self._direct(leaves, counts)
            else:
                blocks = self._needed_blocks(counts, self._spectral.block, needed)
                grid = self._through_spectrum(leaves, counts, self._spectral, blocks)
        return grid[:rows, :columns]

    def _outputs(self, count: int, axis: int) -> int:
        """Return how many outputs each fragment gives so that ``count`` are covered."""
        outputs = math.ceil(count / self.phases)
        if self._spectral is not None:
            block = self._spectral.block[axis]
            outputs = math.ceil(outputs / block) * block
        return outputs

    def _leaves(self, maps: torch.Tensor, offsets: list[Offset], start: int) -> Iterator[_Leaf]:
        """Run the layers from ``start`` on, going deep with small groups of fragments."""
        for index in range(start, len(self._layers)):
            layer = self._layers[index]
            if isinstance(layer, Convolution):
                group = self._group(maps, layer)
                if group < len(offsets):
                    for first in range(0, len(offsets), group):
                        part = slice(first, first + group)
                        yield from self._leaves(maps[part], offsets[part], index)
                    return
                maps = _convolve(maps, layer)
            elif isinstance(layer, Rectifier):
                maps = torch.relu_(maps)
            elif layer.splits(self.stride):
                maps = _split(maps)
                step = layer.step // self.stride
                shifts = [(row * step, column * step) for row in (0, 1) for column in (0, 1)]
                offsets = [(y + dy, x + dx) for dy, dx in shifts for y, x in offsets]
            else:
                maps = functional.max_pool2d(maps.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
        yield _Leaf(maps, offsets)

    def _group(self, maps: torch.Tensor, layer: Convolution) -> int:
        """Return how many fragments go through a layer together."""
        bytes_each = maps.shape[1] * maps.shape[2] * layer.outputs * maps.element_size()
        return max(1, self._group_bytes // bytes_each)

    def _direct(self, leaves: Iterator[_Leaf], counts: tuple[int, int]) -> torch.Tensor:
        """Run the wide layer as a plain convolution on each group of fragments."""
        phases, units = self.phases, self.schedule.units
        own = self.schedule.wide.weight
        grid = own.new_empty(counts[0], phases, counts[1], phases, units)
        for leaf in leaves:
            hidden = _convolve(leaf.maps, self._wide).reshape(-1, len(own))
            flat = _pointwise(hidden.to(own.dtype), self.schedule.tail)
            for values, (y, x) in zip(flat.view(-1, *counts, units), leaf.offsets, strict=True):
                grid[:, y, :, x] = values
        return grid.view(counts[0] * phases, counts[1] * phases, units)

    def _needed_blocks(
        self, counts: tuple[int, int], block: tuple[int, int], needed: NDArray[np.bool_] | None
    ) -> list[Offset]:
        """Return the row and column of every block that holds a needed grid pixel."""
        down, across = (count // side for count, side in zip(counts, block, strict=True))
        full = np.zeros((counts[0] * self.phases, counts[1] * self.phases), dtype=bool)
        if needed is None:
            full[:] = True
        else:
            full[: needed.shape[0], : needed.shape[1]] = needed
        inside = full.reshape(down, -1, across, block[1] * self.phases).any(axis=(1, 3))
        return [(int(i), int(j)) for i, j in np.argwhere(inside)]

    def _through_spectrum(
        self,
        leaves: Iterator[_Leaf],
        counts: tuple[int, int],
        spectral: SpectralConvolution,
        blocks: list[Offset],
    ) -> torch.Tensor:
        """Run the wide layer on the spectra of many blocks of many fragments at once."""
        rows, columns = spectral.block
        phases, units = self.phases, self.schedule.units
        shape = counts[0] // rows, rows, phases, counts[1] // columns, columns, phases, units
        grid = self.schedule.wide.weight.new_full(shape, math.nan)
        left = phases**2 * len(blocks)
        spectrum = spectral.spectrum(min(left, COLUMNS))
        places: list[tuple[Offset, Offset]] = []
        for corner, offset, block in _blocks(leaves, spectral, blocks):
            spectrum[:, :, len(places)] = spectral.transform(block[None])[:, :, 0]
            places.append((corner, offset))
            if len(places) == min(left, COLUMNS):
                found = self._reduce(spectral, spectrum[:, :, : len(places)])
                for index, ((i, j), (y, x)) in enumerate(places):
                    grid[i, :, y, j, :, x] = found[:, :, index]
                left -= len(places)
                places.clear()
        return grid.view(counts[0] * phases, counts[1] * phases, units)

    def _reduce(self, spectral: SpectralConvolution, spectrum: torch.Tensor) -> torch.Tensor:
        """Return the units (rows, columns, blocks, units) without ever holding the hidden layer."""
        rectified, following, rest = _part(self.schedule.tail)
        width = spectral.layer.outputs if following is None else following.outputs
        units = self.schedule.wide.weight.new_zeros(*spectral.block, spectrum.shape[2], width)
        flat = units.view(-1, width)
        for channels, values in spectral.outputs(spectrum):
            hidden = values.relu_() if rectified else values
            if following is None:
                units[..., channels] = hidden
            else:
                weight = following.weight[:, channels, 0, 0].t().to(hidden.dtype)
                if hidden.dtype == flat.dtype:
                    flat.addmm_(hidden.view(-1, len(weight)), weight)
                else:
                    flat += hidden.view(-1, len(weight)) @ weight
        if following is not None:
            flat += following.bias
        return _pointwise(flat, rest).view(*units.shape[:3], -1)


def _blocks(
    leaves: Iterator[_Leaf], spectral: SpectralConvolution, blocks: list[Offset]
) -> Iterator[tuple[Offset, Offset, torch.Tensor]]:
    """Cut blocks out of every fragment: (block's row and column, fragment's offset, map)."""
    (rows, columns), (high, wide) = spectral.block, spectral.sides
    for leaf in leaves:
        for i, j in blocks:
            top, left = i * rows, j * columns
            for fragment, offset in zip(leaf.maps, leaf.offsets, strict=True):
                yield (i, j), offset, fragment[top : top + high, left : left + wide]


def _pool_first(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Let a ReLU follow the pool behind it: the same result, on a quarter of the values."""
    ordered = list(layers)
    for index in range(len(ordered) - 1):
        if isinstance(ordered[index], Rectifier) and isinstance(ordered[index + 1], Pool):
            ordered[index], ordered[index + 1] = ordered[index + 1], ordered[index]
    return tuple(ordered)


def _fit(padded: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Copy a tile to the size that the fragments need; what is added reaches no output."""
    down, right = max(0, height - padded.shape[0]), max(0, width - padded.shape[1])
    return functional.pad(padded, (0, right, 0, down))[:height, :width].clone()


def _convolve(maps: torch.Tensor, layer: Convolution) -> torch.Tensor:
    """Convolve (n, rows, columns, channels); the data stay channels-last throughout."""
    found = functional.conv2d(maps.permute(0, 3, 1, 2), layer.weight, layer.bias)
    return found.permute(0, 2, 3, 1)


def _split(maps: torch.Tensor) -> torch.Tensor:
    """Pool at all four offsets: (n, 2h + 1, 2w + 1, c) -> (4 n, h, w, c), offsets outermost."""
    count, height, width, channels = maps.shape
    maps = torch.maximum(maps[:, :-1], maps[:, 1:])
    maps = torch.maximum(maps[:, :, :-1], maps[:, :, 1:])
    maps = maps.view(count, height // 2, 2, width // 2, 2, channels)
    return maps.permute(2, 4, 0, 1, 3, 5).reshape(-1, height // 2, width // 2, channels)


def _part(
    tail: Tail,
) -> tuple[bool, Convolution | None, Tail]:
    """Say whether a ReLU comes first, which layer sums up after it, and what follows that."""
    for index, layer in enumerate(tail):
        if isinstance(layer, Convolution):
            return index > 0, layer, tail[index + 1 :]
    return len(tail) > 0, None, ()


def _pointwise(values: torch.Tensor, layers: Tail) -> torch.Tensor:
    """Apply fully connected layers and ReLUs to (n, channels)."""
    for layer in layers:
        if isinstance(layer, Convolution):
            values = torch.addmm(layer.bias, values, layer.weight[:, :, 0, 0].t())
        else:
            values = torch.relu_(values)
    return values
