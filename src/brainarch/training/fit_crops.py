"""Fitting the network to crops: every labelled pixel may be the centre of a window."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from torch.utils.data import DataLoader

from brainarch.errors import InputError
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.training.crop_module import CropTraining
from brainarch.training.cutting import ORIENTATIONS, largest_grey, pad_slices
from brainarch.training.data import WindowDataset
from brainarch.training.draws import CropDraws, StepOrder
from brainarch.training.fit import FitResult, fit_module, prepare
from brainarch.training.places import CropGround, CropPlaces
from brainarch.training.precision import Precision

logger = logging.getLogger(__name__)

#: Windows of the validation table that are run at once.
VAL_BATCH = 32
#: How often validation accuracy is measured and the state is kept, at most (ours).
EVALUATIONS = 10
#: Steps between two of these, at least: they cost as much as some ten steps (ours).
EVALUATION_STEPS = 50
#: Windows along each axis of a crop (ours): larger crops share more, and fewer fit beside a split.
SIDE = 8


def fit_crops(
    grounds: Sequence[CropGround],
    val: WindowDataset,
    names: Sequence[str],
    normalisation: Normalisation,
    partial: Path,
    *,
    steps: int,
    crops: int,
    learning_rate: float,
    dropout: float,
    orientation: str,
    changes: bool,
    seed: int,
    permute_labels: bool = False,
    start: AreaNetwork | None = None,
    evaluations: int | None = None,
    side: int = SIDE,
    threads: int = 1,
    device: str = "auto",
    precision: Precision = "float32",
) -> FitResult:
    """Train a network from scratch, or go on where a killed training of the same key stopped.

    Parameters
    ----------
    grounds : sequence of CropGround
        Training slices.
    val : WindowDataset
        Patches that choose the best state.
    names : sequence of str
        Area names; area i has code i + 1.
    normalisation : Normalisation
        Of the training slices.
    partial : Path
        Folder of unfinished work of exactly these inputs and options; the state at every evaluation
        is kept there.
    steps : int
        Gradient steps, rounded up to a multiple of ``evaluations``.
    evaluations : int, optional
        How often validation accuracy is measured and the state is kept; the epochs of the curves.
        None is every `EVALUATION_STEPS` steps, at most `EVALUATIONS` times.
    crops : int
        Crops a step.
    side : int
        Windows along each axis of a crop.
    learning_rate : float
        Of Adam at its highest, after the warm-up; it falls to 0 along half a cosine.
    dropout : float
        Share of outputs dropped in training (A: 0.3).
    orientation : str
        ``fixed``, ``mirrored`` (left-right and up-down) or ``any`` (right-angle turns as well).
    changes : bool
        Change the grey values of crops.
    permute_labels : bool
        Shuffle the labels of each step's windows, as a control that must end at chance.
    start : AreaNetwork, optional
        Network that training starts from, instead of new weights.
    seed : int
        Of the weights, the crops, their changes and dropout.
    threads : int
        CPU threads; the thread count can change the last digits.
    device : {"auto", "cpu", "cuda"}
        A GPU can change the last digits.
    precision : {"float32", "bfloat16"}
        With bfloat16, weights and what adds up many numbers stay float32.

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        If an area has no crop, the orientation is unknown or the loss stops being finite.
    """
    prepare(seed, threads)
    if evaluations is None:
        evaluations = min(EVALUATIONS, max(1, steps // EVALUATION_STEPS))
    epoch_steps = -(-steps // evaluations)
    module, draws = crop_training(
        grounds,
        names,
        normalisation,
        steps=epoch_steps * evaluations,
        crops=crops,
        side=side,
        learning_rate=learning_rate,
        dropout=dropout,
        orientation=orientation,
        changes=changes,
        permute_labels=permute_labels,
        seed=seed,
    )
    if start is not None:
        module.network.load_state_dict(start.state_dict())
    return fit_module(
        module,
        DataLoader(draws, batch_size=None, sampler=StepOrder(epoch_steps)),
        DataLoader(val, batch_size=VAL_BATCH),
        partial,
        epochs=evaluations,
        seed=seed,
        device=device,
        precision=precision,
    )


def crop_training(
    grounds: Sequence[CropGround],
    names: Sequence[str],
    normalisation: Normalisation,
    *,
    steps: int,
    crops: int,
    side: int,
    learning_rate: float,
    dropout: float,
    orientation: str,
    changes: bool,
    permute_labels: bool,
    seed: int,
) -> tuple[CropTraining, CropDraws]:
    """Return what `fit_crops` fits, with new weights, and what its steps draw; see there.

    Raises
    ------
    InputError
        If an area has no crop or the orientation is unknown.
    """
    if orientation not in ORIENTATIONS:
        known = ", ".join(ORIENTATIONS)
        raise InputError(f"orientation {orientation}: it is not known; choose one of {known}")
    places = CropPlaces(grounds, names, side)
    _report_unreachable(places, names)
    slices = pad_slices(grounds, side)
    draws = CropDraws(
        places,
        (slices.shape[1], slices.shape[2]),
        crops=crops,
        orientation=orientation,
        permute_labels=permute_labels,
        seed=seed,
    )
    module = CropTraining(
        len(names),
        slices,
        largest_grey(grounds[0].grey),
        normalisation,
        side=side,
        dropout=dropout,
        learning_rate=learning_rate,
        steps=steps,
        changes=changes,
    )
    return module, draws


def _report_unreachable(places: CropPlaces, names: Sequence[str]) -> None:
    """Say which labelled pixels no crop can have as a window's centre."""
    for name, lost, kept in zip(names, places.unreachable, places.reachable, strict=True):
        if lost:
            logger.info(
                "area %s: %d of %d labelled pixels lie too close to another split for a crop",
                name,
                lost,
                lost + kept,
            )
