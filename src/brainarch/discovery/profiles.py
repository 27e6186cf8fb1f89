"""Where in an area its subdivisions lie: shares by layer and by depth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Bins of relative depth (ours).
DEPTH_BINS = 20

PROFILE_COLUMNS = {
    "slice": "slice",
    "subdivision": "subdivision of the map (cluster or component), from 1",
    "by": "what the pixels are counted by: layer or depth",
    "bin": "layer code or depth bin, from 1",
    "name": "name of the layer, or the depth range",
    "low": "upper end of the depth bin (relative depth, 0 to 1); empty for layers",
    "high": "lower end of the depth bin (relative depth, 0 to 1); empty for layers",
    "pixels": "pixels of the subdivision in the bin",
    "share": "of the subdivision's pixels that have a bin (the layer profile, A)",
    "share_of_bin": "of the bin's pixels that have a subdivision (V, Fig. 6)",
}


def profile_by_layer(
    subdivisions: NDArray[np.integer], layers: NDArray[np.integer], names: Sequence[str]
) -> pd.DataFrame:
    """Count each subdivision's pixels by layer.

    Parameters
    ----------
    subdivisions : ndarray of int, shape (rows, columns)
        Components from 1; 0 is none.
    layers : ndarray of int, same shape
        Layer codes from 1; 0 is none.
    names : sequence of str
        Names of the layers by code.

    Returns
    -------
    DataFrame
        Columns of `PROFILE_COLUMNS` without slice.
    """
    frame = _shares(subdivisions, layers, len(names))
    frame["by"] = "layer"
    frame["name"] = [names[code - 1] for code in frame["bin"]]
    frame["low"] = np.nan
    frame["high"] = np.nan
    return _ordered(frame)


def profile_by_depth(
    subdivisions: NDArray[np.integer], depth: NDArray[np.floating], bins: int
) -> pd.DataFrame:
    """Count each subdivision's pixels by bin of relative depth.

    Parameters
    ----------
    subdivisions : ndarray of int, shape (rows, columns)
        Components from 1; 0 is none.
    depth : ndarray of float, same shape
        Between 0 and 1; NaN where unknown.
    bins : int
        Equal bins.

    Returns
    -------
    DataFrame
        Columns of `PROFILE_COLUMNS` without slice.
    """
    frame = _shares(subdivisions, depth_bins(depth, bins), bins)
    frame["by"] = "depth"
    frame["low"] = (frame["bin"] - 1) / bins
    frame["high"] = frame["bin"] / bins
    frame["name"] = [
        f"{low:.3g}-{high:.3g}" for low, high in zip(frame["low"], frame["high"], strict=True)
    ]
    return _ordered(frame)


def depth_bins(depth: NDArray[np.floating], bins: int) -> NDArray[np.int64]:
    """Return in which of so many equal bins each depth (0 to 1) lies, from 1; 0 where it is NaN."""
    codes = np.zeros(depth.shape, dtype=np.int64)
    known = np.isfinite(depth)
    codes[known] = np.minimum((depth[known] * bins).astype(np.int64), bins - 1) + 1
    return codes


def profile_matrix(profiles: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return one slice's profiles as a matrix: a row per subdivision, a column per bin, shares."""
    rows = profiles[profiles["by"] == by]
    wide = rows.pivot_table(index="subdivision", columns="bin", values="share", aggfunc="first")
    return wide.fillna(0.0)


def _shares(
    subdivisions: NDArray[np.integer], bins: NDArray[np.integer], count: int
) -> pd.DataFrame:
    both = (subdivisions > 0) & (bins > 0)
    number = int(subdivisions.max()) if subdivisions.size else 0
    flat = (subdivisions[both].astype(np.int64) - 1) * count + bins[both].astype(np.int64) - 1
    pixels = np.bincount(flat, minlength=number * count).reshape(number, count)
    subdivision, code = np.meshgrid(
        np.arange(1, number + 1), np.arange(1, count + 1), indexing="ij"
    )
    share = pixels / np.maximum(pixels.sum(axis=1, keepdims=True), 1)
    of_bin = pixels / np.maximum(pixels.sum(axis=0, keepdims=True), 1)
    return pd.DataFrame(
        {
            "subdivision": subdivision.ravel(),
            "bin": code.ravel(),
            "pixels": pixels.ravel(),
            "share": share.ravel(),
            "share_of_bin": of_bin.ravel(),
        }
    )


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[[name for name in PROFILE_COLUMNS if name != "slice"]]
