from __future__ import annotations

import numpy as np
import torch
from bench.realism.transfer import transfer_report

from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.network.trained import TrainedNetwork


def network_that_says(area, areas):
    network = AreaNetwork(len(areas)).eval()
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.zero_()
        network.head.bias[areas.index(area)] = 1.0
    return TrainedNetwork(network, areas, Normalisation(0.5, 0.2), 1.17, "uint8", {})


def test_recall_is_counted_by_area():
    labels = np.zeros((300, 500), np.uint8)
    labels[:, :250], labels[:, 250:] = 1, 2
    image = np.full((300, 500), 90, np.uint8)
    areas = ("WM", "Str", "Ctx")
    report = transfer_report(network_that_says("Str", areas), image, labels, {"Ctx": 1, "Str": 2})
    assert report["recall"] == {"Ctx": 0.0, "Str": 1.0}
    assert report["balanced_accuracy"] == 0.5
    assert report["confusion"]["Ctx"][areas.index("Str")] > 0
    assert sum(report["confusion"]["Str"]) == report["confusion"]["Str"][1]
