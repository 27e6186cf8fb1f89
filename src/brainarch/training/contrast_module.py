"""Learning without labels as a Lightning module (ours)."""

from __future__ import annotations

import pytorch_lightning as lightning
import torch
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format
from torch.nn.utils.fusion import fuse_linear_bn_weights

from brainarch.network.architecture import REPRESENTATION_UNITS, AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.training.contrast import contrast_loss, near_windows, projection_head
from brainarch.training.crop_module import rate_factor
from brainarch.training.crops import crop_representations
from brainarch.training.view_draws import ContrastDraw
from brainarch.training.views import make_views


class LiveUnits(nn.Module):
    """Batch normalisation of the representation's units before their ReLU, while learning (ours).

    Without it InfoNCE silences most of the 64 units in the first steps, and what is silent has no
    gradient and stays so: 47 of them on the embedded volume, 0 with it. It has no weights of its
    own, and the last layer takes it over when learning ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(REPRESENTATION_UNITS, affine=False)

    def forward(self, units: torch.Tensor) -> torch.Tensor:
        """Return the representation, shape (..., 64), of the last hidden layer's sums."""
        flat = units.reshape(-1, REPRESENTATION_UNITS).float()
        return torch.relu(self.norm(flat)).reshape(units.shape)

    def fold_into(self, layer: nn.Linear) -> None:
        """Scale and shift a layer such that a ReLU gives what these units give when evaluated."""
        mean, variance = self.norm.running_mean, self.norm.running_var
        assert mean is not None
        assert variance is not None
        layer.weight, layer.bias = fuse_linear_bn_weights(
            layer.weight,
            layer.bias,
            mean,
            variance,
            self.norm.eps,
            torch.ones_like(variance),
            torch.zeros_like(mean),
        )


class ContrastTraining(lightning.LightningModule):
    """Trains the trunk of an `AreaNetwork` that names no areas.

    Parameters
    ----------
    slices : torch.Tensor, shape (slices, rows, columns)
        Padded raw grey values, see `cut_views`; moved to the device once.
    largest : int
        Largest value of the slices' dtype.
    normalisation : Normalisation
    side : int
        Windows along each axis of a view.
    learning_rate : float
        Of Adam, at its highest.
    steps : int
        Of the whole training; the learning rate rises, then falls to 0, see `rate_factor`.
    """

    def __init__(
        self,
        slices: torch.Tensor,
        largest: int,
        normalisation: Normalisation,
        *,
        side: int,
        learning_rate: float,
        steps: int,
    ) -> None:
        super().__init__()
        self.network = AreaNetwork(0, dropout=0.0)
        self.network.trunk.relu6 = LiveUnits()
        # see AreaTraining
        convert_conv2d_weight_memory_format(self.network, torch.channels_last)
        self.projection = projection_head()
        self.register_buffer("slices", slices, persistent=False)
        self.slices: torch.Tensor
        self.largest = largest
        self.normalisation = normalisation
        self.side = side
        self.learning_rate = learning_rate
        self.steps = steps

    def training_step(self, batch: ContrastDraw) -> torch.Tensor:
        """Return the loss of a step's views."""
        loss, found = self.loss_of(batch)
        for name, value in (("loss", loss), ("found", found)):
            self.log(f"train_{name}", value, on_step=False, on_epoch=True, batch_size=1)
        return loss

    def loss_of(self, draw: ContrastDraw) -> tuple[torch.Tensor, torch.Tensor]:
        """Return loss and share of partners found, see `contrast_loss`."""
        outputs = self.projection(crop_representations(self.network, self.views_of(draw)))
        return contrast_loss(outputs.flatten(0, 2), draw.partners, near_windows(draw.positions))

    @torch.no_grad()
    def views_of(self, draw: ContrastDraw) -> torch.Tensor:
        """Return the normalised views of a draw, float32, shape (n, 1, pixels, pixels)."""
        # half precision would move what is sampled by pixels
        with torch.autocast(self.slices.device.type, enabled=False):
            return make_views(self.slices, self.largest, draw.views, self.normalisation, self.side)

    def learnt_network(self) -> AreaNetwork:
        """Return the network as it is read, in evaluation mode, on the CPU; learning is over."""
        network = self.network.to("cpu").eval()
        units, layer = network.trunk.relu6, network.trunk.fc2
        assert isinstance(units, LiveUnits)
        assert isinstance(layer, nn.Linear)
        units.fold_into(layer)
        network.trunk.relu6 = nn.ReLU()
        return network

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Return Adam with warm-up and cosine decay, for all but the last layer."""
        trained = [*self.network.trunk.parameters(), *self.projection.parameters()]
        optimizer = torch.optim.Adam(trained, lr=self.learning_rate, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: rate_factor(step, self.steps)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }
