"""Windows of a patch table, cut slice by slice, and noise on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from brainarch.geometry import cut_windows
from brainarch.patches.table import Places

#: Windows held at once: as float32 they take 37 MB.
CHUNK = 512


class SliceReader(Protocol):
    """What can return the raw grey values of a slice, for example a volume."""

    def read_slice(self, z: int) -> NDArray[np.generic]:
        """Return slice ``z``, shape (rows, columns)."""
        ...


def window_chunks(
    reader: SliceReader, places: Places, chunk: int = CHUNK
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.generic]]]:
    """Yield the windows of patches, a few hundred at a time.

    Parameters
    ----------
    reader : SliceReader
        Each slice is read once.
    places : Places
        The patches.
    chunk : int
        Most windows yielded at once.

    Yields
    ------
    rows : ndarray of int64, shape (m,)
        Which patches these are; slices in ascending order, within a slice the given order.
    windows : ndarray, shape (m, 134, 134)
        Raw grey values in the slice's dtype, 0 beyond the slice.
    """
    for z in np.unique(places.z):
        grey = reader.read_slice(int(z))
        rows = np.flatnonzero(places.z == z)
        for start in range(0, len(rows), chunk):
            part = rows[start : start + chunk]
            yield part, cut_windows(grey, places.y[part], places.x[part])


def add_noise(
    unit: NDArray[np.float32], variance: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Add Gaussian noise to grey values (ours: in [0, 1], clipped, before normalisation).

    Parameters
    ----------
    unit : ndarray of float32
        Grey values in [0, 1].
    variance : float
        Of the noise, in squared units of the grey range; 0 returns the values unchanged.
    rng : numpy.random.Generator
        Drawn from one window after the other, so that the noise does not depend on how patches
        are gathered into chunks.

    Returns
    -------
    ndarray of float32, same shape
        In [0, 1].
    """
    if variance == 0:
        return unit
    noise = rng.standard_normal(unit.shape, dtype=np.float32)
    noise *= np.float32(np.sqrt(variance))
    noise += unit
    return np.clip(noise, 0, 1, out=noise)
