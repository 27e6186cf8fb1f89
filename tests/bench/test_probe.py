"""The probe reads what is planted, weighs areas alike, and its grid is the windows alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from bench.probe import (
    draw_labels,
    fit_probe,
    grid_representations,
    probe_score,
    score_probe,
)

from brainarch.geometry import cut_windows
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation, to_unit


def planted(sizes: tuple[int, ...], spread: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return areas around corners of a cube, and a unit that never changes."""
    rng = np.random.default_rng(seed)
    areas = np.repeat(np.arange(len(sizes)), sizes)
    values = rng.normal(size=(len(areas), 5)) * spread + 3 * np.eye(5)[areas]
    return np.hstack([values, np.ones((len(areas), 1))]).astype(np.float32), areas


def test_planted_areas_are_read_and_shuffled_ones_are_not() -> None:
    train, test = planted((80, 40, 60), 0.5, 1), planted((50, 50, 50), 0.5, 2)
    score = probe_score(train, test)
    assert score.accuracy > 0.97
    assert score.mean_recall == pytest.approx(score.accuracy)
    shuffled = np.random.default_rng(3).permutation(train[1])
    assert probe_score((train[0], shuffled), test).accuracy < 0.6


def test_areas_weigh_alike_however_many_pixels_they_have() -> None:
    train, test = planted((4000, 40), 2.0, 1), planted((500, 500), 2.0, 2)
    score = probe_score(train, test)
    assert abs(score.recalls[0] - score.recalls[1]) < 0.15
    assert score.recalls.min() > 0.7


def test_few_labels_are_as_many_of_each_area_and_give_less() -> None:
    _, areas = planted((300, 200, 5), 1.5, 1)
    chosen = draw_labels(areas, 10, np.random.default_rng(4))
    assert np.bincount(areas[chosen]).tolist() == [10, 10, 5]
    assert len(np.unique(chosen)) == 25
    train, test = planted((300, 300, 300), 1.5, 1), planted((300, 300, 300), 1.5, 2)
    few, many, every = (probe_score(train, test, number) for number in (2, 50, None))
    assert few.accuracy + 0.05 < many.accuracy <= every.accuracy + 0.02
    assert probe_score(train, test, 2).accuracy == few.accuracy


def test_recalls_are_of_the_areas_that_occur() -> None:
    probe = fit_probe(*planted((50, 50, 50), 0.3, 1))
    assert len(score_probe(probe, *planted((20, 30), 0.3, 2)).recalls) == 2


def test_the_grid_holds_the_windows_of_every_sixteenth_pixel() -> None:
    torch.manual_seed(5)
    network = AreaNetwork(0).eval()
    normalisation = Normalisation(0.5, 0.3)
    grey = np.random.default_rng(6).integers(0, 256, (150, 70)).astype(np.uint8)
    found = grid_representations(network, grey, normalisation)
    assert found.shape == (10, 5, 64)
    for row, column in ((0, 0), (9, 4), (3, 2)):
        window = cut_windows(grey, np.array([16 * row]), np.array([16 * column]))
        with torch.inference_mode():
            alone = network.trunk(torch.from_numpy(normalisation.apply(to_unit(window)))[None])
        assert np.allclose(found[row, column], alone[0], atol=1e-5)
