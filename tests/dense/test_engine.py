import copy

import numpy as np
import pytest
import torch
from dense_fakes import assert_exact, narrow_network, real_network
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from brainarch.dense import engine
from brainarch.dense.engine import DenseEngine
from brainarch.dense.schedule import STRIDES, derive_schedule


def every_window(trunk, tile, stride, window):
    """Run each window of a tile alone: (rows, columns, units)."""
    windows = tile.unfold(0, window, stride).unfold(1, window, stride)
    rows, columns = windows.shape[:2]
    with torch.inference_mode():
        flat = [trunk(line[:, None]) for line in windows]
    return torch.stack(flat).view(rows, columns, -1)


@pytest.fixture(scope="module")
def trunk():
    return copy.deepcopy(narrow_network().trunk).double()


@pytest.fixture(scope="module", params=STRIDES)
def tile_and_windows(trunk, request):
    """Return a stride, a tile and the result of each of its windows run alone."""
    stride = request.param
    # Sides that are multiples of nothing.
    rows, columns = (17, 21) if stride == 1 else (5, 7)
    spare = min(stride, 3) - 1
    tile = torch.rand(
        (rows - 1) * stride + 134 + spare, (columns - 1) * stride + 134, dtype=torch.float64
    )
    wanted = every_window(trunk, tile, stride, 134)
    assert wanted.shape == (rows, columns, 5)
    assert (wanted > 0).any()
    assert (wanted == 0).any()
    return stride, tile, wanted


@pytest.mark.parametrize("block", [None, (2, 1), (1, 3)])
def test_equals_brute_force_in_double_precision(trunk, tile_and_windows, block):
    stride, tile, wanted = tile_and_windows
    found = DenseEngine(derive_schedule(trunk), stride, block).tile(tile)
    torch.testing.assert_close(found, wanted, rtol=1e-11, atol=1e-12)


def test_one_window_alone(trunk):
    tile = torch.rand(134, 134, dtype=torch.float64)
    found = DenseEngine(derive_schedule(trunk), 1, None).tile(tile)
    torch.testing.assert_close(found[0, 0], trunk(tile[None, None])[0])


def test_a_tile_smaller_than_a_window_is_refused(trunk):
    engine = DenseEngine(derive_schedule(trunk), 1, None)
    with pytest.raises(ValueError, match="holds no window"):
        engine.tile(torch.rand(133, 200, dtype=torch.float64))


def test_other_strides_are_refused(trunk):
    with pytest.raises(ValueError, match="stride"):
        DenseEngine(derive_schedule(trunk), 3, None)


@pytest.mark.parametrize("block", [None, (2, 1)])
@pytest.mark.parametrize(("group", "columns"), [(1, 7), (10**12, 10**6)])
def test_how_fragments_are_grouped_changes_nothing(trunk, monkeypatch, block, group, columns):
    schedule = derive_schedule(trunk)
    tile = torch.rand(134 + 20, 134 + 5, dtype=torch.float64)
    usual = DenseEngine(schedule, 1, block).tile(tile)
    monkeypatch.setattr(engine, "GROUP_BYTES", group)
    monkeypatch.setattr(engine, "COLUMNS", columns)
    found = DenseEngine(schedule, 1, block).tile(tile)
    torch.testing.assert_close(found, usual, rtol=1e-12, atol=1e-13)


def test_the_same_tile_gives_the_same_bits(trunk):
    single = DenseEngine(derive_schedule(copy.deepcopy(trunk).float()), 1, (2, 2))
    tile = torch.rand(170, 170)
    assert torch.equal(single.tile(tile), single.tile(tile))


@pytest.mark.parametrize("tail", ["none", "relu", "linear", "relu linear", "linear linear relu"])
@pytest.mark.parametrize("block", [None, (2, 3)])
def test_whatever_follows_the_first_fully_connected_layer(tail, block):
    torch.manual_seed(3)
    modules = [nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32, 4)]
    if tail != "none":
        modules += [nn.ReLU() if name == "relu" else nn.Linear(4, 4) for name in tail.split()]
    trunk = nn.Sequential(*modules).double()
    tile = torch.rand(17, 20, dtype=torch.float64)
    found = DenseEngine(derive_schedule(trunk), 1, block).tile(tile)
    torch.testing.assert_close(found, every_window(trunk, tile, 1, 10))


@st.composite
def architectures(draw):
    """Draw a trunk and its window: one to three pools, kernels of side 1 to 5."""
    channels = [1, *(draw(st.integers(1, 3)) for _ in range(draw(st.integers(1, 3))))]
    kernels = [draw(st.integers(1, 5)) for _ in channels[1:]]
    last = draw(st.integers(1, 3))
    side, layers = last, []
    for index in reversed(range(len(kernels))):
        pieces = [nn.Conv2d(channels[index], channels[index + 1], kernels[index]), nn.ReLU()]
        if draw(st.booleans()):
            pieces.append(nn.MaxPool2d(2))
            side *= 2
        if draw(st.booleans()):
            pieces.pop(1)
        layers = pieces + layers
        side += kernels[index] - 1
    layers += [nn.Flatten(), nn.Linear(channels[-1] * last**2, 4), nn.ReLU(), nn.Linear(4, 3)]
    return nn.Sequential(*layers).double(), side


@settings(max_examples=60, deadline=None)
@given(architectures(), st.sampled_from(STRIDES), st.integers(0, 2**31), st.booleans(), st.data())
def test_random_architectures(architecture, stride, seed, spectral, data):
    trunk, window = architecture
    schedule = derive_schedule(trunk)
    assert schedule.window == window
    torch.manual_seed(seed)
    for parameter in trunk.parameters():
        nn.init.uniform_(parameter, -0.5, 0.6)
    # A stride finer than the pools' is split; a coarser one is no multiple of the fragments'.
    stride = min(stride, schedule.step)
    extent = st.integers(window, window + 4 * stride + 3)
    tile = torch.rand(data.draw(extent), data.draw(extent), dtype=torch.float64)
    found = DenseEngine(schedule, stride, (2, 2) if spectral else None).tile(tile)
    wanted = every_window(trunk, tile, stride, window)
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("block", [None, (2, 2)])
@pytest.mark.parametrize("stride", [1, 4])
def test_the_real_network_is_exact_in_single_precision(stride, block):
    trunk = real_network().trunk
    torch.manual_seed(0)
    tile = torch.randn(134 + 5 * stride, 134 + 6 * stride)
    found = DenseEngine(derive_schedule(trunk), stride, block).tile(tile)
    single = every_window(trunk, tile, stride, 134)
    double = every_window(copy.deepcopy(trunk).double(), tile.double(), stride, 134)
    assert_exact(*(np.asarray(values) for values in (found, single, double)))


def test_the_tile_itself_is_not_changed():
    layers = nn.ReLU(), nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3)
    tile = torch.randn(9, 9, dtype=torch.float64)
    before = tile.clone()
    trunk = nn.Sequential(*layers).double()
    found = DenseEngine(derive_schedule(trunk), 1, None).tile(tile)
    assert torch.equal(tile, before)
    torch.testing.assert_close(found, every_window(trunk, tile, 1, 6))


def test_blocks_without_a_needed_pixel_are_left_out(trunk):
    prepared = DenseEngine(derive_schedule(trunk), 1, (1, 1))
    tile = torch.rand(134 + 31, 134 + 40, dtype=torch.float64)
    whole = prepared.tile(tile)
    needed = np.zeros((32, 41), dtype=bool)
    needed[3, 20] = needed[31, 40] = True
    found = prepared.tile(tile, needed)
    # A block of one output per fragment is 16 x 16 grid pixels.
    left_out = torch.ones(32, 41, dtype=torch.bool)
    left_out[:16, 16:32] = left_out[16:, 32:] = False
    assert found[left_out].isnan().all()
    torch.testing.assert_close(found[~left_out], whole[~left_out], rtol=1e-12, atol=1e-13)
