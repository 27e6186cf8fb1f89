"""What a tile costs: multiplications and memory, counted from the layers.

The counts only rank plans and warn of long runs; nothing that is computed depends on them. The
constants were measured on one core of a 2023 server (Zen 4) with torch 2.13.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from brainarch.dense.engine import GROUP_BYTES
from brainarch.dense.precision import Precision, factor_dtype
from brainarch.dense.schedule import Convolution, Pool, Schedule
from brainarch.dense.spectral import (
    COLUMNS,
    FORMS,
    channels_together,
    kernel_bytes,
    multiplications,
)

#: Multiplications per second and core.
RATE: dict[Precision, float] = {"float32": 50e9, "tf32": 50e9, "bfloat16": 95e9}
#: A multiplication of the transformed layer takes as long as this many of a convolution: its
#: products are smaller and its transforms bound by memory.
SPECTRAL_COST = 1.3
#: Multiplications that could be done while one value of the prepared kernels is read.
KERNEL_READ = 16.0
#: Preparing the kernels is done in double precision, at half the speed.
PREPARATION_COST = 2.0
#: Memory of the interpreter with its libraries, in bytes.
BASE_BYTES = 430e6
#: Share that the allocator keeps beyond what is asked for.
ALLOCATOR = 1.2

_FLOAT = 4


@dataclass(frozen=True)
class TileCost:
    """The cost of one tile.

    Parameters
    ----------
    schedule : Schedule
    stride : int
    side : tuple of int
        Rows and columns of the tile's grid pixels.
    block : tuple of int or None
        Outputs per fragment of one transform; None for the direct algorithm.
    precision : {"float32", "bfloat16", "tf32"}
    """

    schedule: Schedule
    stride: int
    side: tuple[int, int]
    block: tuple[int, int] | None
    precision: Precision = "float32"

    @property
    def outputs(self) -> tuple[int, int]:
        """Outputs that each fragment gives, blocks filled up."""
        phases = self.schedule.phases(self.stride)
        rows, columns = (
            math.ceil(math.ceil(side / phases) / part) * part
            for side, part in zip(self.side, self.block or (1, 1), strict=True)
        )
        return rows, columns

    @property
    def pixels(self) -> int:
        """Grid pixels that are computed, those beyond the tile's border included."""
        return self.schedule.phases(self.stride) ** 2 * math.prod(self.outputs)

    @property
    def itemsize(self) -> int:
        """Bytes of a value in maps, spectra and kernels."""
        return factor_dtype(self.precision).itemsize

    @property
    def kernel_bytes(self) -> int:
        """Memory of the prepared kernels, shared by all workers."""
        if self.block is None:
            return 0
        return kernel_bytes(self.schedule.wide, self.block, self.itemsize)

    @property
    def preparation(self) -> float:
        """Multiplications that preparing the kernels is worth, once."""
        values = self.kernel_bytes / self.itemsize
        return PREPARATION_COST * values * self.schedule.wide.side**2

    @property
    def multiplications(self) -> float:
        """Multiplications that computing the tile is worth."""
        total = 0.0
        for layer, count, pixels in self._convolutions():
            total += count * pixels * layer.weight.numel()
        if self.block is None:
            total += self.pixels * self.schedule.wide.weight.numel()
        else:
            total += SPECTRAL_COST * self.pixels * multiplications(self.schedule.wide, self.block)
            passes = math.ceil(self.pixels / math.prod(self.block) / COLUMNS)
            total += KERNEL_READ * passes * self.kernel_bytes / self.itemsize
        tail = (layer for layer in self.schedule.tail if isinstance(layer, Convolution))
        return total + self.pixels * sum(layer.weight.numel() for layer in tail)

    @property
    def counted(self) -> float:
        """Multiplications of the tile, none weighted by what it costs."""
        wide = self.schedule.wide
        total = sum(
            count * pixels * layer.weight.numel() for layer, count, pixels in self._convolutions()
        )
        one = wide.weight.numel() if self.block is None else multiplications(wide, self.block)
        tail = (layer for layer in self.schedule.tail if isinstance(layer, Convolution))
        return total + self.pixels * (one + sum(layer.weight.numel() for layer in tail))

    @property
    def worker_bytes(self) -> float:
        """Peak memory of one worker."""
        wide, group, maps = self.schedule.wide, 1, 0
        for layer, count, pixels in self._convolutions():
            one = pixels * layer.outputs * self.itemsize
            group = min(count, max(1, GROUP_BYTES // one))
            # The map of a group of fragments, and what is pooled from it.
            maps += 2 * group * one
        if self.block is None:
            hidden = min(self.pixels, 4 * group * math.prod(self.outputs)) * wide.outputs
            last = 2 * (hidden + wide.weight.numel())
        else:
            area = math.prod(self.block)
            count = min(self.pixels // area, COLUMNS)
            high, across = (side + wide.side - 1 for side in self.block)
            waves, forms = across // 2 + 1, FORMS * high
            parts = 2 * waves * self.block[0] + forms + area
            channels = min(channels_together(factor_dtype(self.precision)), wide.outputs)
            last = count * (waves * forms * wide.inputs + parts * channels)
        # The units are held as computed, and twice while they are written.
        units = 3 * self.pixels * self.schedule.units
        return ALLOCATOR * (maps + last * self.itemsize + units * _FLOAT)

    def _convolutions(self) -> list[tuple[Convolution, int, int]]:
        """Return each convolution with its number of fragments and its pixels in each of them."""
        high, wide = (self.schedule.sizes(self.stride, count) for count in self.outputs)
        found, fragments = [], 1
        for index, layer in enumerate(self.schedule.layers):
            if isinstance(layer, Convolution):
                found.append((layer, fragments, high[index + 1] * wide[index + 1]))
            elif isinstance(layer, Pool) and layer.splits(self.stride):
                fragments *= 4
        return found
