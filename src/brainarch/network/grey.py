"""Grey values on their way into a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of grey values in [0, 1].

    They come from the labelled pixels of the training slices and travel with the network.

    Parameters
    ----------
    mean, std : float
        In units of the dtype's range.
    """

    mean: float
    std: float

    def apply(self, unit: NDArray[np.floating]) -> NDArray[np.float32]:
        """Normalise grey values that are already in [0, 1]; the result is float32."""
        scaled = (unit.astype(np.float32) - np.float32(self.mean)) / np.float32(self.std)
        return scaled.astype(np.float32, copy=False)


def to_unit(grey: NDArray[np.generic]) -> NDArray[np.float32]:
    """Divide integer grey values by their dtype's largest value.

    Parameters
    ----------
    grey : ndarray of uint8 or uint16, any shape

    Returns
    -------
    ndarray of float32, same shape
        In [0, 1].

    Raises
    ------
    ValueError
        If the dtype is another one.
    """
    if grey.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"grey values must be uint8 or uint16, not {grey.dtype}")
    largest = 255 if grey.dtype == np.uint8 else 65535
    scaled: NDArray[np.float32] = np.divide(grey, np.float32(largest), dtype=np.float32)
    return scaled
