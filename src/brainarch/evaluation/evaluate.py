"""The stage that evaluates a network: reads files, writes tables."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainarch.annotations.legend import Legend, read_legend
from brainarch.embedding.inputs import (
    area_indices,
    fit_warnings,
    patch_places,
    require_known_areas,
)
from brainarch.errors import InputError
from brainarch.evaluation import report
from brainarch.evaluation.apply import area_probabilities, predicted_areas
from brainarch.network.checkpoint import load_checkpoint, require_areas
from brainarch.patches.table import COLUMNS as PATCH_COLUMNS
from brainarch.patches.table import read_patches
from brainarch.statistics.metrics import confusion_matrix
from brainarch.tables import write_table
from brainarch.volume.store import open_volume

logger = logging.getLogger(__name__)


def evaluate_patches(
    *,
    checkpoint: Path,
    volume: Path,
    patches: Path,
    legend: Path,
    without: Sequence[str],
    n_resamples: int,
    seed: int,
    output_prefix: Path,
) -> None:
    """Write ``<prefix>_predictions.csv``, ``<prefix>_metrics.csv`` and ``<prefix>_confusion.csv``.

    Parameters
    ----------
    checkpoint, volume, patches, legend : Path
        The trained network, the volume, the patch table and the areas' legend.
    without : sequence of str
        Metrics are given for all areas, and again for each of these subsets; an item names the
        areas left out, several with commas between them.
    n_resamples, seed : int
        Of the block bootstrap.
    output_prefix : Path
        Beginning of the tables' paths.

    Raises
    ------
    InputError
        If a file is missing or wrong, or they do not belong together.
    """
    areas = read_legend(legend)
    trained = load_checkpoint(checkpoint)
    require_areas(trained, areas.names, checkpoint)
    table = read_patches(patches)
    require_known_areas(table, areas, patches)
    subsets = [_subset(item, areas) for item in without]
    source = open_volume(volume)
    for warning in fit_warnings(trained, source.voxel_um, str(source.dtype)):
        logger.warning("%s: %s", volume, warning)
    probabilities = area_probabilities(trained, source, patch_places(table, source, patches))

    names = areas.names
    metrics = pd.concat(
        [
            report.subset_metrics(
                table, probabilities, names, without=left_out, n_resamples=n_resamples, seed=seed
            )
            for left_out in ([], *subsets)
        ]
    )
    true = area_indices(table["area"], names)
    confusion = confusion_matrix(true, predicted_areas(probabilities), len(names))
    outputs = (
        ("metrics", metrics, report.METRIC_COLUMNS),
        ("confusion", report.confusion_table(confusion, names), report.CONFUSION_COLUMNS),
        (
            "predictions",
            report.prediction_table(table, probabilities, names),
            report.prediction_columns(names, PATCH_COLUMNS),
        ),
    )
    for name, frame, columns in outputs:
        write_table(frame, output_prefix.with_name(f"{output_prefix.name}_{name}.csv"), columns)


def _subset(item: str, legend: Legend) -> list[str]:
    names = [name.strip() for name in item.split(",")]
    for name in names:
        legend.code_of(name)
    if len(set(legend.names) - set(names)) < 2:
        raise InputError(f"--without {item}: fewer than two areas remain; leave out fewer")
    return names
