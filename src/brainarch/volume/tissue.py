"""Telling tissue from background."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.filters import threshold_otsu

#: Standard deviation of the smoothing before the tissue threshold, in pixels (ours).
TISSUE_SIGMA = 8.0


def tissue_mask(grey: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Tell tissue from background: Otsu's threshold on the smoothed slice (ours).

    Parameters
    ----------
    grey : ndarray of an unsigned integer dtype, shape (rows, columns)

    Returns
    -------
    ndarray of bool, shape (rows, columns)
        Where the slice, smoothed by a Gaussian of `TISSUE_SIGMA` pixels, is brighter than Otsu's
        threshold of it. All true for a slice of one grey value.
    """
    smooth = gaussian_filter(grey.astype(np.float32), TISSUE_SIGMA, mode="nearest")
    if smooth.min() == smooth.max():
        return np.ones(grey.shape, dtype=bool)
    otsu: Callable[[NDArray[np.float32]], float] = threshold_otsu
    return smooth > otsu(smooth)
