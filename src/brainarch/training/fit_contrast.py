"""Fitting the network without labels, on any slices of a volume."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytorch_lightning as lightning
from torch.utils.data import DataLoader

from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.training.contrast import REACH
from brainarch.training.contrast_module import ContrastTraining
from brainarch.training.cutting import largest_grey, stack_slices
from brainarch.training.draws import StepOrder
from brainarch.training.fit import (
    Curves,
    FiniteLoss,
    StepSeed,
    TrainingProgress,
    logger,
    not_finite,
    prepare,
    run_training,
)
from brainarch.training.precision import Precision
from brainarch.training.states import keep_last
from brainarch.training.view_draws import ContrastDraws, ViewGround, ViewPlaces
from brainarch.training.views import view_margins

#: Equal parts of a training; state and curves are kept at the end of each (ours).
EPOCHS = 10
#: Views are turned freely: what a place is does not depend on how it lies (ours).
ORIENTATION = "any"
#: Meaning of the columns of the learning curves.
CONTRAST_COLUMNS = {
    "epoch": "equal part of the training's steps, from 1",
    "loss": "mean InfoNCE (nats)",
    "found": "share of windows whose partner is the most alike of those that attract or repel",
}


@dataclass(frozen=True)
class ContrastResult:
    """What learning without labels leaves.

    Parameters
    ----------
    network : AreaNetwork
        After the last step, in evaluation mode, on the CPU. It names no areas: ``n_areas`` is 0.
    curves : pandas.DataFrame
        Columns as in `CONTRAST_COLUMNS`.
    seconds : float
    device : str
    """

    network: AreaNetwork
    curves: pd.DataFrame
    seconds: float
    device: str


class ContrastProgress(TrainingProgress):
    """One bar over all steps, and a line an epoch."""

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Log the epoch."""
        self._bar.clear()
        logger.info(
            "epoch %d of %s: loss %.3f, partners found %.3f",
            trainer.current_epoch + 1,
            trainer.max_epochs,
            float(trainer.callback_metrics["train_loss"]),
            float(trainer.callback_metrics["train_found"]),
        )


class ContrastCurves(Curves):
    """Keeps the loss of every epoch, in memory and in the state of the training."""

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Add the epoch's row, and stop if the loss is no longer finite."""
        loss, found = (float(trainer.callback_metrics[f"train_{n}"]) for n in ("loss", "found"))
        self.rows.append({"epoch": trainer.current_epoch + 1, "loss": loss, "found": found})
        if not math.isfinite(loss):
            raise not_finite(trainer)


def fit_contrast(
    grounds: Sequence[ViewGround],
    normalisation: Normalisation,
    partial: Path,
    *,
    steps: int,
    places: int,
    side: int,
    learning_rate: float,
    seed: int,
    epochs: int = EPOCHS,
    reach: float = REACH,
    orientation: str = ORIENTATION,
    threads: int = 1,
    device: str = "auto",
    precision: Precision = "float32",
) -> ContrastResult:
    """Train a network without labels, or go on where a killed training of the same key stopped.

    Parameters
    ----------
    grounds : sequence of ViewGround
        Slices of one size and dtype; those to be named later may be among them.
    normalisation : Normalisation
        Of the grey values.
    partial : Path
        Folder of unfinished work of exactly these inputs and options; the state of every finished
        epoch is kept there.
    steps : int
        Rounded up to a multiple of ``epochs``.
    epochs : int
        Equal parts of the training; state and curves are kept at the end of each.
    places : int
        Places a step, two views each. Their number matters most.
    side : int
        Windows along each axis of a view.
    reach : float
        Largest distance between the two views of a place, in pixels.
    orientation : str
        See `brainarch.training.views.draw_shapes`.
    learning_rate : float
        Of Adam, at its highest.
    seed : int
        Of the weights, the views and their noise.
    threads : int
        CPU threads; the thread count can change the last digits.
    device : {"auto", "cpu", "cuda"}
        A GPU can change the last digits.
    precision : {"float32", "bfloat16"}
        With bfloat16, weights and what adds up many numbers stay float32.

    Returns
    -------
    ContrastResult

    Raises
    ------
    InputError
        If there are no places, the orientation is unknown or the loss stops being finite.
    """
    prepare(seed, threads)
    epoch_steps = -(-steps // epochs)
    module, draws = contrast_training(
        grounds,
        normalisation,
        steps=epoch_steps * epochs,
        places=places,
        side=side,
        reach=reach,
        orientation=orientation,
        learning_rate=learning_rate,
        seed=seed,
    )
    curves = ContrastCurves()
    device, seconds = run_training(
        module,
        DataLoader(draws, batch_size=None, sampler=StepOrder(epoch_steps)),
        None,
        partial,
        [keep_last(partial), StepSeed(seed), curves, FiniteLoss(), ContrastProgress()],
        epochs=epochs,
        device=device,
        precision=precision,
    )
    return ContrastResult(
        network=module.learnt_network(),
        curves=pd.DataFrame(curves.rows, columns=list(CONTRAST_COLUMNS)),
        seconds=seconds,
        device=device,
    )


def contrast_training(
    grounds: Sequence[ViewGround],
    normalisation: Normalisation,
    *,
    steps: int,
    places: int,
    side: int,
    reach: float,
    orientation: str,
    learning_rate: float,
    seed: int,
) -> tuple[ContrastTraining, ContrastDraws]:
    """Return what `fit_contrast` fits, with new weights, and what its steps draw; see there."""
    draws = ContrastDraws(
        ViewPlaces(grounds),
        number=places,
        side=side,
        reach=reach,
        orientation=orientation,
        seed=seed,
    )
    module = ContrastTraining(
        stack_slices([ground.grey for ground in grounds], view_margins(side)),
        largest_grey(grounds[0].grey),
        normalisation,
        side=side,
        learning_rate=learning_rate,
        steps=steps,
    )
    return module, draws
