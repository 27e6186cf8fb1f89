"""The stages that say how right a network is: on sampled patches, and on whole slices."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from brainarch.annotations.legend import read_legend
from brainarch.annotations.store import open_labels
from brainarch.dense.cube import Cube, require_source
from brainarch.errors import InputError
from brainarch.evaluation import area_map, tables
from brainarch.evaluation.probabilities import area_probabilities, predicted_areas
from brainarch.grids.maps import write_maps
from brainarch.network.differences import scan_differences
from brainarch.network.trained import load_network, require_areas
from brainarch.patches.sampling import SPLITS
from brainarch.patches.table import COLUMNS as PATCH_COLUMNS
from brainarch.patches.table import area_indices, patch_places, read_patches, require_known_areas
from brainarch.statistics.bootstrap import spatial_blocks
from brainarch.statistics.metrics import confusion_by_block
from brainarch.tables import write_table
from brainarch.volume.store import open_volume

logger = logging.getLogger(__name__)

#: Code of test pixels in the splits label image.
TEST_CODE = 1 + SPLITS.index("test")


def evaluate_patches(
    *,
    network: Path,
    volume: Path,
    legend: Path,
    patches: Path,
    predictions: Path,
    metrics: Path,
    confusion: Path,
    without: Sequence[str],
    resamples: int,
    seed: int,
    threads: int = 1,
) -> None:
    """Apply a network to sampled patches: accuracy, confusion, precision, recall, F1.

    Parameters
    ----------
    network, volume, legend, patches : Path
        The trained network, the volume, the areas and the patch table.
    predictions, metrics, confusion : Path
        Tables to write.
    without : sequence of str
        Metrics are given for all areas, and once more without each of these.
    resamples, seed : int
        Of the block bootstrap.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If a file is missing or wrong, or they do not belong together.
    """
    torch.set_num_threads(threads)
    areas = read_legend(legend)
    trained = load_network(network)
    require_areas(trained, areas.names, network)
    table = read_patches(patches)
    require_known_areas(table, areas, patches)
    for name in without:
        areas.code_of(name)
    if without and len(areas) < 3:
        raise InputError(f"{legend}: without {without[0]} fewer than two areas remain")
    source = open_volume(volume)
    dtypes = (str(source.dtype), trained.dtype)
    for difference in scan_differences((source.pixel_um, trained.pixel_um), dtypes):
        logger.warning("%s differs from the training: %s", volume, difference)
    probabilities = area_probabilities(trained, source, patch_places(table, source, patches))

    names = areas.names
    counted = [
        tables.subset_metrics(
            table, probabilities, names, without=left_out, resamples=resamples, seed=seed
        )
        for left_out in (None, *without)
    ]
    write_table(pd.concat(counted), metrics, tables.METRIC_COLUMNS)
    true, predicted = area_indices(table["area"], names), predicted_areas(probabilities)
    counts = confusion_by_block(true, predicted, table["block"].to_numpy(), len(names))
    write_table(tables.confusion_table(counts, names), confusion, tables.CONFUSION_COLUMNS)
    write_table(
        tables.prediction_table(table, probabilities, names),
        predictions,
        tables.prediction_columns(names, PATCH_COLUMNS),
    )


def predict_slice(
    *,
    cube: Path,
    network: Path,
    labels: Path,
    legend: Path,
    splits: Path,
    areas: Path,
    confusion: Path,
    metrics: Path,
    border: Path,
    resamples: int,
    block_px: int,
    seed: int,
) -> None:
    """Predict the area of every extracted pixel and, where labelled, how right that is.

    Parameters
    ----------
    cube, network : Path
        Dense cube of the slice and the trained network that it came from.
    labels, legend : Path
        Area labels and what their codes mean; the tables are empty where the slice has none.
    splits : Path
        Splits label image: only its test pixels are judged if the slice has any.
    areas : Path
        Area map to write (Zarr).
    confusion, metrics, border : Path
        Tables to write; the last is the accuracy by distance to the nearest border.
    resamples, block_px, seed : int
        Of the block bootstrap; the side of a block is in pixels.

    Raises
    ------
    InputError
        If the files do not belong together.
    """
    opened = Cube.open(cube)
    trained = load_network(network)
    names = read_legend(legend).names
    require_areas(trained, names, network)
    require_source(opened, "network", trained.digest, network)
    codes = _labels_of(opened, labels)
    judged, subset = _judged(opened, splits)
    place = np.ix_(opened.y, opened.x)
    grid = codes[place]
    if grid.max() > len(names):
        raise InputError(f"{labels}: holds code {grid.max()}, the legend has {len(names)} areas")
    found, confidence = area_map.predict_map(opened, trained.network.head)
    maps: dict[str, NDArray[Any]] = {"area": found, "confidence": confidence}
    write_maps(areas, maps, opened.place, {"areas": list(names)}, "`brainarch predict`")

    iy, ix = np.nonzero(opened.extracted & (grid > 0) & judged[place])
    y, x = opened.y[iy], opened.x[ix]
    true, predicted = grid[iy, ix].astype(np.int64) - 1, found[iy, ix].astype(np.int64) - 1
    counts = confusion_by_block(true, predicted, spatial_blocks(y, x, block_px), len(names))
    write_table(tables.confusion_table(counts, names), confusion, tables.CONFUSION_COLUMNS)
    write_table(
        tables.metric_table(counts, names, subset=subset, resamples=resamples, seed=seed),
        metrics,
        tables.METRIC_COLUMNS,
    )
    to_border = area_map.border_distance(codes, open_labels(labels).hole_px)
    distance = to_border[y, x] * opened.pixel_um
    write_table(area_map.border_table(distance, true == predicted), border, area_map.BORDER_COLUMNS)


def _labels_of(cube: Cube, labels: Path) -> NDArray[np.uint8]:
    """Return the labels of a cube's slice, shape (rows, columns); all 0 if it has none."""
    shape = tuple(cube.attrs["plan"]["shape"])
    stack = open_labels(labels)
    if cube.z not in stack.annotated_slices:
        return np.zeros(shape, dtype=np.uint8)
    codes = stack.read_slice(cube.z)
    if codes.shape != shape:
        raise InputError(
            f"{labels}: slices of {codes.shape[0]} x {codes.shape[1]} pixels, the cube's slice has "
            f"{shape[0]} x {shape[1]}; import the annotations of this volume"
        )
    return codes


def _judged(cube: Cube, splits: Path) -> tuple[NDArray[np.bool_], str]:
    """Return the pixels of a cube's slice that may be judged, and the name of their subset."""
    parts = open_labels(splits)
    if cube.z in parts.annotated_slices:
        test = parts.read_slice(cube.z) == TEST_CODE
        if test.any():
            return test, "test"
    return np.ones(cube.attrs["plan"]["shape"], dtype=bool), "all"
