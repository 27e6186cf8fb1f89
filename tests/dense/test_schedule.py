from collections import OrderedDict

import pytest
import torch
from dense_fakes import narrow_network, real_network
from torch import nn

from brainarch.dense.schedule import STRIDES, derive_schedule
from brainarch.errors import InputError
from brainarch.geometry import WINDOW


def small_trunk(**changes):
    """Return a valid trunk with some layers exchanged."""
    layers = OrderedDict(
        conv=nn.Conv2d(1, 2, 3),
        relu=nn.ReLU(),
        pool=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
        fc=nn.Linear(2 * 4 * 4, 3),
    )
    layers.update(changes)
    return nn.Sequential(layers)


def test_the_papers_network_reads_the_window_that_slices_are_cut_in():
    schedule = derive_schedule(real_network().trunk)
    assert schedule.window == WINDOW == 134
    assert schedule.step == 16
    assert schedule.units == 64


def test_sizes_are_those_that_the_design_lists():
    schedule = derive_schedule(real_network().trunk)
    # conv, pool, relu, conv, pool, relu ... : 134 -> 128/64 -> 60/30 -> 28/14 -> 12/6
    assert schedule.sizes(16, 1) == [134, 128, 64, 64, 60, 30, 30, 28, 14, 14, 12, 6, 6]


@pytest.mark.parametrize("stride", STRIDES)
def test_fragments_cover_the_grid_and_no_more(stride):
    schedule = derive_schedule(real_network().trunk)
    phases = schedule.phases(stride)
    assert phases * stride == 16
    for outputs in (1, 3, 7):
        # outputs * phases windows, stride apart, and the offsets that the last of them leave over
        needed = (outputs * phases - 1) * stride + WINDOW
        assert needed <= schedule.sizes(stride, outputs)[0] < needed + stride


def open_trunk(make):
    """Return a trunk with positive weights: on positive inputs every ReLU lets through."""
    trunk = make().trunk
    for parameter in trunk.parameters():
        nn.init.uniform_(parameter, 0.01, 0.02)
    return trunk


def footprint(trunk, image):
    """Return where the gradient of a window's output is not zero."""
    leaf = image.clone().requires_grad_()
    trunk(leaf[None, None]).sum().backward()
    return leaf.grad != 0


@pytest.mark.parametrize("make", [narrow_network, real_network])
def test_the_gradient_is_non_zero_on_exactly_the_window(make):
    trunk = open_trunk(make)
    # Maximum pooling passes the gradient to one pixel of four, averaging to all that it reads.
    for name, module in list(trunk.named_children()):
        if isinstance(module, nn.MaxPool2d):
            setattr(trunk, name, nn.AvgPool2d(2))
    assert footprint(trunk, torch.rand(WINDOW, WINDOW)).all()
    # The network accepts a pixel more, within pooling's rounding, but must not look at it.
    larger = footprint(trunk, torch.rand(WINDOW + 1, WINDOW + 1))
    assert larger[:-1, :-1].all()
    assert not larger[-1].any()
    assert not larger[:, -1].any()
    with pytest.raises(RuntimeError):
        footprint(trunk, torch.rand(WINDOW - 1, WINDOW - 1))


@pytest.mark.parametrize("make", [narrow_network, real_network])
@pytest.mark.parametrize("corner", [(0, 0), (0, -1), (-1, 0), (-1, -1)])
def test_every_corner_of_the_window_counts(make, corner):
    image = torch.full((WINDOW, WINDOW), 0.01)
    image[corner] = 100.0
    assert footprint(open_trunk(make), image)[corner]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"conv": nn.Conv2d(1, 2, 3, padding=1)}, "conv pads its input"),
        ({"conv": nn.Conv2d(1, 2, 3, padding="same")}, "conv pads its input"),
        ({"conv": nn.Conv2d(1, 2, 3, stride=2)}, "conv must be a convolution with"),
        ({"conv": nn.Conv2d(1, 2, 3, dilation=2)}, "conv must be a convolution with"),
        ({"conv": nn.Conv2d(1, 2, (3, 5))}, "conv must be a convolution with"),
        ({"pool": nn.MaxPool2d(2, padding=1)}, "pool pads its input"),
        ({"pool": nn.MaxPool2d(3)}, "pool must be MaxPool2d"),
        ({"pool": nn.MaxPool2d(2, stride=1)}, "pool must be MaxPool2d"),
        ({"pool": nn.MaxPool2d(2, ceil_mode=True)}, "pool must be MaxPool2d"),
        ({"pool": nn.AdaptiveAvgPool2d(4)}, "pools over the whole map"),
        ({"pool": nn.AvgPool2d(2)}, "is none of"),
        ({"relu": nn.BatchNorm2d(2)}, "is none of"),
        ({"flatten": nn.Identity()}, "reads a map that was not flattened"),
        ({"more": nn.Softmax(1)}, "stands behind Flatten"),
        ({"fc": nn.Linear(30, 3)}, "no square map"),
        ({"fc": nn.ReLU()}, "another order"),
    ],
)
def test_refuses_what_cannot_be_shared_and_says_why(changes, reason):
    with pytest.raises(InputError, match=reason):
        derive_schedule(small_trunk(**changes))


def test_refuses_what_is_no_sequence():
    with pytest.raises(InputError, match=r"nn\.Sequential"):
        derive_schedule(narrow_network())


def test_layers_without_bias_are_read():
    schedule = derive_schedule(
        small_trunk(conv=nn.Conv2d(1, 2, 3, bias=False), fc=nn.Linear(32, 3, bias=False))
    )
    assert schedule.window == 10
    assert not schedule.wide.bias.any()
