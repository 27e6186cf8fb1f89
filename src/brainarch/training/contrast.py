"""Learning without labels by spatial contrast: what lies close by is alike, what lies far is not.

Two differently altered views of one place, the second up to `REACH` pixels away, attract; every
other window of a step repels, but for those nearer than `APART` pixels (ours; CL-3D found that
neighbours as positives decide). The loss is InfoNCE on the outputs of a small head. The head takes
the 64-dimensional representation, because that is what everything downstream reads: fed by the 1024
units before it, the last hidden layer would never be trained. It is thrown away, and with it what
the loss asks for and a reader does not.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from brainarch.network.architecture import REPRESENTATION_UNITS

#: Largest distance between the two views of a place, in pixels.
REACH = 40.0
#: Least distance at which windows repel, in pixels.
APART = 200.0
#: Temperature of the loss.
TEMPERATURE = 0.2
#: Hidden units and outputs of the head.
HIDDEN, OUTPUTS = 128, 64
#: Partner of a window that has none.
ALONE = -1


def projection_head() -> nn.Sequential:
    """Return a new head: the representation, `HIDDEN` units, ReLU, `OUTPUTS` outputs."""
    return nn.Sequential(
        nn.Linear(REPRESENTATION_UNITS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, OUTPUTS)
    )


def near_windows(positions: torch.Tensor, apart: float = APART) -> torch.Tensor:
    """Return which windows lie too close to each other to repel.

    Parameters
    ----------
    positions : torch.Tensor, float32, shape (n, 3)
        z, y and x of each window's centre, in voxels.
    apart : float
        Least distance in space.

    Returns
    -------
    torch.Tensor, bool, shape (n, n)
        True on the diagonal.
    """
    # differences, not products: those lose the digits that tell neighbours apart
    distances = torch.cdist(positions, positions, compute_mode="donot_use_mm_for_euclid_dist")
    return distances < apart


def contrast_loss(
    outputs: torch.Tensor,
    partners: torch.Tensor,
    near: torch.Tensor,
    temperature: float = TEMPERATURE,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return InfoNCE, and the share of windows whose partner is the most alike.

    Parameters
    ----------
    outputs : torch.Tensor, shape (n, outputs)
        Of the head; brought to unit length here.
    partners : torch.Tensor, int64, shape (n,)
        Window that attracts each window, or `ALONE`: it then repels and is not counted itself.
    near : torch.Tensor, bool, shape (n, n)
        Windows that do not repel each other, see `near_windows`; a partner may be among them.
    temperature : float
        What cosines are divided by.

    Returns
    -------
    tuple of torch.Tensor
        Means over the windows that have a partner.
    """
    number = torch.arange(len(outputs), device=outputs.device)
    paired = partners != ALONE
    # a window alone takes itself, which leaves its row finite, and weighs nothing
    targets = torch.where(paired, partners, number)
    with torch.autocast(outputs.device.type, enabled=False):
        unit = functional.normalize(outputs.float(), dim=1)
        alike = unit @ unit.T / temperature
    alike = alike.masked_fill(near & (targets[:, None] != number), -torch.inf)
    losses = functional.cross_entropy(alike, targets, reduction="none")
    found = alike.detach().argmax(dim=1) == targets
    weights = paired / paired.sum().clamp(min=1)
    return (losses * weights).sum(), (found * weights).sum()
