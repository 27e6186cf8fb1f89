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

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from brainarch.dense.schedule import Convolution

#: Output channels worked on together, so that their intermediate results stay in the cache.
CHANNELS = 128
#: Map blocks worked on together: enough for the kernels, read once for them, to pay.
COLUMNS = 128
#: Real products that stand for a complex one.
_FORMS = 3


@dataclass(frozen=True)
class _Transforms:
    """Real matrices of the transforms of one block, applied from the left.

    ``forward_x`` (2 kx, sides) and ``forward_y`` (ky form, sides 2) lead to the three factors'
    spectra; ``inverse_y`` (2 outputs, ky form) and ``inverse_x`` (outputs, kx 2) lead back.
    """

    forward_x: torch.Tensor
    forward_y: torch.Tensor
    inverse_y: torch.Tensor
    inverse_x: torch.Tensor


class SpectralConvolution:
    """A convolution prepared for blocks of one size.

    Parameters
    ----------
    layer : Convolution
        Its weights' dtype and device are worked in.
    block : tuple of int
        Rows and columns of outputs that one transform gives.

    Notes
    -----
    Memory for the prepared kernels: ``kernel_bytes``.
    """

    def __init__(self, layer: Convolution, block: tuple[int, int]) -> None:
        self.layer = layer
        self.block = block
        self.sides = (block[0] + layer.side - 1, block[1] + layer.side - 1)
        self.waves = self.sides[1] // 2 + 1
        like = layer.weight
        matrices = _matrices(block, self.sides)
        self._transforms = _Transforms(
            *(torch.from_numpy(matrix).to(like.device, like.dtype) for matrix in matrices)
        )
        self._kernels = _kernels(layer, self.sides)

    def spectrum(self, columns: int) -> torch.Tensor:
        """Return room for the spectra of some blocks, shape (kx, ky form, columns, inputs)."""
        shape = (self.waves, _FORMS * self.sides[0], columns, self.layer.inputs)
        return self.layer.weight.new_empty(shape)

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
        factors = factors.view(count, _FORMS * self.sides[0], self.waves, inputs)
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
            Bias included.
        """
        count = spectrum.shape[2]
        rows, columns = self.block
        first = 0
        for kernel in self._kernels:
            width = kernel.shape[-1]
            channels = slice(first, first + width)
            first = channels.stop
            halves = spectrum.new_empty(self.waves, 2 * rows, count * width)
            for wave in range(self.waves):
                product = torch.bmm(spectrum[wave], kernel[wave])
                flat = product.view(len(product), count * width)
                torch.mm(self._transforms.inverse_y, flat, out=halves[wave])
            # The constant wave's real half carries the bias to every output.
            bias = self.layer.bias[channels] * self.sides[1]
            halves[0, :rows].view(rows, count, width).add_(bias)
            halves = halves.view(2 * self.waves, rows, count * width)
            values = spectrum.new_empty(rows, columns, count * width)
            for row in range(rows):
                torch.mm(self._transforms.inverse_x, halves[:, row], out=values[row])
            yield channels, values.view(rows, columns, count, width)


def kernel_bytes(layer: Convolution, block: tuple[int, int], itemsize: int = 4) -> int:
    """Return the memory that the prepared kernels of a layer take."""
    high, wide = (side + layer.side - 1 for side in block)
    return (wide // 2 + 1) * _FORMS * high * layer.inputs * layer.outputs * itemsize


def multiplications(layer: Convolution, block: tuple[int, int]) -> float:
    """Return the multiplications an output pixel takes, all transforms included."""
    rows, across = block
    high, wide = (side + layer.side - 1 for side in block)
    waves = wide // 2 + 1
    forward = high * 2 * waves * wide + _FORMS * high * 2 * high * waves
    inverse = 2 * rows * _FORMS * high * waves + rows * across * 2 * waves
    products = _FORMS * high * waves * layer.inputs * layer.outputs
    total = products + forward * layer.inputs + inverse * layer.outputs
    return total / (rows * across)


def _matrices(
    block: tuple[int, int], sides: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
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

    # A real map's spectrum is symmetric, so every wave but the first (and, for an even side, the
    # last) stands for two.
    weight = np.full(len(waves), 2.0)
    weight[0] = 1.0
    if wide % 2 == 0:
        weight[-1] = 1.0
    angle = 2 * np.pi * np.outer(np.arange(across), waves) / wide
    inverse_x = np.stack([np.cos(angle), -np.sin(angle)], axis=2) * (weight / wide)[:, None]
    return forward_x, forward_y, inverse_y, inverse_x.reshape(across, -1)


def _kernels(layer: Convolution, sides: tuple[int, int]) -> list[torch.Tensor]:
    """Return the three factors' kernels, each (kx, ky form, inputs, channels), in double first."""
    high, wide = sides
    places = np.arange(layer.side)
    phase_y = np.outer(np.arange(high), places) / high
    phase_x = np.outer(np.arange(wide // 2 + 1), places) / wide
    angle = 2 * np.pi * (phase_y[None, :, :, None] + phase_x[:, None, None, :])
    real, imaginary = np.cos(angle), np.sin(angle)
    forms = np.stack([real, imaginary - real, real + imaginary], axis=2)
    matrix = torch.from_numpy(forms.reshape(-1, layer.side**2)).to(layer.weight.device)
    kernels = []
    for first in range(0, layer.outputs, CHANNELS):
        weight = layer.weight[first : first + CHANNELS]
        taps = weight.double().permute(2, 3, 1, 0).reshape(layer.side**2, -1)
        kernel = (matrix @ taps).to(weight.dtype)
        shape = (wide // 2 + 1, _FORMS * high, layer.inputs, len(weight))
        kernels.append(kernel.view(shape))
    return kernels
