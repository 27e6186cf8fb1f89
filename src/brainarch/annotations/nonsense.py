"""Nonsense areas: one homogeneous area cut into parts that are the same in every slice (ours).

Nothing in the tissue tells such parts apart. A network that names them above chance reads where a
window lies, or an artefact of imaging, and would do so for true areas too.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from brainarch.errors import InputError
from brainarch.geometry import WINDOW


def cut_parts(
    masks: Mapping[int, NDArray[np.bool_]], area: str, parts: int
) -> dict[int, NDArray[np.uint8]]:
    """Cut an area by parallel lines that lie at the same pixels in every slice.

    Only pixels whose whole window lies inside the area belong to a part, so that no neighbour
    betrays it.

    Parameters
    ----------
    masks : mapping of int to ndarray of bool, shape (rows, columns)
        The area's pixels by slice.
    area : str
        Its name, for messages.
    parts : int
        Into how many parts it is cut.

    Returns
    -------
    dict of int to ndarray of uint8, shape (rows, columns)
        Codes 1 ... parts by slice, 0 elsewhere. The parts are stripes across the area's longer
        side with equally many pixels, all slices together.

    Raises
    ------
    InputError
        If a slice has no pixel of a part.
    """
    side = WINDOW + 1 - WINDOW % 2  # symmetric, and at least a window
    inner = {z: minimum_filter(mask, size=side, mode="constant") for z, mask in masks.items()}
    places = np.concatenate([np.argwhere(mask) for mask in inner.values()])
    if not len(places):
        raise InputError(
            f"area {area}: too thin for a window of {WINDOW} pixels; name another one in "
            "training.nonsense_area"
        )
    axis = int(np.ptp(places, axis=0).argmax())
    limits = np.quantile(places[:, axis], np.arange(1, parts) / parts)
    codes = {}
    for z, mask in inner.items():
        part = np.searchsorted(limits, np.arange(mask.shape[axis]), side="left") + 1
        part = part[:, None] if axis == 0 else part[None, :]
        codes[z] = np.where(mask, part, 0).astype(np.uint8)
        missing = sorted(set(range(1, parts + 1)) - set(np.unique(codes[z]).tolist()))
        if missing:
            raise InputError(
                f"area {area}: slice {z} has no pixel of part {missing[0]} of {parts}; name "
                "another one in training.nonsense_area"
            )
    return codes
