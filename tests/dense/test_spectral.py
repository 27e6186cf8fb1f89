import pytest
import torch
from torch.nn import functional

from brainarch.dense import spectral
from brainarch.dense.schedule import Convolution
from brainarch.dense.spectral import SpectralConvolution, kernel_bytes


def layer_of(inputs, outputs, side, dtype=torch.float64):
    torch.manual_seed(side)
    return Convolution(
        torch.randn(outputs, inputs, side, side, dtype=dtype), torch.randn(outputs, dtype=dtype)
    )


def run(layer, block, maps):
    """Return (n, rows, columns, outputs) of maps (n, rows, columns, inputs) of one block each."""
    prepared = SpectralConvolution(layer, block)
    spectrum = prepared.spectrum(len(maps))
    spectrum[...] = prepared.transform(maps)
    found = maps.new_full((*block, len(maps), layer.outputs), torch.nan)
    for channels, values in prepared.outputs(spectrum):
        found[..., channels] = values
    return found.permute(2, 0, 1, 3)


@pytest.mark.parametrize("block", [(1, 1), (3, 4), (4, 3), (16, 5), (7, 11)])
@pytest.mark.parametrize("side", [1, 2, 5, 6])
def test_equals_the_direct_convolution(block, side):
    layer = layer_of(3, 5, side)
    maps = torch.randn(4, block[0] + side - 1, block[1] + side - 1, 3, dtype=torch.float64)
    direct = functional.conv2d(maps.permute(0, 3, 1, 2), layer.weight, layer.bias)
    torch.testing.assert_close(
        run(layer, block, maps), direct.permute(0, 2, 3, 1), rtol=1e-12, atol=1e-12
    )


def test_parts_of_channels_fit_together(monkeypatch):
    layer, maps = layer_of(2, 7, 3), torch.randn(5, 6, 6, 2, dtype=torch.float64)
    whole = run(layer, (4, 4), maps)
    monkeypatch.setattr(spectral, "CHANNEL_BYTES", 3 * 8)
    torch.testing.assert_close(run(layer, (4, 4), maps), whole, rtol=1e-13, atol=1e-13)


def test_strided_views_are_transformed_like_copies():
    layer = layer_of(2, 3, 3)
    prepared = SpectralConvolution(layer, (4, 4))
    large = torch.randn(2, 9, 10, 2, dtype=torch.float64)
    view = large[:, 2:8, 3:9]
    assert torch.equal(prepared.transform(view), prepared.transform(view.contiguous()))


def test_float32_rounding_is_no_worse_than_the_direct_sum_s():
    layer = layer_of(128, 64, 6)
    maps = torch.rand(2, 21, 21, 128, dtype=torch.float64)
    exact = functional.conv2d(maps.permute(0, 3, 1, 2), layer.weight, layer.bias).permute(
        0, 2, 3, 1
    )
    single = Convolution(layer.weight.float(), layer.bias.float())
    found = run(single, (16, 16), maps.float()).double()
    direct = functional.conv2d(maps.float().permute(0, 3, 1, 2), single.weight, single.bias)
    own, other = (
        ((values.double() - exact).norm() / exact.norm()).item()
        for values in (found, direct.permute(0, 2, 3, 1))
    )
    assert own <= 2 * other
    assert own < 2e-6


def test_memory_of_the_kernels_is_what_was_announced():
    layer = layer_of(3, 70, 6, torch.float32)
    prepared = SpectralConvolution(layer, (4, 5))
    held = sum(wave.numel() * 4 for kernel in prepared._kernels for wave in kernel)
    assert held == kernel_bytes(layer, (4, 5))
