"""The area map of a cube: the network's last layer applied to every representation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import nn
from zarr.codecs import BloscCodec

from brainarch.annotations.legend import read_legend
from brainarch.annotations.store import open_labels
from brainarch.atomic import replacing
from brainarch.dense.cube import CHUNK, Cube, require_source
from brainarch.errors import InputError
from brainarch.network.checkpoint import file_digest, load_checkpoint, require_areas
from brainarch.progress import progress
from brainarch.statistics.bootstrap import bootstrap_counts, spatial_blocks
from brainarch.statistics.metrics import (
    accuracies,
    balanced_accuracies,
    confusion_by_block,
    precision_recall_f1,
    ratio,
)
from brainarch.tables import write_table

#: Code of test pixels in the splits label image.
TEST_CODE = 3
#: Side of a block of the spatial bootstrap, in pixels.
BLOCK = 512
#: Borders of the distance bins, in micrometer; 150 is the side of a patch (V).
DISTANCES_UM = (0.0, 10.0, 25.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 500.0, np.inf)

CONFUSION_COLUMNS = {
    "area": "annotated area",
    "predicted": "area that the network predicts",
    "count": "extracted pixels of the evaluated part of the slice",
}
METRICS_COLUMNS = {
    "subset": "which labelled pixels: test (of the splits label image) or labelled (all)",
    "area": "area, or all of them",
    "metric": "accuracy, balanced_accuracy (mean recall), precision, recall or f1",
    "value": "share, 0 to 1",
    "low": "lower end of the 95 % block bootstrap interval",
    "high": "upper end of the 95 % block bootstrap interval",
    "patches": "pixels it was computed from (each the centre of a patch; they overlap)",
    "blocks": "blocks of 512 x 512 pixels that were resampled",
}
BORDER_COLUMNS = {
    "distance_um_low": "from this distance to the annotated area's border on (um)",
    "distance_um_high": "up to, not including, this distance (um)",
    "pixels": "evaluated pixels",
    "accuracy": "share of them predicted rightly",
}


@dataclass(frozen=True)
class AreaMap:
    """A predicted slice on a cube's grid.

    Parameters
    ----------
    area : ndarray of uint8, shape (rows, columns)
        Area codes 1 ... n, 0 where not extracted.
    confidence : ndarray of float32, shape (rows, columns)
        Softmax of the predicted area, NaN where not extracted.
    """

    area: NDArray[np.uint8]
    confidence: NDArray[np.float32]


def predict_cube(
    *,
    cube: Path,
    checkpoint: Path,
    legend: Path,
    labels: Path | None,
    splits: Path | None,
    seed: int,
    output_prefix: str,
) -> None:
    """Write the area map of a cube and, where it is annotated, how right it is.

    Parameters
    ----------
    cube, checkpoint, legend : Path
    labels : Path, optional
        Area labels; without them, or on a slice without annotation, only the map is written and the
        tables are empty.
    splits : Path, optional
        Splits label image: only its test pixels are evaluated if the slice has any.
    seed : int
        Of the bootstrap.
    output_prefix : str
        ``<prefix>_areas.zarr``, ``<prefix>_confusion.csv``, ``<prefix>_metrics.csv`` and
        ``<prefix>_border.csv`` are written.

    Raises
    ------
    InputError
        If the files do not belong together.
    """
    opened = Cube.open(cube)
    network = load_checkpoint(checkpoint)
    names = read_legend(legend).names
    require_areas(network, names, checkpoint)
    require_source(opened, "checkpoint", file_digest(checkpoint), checkpoint)
    truth, subset = _truth(opened, labels, splits)
    found = predict_map(opened, network.network.head)
    _write_map(found, opened, names, Path(f"{output_prefix}_areas.zarr"))
    grid = truth.labels[np.ix_(opened.y, opened.x)]
    if int(grid.max()) > len(names):
        raise InputError(f"{labels}: holds code {grid.max()}, the legend has {len(names)} areas")
    judged = opened.extracted & (grid > 0) & truth.judged[np.ix_(opened.y, opened.x)]
    iy, ix = np.nonzero(judged)
    true, predicted = grid[iy, ix].astype(np.int64) - 1, found.area[iy, ix].astype(np.int64) - 1
    blocks = spatial_blocks(opened.y[iy], opened.x[ix], BLOCK)
    counts = confusion_by_block(true, predicted, blocks, len(names))
    confusion = counts.sum(axis=0)
    write_table(
        confusion_table(confusion, names), Path(f"{output_prefix}_confusion.csv"), CONFUSION_COLUMNS
    )
    write_table(
        metrics_table(counts, names, subset, seed),
        Path(f"{output_prefix}_metrics.csv"),
        METRICS_COLUMNS,
    )
    distance = border_distance(truth.labels)[opened.y[iy], opened.x[ix]]
    write_table(
        border_table(distance * float(opened.attrs["voxel_um"]), true == predicted),
        Path(f"{output_prefix}_border.csv"),
        BORDER_COLUMNS,
    )


def predict_map(cube: Cube, head: nn.Linear) -> AreaMap:
    """Apply the last layer to every extracted pixel.

    Parameters
    ----------
    cube : Cube
    head : nn.Linear
        From units to areas.
    """
    weight = head.weight.detach().numpy().astype(np.float64)
    bias = head.bias.detach().numpy().astype(np.float64)
    area = np.zeros(cube.shape, dtype=np.uint8)
    confidence = np.full(cube.shape, np.nan, dtype=np.float32)
    bands = -(-cube.shape[0] // CHUNK)
    for iy, ix, X in progress(cube.batches(CHUNK), "predicting", total=bands, unit="band"):
        logits = X.astype(np.float64) @ weight.T + bias
        best = logits.argmax(axis=1)
        logits -= logits.max(axis=1, keepdims=True)
        area[iy, ix] = best + 1
        confidence[iy, ix] = 1 / np.exp(logits).sum(axis=1)
    return AreaMap(area, confidence)


def confusion_table(confusion: NDArray[np.int64], names: Sequence[str]) -> pd.DataFrame:
    """Return a confusion matrix as a table of area, predicted, count."""
    rows = [
        (true, predicted, int(confusion[i, j]))
        for i, true in enumerate(names)
        for j, predicted in enumerate(names)
    ]
    return pd.DataFrame(rows, columns=list(CONFUSION_COLUMNS))


def metrics_table(
    counts: NDArray[np.int64], names: Sequence[str], subset: str, seed: int
) -> pd.DataFrame:
    """Return all metrics with block bootstrap intervals.

    Parameters
    ----------
    counts : ndarray of int64, shape (blocks, areas, areas)
        Confusion matrix of each spatial block.
    names : sequence of str
        Of the areas.
    subset : str
        What was evaluated, for the table's first column.
    seed : int
    """
    total = counts.sum(axis=0)
    rows: list[tuple[object, ...]] = []

    def add(area: str, metric: str, values: NDArray[np.float64], pixels: int) -> None:
        rows.append(
            (subset, area, metric, *(float(value) for value in values), pixels, len(counts))
        )

    for metric, statistic in (
        ("accuracy", accuracies),
        ("balanced_accuracy", balanced_accuracies),
    ):
        low, high = bootstrap_counts(statistic, counts, seed=seed)
        values = np.array([statistic(total[None])[0], low, high])
        add("all", metric, values, int(total.sum()))
    low, high = bootstrap_counts(
        lambda sums: np.stack(precision_recall_f1(sums), axis=1), counts, seed=seed
    )
    by_area = np.stack([np.stack(precision_recall_f1(total)), low, high])
    for index, name in enumerate(names):
        for kind, metric in enumerate(("precision", "recall", "f1")):
            add(name, metric, by_area[:, kind, index], int(total[index].sum()))
    return pd.DataFrame(rows, columns=list(METRICS_COLUMNS))


def border_distance(labels: NDArray[np.integer]) -> NDArray[np.float32]:
    """Return every labelled pixel's distance to the border of its own area.

    Parameters
    ----------
    labels : ndarray of int, shape (rows, columns)
        0 is unlabelled.

    Returns
    -------
    ndarray of float32, shape (rows, columns)
        Pixels from the centre of a pixel to the centre of the nearest one that is not in its area,
        unlabelled ones included; 0 where unlabelled, infinite if the area fills the slice. The edge
        of the slice is no border.
    """
    distance = np.zeros(labels.shape, dtype=np.float32)
    for code in np.unique(labels[labels > 0]):
        inside = labels == code
        if inside.all():
            distance[:] = np.inf
            continue
        distance[inside] = distance_transform_edt(inside)[inside]
    return distance


def border_table(distance_um: NDArray[np.floating], right: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the accuracy by distance to the border, one row a bin of `DISTANCES_UM`."""
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


@dataclass(frozen=True)
class _Truth:
    """Labels of the slice and the pixels that may be evaluated, shape (rows, columns)."""

    labels: NDArray[np.uint8]
    judged: NDArray[np.bool_]


def _truth(cube: Cube, labels: Path | None, splits: Path | None) -> tuple[_Truth, str]:
    shape = tuple(cube.attrs["plan"]["shape"])
    nothing = np.zeros(shape, dtype=np.uint8)
    if labels is None:
        return _Truth(nothing, nothing > 0), "labelled"
    stack = open_labels(labels)
    if cube.z not in stack.annotated_slices:
        return _Truth(nothing, nothing > 0), "labelled"
    codes = stack.read_slice(cube.z)
    if codes.shape != shape:
        raise InputError(
            f"{labels}: slices of {codes.shape[0]} x {codes.shape[1]} pixels, the cube's slice has "
            f"{shape[0]} x {shape[1]}; import the annotations of this volume"
        )
    if splits is not None:
        parts = open_labels(splits)
        if cube.z in parts.annotated_slices:
            test = parts.read_slice(cube.z) == TEST_CODE
            if test.any():
                return _Truth(codes, test), "test"
    return _Truth(codes, np.ones(shape, dtype=bool)), "labelled"


def _write_map(found: AreaMap, cube: Cube, names: Sequence[str], path: Path) -> None:
    """Write the map as a Zarr group with the cube's coordinates."""
    attrs = {
        "z": cube.z,
        "stride": cube.stride,
        "voxel_um": cube.attrs["voxel_um"],
        "areas": list(names),
        "key": cube.attrs.get("key"),
    }
    with replacing(path) as temporary:
        group = zarr.create_group(temporary, zarr_format=3, attributes=attrs)
        content: dict[str, tuple[NDArray[np.generic], tuple[str, ...]]] = {
            "area": (found.area, ("y", "x")),
            "confidence": (found.confidence, ("y", "x")),
            "y": (cube.y, ("y",)),
            "x": (cube.x, ("x",)),
        }
        for name, (values, dimensions) in content.items():
            floating = np.issubdtype(values.dtype, np.floating)
            array = group.create_array(
                name,
                shape=values.shape,
                dtype=values.dtype,
                chunks=tuple(min(side, 1024) for side in values.shape),
                compressors=BloscCodec(cname="zstd", clevel=5, shuffle="shuffle"),
                fill_value=np.nan if floating else 0,
                dimension_names=dimensions,
            )
            array[...] = values
