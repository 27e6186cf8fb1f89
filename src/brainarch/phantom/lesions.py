"""Lesions: what no phantom has of itself, planted to see whether it is found (ours).

A lesion is a cylinder along z, a disc in every slice. Where cells are removed, none has its centre
in the disc. Where fibres are added, bundles of myelinated axons like those of the reticular nucleus
run along the area's own fibres, on top of what is there; like all bundles they displace cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainarch.phantom import anatomy, tissues

#: What a lesion can be.
CELLS_REMOVED, FIBRES_ADDED = "cells removed", "fibres added"
#: Width in px over which added fibres fade at the edge of their disc.
EDGE_PX = 8.0
#: The class whose bundles are added: no annotated area has the same.
_BUNDLES_OF = anatomy.CLASSES.index("TRN")

Float = NDArray[np.float32]
Byte = NDArray[np.uint8]


@dataclass(frozen=True)
class Lesion:
    """One planted lesion.

    Attributes
    ----------
    kind : str
        `CELLS_REMOVED` or `FIBRES_ADDED`.
    y, x : float
        Centre of the disc, in px.
    radius : float
        In px.
    """

    kind: str
    y: float
    x: float
    radius: float


def bare_discs(lesions: Sequence[Lesion]) -> Float:
    """Return the discs without cells, float32 (n, 3): y, x, radius."""
    own = [(le.y, le.x, le.radius) for le in lesions if le.kind == CELLS_REMOVED]
    return np.array(own, np.float32).reshape(-1, 3)


def fibre_shares(lesions: Sequence[Lesion], shape: tuple[int, int]) -> Float:
    """Return how far fibres are added to each voxel of a slice, 0 to 1, shape (n_y, n_x)."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    shares = np.zeros(shape, np.float32)
    for lesion in lesions:
        if lesion.kind == FIBRES_ADDED:
            inside = 0.5 + (lesion.radius - np.hypot(y - lesion.y, x - lesion.x)) / EDGE_PX
            np.maximum(shares, np.clip(inside, 0, 1), out=shares)
    return shares


def bundle_table(voxel_um: float) -> Float:
    """Return a `tissues.texture_table` of nothing but the added bundles, in every class alike."""
    table = np.zeros_like(tissues.texture_table(voxel_um))
    columns = slice(tissues.BUNDLE, tissues.BUNDLE_ALONG + 1)
    table[1:, columns] = tissues.texture_table(voxel_um)[_BUNDLES_OF, columns]
    return table


def add_bundles(shares: Float, bundles: Float, axons: Byte, grey: Float, micro: Byte) -> None:
    """Add what was rendered of `bundle_table` to a slab, in place.

    Parameters
    ----------
    shares : float32 array (n_y, n_x)
        Of `fibre_shares`.
    bundles, axons : arrays (n_z, n_y, n_x)
        Grey values and mask of the bundles alone.
    grey, micro : arrays (n_z, n_y, n_x)
        Grey values, and 1 in myelinated axons.
    """
    grey += shares * bundles
    micro[(axons == 1) & (shares > 0.5)] = 1
