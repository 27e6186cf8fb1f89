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
from brainarch.evaluation.errors import error_blocks, read_blocks
from brainarch.evaluation.maps import averaged_over, write_area_maps
from brainarch.evaluation.novelty import read_usual
from brainarch.evaluation.position import copy_annotation, position_rows
from brainarch.evaluation.probabilities import area_probabilities, predicted_areas
from brainarch.network.differences import scan_differences
from brainarch.network.trained import load_network, require_areas
from brainarch.patches.sampling import SPLITS
from brainarch.patches.table import COLUMNS as PATCH_COLUMNS
from brainarch.patches.table import area_indices, patch_places, read_patches, require_known_areas
from brainarch.statistics.blocks import BlockSide, spatial_blocks
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
    labels: Path,
    patches: Path,
    predictions: Path,
    metrics: Path,
    confusion: Path,
    without: Sequence[str],
    copied: Sequence[int],
    resamples: int,
    block_px: BlockSide,
    seed: int,
    threads: int = 1,
) -> None:
    """Apply a network to sampled patches: accuracy, confusion, precision, recall, F1.

    Parameters
    ----------
    network, volume, legend, labels, patches : Path
        The trained network, the volume, the areas, their labels and the patch table.
    predictions, metrics, confusion : Path
        Tables to write.
    without : sequence of str
        Metrics are given for all areas, and once more without each of these.
    copied : sequence of int
        Training slices whose annotation is copied, as the baseline of position; none where train
        and test are no slices of one volume.
    resamples, block_px, seed
        Of the block bootstrap; the side of a block is in pixels, or follows from the errors.
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
    true, predicted = area_indices(table["area"], names), predicted_areas(probabilities)
    right = true == predicted
    side, length = error_blocks(block_px, table, pd.Series(right))
    if block_px == "auto":
        alike = f"stay alike over {length:.0f} px" if np.isfinite(length) else "are alike nowhere"
        logger.info("%s: errors %s, blocks of %d px", patches, alike, side)
    z, y, x = (table[name].to_numpy() for name in ("z", "y", "x"))
    blocks = spatial_blocks(z, y, x, side)
    bootstrap = {"resamples": resamples, "seed": seed}
    counted = [
        tables.subset_metrics(
            table, probabilities, names, blocks, without=left_out, block_px=side, **bootstrap
        )
        for left_out in (None, *without)
    ]
    if copied and not set(z) & set(copied):
        same = copy_annotation(open_labels(labels), copied, z, y, x) == true + 1
        rows = position_rows(right, same, true, blocks, **bootstrap)
        counted.append(rows.assign(subset="all", block_px=side))
    write_table(tables.stacked(counted), metrics, tables.METRIC_COLUMNS)
    counts = confusion_by_block(true, predicted, blocks, len(names))
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
    volume: Path,
    novelty: Path,
    labels: Path,
    legend: Path,
    splits: Path,
    predictions: Path,
    areas: Path,
    confusion: Path,
    metrics: Path,
    border: Path,
    rim: Path,
    average_px: int,
    copied: Sequence[int],
    resamples: int,
    block_px: BlockSide,
    seed: int,
) -> None:
    """Predict the area of every extracted pixel and, where labelled, how right that is.

    Parameters
    ----------
    cube, network : Path
        Dense cube of the slice and the trained network that it came from.
    volume : Path
        The volume, for the tissue in each patch.
    novelty : Path
        What is usual in its training areas; see `fit_novelty`.
    labels, legend : Path
        Area labels and what their codes mean; the tables are empty where the slice has none.
    splits : Path
        Splits label image: only its test pixels are judged if the slice has any.
    predictions : Path
        The network's predictions of sampled test patches, whose errors decide on blocks.
    areas : Path
        Area map to write (Zarr), raw and averaged, with confidence and novelty.
    confusion, metrics, border, rim : Path
        Tables to write; the last are the accuracy by distance to the nearest border, and that away
        from borders and at the rim of the tissue.
    average_px : int
        Width in pixels that probabilities are averaged over for the averaged map. What is judged is
        averaged over judged pixels only, so that no training pixel speaks for a test pixel.
    copied : sequence of int
        As in `evaluate_patches`.
    resamples, block_px, seed
        Of the block bootstrap; the side of a block is in pixels, or follows from the errors.

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
    usual = read_usual(novelty)
    if usual.network != trained.digest:
        raise InputError(
            f"{novelty}: of another network than {network}; run `brainarch fit-novelty`"
        )
    codes = _labels_of(opened, labels)
    judged, subset = _judged(opened, splits)
    place = np.ix_(opened.y, opened.x)
    grid = codes[place]
    if grid.max() > len(names):
        raise InputError(f"{labels}: holds code {grid.max()}, the legend has {len(names)} areas")
    extracted, known = opened.extracted, opened.extracted & (grid > 0) & judged[place]
    probabilities, written = write_area_maps(
        areas,
        opened,
        open_volume(volume).read_slice(opened.z),
        trained,
        usual,
        average_px,
        "`brainarch predict`",
    )
    found, averaged = written["area"], written["averaged"]
    if subset == "test":
        width = averaged_over(opened, average_px)
        averaged, _ = area_map.likeliest_areas(probabilities, extracted & judged[place], width)

    iy, ix = np.nonzero(known)
    y, x = opened.y[iy], opened.x[ix]
    side = read_blocks(block_px, predictions).side
    blocks = spatial_blocks(opened.z, y, x, side)
    true = grid[iy, ix].astype(np.int64) - 1
    counted: list[pd.DataFrame] = []
    bootstrap: dict[str, Any] = {"resamples": resamples, "seed": seed}
    maps = {subset: found, tables.averaged_subset(subset, average_px): averaged}
    for what, named in maps.items():
        predicted = named[iy, ix].astype(np.int64) - 1
        counts = confusion_by_block(true, predicted, blocks, len(names))
        counted.append(
            tables.metric_table(counts, names, subset=what, drawn=False, block_px=side, **bootstrap)
        )
        if copied and len(true) and opened.z not in copied:
            at = (np.full(len(y), opened.z), y, x)
            same = copy_annotation(open_labels(labels), copied, *at) == true + 1
            together = np.zeros(len(true), dtype=np.int64)
            rows = position_rows(predicted == true, same, together, blocks, **bootstrap)
            if what != subset:  # the copied annotation is the same, whatever it is compared with
                rows = rows[rows["metric"] == "above_position"]
            counted.append(rows.assign(subset=what, block_px=side))
    write_table(tables.stacked(counted), metrics, tables.METRIC_COLUMNS)
    predicted = found[iy, ix].astype(np.int64) - 1
    counts = confusion_by_block(true, predicted, blocks, len(names))
    write_table(tables.confusion_table(counts, names), confusion, tables.CONFUSION_COLUMNS)
    to_border = area_map.border_distance(codes, open_labels(labels).hole_px)
    distance = to_border[y, x] * opened.pixel_um
    write_table(area_map.border_table(distance, true == predicted), border, area_map.BORDER_COLUMNS)
    parts = area_map.rim_parts(to_border[y, x], written["tissue"][iy, ix])
    none = written["outside"][iy, ix] if "outside" in written else None
    write_table(
        tables.rim_table(parts, (true, predicted), none, names, blocks, **bootstrap),
        rim,
        area_map.RIM_COLUMNS,
    )


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
