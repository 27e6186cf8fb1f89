"""The network's training on crops as a Lightning module (ours)."""

from __future__ import annotations

import math

import torch
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch.nn import functional

from brainarch.geometry import crop_pixels
from brainarch.network.grey import Normalisation
from brainarch.training.changes import change_grey
from brainarch.training.crops import crop_logits
from brainarch.training.cutting import cut_crops
from brainarch.training.draws import CropDraw
from brainarch.training.module import AreaTraining
from brainarch.training.places import IGNORED

#: Share of the steps in which the learning rate rises to its full value.
WARM_UP = 0.05


class CropTraining(AreaTraining):
    """Trains an `AreaNetwork` on crops that are cut and changed on the device.

    Parameters
    ----------
    n_areas : int
        Number of areas.
    slices : torch.Tensor, shape (slices, rows, columns)
        Padded raw grey values, as `pad_slices` returns them; moved to the device once.
    largest : int
        Largest value of the slices' dtype.
    normalisation : Normalisation
        Of the training slices.
    side : int
        Windows along each axis of a crop.
    dropout : float
        Share of outputs dropped in training (A: 0.3).
    learning_rate : float
        Of Adam, at its highest.
    steps : int
        Of the whole training; the learning rate falls to 0 along half a cosine.
    changes : bool
        Change the grey values of crops.
    """

    def __init__(
        self,
        n_areas: int,
        slices: torch.Tensor,
        largest: int,
        normalisation: Normalisation,
        *,
        side: int,
        dropout: float,
        learning_rate: float,
        steps: int,
        changes: bool,
    ) -> None:
        super().__init__(n_areas, dropout, learning_rate)
        self.register_buffer("slices", slices, persistent=False)
        self.slices: torch.Tensor
        self.largest = largest
        self.normalisation = normalisation
        self.side = side
        self.steps = steps
        self.changes = changes

    def training_step(self, batch: CropDraw) -> torch.Tensor:  # type: ignore[override]
        """Return the loss of a step's crops."""
        loss, accuracy = self.loss_of(batch)
        self.log_measures("train", loss, accuracy, len(batch.cuts))
        return loss

    def loss_of(self, draw: CropDraw) -> tuple[torch.Tensor, torch.Tensor]:
        """Return loss and accuracy of a draw; each area that it holds counts alike in both."""
        logits = crop_logits(self.network, self.crops_of(draw)).permute(0, 2, 3, 1)
        logits, labels = logits.reshape(-1, self.network.n_areas).float(), draw.labels.flatten()
        weights = equal_mass(labels, self.network.n_areas)
        # one row a window: the loss of two-dimensional maps is not deterministic on a GPU
        losses = functional.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="none")
        right = logits.detach().argmax(dim=1) == labels
        return (losses * weights).sum(), (right * weights).sum()

    @torch.no_grad()
    def crops_of(self, draw: CropDraw) -> torch.Tensor:
        """Return the normalised crops of a draw, float32, shape (n, 1, pixels, pixels).

        Noise comes from torch's default generator. What lies beyond the slice stays raw grey 0.
        """
        raw = cut_crops(self.slices, draw.cuts, crop_pixels(self.side)).float()
        grey = raw.clamp(min=0) / self.largest
        if self.changes:
            changed = change_grey(
                grey, draw.changes, self.normalisation.mean, torch.randn_like(grey)
            )
            grey = torch.where(raw < 0, 0, changed)
        return (grey - self.normalisation.mean) / self.normalisation.std

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:  # type: ignore[override]
        """Return Adam with warm-up and cosine decay."""
        optimizer = super().configure_optimizers()
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: rate_factor(step, self.steps)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def equal_mass(labels: torch.Tensor, n_areas: int) -> torch.Tensor:
    """Return weights with which all areas that occur have the same sum.

    Parameters
    ----------
    labels : torch.Tensor, int64, shape (n,)
        Area of each window, or `IGNORED`, which gets weight 0.
    n_areas : int

    Returns
    -------
    torch.Tensor, float32, shape (n,)
        They add up to 1.
    """
    member = (labels == torch.arange(n_areas, device=labels.device)[:, None]).float()
    counts = member.sum(dim=1, keepdim=True)
    weights: torch.Tensor = (member / counts.clamp(min=1)).sum(dim=0)
    return weights / (counts > 0).sum()


def rate_factor(step: int, steps: int) -> float:
    """Return the share of the full learning rate at a step, from 0: it rises, then falls to 0."""
    warm_up = max(1.0, WARM_UP * steps)
    return min(1.0, (step + 1) / warm_up) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))
