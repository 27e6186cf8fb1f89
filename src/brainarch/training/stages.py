"""The stage that trains a network: it reads patches and a volume, and writes the network."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

import brainarch
from brainarch.allocation import keep_freed_memory
from brainarch.annotations.legend import read_legend
from brainarch.annotations.store import open_labels
from brainarch.atomic import write_json
from brainarch.errors import InputError
from brainarch.network.grey import Normalisation
from brainarch.network.trained import TrainedNetwork, save_network
from brainarch.patches.sampling import SPLITS
from brainarch.patches.table import area_indices, patch_places, read_patches, require_known_areas
from brainarch.seeds import generator
from brainarch.tables import write_table
from brainarch.training.data import WindowDataset, grey_statistics
from brainarch.training.fit import CURVE_COLUMNS, fit_network
from brainarch.volume.store import Volume, open_volume

#: What a network can be trained on.
DEVICES = ("auto", "cpu", "cuda")
#: Code of training pixels in the splits label image.
TRAIN_CODE = 1 + SPLITS.index("train")


def train_network(
    *,
    labels: Path,
    legend: Path,
    volume: Path,
    splits: Path,
    train: Path,
    val: Path,
    network: Path,
    curves: Path,
    summary: Path,
    partial: Path,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    dropout: float,
    flips: bool,
    permute_labels: bool,
    seed: int,
    threads: int = 1,
    device: str = "auto",
) -> None:
    """Train the CNN to tell areas apart; keep the epoch of best validation accuracy.

    Parameters
    ----------
    labels, legend, volume : Path
        Area labels, what their codes mean, and the volume.
    splits : Path
        Splits label image: which pixels are training's.
    train, val : Path
        Patch tables: to train on, and to choose the epoch.
    network, curves, summary : Path
        What is written: the network, its learning curves (table) and how it was trained (JSON).
    partial : Path
        Folder for unfinished work of all trainings.
    epochs, batch_size : int
        Passes over the training patches, and patches per gradient step.
    learning_rate, dropout : float
        Of Adam, and the share of outputs dropped.
    flips : bool
        Mirror training patches at random.
    permute_labels : bool
        Shuffle the areas among the patches of each split, as a control that must end at chance.
    seed : int
        Of weights, order and dropout.
    threads : int
        CPU threads at most; their number can change the last digits.
    device : {"auto", "cpu", "cuda"}
        A GPU can change the last digits.

    Raises
    ------
    InputError
        If files do not belong together, a GPU is asked for but absent, or the loss stops being
        finite.
    """
    if device not in DEVICES:
        raise InputError(f"device {device}: must be one of {', '.join(DEVICES)}")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device cuda: no GPU that torch can use is at hand; use auto or cpu")
    keep_freed_memory()
    source, areas = open_volume(volume), read_legend(legend)
    tables = {"train": read_patches(train), "val": read_patches(val)}
    normalisation = _training_statistics(source, labels, splits)
    datasets = {}
    for split, path in (("train", train), ("val", val)):
        table = tables[split]
        require_known_areas(table, areas, path)
        indices = area_indices(table["area"], areas.names)
        if permute_labels:
            generator(seed, f"permute {split}").shuffle(indices)
        places = patch_places(table, source, path)
        slices = {int(z): source.read_slice(int(z)) for z in np.unique(places.z)}
        datasets[split] = WindowDataset(slices, *places, indices, normalisation)
    options: dict[str, Any] = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "dropout": dropout,
        "flips": flips,
        "seed": seed,
    }
    identity = {
        "version": brainarch.__version__,
        "options": {**options, "threads": threads, "device": device},
        "normalisation": asdict(normalisation),
        "train": _file_digest(train),
        "val": _file_digest(val),
        "permuted": permute_labels,
    }
    key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]
    folder = partial / f"train-{key}"
    result = fit_network(
        datasets["train"],
        datasets["val"],
        len(areas),
        folder,
        **options,
        threads=threads,
        device=device,
    )
    training = {
        "epochs": epochs,
        "best_epoch": result.best_epoch,
        "val_accuracy": result.best_val_accuracy,
        "train_patches": len(tables["train"]),
        "val_patches": len(tables["val"]),
        "permuted_labels": permute_labels,
        "options": options,
        "brainarch": brainarch.__version__,
    }
    trained = TrainedNetwork(
        network=result.network,
        areas=areas.names,
        normalisation=normalisation,
        pixel_um=source.pixel_um,
        dtype=str(source.dtype),
        training=training,
    )
    write_table(result.curves, curves, CURVE_COLUMNS)
    run = {"seconds": result.seconds, "device": result.device, "threads": threads}
    write_json(summary, {**training, "torch": torch.__version__, "run": run})
    save_network(trained, network)
    shutil.rmtree(folder)


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


def _file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
