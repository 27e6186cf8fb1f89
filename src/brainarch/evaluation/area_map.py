"""The area map of a dense cube: the network's last layer applied to every representation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import nn

from brainarch.annotations.holes import close_holes
from brainarch.dense.cube import Cube
from brainarch.statistics.metrics import ratio

#: Borders of the distance bins, in micrometer; 150 is the side of a patch (V).
DISTANCES_UM = (0.0, 10.0, 25.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 500.0, np.inf)

BORDER_COLUMNS = {
    "distance_um_low": "from this distance to the annotated area's border on (um)",
    "distance_um_high": "up to, not including, this distance (um)",
    "pixels": "evaluated pixels",
    "accuracy": "share of them predicted rightly",
}


def predict_map(cube: Cube, head: nn.Linear) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Apply the last layer to every extracted pixel.

    Parameters
    ----------
    cube : Cube
    head : nn.Linear
        From units to areas.

    Returns
    -------
    area : ndarray of uint8, shape (rows, columns)
        Codes 1 ... n on the cube's grid, 0 where not extracted.
    confidence : ndarray of float32, shape (rows, columns)
        Softmax of the predicted area, NaN where not extracted.
    """
    weight = head.weight.detach().numpy().astype(np.float64)
    bias = head.bias.detach().numpy().astype(np.float64)
    area = np.zeros(cube.shape, dtype=np.uint8)
    confidence = np.full(cube.shape, np.nan, dtype=np.float32)
    for iy, ix, X in cube.batches(desc="predicting"):
        logits = X.astype(np.float64) @ weight.T + bias
        best = logits.argmax(axis=1)
        logits -= logits.max(axis=1, keepdims=True)
        area[iy, ix] = best + 1
        confidence[iy, ix] = 1 / np.exp(logits).sum(axis=1)
    return area, confidence


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
