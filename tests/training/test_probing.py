"""A last layer that starts as the logistic regression of training patches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.readout.classifiers import make_classifiers
from brainarch.training.data import WindowDataset
from brainarch.training.probing import probed_network


def patches(areas: int, count: int = 60) -> WindowDataset:
    """Return windows of as many brightnesses and grains as there are areas."""
    rng = np.random.default_rng(0)
    area = np.arange(count) % areas
    grey = np.zeros((134, 134 * count), dtype=np.uint8)
    for i, code in enumerate(area):
        grey[:, 134 * i : 134 * (i + 1)] = rng.normal(90 + 12 * code, 10 + 4 * code, (134, 134))
    x = 64 + 3 + 134 * np.arange(count)
    return WindowDataset(
        {0: grey}, np.zeros(count, int), np.full(count, 67), x, area, Normalisation(0.4, 0.1)
    )


@pytest.mark.parametrize("areas", [2, 3])
def test_the_last_layer_says_what_the_regression_says(areas: int) -> None:
    torch.manual_seed(1)
    trunk, train = AreaNetwork(0), patches(areas)
    found = probed_network(trunk, train, areas + 1)
    windows, area = (torch.stack(part) for part in zip(*train, strict=True))
    with torch.inference_mode():
        values = found.trunk(windows)
        logits = found(windows)
    assert torch.equal(values, trunk.eval().trunk(windows))
    expected = make_classifiers()["logistic"].fit(values.numpy(), area.numpy())
    shares = torch.softmax(logits[:, :areas], dim=1).numpy()
    np.testing.assert_allclose(shares, expected.predict_proba(values.numpy()), atol=1e-4)
    assert (logits[:, areas] == 0).all(), "no patch is of the last class"
    assert (shares.argmax(axis=1) == area.numpy()).mean() > 1.5 / areas
