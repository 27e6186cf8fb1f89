"""Which pixels a patch and a window cover.

The patch of pixel (y, x) covers rows y-64 ... y+63 and columns x-64 ... x+63 (source A); the
network reads the window, which is the patch and 3 pixels of real context on each side (ours).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Units of a representation (V, M).
UNITS = 64
#: Side of a patch in pixels (V: 128 x 128 pixels, 150 x 150 um).
PATCH = 128
#: Pixels of real context that the window adds on each side of the patch (ours, for A's padding).
CONTEXT = 3
#: Side of the window that the network reads, in pixels.
WINDOW = PATCH + 2 * CONTEXT
#: Rows above (columns left of) the pixel that the patch belongs to.
PATCH_BEFORE = PATCH // 2
#: Rows above (columns left of) the pixel that the window reaches.
WINDOW_BEFORE = PATCH_BEFORE + CONTEXT
#: Rows below (columns right of) the pixel that the window reaches, the pixel's own included.
WINDOW_AFTER = WINDOW - WINDOW_BEFORE
#: Pixels between neighbouring windows of a crop: those of one pixel of the last pooled map.
STRIDE = 16
#: Least share of a patch inside its area for it to be an outlier of that area (ours).
MIN_SHARE = 0.9


def crop_pixels(side: int) -> int:
    """Return the side of a crop in pixels that gives ``side`` windows along each axis."""
    return WINDOW + STRIDE * (side - 1)


def patch_share(mask: NDArray[np.bool_], size: int = PATCH) -> NDArray[np.float32]:
    """Return, for every pixel, the share of its patch that a mask covers.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)
        For example the pixels of one area.
    size : int
        Side of the patch in pixels, even.

    Returns
    -------
    ndarray of float32, shape (rows, columns)
        Between 0 and 1; what lies beyond the slice counts as not covered.
    """
    before, after = size // 2, size - size // 2
    padded = np.pad(mask, ((before, after), (before, after)))
    sums = np.zeros((padded.shape[0] + 1, padded.shape[1] + 1), dtype=np.int64)
    np.cumsum(padded, axis=0, out=sums[1:, 1:])
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    rows, columns = mask.shape
    covered = (
        sums[size : size + rows, size : size + columns]
        - sums[:rows, size : size + columns]
        - sums[size : size + rows, :columns]
        + sums[:rows, :columns]
    )
    return (covered / float(size * size)).astype(np.float32)


def pad_slice(grey: NDArray[np.generic]) -> NDArray[np.generic]:
    """Surround a slice with raw grey 0 (A) so that every pixel's window lies inside.

    Parameters
    ----------
    grey : ndarray, shape (rows, columns)

    Returns
    -------
    ndarray, shape (rows + WINDOW - 1, columns + WINDOW - 1)
        The window of pixel (y, x) of the slice is ``[y : y + WINDOW, x : x + WINDOW]`` of it.
    """
    margin = (WINDOW_BEFORE, WINDOW_AFTER - 1)
    return np.pad(grey, (margin, margin))


def cut_windows(
    grey: NDArray[np.generic], y: NDArray[np.integer], x: NDArray[np.integer]
) -> NDArray[np.generic]:
    """Cut the windows of some pixels out of a slice, one by one.

    Parameters
    ----------
    grey : ndarray, shape (rows, columns)
        Raw grey values.
    y, x : ndarray of int, shape (n,)
        Pixels of the slice.

    Returns
    -------
    ndarray, shape (n, WINDOW, WINDOW)
        In the slice's dtype, raw grey 0 beyond the slice.
    """
    view = np.lib.stride_tricks.sliding_window_view(pad_slice(grey), (WINDOW, WINDOW))
    return view[np.asarray(y), np.asarray(x)]
