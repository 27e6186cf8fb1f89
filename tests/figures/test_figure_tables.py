"""The plotted tables: what each figure's numbers are, from small inputs."""

from __future__ import annotations

import figure_fakes as fakes
import numpy as np
import pandas as pd
import pytest

from brainarch.figures import (
    classifiers,
    clusters,
    example_patches,
    factorization,
    factors,
    gram,
    learning_curves,
    overview,
    plotted,
    scale,
)
from brainarch.figures.network_shapes import layer_shapes
from brainarch.network.architecture import AreaNetwork


def of_scale(areas, raster, **changes):
    """The plotted table of V3 from made-up tables, some of them changed."""
    given = {
        "confusion": fakes.confusion(areas.names),
        "metrics": fakes.metrics(areas.names),
        "border": fakes.border(),
        "sampled_confusion": fakes.confusion(areas.names),
        "sampled_metrics": fakes.metrics(areas.names),
    }
    return scale.prepare(areas, raster, raster, **given | changes)


def test_confusion_rows_add_up_to_one_and_keep_their_counts():
    areas = fakes.areas(3)
    counts = pd.DataFrame(
        [("Ctx", "Ctx", 30), ("Ctx", "VP", 10), ("Str", "Str", 5)],
        columns=["area", "predicted", "count"],
    )
    raster = fakes.label_raster(fakes.label_slice(3))
    table = of_scale(areas, raster, confusion=counts)
    shares = plotted.pick(table, "b", "share of the area")
    matrix = plotted.matrix(shares, areas.names, areas.names)
    np.testing.assert_allclose(matrix.loc["Ctx"], [0.75, 0, 0.25])
    np.testing.assert_allclose(matrix.loc["Str"], [0, 1, 0])
    assert matrix.loc["VP"].isna().all()  # no pixel: no share, not 0
    kept = plotted.pick(table, "b", "count", "Ctx", "VP")["y"]
    assert kept.tolist() == [10]


def test_pixels_drawn_are_counted_by_area():
    areas = fakes.areas(3)
    labels = fakes.label_slice(3, 60, 90)
    raster = fakes.label_raster(labels)
    table = of_scale(areas, raster)
    drawn = plotted.pick(table, "a", series="annotation").set_index("item")["y"]
    assert drawn.to_dict() == {
        name: (labels == code).sum() for code, name in enumerate(areas.names, start=1)
    }


def test_metrics_of_a_map_whose_only_subset_is_test_are_shown():
    areas = fakes.areas(3)
    metrics = fakes.metrics(areas.names).query("subset == 'all'").assign(subset="test")
    raster = fakes.label_raster(fakes.label_slice(3))
    table = of_scale(areas, raster, metrics=metrics)
    assert len(plotted.pick(table, "c", "recall")) == 3
    assert "accuracy 0.83 [0.79, 0.86]" in scale.overall_caption(plotted.pick(table, "c"))


def test_only_the_asked_split_is_shown():
    table = classifiers.prepare(
        fakes.classifiers(), fakes.mixture(), fakes.noise(), fakes.differences(), 1 / 6
    )
    rows = plotted.pick(table, "a", "accuracy")
    expected = fakes.classifiers().query("split == 'test'")
    assert rows["y"].tolist() == expected["accuracy"].tolist()
    assert rows["low"].tolist() == expected["low"].tolist()


def test_units_are_sorted_by_preferred_area_and_silent_ones_stand_last():
    labels = fakes.label_slice(4, 300, 600)
    values, area, y, x = fakes.representation(labels, 4, units=12, per_area=20)
    shown = overview.arrange(values, area, y, x, inside=np.ones(len(x)), n_areas=4, seed=0)
    assert sorted(shown.units) == list(range(12))
    assert set(shown.units[-5:]) == set(range(5))  # silent in the fake
    means = np.stack([values[area == index].mean(axis=0) for index in range(4)])
    preferred = means.argmax(axis=0)[shown.units[:-5]]
    assert (np.diff(preferred) >= 0).all()
    assert (np.diff(shown.area) >= 0).all()
    assert len(shown.values) == 4 * overview.PATCHES
    row = int(np.flatnonzero((y == shown.y) & (x == shown.x))[0])
    np.testing.assert_array_equal(shown.values[shown.example], values[row][shown.units])


def test_layer_shapes_are_those_of_the_design():
    layers = layer_shapes(AreaNetwork(5)).set_index("name")
    assert layers["size"].tolist() == [134, 128, 64, 60, 30, 28, 14, 12, 6, 1, 1, 1]
    assert layers["channels"].tolist() == [1, 16, 16, 32, 32, 64, 64, 128, 128, 1024, 64, 5]
    assert layers.loc["trunk.conv1", "kernel"] == 7


def test_layer_shapes_leave_the_network_as_it_was():
    network = AreaNetwork(3)
    layer_shapes(network)
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


def test_examples_lie_far_from_each_other_and_in_their_area():
    labels = fakes.label_slice(4, 300, 900)
    names = fakes.NAMES[:4]
    table = fakes.patch_table(labels, names)
    chosen = example_patches.choose_examples(table, names, seed=1)
    assert chosen["area"].tolist() == [name for name in names for _ in range(3)]
    for name in names:
        own = table[table["area"] == name][["y", "x"]].to_numpy(dtype=float)
        picked = chosen[chosen["area"] == name][["y", "x"]].to_numpy(dtype=float)
        gaps = np.linalg.norm(picked[:, None] - picked[None], axis=2)
        spread = np.median(np.linalg.norm(own[:, None] - own[None], axis=2))
        assert gaps[np.triu_indices(3, 1)].min() > spread / 2


def test_patches_are_cut_as_the_geometry_says():
    grey = np.arange(200 * 300, dtype=np.uint16).reshape(200, 300)
    cut = example_patches.cut_patches(grey, np.array([100]), np.array([150]))
    np.testing.assert_array_equal(cut[0], grey[36:164, 86:214])
    labels = np.zeros((200, 300), dtype=np.uint8)
    labels[:100] = 1
    share = example_patches.share_inside(labels, np.array([1]), np.array([100]), np.array([150]))
    assert share.tolist() == [0.5]


def test_layer_borders_are_found_where_they_were_put():
    layers, depth = fakes.layer_slices(200, 600)
    borders = clusters.layer_borders(layers, depth, 5)
    np.testing.assert_allclose(borders, [0.1, 0.35, 0.48, 0.72], atol=0.01)


def test_an_absent_layer_has_no_border():
    layers, depth = fakes.layer_slices()
    borders = clusters.layer_borders(np.where(layers == 3, 0, layers), depth, 5)
    assert np.isnan(borders[1:3]).all()
    assert np.isfinite([borders[0], borders[3]]).all()


def test_matched_components_take_the_references_codes():
    codes = fakes.label_raster(np.array([[0, 1, 2], [3, 4, 2]], dtype=np.uint8))
    renamed = factors.rename_matched(codes, fakes.matches())
    assert renamed.values.tolist() == [[0, 1, 3], [2, 4, 3]]
    profiles = pd.DataFrame({"subdivision": [1, 2, 3, 4], "share": [0.1, 0.2, 0.3, 0.4]})
    found = factors.rename_profiles(profiles, fakes.matches())
    assert found["subdivision"].tolist() == [1, 3, 2, 4]


def test_an_unmatched_component_gets_a_code_of_its_own():
    codes = fakes.label_raster(np.array([[1, 2, 3]], dtype=np.uint8))
    pairs = pd.DataFrame([(1, 3, 0.1), (2, 1, 0.2)], columns=["component", "matched", "distance"])
    assert factors.rename_matched(codes, pairs).values.tolist() == [[2, 3, 1]]


def test_basis_units_are_ordered_by_their_main_factor():
    weights = {1: (0.1, 0.9, 0.3, 0.0), 2: (0.8, 0.2, 0.6, 0.0)}
    rows = [(k, u, value) for k, line in weights.items() for u, value in enumerate(line)]
    basis = pd.DataFrame(rows, columns=["factor", "unit", "value"])
    assert factorization.unit_order(basis) == [1, 0, 2, 3]


def test_the_epoch_kept_is_the_first_of_the_best():
    curve = pd.DataFrame(
        [(1, "val", 1.0, 0.5), (2, "val", 0.9, 0.8), (3, "val", 0.8, 0.8), (3, "train", 0.1, 0.99)],
        columns=["epoch", "split", "loss", "accuracy"],
    )
    assert learning_curves.best_epoch(curve)["epoch"] == 2


def test_points_are_thinned_evenly(monkeypatch):
    monkeypatch.setattr(gram, "MAX_POINTS", 40)
    names = fakes.NAMES[:4]
    table = gram.prepare(*fakes.gram_tables(names)[:4])
    rows = plotted.pick(table, "c", "PC2 (x: PC1, z: PC3)", "cnn")
    assert len(rows) <= 40
    assert rows["item"].value_counts().to_dict() == dict.fromkeys(names, 10)


@pytest.mark.parametrize("value", [0.3, np.nan])
def test_entries_are_rows_of_the_common_table(value):
    table = plotted.table([plotted.entry("a", "height", value, series=3)])
    assert list(table.columns) == list(plotted.COLUMNS)
    assert table["series"].tolist() == ["3"]
