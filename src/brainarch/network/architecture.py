"""The papers' convolutional network, without padding, on 134 x 134 windows.

Filters, kernels, widths, ReLU and loss are V's; 2x2 max pooling after each convolution, the
6 x 6 x 128 map into the first fully connected layer and dropout 0.3 are A's. A pads its first two
convolutions by 1, which is worth 3 pixels of zeros round the patch; here the same 3 pixels are real
context (ours), so that one computation can be shared by overlapping windows.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import ClassVar

import torch
from torch import nn

from brainarch.geometry import CONTEXT, UNITS

#: Width of the representation: the last hidden layer (V, M).
REPRESENTATION_UNITS = UNITS


class AreaNetwork(nn.Module):
    """CNN that tells brain areas apart from one window.

    Parameters
    ----------
    n_areas : int
        Number of areas, the width of the last layer; 0 for a network that is trained without labels
        and names none.
    dropout : float
        Share of the first two fully connected layers' outputs dropped in training (A: 0.3).

    Notes
    -----
    ``trunk`` maps normalised grey values, shape (n, 1, 134, 134), to the representation, shape
    (n, 64), non-negative because it is taken after the ReLU (V, M). It holds unpadded convolutions,
    ReLU, 2x2 max pooling and fully connected layers only, and dense extraction relies on that.
    The ReLU stands behind the pooling: the same values and gradients, on a quarter of the numbers.
    Shapes: 134 -> 128/64 -> 60/30 -> 28/14 -> 12/6, then 6 x 6 x 128 -> 1024 -> 64 -> n_areas.
    """

    #: Name of the definition in a network's file.
    architecture: ClassVar[str] = "area-network-134"

    def __init__(self, n_areas: int, dropout: float = 0.3) -> None:
        super().__init__()
        self.n_areas = n_areas
        self.trunk = nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(1, 16, 7),
                pool1=nn.MaxPool2d(2),
                relu1=nn.ReLU(),
                conv2=nn.Conv2d(16, 32, 5),
                pool2=nn.MaxPool2d(2),
                relu2=nn.ReLU(),
                conv3=nn.Conv2d(32, 64, 3),
                pool3=nn.MaxPool2d(2),
                relu3=nn.ReLU(),
                conv4=nn.Conv2d(64, 128, 3),
                pool4=nn.MaxPool2d(2),
                relu4=nn.ReLU(),
                flatten=nn.Flatten(),
                fc1=nn.Linear(6 * 6 * 128, 1024),
                relu5=nn.ReLU(),
                dropout1=nn.Dropout(dropout),
                fc2=nn.Linear(1024, REPRESENTATION_UNITS),
                relu6=nn.ReLU(),
            )
        )
        self.dropout = nn.Dropout(dropout)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Initializing zero-element tensors")
            self.head = nn.Linear(REPRESENTATION_UNITS, n_areas)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Return the logits, shape (n, n_areas), of windows, shape (n, 1, 134, 134)."""
        logits: torch.Tensor = self.head(self.dropout(self.trunk(windows)))
        return logits


class Cropped(nn.Module):
    """Takes the context off windows, which leaves the patches."""

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Return patches, shape (n, 1, 128, 128), of windows, shape (n, 1, 134, 134)."""
        return windows[..., CONTEXT:-CONTEXT, CONTEXT:-CONTEXT]


class AuthorsNetwork(AreaNetwork):
    """The network as the authors define it (A), to compare with; it reads patches, not windows.

    Parameters
    ----------
    n_areas, dropout
        As of `AreaNetwork`.

    Notes
    -----
    Convolutions 1 and 2 are padded by 1, so that a patch's representation depends on where it is
    cut, and overlapping patches share nothing: dense extraction refuses it. Dropout stands before
    the first fully connected layer, too. The representation is taken without a ReLU and may be
    negative. Grey values in [0, 1] are not normalised: its normalisation is (0, 1).
    """

    architecture: ClassVar[str] = "authors-128"

    def __init__(self, n_areas: int, dropout: float = 0.3) -> None:
        super().__init__(n_areas, dropout)
        layers = dict(self.trunk.named_children())
        del layers["relu6"]
        found: OrderedDict[str, nn.Module] = OrderedDict(crop=Cropped())
        for name, layer in layers.items():
            if name == "fc1":
                found["dropout0"] = nn.Dropout(dropout)
            found[name] = layer
        for name in ("conv1", "conv2"):
            layer = found[name]
            assert isinstance(layer, nn.Conv2d)
            layer.padding = (1, 1)
        self.trunk = nn.Sequential(found)


#: Every definition by its name.
ARCHITECTURES: dict[str, type[AreaNetwork]] = {
    network.architecture: network for network in (AreaNetwork, AuthorsNetwork)
}
