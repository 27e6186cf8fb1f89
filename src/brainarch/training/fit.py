"""Fitting the network to patches: best validation accuracy kept, every epoch on record."""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.plugins.environments import (  # type: ignore[attr-defined]  # re-exported
    LightningEnvironment,
)
from torch.utils.data import DataLoader, Sampler

from brainarch.errors import InputError
from brainarch.network.architecture import AreaNetwork
from brainarch.progress import progress_bar
from brainarch.seeds import derived_seed
from brainarch.training.data import WindowDataset
from brainarch.training.module import AreaTraining
from brainarch.training.precision import LIGHTNING, Precision
from brainarch.training.states import BEST, WholeStates, find_state, keep_last

logger = logging.getLogger(__name__)
logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)

#: Steps between looks at the loss.
LOSS_INTERVAL = 20
#: Meaning of the columns of the learning curves.
CURVE_COLUMNS = {
    "epoch": "pass over the training patches, or an equal part of the steps on crops, from 1",
    "split": "train (with dropout, averaged over the epoch) or val",
    "loss": "mean cross entropy (nats)",
    "accuracy": "share of patches whose area is right",
}


@dataclass(frozen=True)
class FitResult:
    """What training leaves.

    Parameters
    ----------
    network : AreaNetwork
        Of the epoch with the best validation accuracy, in evaluation mode, on the CPU.
    curves : pandas.DataFrame
        Columns as in `CURVE_COLUMNS`.
    best_epoch : int
        From 1.
    best_val_accuracy : float
    seconds : float
    device : str
    """

    network: AreaNetwork
    curves: pd.DataFrame
    best_epoch: int
    best_val_accuracy: float
    seconds: float
    device: str


class TrainingProgress(lightning.Callback):
    """One bar over all steps of the training, so that its time left is the whole training's."""

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Show the bar; a resumed training starts where it stopped."""
        self._bar = progress_bar(int(trainer.estimated_stepping_batches), "training", "step")
        self._bar.update(trainer.global_step)

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Advance by one step."""
        self._bar.update()

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Log the epoch."""
        measured = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self._bar.clear()
        logger.info(
            "epoch %d of %s: training accuracy %.3f, validation accuracy %.3f",
            trainer.current_epoch + 1,
            trainer.max_epochs,
            measured["train_accuracy"],
            measured["val_accuracy"],
        )

    def teardown(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str
    ) -> None:
        """Close the bar, also when the training fails."""
        if hasattr(self, "_bar"):
            self._bar.close()


class Curves(lightning.Callback):
    """Keeps loss and accuracy of every epoch, in memory and in the state of the training."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float | int | str]] = []

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Add the epoch's two rows, and stop if the loss is no longer finite."""
        measured = {name: float(value) for name, value in trainer.callback_metrics.items()}
        for split in ("train", "val"):
            self.rows.append(
                {
                    "epoch": trainer.current_epoch + 1,
                    "split": split,
                    "loss": measured[f"{split}_loss"],
                    "accuracy": measured[f"{split}_accuracy"],
                }
            )
            if not math.isfinite(measured[f"{split}_loss"]):
                raise not_finite(trainer)

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training needs."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the epochs before a kill."""
        self.rows = list(state_dict["rows"])


class FiniteLoss(lightning.Callback):
    """Stops a training whose loss is no longer finite, without waiting for the epoch's end."""

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Look at the loss of some steps only, because a GPU must be waited for."""
        if batch_idx % LOSS_INTERVAL == 0 and not math.isfinite(float(outputs["loss"])):
            raise not_finite(trainer)


class EpochShuffle(Sampler[int]):
    """A random order that depends on the seed and the epoch alone.

    A training that goes on after a kill sees the order that an uninterrupted one would have seen.

    Parameters
    ----------
    length : int
        Number of patches.
    seed : int
    """

    def __init__(self, length: int, seed: int) -> None:
        self._length = length
        self._seed = seed
        self._epoch = 0

    def __len__(self) -> int:
        """Return the number of patches."""
        return self._length

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, from 0; Lightning calls this."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        """Yield every index once."""
        order = torch.Generator().manual_seed(derived_seed(self._seed, f"epoch {self._epoch}"))
        yield from torch.randperm(self._length, generator=order).tolist()


class StepSeed(lightning.Callback):
    """Seeds dropout anew each step, so that a resumed training repeats an uninterrupted one."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_batch_start(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Seed the generator that dropout draws from."""
        torch.manual_seed(derived_seed(self._seed, f"dropout {trainer.global_step}"))


def fit_network(
    train: WindowDataset,
    val: WindowDataset,
    n_areas: int,
    partial: Path,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    dropout: float,
    seed: int,
    threads: int,
    device: str,
    architecture: type[AreaNetwork] = AreaNetwork,
) -> FitResult:
    """Train a network from scratch, or go on where a killed training of the same key stopped.

    Parameters
    ----------
    train, val : WindowDataset
    n_areas : int
    partial : Path
        Folder of unfinished work of exactly these inputs and options; the state of every finished
        epoch is kept there.
    epochs, batch_size : int
        Passes over the training patches, and patches per gradient step.
    learning_rate, dropout : float
        Of Adam, and the share of outputs dropped.
    seed : int
        Of the weights, the order of patches and dropout.
    threads : int
        CPU threads; the thread count can change the last digits.
    device : {"auto", "cpu", "cuda"}
        A GPU can change the last digits.
    architecture : type of AreaNetwork
        Which definition of the network.

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        If the loss stops being finite.
    """
    prepare(seed, threads)
    return fit_module(
        AreaTraining(n_areas, dropout, learning_rate, architecture),
        DataLoader(train, batch_size=batch_size, sampler=EpochShuffle(len(train), seed)),
        DataLoader(val, batch_size=batch_size),
        partial,
        epochs=epochs,
        seed=seed,
        device=device,
    )


def prepare(seed: int, threads: int) -> None:
    """Set what holds for the whole process, before the weights are drawn."""
    torch.set_num_threads(threads)
    # every value is written before it is read, so that filling memory first only costs
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010  # untyped
    lightning.seed_everything(seed, workers=True, verbose=False)


def fit_module(
    module: AreaTraining,
    train: DataLoader[Any],
    val: DataLoader[Any],
    partial: Path,
    *,
    epochs: int,
    seed: int,
    device: str,
    precision: Precision = "float32",
) -> FitResult:
    """Fit a module whose weights are drawn, or go on from the last epoch that is in ``partial``.

    Parameters
    ----------
    module : AreaTraining
    train, val : DataLoader
        The sampler of ``train`` must depend on the epoch alone.
    partial : Path
        Folder of unfinished work; the state of every finished epoch is kept there.
    epochs : int
    seed : int
        Of dropout and whatever else a step draws.
    device : {"auto", "cpu", "cuda"}
    precision : {"float32", "bfloat16"}
        With bfloat16, weights and what adds up many numbers stay float32.

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        If the loss stops being finite.
    """
    keeper = ModelCheckpoint(
        dirpath=partial,
        filename=BEST,
        monitor="val_accuracy",
        mode="max",
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    curves = Curves()
    used, seconds = run_training(
        module,
        train,
        val,
        partial,
        [keeper, keep_last(partial), StepSeed(seed), curves, FiniteLoss(), TrainingProgress()],
        epochs=epochs,
        device=device,
        precision=precision,
    )
    table = pd.DataFrame(curves.rows, columns=list(CURVE_COLUMNS))
    best = torch.load(partial / f"{BEST}.ckpt", map_location="cpu", weights_only=True)
    module.load_state_dict(best["state_dict"])
    accuracy = table.loc[table["split"] == "val"].set_index("epoch")["accuracy"]
    return FitResult(
        network=module.network.to("cpu").eval(),
        curves=table,
        best_epoch=int(best["epoch"]) + 1,
        best_val_accuracy=float(accuracy[int(best["epoch"]) + 1]),
        seconds=seconds,
        device=used,
    )


def run_training(
    module: lightning.LightningModule,
    train: DataLoader[Any],
    val: DataLoader[Any] | None,
    partial: Path,
    callbacks: list[lightning.Callback],
    *,
    epochs: int,
    device: str,
    precision: Precision,
) -> tuple[str, float]:
    """Train a module, or go on from the state in ``partial``; see `fit_module`.

    Returns
    -------
    tuple of str and float
        The device, and the seconds that it took.
    """
    partial.mkdir(parents=True, exist_ok=True)
    on_gpu = device != "cpu" and torch.cuda.is_available()
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator=device,
        devices=1,
        # one local device, whatever a scheduler's variables seem to say of tasks and nodes
        plugins=[LightningEnvironment(), WholeStates()],
        precision=LIGHTNING[precision],
        # a GPU may lack a deterministic kernel; all others stay deterministic
        deterministic="warn" if on_gpu else True,
        callbacks=callbacks,
        logger=False,
        num_sanity_val_steps=0,
        enable_model_summary=False,
        enable_progress_bar=False,
    )
    state = find_state(partial, with_best=val is not None)
    started = time.monotonic()
    with warnings.catch_warnings():
        # windows are cut from memory in microseconds, so worker processes would only cost
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*number of training batches.*")
        warnings.filterwarnings("ignore", message=".*Checkpoint directory.*exists and is not empty")
        trainer.fit(
            module,
            train,
            val,
            ckpt_path=state,
            weights_only=True,
        )
    return str(trainer.strategy.root_device), time.monotonic() - started


def not_finite(trainer: lightning.Trainer) -> InputError:
    """Return the line that says where the loss was lost; the epoch before is kept."""
    epoch = trainer.current_epoch + 1
    kept = f"epoch {epoch - 1} is the last good one, kept" if epoch > 1 else "nothing is kept"
    return InputError(
        f"training: the loss is not finite in epoch {epoch} ({kept}); lower the learning rate"
    )
