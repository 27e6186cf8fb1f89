"""Images that another microscope or scan could have given: what representations are tried on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainarch.geometry import WINDOW


def degrade(unit: NDArray[np.float32], kind: str, level: float, mean: float) -> NDArray[np.float32]:
    """Return windows as a worse or other image of the same tissue.

    Parameters
    ----------
    unit : ndarray of float32, shape (n, 134, 134)
        Grey values in [0, 1].
    kind : str
        ``levels`` (number of grey levels left), ``contrast`` (factor on the difference to
        ``mean``), ``brightness`` (added), ``blur`` (standard deviation of a Gaussian in pixels) or
        ``resolution`` (pixels along an edge as a share of what there are: of 1/2, means of 2 x 2
        pixels stand for each of them; of 2, the middle of the window is magnified).
    level : float
    mean : float
        Grey value that contrast leaves as it is.

    Returns
    -------
    ndarray of float32, same shape
        In [0, 1].

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    found: NDArray[np.float32]
    if kind == "levels":
        steps = np.float32(level - 1)
        found = np.rint(unit * steps) / steps
        return found
    if kind == "contrast":
        found = np.clip((unit - np.float32(mean)) * np.float32(level) + np.float32(mean), 0, 1)
        return found
    if kind == "brightness":
        found = np.clip(unit + np.float32(level), 0, 1)
        return found
    if kind == "blur":
        found = ndimage.gaussian_filter(unit, level, axes=(1, 2), mode="reflect")
        return found
    if kind == "resolution":
        return _coarser(unit, round(1 / level)) if level < 1 else _finer(unit, round(level))
    raise ValueError(f"{kind}: no such degradation")


def _coarser(unit: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Put the mean of square blocks in the place of their pixels."""
    n, rows, columns = unit.shape
    blocks = unit.reshape(n, rows // factor, factor, columns // factor, factor)
    means = blocks.mean(axis=(2, 4), dtype=np.float32)
    return np.repeat(np.repeat(means, factor, axis=1), factor, axis=2)


def _finer(unit: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Magnify the middle of the windows by linear interpolation."""
    at = (WINDOW - 1) / 2 + (np.arange(WINDOW) - (WINDOW - 1) / 2) / factor
    below = np.floor(at).astype(np.int64)
    share = (at - below).astype(np.float32)
    rows = unit[:, below] * (1 - share)[:, None] + unit[:, below + 1] * share[:, None]
    both = rows[:, :, below] * (1 - share) + rows[:, :, below + 1] * share
    return both.astype(np.float32)
