"""A last layer fitted to a representation that was learnt without labels (ours).

New weights on top of it would spoil what it knows in the first steps. So the last layer starts as
the logistic regression of the training patches, and both are trained on together, gently (linear
probing, then fine-tuning: Kumar et al. 2022, arXiv 2202.10054).
"""

from __future__ import annotations

import numpy as np
import torch
from torch.utils.data import DataLoader

from brainarch.network.architecture import AreaNetwork
from brainarch.readout.classifiers import make_classifiers
from brainarch.training.data import WindowDataset

#: Windows that are represented at once.
BATCH = 64


def probed_network(trunk: AreaNetwork, train: WindowDataset, classes: int) -> AreaNetwork:
    """Return a network whose last layer is the logistic regression of training patches.

    Parameters
    ----------
    trunk : AreaNetwork
        Learnt without labels; its trunk is taken.
    train : WindowDataset
        The patches, of the first areas of all classes.
    classes : int
        Outputs of the last layer; those that no patch has start at 0.

    Returns
    -------
    AreaNetwork
    """
    network = AreaNetwork(classes)
    network.trunk.load_state_dict(trunk.trunk.state_dict())
    network.eval()
    with torch.inference_mode():
        batches = [(network.trunk(w), area) for w, area in DataLoader(train, batch_size=BATCH)]
    values, areas = (torch.cat(part).numpy() for part in zip(*batches, strict=True))
    scaler, regression = make_classifiers()["logistic"].fit(values, areas).named_steps.values()
    # the regression is of units that were standardised; of two classes it says one
    weight, bias = regression.coef_ / scaler.scale_, regression.intercept_
    bias = bias - weight @ scaler.mean_
    if len(weight) == 1:
        weight, bias = np.stack([-weight[0], weight[0]]) / 2, np.stack([-bias[0], bias[0]]) / 2
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.zero_()
        network.head.weight[regression.classes_] = torch.from_numpy(weight).float()
        network.head.bias[regression.classes_] = torch.from_numpy(bias).float()
    return network
