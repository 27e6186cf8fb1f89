"""Convolution with a large kernel through discrete Fourier transforms written as matrix products.

The first fully connected layer is a 6 x 6 convolution from 128 to 1024 channels: 97 % of the
multiplications of a dense extraction. Transforming blocks of the map, multiplying frequency by
frequency and transforming back needs 13 times fewer (block of 16 x 16 outputs, side 21), and its
float32 rounding error is smaller than that of the direct sum of 4608 products.

Complex products take three real ones (Gauss). With X the map's and W the kernel's spectrum (its
conjugate, because the layer correlates), the three factors are::

    (Re X + Im X) * Re W,    Re X * (Im W - Re W),    Im X * (Re W + Im W)

and the real part of X W is the first minus the third, the imaginary part the first plus the second;
both differences are folded into the inverse transform. Only the outputs that a block really has are
transformed back. Every step is a real matrix product over channels-last data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from brainarch.dense.schedule import Convolution

#: Bytes of the output channels worked on together, so that their intermediate results stay in the
#: cache: 128 channels in float32.
CHANNEL_BYTES = 512
#: Map blocks worked on together: enough for the kernels, read once for them, to pay.
COLUMNS = 128
#: Real products that stand for a complex one.
FORMS = 3


@dataclass(frozen=True)
class _Transforms:
    """Real matrices of the transforms of one block, applied from the left.

    ``forward_x`` (2 kx, sides) and ``forward_y`` (ky form, sides 2) lead to the three factors'
    spectra; ``inverse_y`` (2 outputs, ky form) and ``inverse_x`` (outputs, kx 2) lead back.
    ``inverse_real`` (outputs, half of ky form) takes inverse_y's place for a wave along x whose
    spectrum along y is that of real values, so that half of it suffices.
    """

    forward_x: torch.Tensor
    forward_y: torch.Tensor
    inverse_y: torch.Tensor
    inverse_real: torch.Tensor
    inverse_x: torch.Tensor


class SpectralConvolution:
    """A convolution prepared for blocks of one size.

    Parameters
    ----------
    layer : Convolution
        Its device is worked on.
    block : tuple of int
        Rows and columns of outputs that one transform gives.
    dtype : torch.dtype, optional
        What it works in; the layer's own by default.

    Notes
    -----
    Memory for the prepared kernels: ``kernel_bytes``.
    """

    def __init__(
        self, layer: Convolution, block: tuple[int, int], dtype: torch.dtype | None = None
    ) -> None:
        self.layer = layer
        self.block = block
        self.sides = (block[0] + layer.side - 1, block[1] + layer.side - 1)
        self.waves = self.sides[1] // 2 + 1
        self._bias = layer.bias.to(dtype or layer.bias.dtype)
        matrices = (torch.from_numpy(matrix) for matrix in _matrices(block, self.sides))
        self._transforms = _Transforms(*(matrix.to(self._bias) for matrix in matrices))
        self._real = _real_waves(self.sides[1])
        self._kernels = _kernels(layer, self.sides, self._bias.dtype)

    def spectrum(self, columns: int) -> torch.Tensor:
        """Return room for the spectra of some blocks, shape (kx, ky form, columns, inputs)."""
        shape = (self.waves, FORMS * self.sides[0], columns, self.layer.inputs)
        return self._bias.new_empty(shape)

    def transform(self, blocks: torch.Tensor) -> torch.Tensor:
        """Transform blocks of a map.

        Parameters
        ----------
        blocks : Tensor, shape (n, side, side, inputs)
            Channels last; strided views are welcome.

        Returns
        -------
        Tensor, shape (kx, ky form, n, inputs)
            A view with the axes of `spectrum`.
        """
        count, inputs = len(blocks), self.layer.inputs
        rows = torch.matmul(self._transforms.forward_x, blocks)
        rows = rows.view(count, 2 * self.sides[0], self.waves * inputs)
        factors = torch.matmul(self._transforms.forward_y, rows)
        factors = factors.view(count, FORMS * self.sides[0], self.waves, inputs)
        return factors.permute(2, 1, 0, 3)

    def outputs(self, spectrum: torch.Tensor) -> Iterator[tuple[slice, torch.Tensor]]:
        """Yield the layer's outputs, a few channels at a time.

        Parameters
        ----------
        spectrum : Tensor, shape (kx, ky form, n, inputs)

        Yields
        ------
        channels : slice
            Which output channels.
        values : Tensor, shape (rows, columns, n, channels)
            Bias included. The next ones take their place.
        """
        count = spectrum.shape[2]
        rows, columns = self.block
        first, pages = 0, _Pages(spectrum)
        for kernel in self._kernels:
            width = kernel[0].shape[-1]
            channels = slice(first, first + width)
            first = channels.stop
            halves = pages.take("halves", self.waves, 2, rows, count * width)
            for wave, factors in enumerate(kernel):
                product = pages.take("product", len(factors), count, width)
                torch.bmm(spectrum[wave, : len(factors)], factors, out=product)
                flat = product.view(len(factors), count * width)
                if wave in self._real:
                    torch.mm(self._transforms.inverse_real, flat, out=halves[wave, 0])
                    halves[wave, 1] = 0
                else:
                    both = halves[wave].view(2 * rows, count * width)
                    torch.mm(self._transforms.inverse_y, flat, out=both)
            # The constant wave's real half carries the bias to every output.
            bias = self._bias[channels] * self.sides[1]
            halves[0, 0].view(rows, count, width).add_(bias)
            parts = halves.view(2 * self.waves, rows, count * width)
            values = pages.take("values", rows, columns, count * width)
            for row in range(rows):
                torch.mm(self._transforms.inverse_x, parts[:, row], out=values[row])
            yield channels, values.view(rows, columns, count, width)


class _Pages:
    """Memory that is used again, because fresh pages cost more than what is written to them."""

    def __init__(self, like: torch.Tensor) -> None:
        self._like = like
        self._held: dict[str, torch.Tensor] = {}

    def take(self, name: str, *shape: int) -> torch.Tensor:
        """Return room of some shape; what was there under this name is overwritten."""
        size = math.prod(shape)
        if name not in self._held or self._held[name].numel() < size:
            self._held[name] = self._like.new_empty(size)
        return self._held[name][:size].view(shape)


def channels_together(dtype: torch.dtype) -> int:
    """Return how many output channels are worked on together."""
    return max(1, CHANNEL_BYTES // dtype.itemsize)


def kernel_bytes(layer: Convolution, block: tuple[int, int], itemsize: int = 4) -> int:
    """Return the memory that the prepared kernels of a layer take."""
    return _products(layer, block) * layer.inputs * layer.outputs * itemsize


def multiplications(layer: Convolution, block: tuple[int, int]) -> float:
    """Return the multiplications an output pixel takes, all transforms included."""
    rows, across = block
    high, wide = (side + layer.side - 1 for side in block)
    waves = wide // 2 + 1
    forward = high * 2 * waves * wide + FORMS * high * 2 * high * waves
    inverse = 2 * rows * FORMS * high * waves + rows * across * 2 * waves
    products = _products(layer, block) * layer.inputs * layer.outputs
    total = products + forward * layer.inputs + inverse * layer.outputs
    return total / (rows * across)


def _products(layer: Convolution, block: tuple[int, int]) -> int:
    """Return how many numbers of the spectrum are multiplied with the kernel's."""
    high, wide = (side + layer.side - 1 for side in block)
    halved = len(_real_waves(wide)) * (high - _half(high))
    return FORMS * (high * (wide // 2 + 1) - halved)


def _real_waves(wide: int) -> tuple[int, ...]:
    """Return the waves along x that are real: the constant and, for an even side, the fastest."""
    return (0,) if wide % 2 else (0, wide // 2)


def _half(high: int) -> int:
    """Return how many waves along y tell all about a real column."""
    return high // 2 + 1


def _matrices(block: tuple[int, int], sides: tuple[int, int]) -> tuple[NDArray[np.float64], ...]:
    """Return the matrices of `_Transforms`, in its order."""
    (rows, across), (high, wide) = block, sides
    waves = np.arange(wide // 2 + 1)
    angle = -2 * np.pi * np.outer(waves, np.arange(wide)) / wide
    forward_x = np.concatenate([np.cos(angle), np.sin(angle)])

    angle = -2 * np.pi * np.outer(np.arange(high), np.arange(high)) / high
    cosine, sine = np.cos(angle), np.sin(angle)
    real = np.stack([cosine, -sine], axis=2).reshape(high, 2 * high)
    imaginary = np.stack([sine, cosine], axis=2).reshape(high, 2 * high)
    forward_y = np.stack([real + imaginary, real, imaginary], axis=1).reshape(-1, 2 * high)

    angle = 2 * np.pi * np.outer(np.arange(rows), np.arange(high)) / high
    cosine, sine = np.cos(angle) / high, np.sin(angle) / high
    real = np.stack([cosine - sine, -sine, -cosine], axis=2).reshape(rows, -1)
    imaginary = np.stack([sine + cosine, cosine, -sine], axis=2).reshape(rows, -1)
    inverse_y = np.concatenate([real, imaginary])
    halved = real[:, : FORMS * _half(high)] * _twice(high).repeat(FORMS)

    angle = 2 * np.pi * np.outer(np.arange(across), waves) / wide
    weight = _twice(wide)[:, None] / wide
    inverse_x = np.stack([np.cos(angle), -np.sin(angle)], axis=2) * weight
    return forward_x, forward_y, inverse_y, halved, inverse_x.reshape(across, -1)


def _twice(side: int) -> NDArray[np.float64]:
    """Return how many waves each of the kept ones stands for.

    The spectrum of real values is symmetric, so every wave but the first (and, for an even side,
    the last) stands for two.
    """
    weight = np.full(side // 2 + 1, 2.0)
    weight[list(_real_waves(side))] = 1.0
    return weight


def _kernels(
    layer: Convolution, sides: tuple[int, int], dtype: torch.dtype
) -> list[list[torch.Tensor]]:
    """Return the kernels of some channels each: by kx, (ky form, inputs, channels)."""
    high, wide = sides
    places = np.arange(layer.side)
    phase_y = np.outer(np.arange(high), places) / high
    phase_x = np.outer(np.arange(wide // 2 + 1), places) / wide
    angle = 2 * np.pi * (phase_y[None, :, :, None] + phase_x[:, None, None, :])
    real, imaginary = np.cos(angle), np.sin(angle)
    forms = np.stack([real, imaginary - real, real + imaginary], axis=2)
    matrix = torch.from_numpy(forms.reshape(-1, layer.side**2)).to(layer.weight.device)
    halved, kernels = _real_waves(wide), []
    for weight in torch.split(layer.weight, channels_together(dtype)):
        taps = weight.double().permute(2, 3, 1, 0).reshape(layer.side**2, -1)
        waves = (matrix @ taps).view(len(phase_x), FORMS * high, layer.inputs, len(weight))
        kept = (FORMS * (_half(high) if x in halved else high) for x in range(len(waves)))
        kernels.append([wave[:n].to(dtype) for wave, n in zip(waves, kept, strict=True)])
    return kernels
