"""The maps that a network gives of one slice, and their store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainarch.dense.cube import Cube
from brainarch.evaluation.area_map import likeliest_areas, map_probabilities
from brainarch.evaluation.novelty import Usual, map_novelty
from brainarch.geometry import patch_share
from brainarch.grids.maps import write_maps
from brainarch.network.trained import TrainedNetwork
from brainarch.volume.tissue import tissue_mask


def averaged_over(cube: Cube, average_px: int) -> int:
    """Return a width of pixels of the slice as pixels of the cube's grid, at least 1."""
    return max(1, round(average_px / cube.stride))


def write_area_maps(
    path: Path,
    cube: Cube,
    grey: NDArray[np.generic],
    trained: TrainedNetwork,
    usual: Usual,
    average_px: int,
    made_by: str,
) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
    """Map areas, confidence and novelty of a cube, and write them (Zarr).

    Parameters
    ----------
    path : Path
        The store to write.
    cube : Cube
    grey : ndarray, shape (rows, columns)
        Its slice.
    trained : TrainedNetwork
        The network that the cube came from.
    usual : Usual
        What its training data are like.
    average_px : int
        Width in pixels of the slice that probabilities are averaged over.
    made_by : str
        What to run for them again.

    Returns
    -------
    probabilities : ndarray of float32, shape (areas, rows, columns)
    maps : dict of str to ndarray, shape (rows, columns)
        ``area`` and ``averaged`` are uint8 codes, 0 where not extracted; ``confidence``,
        ``novelty`` and ``tissue``, the share of a pixel's patch that is tissue, are float32, NaN
        there, and so is ``outside``, the probability of no tissue, of a network that knows it.
    """
    tissue = patch_share(tissue_mask(grey))[np.ix_(cube.y, cube.x)]
    probabilities, outside = map_probabilities(cube, trained.network.head, outside=trained.outside)
    area, confidence = likeliest_areas(probabilities, cube.extracted)
    averaged, _ = likeliest_areas(probabilities, cube.extracted, averaged_over(cube, average_px))
    maps: dict[str, NDArray[Any]] = {
        "area": area,
        "confidence": confidence,
        "averaged": averaged,
        "novelty": map_novelty(cube, usual),
        "tissue": np.where(cube.extracted, tissue, np.float32(np.nan)),
    }
    if outside is not None:
        maps["outside"] = outside
    attrs = {
        "areas": list(trained.areas),
        "average_px": average_px,
        "novelty_threshold": usual.threshold,
        "novelty_quantile": usual.quantile,
        "log_density": usual.log_density,
        "outside": trained.outside,
        "warnings": list(cube.attrs.get("warnings", ())),
    }
    write_maps(path, maps, cube.place, attrs, made_by)
    return probabilities, maps
