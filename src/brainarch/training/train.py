"""Training from files: read, fit, write."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

import brainarch
from brainarch.annotations.legend import Legend, read_legend
from brainarch.annotations.store import open_labels
from brainarch.atomic import write_json
from brainarch.errors import InputError
from brainarch.network.checkpoint import Checkpoint, file_digest, save_checkpoint
from brainarch.network.grey import Normalisation
from brainarch.patches.table import read_patches
from brainarch.seeds import generator
from brainarch.tables import write_table
from brainarch.training.data import WindowDataset, grey_statistics
from brainarch.training.fit import CURVE_COLUMNS, FitOptions, fit_network
from brainarch.volume.store import Volume, open_volume

logger = logging.getLogger(__name__)

#: Code of training pixels in the splits label image.
TRAIN_CODE = 1


@dataclass(frozen=True)
class TrainingInputs:
    """Files that training reads.

    Parameters
    ----------
    volume, train, val, labels, splits, legend : Path
    permute_labels : bool
        Shuffle the areas of training and validation patches, as a control that must end at chance.
    """

    volume: Path
    train: Path
    val: Path
    labels: Path
    splits: Path
    legend: Path
    permute_labels: bool


def train_network(inputs: TrainingInputs, options: FitOptions, output: Path, partial: Path) -> None:
    """Train and write ``network.safetensors``, ``learning_curves.csv`` and ``training.json``.

    Raises
    ------
    InputError
        If a table names an area that the legend lacks, a slice is outside the volume, a GPU is
        asked for but absent, or the loss stops being finite.
    """
    if options.accelerator == "gpu" and not torch.cuda.is_available():
        raise InputError("--accelerator gpu: no GPU is at hand; use auto or cpu")
    volume = open_volume(inputs.volume)
    legend = read_legend(inputs.legend)
    tables = {"train": read_patches(inputs.train), "val": read_patches(inputs.val)}
    normalisation = _training_statistics(volume, inputs.labels, inputs.splits)
    datasets = {
        split: _dataset(
            volume, table, _area_indices(table, legend, split, inputs, options), normalisation
        )
        for split, table in tables.items()
    }
    key = _key(inputs, options, normalisation)
    result = fit_network(
        datasets["train"], datasets["val"], len(legend.names), options, partial / key
    )
    summary = {
        "epochs": options.epochs,
        "best_epoch": result.best_epoch,
        "val_accuracy": result.best_val_accuracy,
        "train_patches": len(tables["train"]),
        "val_patches": len(tables["val"]),
        "permuted_labels": inputs.permute_labels,
        "options": {
            k: v for k, v in asdict(options).items() if k not in ("threads", "accelerator")
        },
        "brainarch": brainarch.__version__,
        "torch": torch.__version__,
    }
    checkpoint = Checkpoint(
        network=result.network,
        areas=legend.names,
        normalisation=normalisation,
        voxel_um=volume.voxel_um,
        dtype=str(volume.dtype),
        training=summary,
    )
    write_table(result.curves, output / "learning_curves.csv", CURVE_COLUMNS)
    run = {"seconds": result.seconds, "device": result.device, "threads": options.threads}
    write_json(output / "training.json", {**summary, "run": run})
    save_checkpoint(checkpoint, output / "network.safetensors")
    shutil.rmtree(partial / key)


def _training_statistics(volume: Volume, labels: Path, splits: Path) -> Normalisation:
    """Take labelled pixels of training slices; of a slice that is shared, training's part only."""
    areas, where = open_labels(labels), open_labels(splits)
    values = []
    for z in where.annotated_slices:
        codes = where.read_slice(z)
        if TRAIN_CODE in codes:
            shared = (codes > TRAIN_CODE).any()
            chosen = codes == TRAIN_CODE if shared else areas.read_slice(z) > 0
            values.append(volume.read_slice(z)[chosen])
    if not values:
        raise InputError(f"{splits}: no training pixels; run `brainarch sample` again")
    return grey_statistics(values)


def _area_indices(
    table: pd.DataFrame, legend: Legend, split: str, inputs: TrainingInputs, options: FitOptions
) -> NDArray[np.int64]:
    unknown = sorted(set(table["area"]) - set(legend.names))
    if unknown:
        path = inputs.train if split == "train" else inputs.val
        raise InputError(f"{path}: area {unknown[0]} is not in the legend {inputs.legend}")
    position = {name: index for index, name in enumerate(legend.names)}
    indices = np.array([position[name] for name in table["area"]], dtype=np.int64)
    if inputs.permute_labels:
        generator(options.seed, f"permute {split}").shuffle(indices)
    return indices


def _dataset(
    volume: Volume,
    table: pd.DataFrame,
    labels: NDArray[np.int64],
    normalisation: Normalisation,
) -> WindowDataset:
    z, y, x = (table[name].to_numpy(dtype=np.int64) for name in ("z", "y", "x"))
    slices = {int(index): volume.read_slice(int(index)) for index in np.unique(z)}
    return WindowDataset(slices, z, y, x, labels, normalisation)


def _key(inputs: TrainingInputs, options: FitOptions, normalisation: Normalisation) -> str:
    content = {
        "version": brainarch.__version__,
        "options": asdict(options),
        "normalisation": asdict(normalisation),
        "train": file_digest(inputs.train),
        "val": file_digest(inputs.val),
        "permuted": inputs.permute_labels,
    }
    return "train-" + hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
