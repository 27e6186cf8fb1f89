"""A training that is killed at a step, and one whose steps are noted."""

from __future__ import annotations

import pytorch_lightning as lightning

from brainarch.training.fit import StepSeed


def killed_at(step: int) -> type[StepSeed]:
    """Return what takes the place of `StepSeed` and ends the process before a step."""

    class Kill(StepSeed):
        def on_train_batch_start(self, trainer: lightning.Trainer, *rest: object) -> None:
            if trainer.global_step == step:
                raise SystemExit("killed")
            super().on_train_batch_start(trainer, *rest)

    return Kill


def noting(steps: list[int]) -> type[StepSeed]:
    """Return what takes the place of `StepSeed` and appends every step that is begun."""

    class Note(StepSeed):
        def on_train_batch_start(self, trainer: lightning.Trainer, *rest: object) -> None:
            steps.append(trainer.global_step)
            super().on_train_batch_start(trainer, *rest)

    return Note
