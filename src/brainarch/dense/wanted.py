"""Which pixels of a slice are extracted."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from brainarch.errors import InputError
from brainarch.volume.tissue import tissue_mask

#: Which pixels are wanted: the labelled ones (A), those of tissue, or all.
Where = Literal["labelled", "tissue", "all"]


def wanted_pixels(
    grey: NDArray[np.generic], where: str, labels: NDArray[np.integer] | None
) -> NDArray[np.bool_]:
    """Return the pixels of a slice that are to be extracted.

    Parameters
    ----------
    grey : ndarray, shape (rows, columns)
        The slice.
    where : {"labelled", "tissue", "all"}
    labels : ndarray of int, shape (rows, columns), optional
        The slice's labels, 0 where unlabelled; needed for "labelled".

    Raises
    ------
    InputError
        If ``where`` is another word, labels are missing, or their shape is another.
    """
    if where == "all":
        return np.ones(grey.shape, dtype=bool)
    if where == "tissue":
        return tissue_mask(grey)
    if where != "labelled":
        raise InputError(f"where {where}: must be one of {', '.join(get_args(Where))}")
    if labels is None:
        raise InputError(
            "where labelled: needs a label image; annotate the slice, or use tissue or all"
        )
    if labels.shape != grey.shape:
        raise InputError(
            f"labels of {labels.shape[0]} x {labels.shape[1]} pixels: the slice has "
            f"{grey.shape[0]} x {grey.shape[1]}; import the annotations of this volume"
        )
    return labels > 0
