"""In what a volume is unlike the one that a network was trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainarch.network.grey import Normalisation, to_unit

#: A slice's mean may be this many training standard deviations away before a warning (ours).
MEAN_SHIFT = 0.5
#: A slice's standard deviation may be this many times larger or smaller (ours).
SPREAD_RATIO = 1.5
#: Voxel sizes may differ by this relative amount (ours): what rounding of a stated size leaves, two
#: or three pixels over a patch. Structures of another size are unknown to the network, and a
#: warning too many costs less than one too few.
VOXEL_RATIO = 0.02


def scan_differences(pixel_um: tuple[float, float], dtypes: tuple[str, str]) -> list[str]:
    """Say in what a volume's voxels clearly differ from those that a network was trained on.

    Parameters
    ----------
    pixel_um, dtypes : tuple
        This volume's and the training's.

    Returns
    -------
    list of str
        One sentence for each difference; empty if all is well.
    """
    found = []
    if abs(pixel_um[0] / pixel_um[1] - 1) > VOXEL_RATIO:
        found.append(f"voxel of {pixel_um[0]:g} um, training {pixel_um[1]:g} um")
    if dtypes[0] != dtypes[1]:
        found.append(f"grey values of {dtypes[0]}, training {dtypes[1]}")
    return found


def training_differences(
    grey: NDArray[np.generic],
    pixels: NDArray[np.bool_],
    normalisation: Normalisation,
    pixel_um: tuple[float, float],
    dtypes: tuple[str, str],
) -> list[str]:
    """Say in what a slice clearly differs from what a network was trained on.

    Parameters
    ----------
    grey : ndarray of an unsigned integer dtype, shape (rows, columns)
    pixels : ndarray of bool, shape (rows, columns)
        Those to compare with the labelled pixels of the training slices.
    normalisation : Normalisation
        Mean and standard deviation of the training.
    pixel_um, dtypes : tuple
        As in `scan_differences`.

    Returns
    -------
    list of str
        One sentence for each difference; empty if all is well.
    """
    found = []
    unit = to_unit(grey[pixels])
    mean, std = float(unit.mean()), float(unit.std())
    if abs(mean - normalisation.mean) > MEAN_SHIFT * normalisation.std:
        found.append(
            f"mean grey {mean:.3f} of the range, training {normalisation.mean:.3f} "
            f"(standard deviation {normalisation.std:.3f})"
        )
    if not normalisation.std / SPREAD_RATIO <= std <= normalisation.std * SPREAD_RATIO:
        found.append(f"grey standard deviation {std:.3f}, training {normalisation.std:.3f}")
    return [*found, *scan_differences(pixel_um, dtypes)]
