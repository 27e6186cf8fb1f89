from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import softmax

from brainarch.dense.cube import Cube
from brainarch.evaluation.area_map import (
    DISTANCES_UM,
    border_distance,
    border_table,
    likeliest_areas,
    map_probabilities,
    rim_parts,
)
from brainarch.grids.grid import Place


def test_the_map_is_the_last_layer_s_choice(tmp_path):
    rng = np.random.default_rng(0)
    units = rng.gamma(1.0, size=(150, 9, 5)).astype(np.float32)
    done = rng.random((150, 9)) < 0.6
    place = Place(0, 1, 1.17, np.arange(150), np.arange(9))
    cube = Cube.create(tmp_path / "c.zarr", place, units=5)
    cube.write(0, 0, np.where(done[..., None], units, np.nan), done)
    head = torch.nn.Linear(5, 3)
    torch.nn.init.normal_(head.weight, generator=torch.Generator().manual_seed(1))
    torch.nn.init.uniform_(head.bias, -0.3, 0.3, generator=torch.Generator().manual_seed(0))
    probabilities, none = map_probabilities(cube, head)
    assert none is None
    area, confidence = likeliest_areas(probabilities, done)
    with torch.inference_mode():
        logits = head(torch.from_numpy(units)).numpy()
    np.testing.assert_array_equal(area, np.where(done, logits.argmax(axis=2) + 1, 0))
    assert len(np.unique(area)) == 4
    wanted = np.where(done, softmax(logits, axis=2).max(axis=2), np.nan)
    np.testing.assert_allclose(confidence, wanted, rtol=1e-5)
    assert area.dtype == np.uint8
    # the last output as "no tissue": the areas share what is left, as if they were all there is
    rest, none = map_probabilities(cube, head, outside=True)
    full = softmax(logits.astype(np.float64), axis=2)
    np.testing.assert_allclose(none, np.where(done, full[..., 2], np.nan), rtol=1e-5)
    left = np.where(done, full[..., :2].transpose(2, 0, 1) / (1 - full[..., 2]), 0)
    np.testing.assert_allclose(rest, left, rtol=1e-5)


def test_the_averaged_map_equals_brute_force():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(3), (20, 15)).transpose(2, 0, 1).astype(np.float32)
    mask = rng.random((20, 15)) < 0.7
    area, confidence = likeliest_areas(probabilities, mask, width=4)  # made odd: 5
    for y, x in np.argwhere(mask):
        near = (slice(max(0, y - 2), y + 3), slice(max(0, x - 2), x + 3))
        mean = probabilities[:, *near][:, mask[near]].mean(axis=1)
        assert area[y, x] == mean.argmax() + 1
        assert confidence[y, x] == pytest.approx(mean.max(), rel=1e-4)
    assert (area[~mask] == 0).all()
    assert np.isnan(confidence[~mask]).all()


def test_border_distance_equals_brute_force():
    labels = np.random.default_rng(1).integers(0, 3, size=(6, 7)).repeat(4, 0).repeat(3, 1)
    found = border_distance(labels, 0)
    places = np.argwhere(labels >= 0)
    for y, x in places[::5]:
        others = places[labels[tuple(places.T)] != labels[y, x]]
        nearest = np.sqrt(((others - [y, x]) ** 2).sum(axis=1)).min()
        assert found[y, x] == pytest.approx(nearest if labels[y, x] else 0.0)


def test_the_edge_of_the_slice_is_no_border():
    assert np.isinf(border_distance(np.ones((4, 5), dtype=np.uint8), 0)).all()
    labels = np.ones((4, 9), dtype=np.uint8)
    labels[:, 0] = 2
    assert border_distance(labels, 0)[2].tolist() == [1, 1, 2, 3, 4, 5, 6, 7, 8]


def test_parts_of_the_rim():
    parts = rim_parts(np.array([10.0, 64.0, 65.0, np.inf]), np.array([0.2, 1.0, 0.95, 0.89]))
    found = {name.partition(":")[0]: mask.tolist() for name, mask in parts.items()}
    assert found == {
        "all": [True] * 4,
        "beyond 64 px of every border": [False, False, True, True],
        "patch at least 90% tissue": [False, True, True, False],
        "rim": [True, False, False, True],
    }


def test_border_table_counts_by_distance():
    distance = np.array([1.0, 9.99, 10.0, 60.0, 1e4, np.inf])
    table = border_table(distance, np.array([True, False, True, False, True, True]))
    assert table["pixels"].sum() == 6
    assert len(table) == len(DISTANCES_UM) - 1
    by_low = table.set_index("distance_um_low")
    assert by_low.loc[0.0, ["pixels", "accuracy"]].tolist() == [2, 0.5]
    assert by_low.loc[10.0, "pixels"] == 1
    assert by_low.loc[50.0, "accuracy"] == 0
    assert by_low.loc[500.0, ["pixels", "accuracy"]].tolist() == [2, 1.0]
    assert np.isnan(by_low.loc[25.0, "accuracy"])
