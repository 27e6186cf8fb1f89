"""How many of some overlapping patches are independent of each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainarch.geometry import PATCH


def count_disjoint(
    z: NDArray[np.integer], y: NDArray[np.integer], x: NDArray[np.integer], side: int = PATCH
) -> int:
    """Count patches that share no pixel, chosen greedily from some that may.

    Parameters
    ----------
    z, y, x : ndarray of int, shape (n,)
        Slice, row and column of each patch; patches of different slices share none.
    side : int
        Side of a patch in pixels.

    Returns
    -------
    int
        Patches kept when they are gone through by slice, row and column and one is kept if it
        overlaps none kept before. The largest number possible is between this and twice this,
        because at most two disjoint patches reach up into the lower edge of one that is kept.
    """
    order = np.lexsort((x, y, z))
    kept = np.empty((len(order), 3), dtype=np.int64)
    count = first = 0
    for place in np.stack([z, y, x], axis=1).astype(np.int64)[order]:
        # Patches kept in other slices or more than a side above can no longer overlap.
        while first < count and (kept[first, 0] != place[0] or place[1] - kept[first, 1] >= side):
            first += 1
        if not (np.abs(kept[first:count, 2] - place[2]) < side).any():
            kept[count] = place
            count += 1
    return count
