"""Changes of grey that training makes to crops, so that the network does not rely on them (ours).

They are drawn on the CPU and made on the device, a batch of crops at once, on raw grey values in
[0, 1]. A slice scanned with another contrast, brightness, exposure, noise or number of grey levels
then looks like what the network has seen.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

#: Factor on the difference to the mean grey value.
CONTRAST = (0.75, 1.3)
#: Added to grey values in [0, 1].
BRIGHTNESS = (-0.08, 0.08)
#: Logarithm of the exponent of grey values.
LOG_GAMMA = (-0.3, 0.3)
#: Standard deviation of Gaussian noise on grey values in [0, 1].
NOISE = (0.0, 0.06)
#: Number of grey levels that are left.
LEVELS = (8, 64)
#: Share of crops that get a gamma, noise or fewer levels, each drawn on its own.
SHARE = 0.5

#: What a row of `draw_changes` holds.
COLUMNS = ("contrast", "brightness", "gamma", "noise", "levels")


def draw_changes(number: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw the changes of some crops.

    Parameters
    ----------
    number : int
        Of crops.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float32, shape (number, 5)
        Columns as in `COLUMNS`; gamma 1, noise 0 and levels 0 change nothing.
    """
    contrast, brightness = rng.uniform(*CONTRAST, number), rng.uniform(*BRIGHTNESS, number)
    gamma = np.exp(rng.uniform(*LOG_GAMMA, number))
    noise = rng.uniform(*NOISE, number)
    levels = rng.integers(*LEVELS, number, endpoint=True)
    some = rng.random((3, number)) < SHARE
    gamma, noise = np.where(some[0], gamma, 1.0), np.where(some[1], noise, 0.0)
    table = (contrast, brightness, gamma, noise, np.where(some[2], levels, 0))
    return np.stack(table, axis=1).astype(np.float32)


def change_grey(
    unit: torch.Tensor, changes: torch.Tensor, mean: float, noise: torch.Tensor
) -> torch.Tensor:
    """Change contrast and brightness, then gamma, noise and the number of grey levels of crops.

    Parameters
    ----------
    unit : torch.Tensor, float32, shape (n, 1, rows, columns)
        Grey values in [0, 1].
    changes : torch.Tensor, float32, shape (n, 5)
        As `draw_changes` returns them.
    mean : float
        Grey value that contrast leaves as it is.
    noise : torch.Tensor, float32, same shape as ``unit``
        Standard normal numbers.

    Returns
    -------
    torch.Tensor, same shape
        In [0, 1].
    """
    contrast, brightness, gamma, sigma, levels = changes.T[:, :, None, None, None]
    grey = ((unit - mean) * contrast + (mean + brightness)).clamp_(0, 1).pow_(gamma)
    grey = torch.addcmul(grey, noise, sigma).clamp_(0, 1)
    steps = (levels - 1).clamp(min=1)
    return torch.where(levels > 0, (grey * steps).round_().div_(steps), grey)
