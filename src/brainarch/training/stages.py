"""The stages that train a network: they read labels and a volume, and write the network."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import brainarch
from brainarch.allocation import keep_freed_memory
from brainarch.annotations.legend import Legend, read_legend
from brainarch.annotations.store import open_labels
from brainarch.errors import InputError
from brainarch.network.architecture import AreaNetwork, AuthorsNetwork
from brainarch.network.grey import Normalisation
from brainarch.network.trained import TrainedNetwork, load_network, save_network
from brainarch.network.untrained import untrained_network
from brainarch.patches.blocks import least_distance
from brainarch.patches.sampling import SPLITS
from brainarch.patches.table import area_indices, patch_places, read_patches, require_known_areas
from brainarch.readout.threads import limit_threads
from brainarch.records import write_record
from brainarch.seeds import generator
from brainarch.tables import write_table
from brainarch.training.data import WindowDataset, grey_statistics
from brainarch.training.fit import CURVE_COLUMNS, FitResult, fit_network
from brainarch.training.fit_contrast import CONTRAST_COLUMNS, fit_contrast
from brainarch.training.fit_crops import fit_crops
from brainarch.training.places import CropGround, ground_beside
from brainarch.training.precision import Asked, find_precision
from brainarch.training.probing import probed_network
from brainarch.training.view_draws import ViewGround
from brainarch.unfinished import unfinished_work
from brainarch.volume.store import Volume, open_volume
from brainarch.volume.tissue import tissue_mask

logger = logging.getLogger(__name__)

#: What a network can be trained on.
DEVICES = ("auto", "cpu", "cuda")
#: Code of training pixels in the splits label image.
TRAIN_CODE = 1 + SPLITS.index("train")


def train_patches(
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
    permute_labels: bool,
    as_authors: bool,
    seed: int,
    threads: int = 1,
    device: str = "auto",
) -> None:
    """Train the CNN on a table of patches (V, A); keep the epoch of best validation accuracy.

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
    permute_labels : bool
        Shuffle the areas among the patches of each split, as a control that must end at chance.
    as_authors : bool
        Train the network as its authors define it, which reads raw grey values.
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
    given = _read(labels, legend, volume, splits, device)
    definition = AuthorsNetwork if as_authors else AreaNetwork
    if as_authors:
        given = replace(given, normalisation=Normalisation(0.0, 1.0))
    options: dict[str, Any] = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "dropout": dropout,
        "seed": seed,
    }
    identity = {
        "options": {**options, "threads": threads, "device": device},
        "normalisation": asdict(given.normalisation),
        "architecture": definition.architecture,
        "tables": [_file_digest(train), _file_digest(val)],
        "permuted": permute_labels,
    }
    shuffled = seed if permute_labels else None
    seen = _windows(given, train, shuffled, "train")
    chosen_by = _windows(given, val, shuffled, "val")
    with _unfinished(partial, identity, network) as folder:
        result = fit_network(
            seen,
            chosen_by,
            len(given.legend),
            folder,
            **options,
            threads=threads,
            device=device,
            architecture=definition,
        )
        how = {"preset": "papers", "train_patches": len(seen), "permute_labels": permute_labels}
        machine = {"threads": threads, "precision": "float32"}
        _write(result, given, {**how, "options": options}, machine, (network, curves, summary))


def train_crops(
    *,
    labels: Path,
    legend: Path,
    volume: Path,
    splits: Path,
    val: Path,
    network: Path,
    curves: Path,
    summary: Path,
    partial: Path,
    steps: int,
    crops: int,
    learning_rate: float,
    dropout: float,
    orientation: str,
    changes: bool,
    min_gap_um: float,
    permute_labels: bool,
    outside: bool,
    precision: Asked,
    seed: int,
    start: Path | None = None,
    train: Path | None = None,
    threads: int = 1,
    device: str = "auto",
) -> None:
    """Train the CNN on crops of the training slices; keep the state of best validation accuracy.

    Every labelled pixel of training may be the centre of a window (ours); of a slice that other
    splits share, the pixels that keep their distance from those splits' windows.

    Parameters
    ----------
    labels, legend, volume : Path
        Area labels, what their codes mean, and the volume.
    splits : Path
        Splits label image: which slices, and which pixels of a shared slice, are whose.
    val : Path
        Patch table that chooses the state.
    network, curves, summary : Path
        What is written: the network, its learning curves (table) and how it was trained (JSON).
    partial : Path
        Folder for unfinished work of all trainings.
    steps, crops : int
        Gradient steps, and crops per step.
    learning_rate, dropout : float
        Of Adam at its highest, and the share of outputs dropped.
    orientation : {"fixed", "mirrored", "any"}
        How crops are turned.
    changes : bool
        Change the grey values of crops.
    min_gap_um : float
        Least distance between windows of different splits in micrometer (V: 50).
    permute_labels : bool
        Shuffle the labels of the windows of each step, as a control that must end at chance.
    outside : bool
        Learn one class more: pixels without label that are no tissue.
    precision : {"auto", "float32"}
        See `brainarch.training.precision.find_precision`.
    seed : int
        Of weights, crops, changes and dropout.
    start : Path, optional
        Network trained without labels, whose trunk and normalisation training starts from.
    train : Path, optional
        With it, patch table that the last layer is fitted to before; see
        `brainarch.training.probing`.
    threads : int
        CPU threads at most; their number can change the last digits.
    device : {"auto", "cpu", "cuda"}
        A GPU can change the last digits.

    Raises
    ------
    InputError
        If files do not belong together, a GPU is asked for but absent, an area has no crop, or the
        loss stops being finite.
    """
    if (start is None) != (train is None):
        raise ValueError("start and train belong together")
    given = _read(labels, legend, volume, splits, device)
    trained = None if start is None else load_network(start)
    if trained is not None:
        # the trunk goes on seeing grey values as it learnt to
        given = replace(given, normalisation=trained.normalisation)
    distance = least_distance(given.volume.pixel_um, min_gap_um)
    grounds = _grounds(given, labels, splits, distance, outside=outside)
    options: dict[str, Any] = {
        "steps": steps,
        "crops": crops,
        "learning_rate": learning_rate,
        "dropout": dropout,
        "orientation": orientation,
        "changes": changes,
        "permute_labels": permute_labels,
        "seed": seed,
    }
    machine = _machine(threads, device, precision)
    identity = {
        "options": {**options, **machine},
        "normalisation": asdict(given.normalisation),
        "grounds": [_ground_digest(ground) for ground in grounds],
        "val": _file_digest(val),
        "start": None if trained is None else trained.digest,
        "train": None if train is None else _file_digest(train),
    }
    names = (*given.legend.names, "outside") if outside else given.legend.names
    shuffled = seed if permute_labels else None
    chosen_by = _windows(given, val, shuffled, "val")
    first = None
    if trained is not None and train is not None:
        patches = _windows(given, train, shuffled, "train")
        with limit_threads(threads):
            first = probed_network(trained.network, patches, len(names))
    with _unfinished(partial, identity, network) as folder:
        result = fit_crops(
            grounds,
            chosen_by,
            names,
            given.normalisation,
            folder,
            **options,
            start=first,
            **machine,
        )
        how = {
            "preset": "robust",
            "start": "scratch" if trained is None else trained.digest,
            "slices": [ground.z for ground in grounds],
        }
        _write(result, given, {**how, "options": options}, machine, (network, curves, summary))


def train_unlabelled(
    *,
    volume: Path,
    network: Path,
    curves: Path,
    summary: Path,
    partial: Path,
    slices: Sequence[int],
    steps: int,
    places: int,
    side: int,
    learning_rate: float,
    precision: Asked,
    seed: int,
    threads: int = 1,
    device: str = "auto",
) -> None:
    """Train the CNN without labels on the tissue of some slices (ours).

    Parameters
    ----------
    volume : Path
    network, curves, summary : Path
        What is written: the network, which names no areas, its loss (table) and how it was trained.
    partial : Path
        Folder for unfinished work of all trainings.
    slices : sequence of int
        Slices that it sees.
    steps, places, side : int
        Gradient steps, places per step, and windows along each axis of a view.
    learning_rate : float
        Of Adam at its highest.
    precision : {"auto", "float32"}
        See `brainarch.training.precision.find_precision`.
    seed : int
        Of weights, places and views.
    threads : int
        CPU threads at most; their number can change the last digits.
    device : {"auto", "cpu", "cuda"}
        A GPU can change the last digits.

    Raises
    ------
    InputError
        If a slice is outside the volume, a GPU is asked for but absent, or the loss stops being
        finite.
    """
    _require_device(device)
    source = open_volume(volume)
    greys = {z: source.read_slice(z) for z in slices}
    grounds = [ViewGround(z, grey, tissue_mask(grey)) for z, grey in greys.items()]
    normalisation = grey_statistics([g.grey[g.where] for g in grounds if g.where is not None])
    options: dict[str, Any] = {
        "steps": steps,
        "places": places,
        "side": side,
        "learning_rate": learning_rate,
        "seed": seed,
    }
    machine = _machine(threads, device, precision)
    identity = {
        "unlabelled": {**options, **machine},
        "slices": {z: hashlib.sha256(grey.tobytes()).hexdigest() for z, grey in greys.items()},
    }
    with _unfinished(partial, identity, network) as folder:
        result = fit_contrast(grounds, normalisation, folder, **options, **machine)
        training = {"slices": list(slices), "options": options, "brainarch": brainarch.__version__}
        trained = TrainedNetwork(
            network=result.network,
            areas=(),
            normalisation=normalisation,
            pixel_um=source.pixel_um,
            dtype=str(source.dtype),
            training=training,
        )
        write_table(result.curves, curves, CONTRAST_COLUMNS)
        logger.info("trained in %.0f s", result.seconds)  # its files are the same every time
        run = {**machine, "device": result.device}
        write_record(summary, {**training, "torch": torch.__version__, "run": run})
        save_network(trained, network)


def write_untrained(*, network: Path, untrained: Path, seed: int) -> None:
    """Write a trained network as it is before training, to represent slices with it.

    Parameters
    ----------
    network, untrained : Path
        The trained network, and the file to write; it names no areas.
    seed : int
        Of its weights.

    Raises
    ------
    InputError
        If there is no such network.
    """
    save_network(untrained_network(load_network(network), seed), untrained)


@dataclass(frozen=True)
class _Given:
    """What every training is given."""

    volume: Volume
    legend: Legend
    normalisation: Normalisation


def _machine(threads: int, device: str, precision: Asked) -> dict[str, Any]:
    """Return what a training is told of the machine; it is part of an unfinished one's identity."""
    arithmetic = find_precision(precision, device)
    return {"threads": threads, "device": device, "precision": arithmetic}


def _require_device(device: str) -> None:
    if device not in DEVICES:
        raise InputError(f"device {device}: must be one of {', '.join(DEVICES)}")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device cuda: no GPU that torch can use is at hand; use auto or cpu")
    keep_freed_memory()


def _read(labels: Path, legend: Path, volume: Path, splits: Path, device: str) -> _Given:
    _require_device(device)
    source = open_volume(volume)
    return _Given(source, read_legend(legend), _training_statistics(source, labels, splits))


def _windows(given: _Given, path: Path, permuted: int | None, split: str) -> WindowDataset:
    """Return the windows of a patch table, their areas shuffled if a seed is given for that."""
    table = read_patches(path)
    require_known_areas(table, given.legend, path)
    indices = area_indices(table["area"], given.legend.names)
    if permuted is not None:
        generator(permuted, f"permute {split}").shuffle(indices)
    places = patch_places(table, given.volume, path)
    slices = {int(z): given.volume.read_slice(int(z)) for z in np.unique(places.z)}
    return WindowDataset(slices, *places, indices, given.normalisation)


def _grounds(
    given: _Given, labels: Path, splits: Path, distance: int, *, outside: bool
) -> list[CropGround]:
    """Return what training may use of each of its slices."""
    areas, where = open_labels(labels), open_labels(splits)
    found, beyond = [], 0
    for z in where.annotated_slices:
        codes = where.read_slice(z)
        if TRAIN_CODE not in codes:
            continue
        grey, own, others = given.volume.read_slice(z), areas.read_slice(z), codes > TRAIN_CODE
        if outside:
            none = (own == 0) & ~tissue_mask(grey)
            own = np.where(none, len(given.legend) + 1, own).astype(np.uint8)
            beyond += int(none.sum())
            logger.info("slice %d: %d pixels outside the tissue are learnt too", z, none.sum())
        shared = others.any()
        found.append(
            ground_beside(z, grey, own, others, distance) if shared else CropGround(z, grey, own)
        )
    if outside and not beyond:
        raise InputError(
            "training.outside: no training slice has a pixel without label that is darker than "
            "tissue; say false, this volume does not end inside its slices"
        )
    return found


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


def _unfinished(
    partial: Path, identity: dict[str, Any], network: Path
) -> AbstractContextManager[Path]:
    """Open the folder of unfinished work of exactly these inputs and options."""
    content = {"version": brainarch.__version__, **identity}
    return unfinished_work(partial, "train", content, network)


def _write(
    result: FitResult,
    given: _Given,
    how: dict[str, Any],
    machine: dict[str, Any],
    outputs: Sequence[Path],
) -> None:
    network, curves, summary = outputs
    training = {
        "best_epoch": result.best_epoch,
        "val_accuracy": result.best_val_accuracy,
        **how,
        "brainarch": brainarch.__version__,
    }
    trained = TrainedNetwork(
        network=result.network,
        areas=given.legend.names,
        normalisation=given.normalisation,
        pixel_um=given.volume.pixel_um,
        dtype=str(given.volume.dtype),
        training=training,
        outside=result.network.n_areas > len(given.legend),
    )
    write_table(result.curves, curves, CURVE_COLUMNS)
    logger.info("trained in %.0f s", result.seconds)  # its files are the same every time
    run = {**machine, "device": result.device}
    write_record(summary, {**training, "torch": torch.__version__, "run": run})
    save_network(trained, network)


def _file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _ground_digest(ground: CropGround) -> str:
    digest = hashlib.sha256(ground.grey.tobytes())
    for part in (ground.labels, ground.forbidden):
        digest.update(b"" if part is None else part.tobytes())
    return digest.hexdigest()
