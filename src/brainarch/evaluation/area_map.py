"""The area map of a dense cube: the network's last layer applied to every representation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, uniform_filter
from scipy.special import softmax
from torch import nn

from brainarch.annotations.holes import close_holes
from brainarch.dense.cube import Cube
from brainarch.geometry import PATCH
from brainarch.statistics.metrics import ratio

#: Borders of the distance bins, in micrometer; 150 is the side of a patch (V).
DISTANCES_UM = (0.0, 10.0, 25.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 500.0, np.inf)

#: A patch with less tissue than this lies at the tissue's rim (ours).
RIM_SHARE = 0.9

RIM_COLUMNS = {
    "part": "which of the evaluated pixels",
    "pixels": "how many they are",
    "accuracy": "share of them whose area is predicted rightly",
    "low": "lower end of the 95 % interval (spatial block bootstrap; none below 8 blocks)",
    "high": "upper end of the 95 % interval",
    "outside": "share of them that the network takes for no tissue, though they are labelled; "
    "empty without training.outside",
}
BORDER_COLUMNS = {
    "distance_um_low": "from this distance to the annotated area's border on (um)",
    "distance_um_high": "up to, not including, this distance (um)",
    "pixels": "evaluated pixels",
    "accuracy": "share of them predicted rightly",
}


def map_probabilities(
    cube: Cube, head: nn.Linear, *, outside: bool = False
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Apply the last layer to every extracted pixel.

    Parameters
    ----------
    cube : Cube
    head : nn.Linear
        From units to areas.
    outside : bool
        Whether its last output is no area, but what lies outside the tissue.

    Returns
    -------
    probabilities : ndarray of float32, shape (areas, rows, columns)
        Of each area, if it is one: softmax on the cube's grid; 0 for all where not extracted.
    outside : ndarray of float32, shape (rows, columns), or None
        Probability that it is none, NaN where not extracted; None where the network cannot say.
    """
    weight = head.weight.detach().numpy().astype(np.float64)
    bias = head.bias.detach().numpy().astype(np.float64)
    areas = len(bias) - outside
    probabilities = np.zeros((areas, *cube.shape), dtype=np.float32)
    none = np.full(cube.shape, np.nan, dtype=np.float32)
    for iy, ix, X in cube.batches(desc="predicting"):
        logits = X.astype(np.float64) @ weight.T + bias
        probabilities[:, iy, ix] = softmax(logits[:, :areas], axis=1).T
        none[iy, ix] = softmax(logits, axis=1)[:, areas:].sum(axis=1)
    return probabilities, none if outside else None


def likeliest_areas(
    probabilities: NDArray[np.float32], mask: NDArray[np.bool_], width: int = 1
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the likeliest area of every pixel, of probabilities averaged over a square.

    Parameters
    ----------
    probabilities : ndarray of float32, shape (areas, rows, columns)
    mask : ndarray of bool, shape (rows, columns)
        Pixels that are named, and that are averaged over.
    width : int
        Side of the square in pixels of the grid; 1 averages nothing, an even one is made odd.

    Returns
    -------
    area : ndarray of uint8, shape (rows, columns)
        Codes 1 ... n, 0 outside the mask.
    confidence : ndarray of float32, shape (rows, columns)
        Averaged probability of that area, NaN outside the mask.
    """
    side = 2 * (width // 2) + 1

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        if side == 1:
            return values
        averaged: NDArray[np.float32] = uniform_filter(values, size=side, mode="constant")
        return averaged

    best = np.full(mask.shape, -1.0, dtype=np.float32)
    area = np.zeros(mask.shape, dtype=np.uint8)
    for code, own in enumerate(probabilities, start=1):
        found = mean(np.where(mask, own, np.float32(0)))
        better = mask & (found > best)
        best[better], area[better] = found[better], code
    # The share of the square that is averaged over; the filter's rounding may leave it below zero.
    best /= np.maximum(mean(mask.astype(np.float32)), np.float32(0.5 / side**2))
    return area, np.where(mask, best, np.float32(np.nan))


def border_distance(labels: NDArray[np.integer], hole_px: int) -> NDArray[np.float32]:
    """Return every labelled pixel's distance to the border of its own area.

    Parameters
    ----------
    labels : ndarray of int, shape (rows, columns)
        0 is unlabelled.
    hole_px : int
        Largest hole of an area that is no border, in pixels.

    Returns
    -------
    ndarray of float32, shape (rows, columns)
        Pixels from the centre of a pixel to the centre of the nearest one that is not in its area,
        unlabelled ones included; 0 where unlabelled, infinite if the area fills the slice. The edge
        of the slice is no border.
    """
    distance = np.zeros(labels.shape, dtype=np.float32)
    for code in np.unique(labels[labels > 0]):
        own = labels == code
        inside = close_holes(own, hole_px)
        to_border = np.inf if inside.all() else distance_transform_edt(inside)
        distance[own] = np.broadcast_to(to_border, own.shape)[own]
    return distance


def rim_parts(
    to_border_px: NDArray[np.floating], tissue: NDArray[np.floating]
) -> dict[str, NDArray[np.bool_]]:
    """Return which judged pixels lie where, each part by its name.

    Parameters
    ----------
    to_border_px : ndarray, shape (n,)
        Distance to the border of the pixel's own area, see `border_distance`.
    tissue : ndarray, shape (n,)
        Share of the pixel's patch that is tissue.
    """
    return {
        "all": np.ones(len(tissue), dtype=bool),
        f"beyond {PATCH // 2} px of every border": to_border_px > PATCH // 2,
        f"patch at least {RIM_SHARE:.0%} tissue": tissue >= RIM_SHARE,
        f"rim: patch less than {RIM_SHARE:.0%} tissue": tissue < RIM_SHARE,
    }


def border_table(distance_um: NDArray[np.floating], right: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the accuracy by distance to the border, one row per bin of `DISTANCES_UM`."""
    edges = np.array(DISTANCES_UM)
    bins = np.clip(np.digitize(distance_um, edges) - 1, 0, len(edges) - 2)
    pixels = np.bincount(bins, minlength=len(edges) - 1)
    hits = np.bincount(bins, weights=right.astype(np.float64), minlength=len(edges) - 1)
    return pd.DataFrame(
        {
            "distance_um_low": edges[:-1],
            "distance_um_high": edges[1:],
            "pixels": pixels,
            "accuracy": ratio(hits, pixels),
        }
    )
