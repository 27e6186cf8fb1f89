"""Every figure, drawn: what stands on the page is what stands in the table, and it can be read."""

from __future__ import annotations

import figure_fakes as fakes
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from brainarch.figures import (
    annotations,
    classifiers,
    clusters,
    factorization,
    factors,
    gram,
    learning_curves,
    overview,
    patches,
    plotted,
    rasters,
    save,
    scale,
)
from brainarch.figures.network_shapes import layer_shapes
from brainarch.network.architecture import AreaNetwork

Drawn = tuple[pd.DataFrame, Figure]
#: Wide like the real slice, square, and tall.
SHAPES = ((110, 440), (160, 160), (220, 130))


def draw_scale(count=6, shape=SHAPES[0], sampled=True, border=True, names=None) -> Drawn:
    areas = names or fakes.areas(count)
    labels = fakes.label_slice(count, *shape)
    pictures = (fakes.label_raster(labels), fakes.label_raster(fakes.mistaken(labels, count)))
    own = scale.Sampled(fakes.confusion(areas.names, 3, 1200), fakes.metrics(areas.names, 4))
    table = scale.prepare(
        areas,
        *pictures,
        confusion=fakes.confusion(areas.names),
        metrics=fakes.metrics(areas.names),
        border=fakes.border() if border else None,
        sampled=own if sampled else None,
    )
    return table, scale.draw(table, areas, *pictures)


def draw_overview(count=6, shape=SHAPES[0], predicted=True) -> Drawn:
    areas = fakes.areas(count)
    labels = fakes.label_slice(count, *shape)
    grey = fakes.grey_slice(labels)
    values, area, y, x = fakes.representation(labels, count)
    shown = overview.arrange(
        values, area, y, x, inside=np.ones(len(x)), n_areas=count, per_area=6, seed=1
    )
    annotation = fakes.label_raster(labels)
    prediction = fakes.label_raster(fakes.mistaken(labels, count)) if predicted else None
    layers = layer_shapes(AreaNetwork(count))
    table = overview.prepare(areas, annotation, prediction, layers, shown)
    figure = overview.draw(
        table,
        areas,
        grey=rasters.grey_raster(grey, fakes.VOXEL_UM),
        annotation=annotation,
        prediction=prediction,
        patch=patches.cut_patches(grey, np.array([shown.y]), np.array([shown.x]))[0],
        shown=shown,
        z=104,
    )
    return table, figure


def draw_annotations(count=6, shape=SHAPES[0]) -> Drawn:
    areas = fakes.areas(count)
    labels = fakes.label_slice(count, *shape)
    grey = fakes.grey_slice(labels)
    examples = patches.choose_examples(fakes.patch_table(labels, areas.names), areas.names, 2, 1)
    codes = fakes.label_raster(labels)
    table = annotations.prepare(areas, codes, fakes.sizes(labels, areas.names), examples)
    figure = annotations.draw(
        table,
        areas,
        grey=rasters.grey_raster(grey, fakes.VOXEL_UM),
        labels=codes,
        patches=patches.cut_patches(grey, examples["y"].to_numpy(), examples["x"].to_numpy()),
        title="Training slice z = 4",
    )
    return table, figure


def draw_classifiers(mixture=True, noise=True, several=False) -> Drawn:
    curve = fakes.noise()
    if several:
        curve = pd.concat([curve, curve.assign(classifier="rbf_svm")])
    table = classifiers.prepare(
        fakes.classifiers(),
        fakes.mixture() if mixture else None,
        curve if noise else None,
        1 / 6,
    )
    return table, classifiers.draw(table)


def draw_gram(count=6, networks=("cnn", "untrained", "texture"), points=True) -> Drawn:
    areas = fakes.areas(count)
    errors, blocks, scores, variance, grams = fakes.gram_tables(areas.names, networks)
    if not points:
        scores, variance = None, None
    table = gram.prepare(errors, blocks, scores, variance)
    return table, gram.draw(table, areas, grams)


def draw_clusters(shape=(160, 200), layers=True, nulls=True) -> Drawn:
    codes, depth = fakes.layer_slices(*shape)
    found = fakes.clusters_of(codes)
    names = fakes.layer_legend() if layers else None
    table = clusters.prepare(
        fakes.label_raster(found),
        fakes.profiles(104, found, codes, depth),
        104,
        layers=names,
        borders=clusters.layer_borders(codes, depth, 5) if layers else None,
        agreement=fakes.agreement(104) if nulls else None,
    )
    figure = clusters.draw(
        table,
        rasters.grey_raster(fakes.grey_slice(codes), fakes.VOXEL_UM),
        fakes.label_raster(found),
        "Cortex, slice z = 104",
        layers=names,
        layer_codes=fakes.label_raster(codes) if layers else None,
    )
    return table, figure


def draw_factorization(count=6, shape=(90, 360), k=15, selected=True) -> Drawn:
    areas = fakes.areas(count)
    maps = fakes.coefficient_maps(fakes.label_slice(count, *shape), k)
    chosen = fakes.selection(areas.names[: min(count, k)]) if selected else None
    table = factorization.prepare(fakes.basis(k), maps, chosen, 0.31)
    units = list(maps.values())[:5]
    figure = factorization.draw(table, areas if selected else None, units, maps, 104)
    return table, figure


def draw_factors(count=6, shape=(90, 360), k=15, slices=2, layers=True, aligned=True) -> Drawn:
    areas = fakes.areas(count)
    labels = fakes.label_slice(count, *shape)
    maps = fakes.coefficient_maps(labels, k)
    chosen = fakes.selection(areas.names[: min(count, k)]).rename(columns={"area": "name"})
    found = fakes.alignment(areas.names, k) if aligned else None
    target = factors.Target(areas, chosen, found, "slice z = 204, not used for the fit")
    painted, tops = factors.paint_factors(maps, chosen, areas)
    overlay = factors.Overlay(
        rasters.grey_raster(fakes.grey_slice(labels), fakes.VOXEL_UM),
        painted,
        fakes.label_raster(labels),
        "Factors that predict areas, slice z = 104",
    )
    codes, depth = fakes.layer_slices(100, 200)
    layer_picture = fakes.label_raster(codes) if layers else None
    grey = rasters.grey_raster(fakes.grey_slice(codes), fakes.VOXEL_UM)
    components, frames, agreements = [], [], []
    for index, z in enumerate((104, 204)[:slices]):
        own = fakes.clusters_of(codes, index)
        picture, profile = fakes.label_raster(own), fakes.profiles(z, own, codes, depth)
        if index:
            picture = factors.rename_matched(picture, fakes.matches())
            profile = factors.rename_profiles(profile, fakes.matches())
        components.append(factors.ComponentMap(grey, picture, layer_picture, z, f"Slice z = {z}"))
        frames.append(profile if layers else profile[profile["by"] == "depth"])
        agreements.append(fakes.agreement(z))
    discovery = None
    if slices:
        discovery = factors.Discovery(
            pd.concat(frames),
            (104, 204)[:slices],
            fakes.matches() if slices > 1 else None,
            pd.concat(agreements) if layers else None,
        )
    layer_target, layer_overlay, layer_tops = None, None, None
    if layers:
        names = fakes.layer_legend()
        layer_maps = fakes.coefficient_maps(codes, k)
        picked = fakes.selection(names.names[: min(3, k)]).rename(columns={"area": "name"})
        layer_target = factors.Target(names, picked, fakes.alignment(names.names, k), "z = 204")
        layer_painted, layer_tops = factors.paint_factors(layer_maps, picked, names)
        layer_overlay = factors.Overlay(
            grey, layer_painted, fakes.label_raster(codes), "Factors that predict layers"
        )
    table = factors.prepare(
        target,
        tops,
        discovery=discovery,
        components=components,
        layers=layer_target,
        layer_tops=layer_tops,
    )
    figure = factors.draw(
        table, target, overlay, components, layers=layer_target, layer_overlay=layer_overlay
    )
    return table, figure


def draw_curves(runs=("main", "permuted")) -> Drawn:
    table = learning_curves.prepare({run: fakes.curve() for run in runs}, 1 / 6)
    return table, learning_curves.draw(table)


WHOLE = {
    "overview": draw_overview,
    "annotations": draw_annotations,
    "scale": draw_scale,
    "classifiers": draw_classifiers,
    "gram": draw_gram,
    "clusters": draw_clusters,
    "factorization": draw_factorization,
    "factors": draw_factors,
    "learning_curves": draw_curves,
}


@pytest.mark.parametrize("name", WHOLE)
def test_every_figure_can_be_read_and_is_written(name, assert_readable, tmp_path):
    table, figure = WHOLE[name]()
    assert_readable(figure)
    save.save_figure(figure, table, tmp_path / name, dpi=40)
    for path in save.output_paths(tmp_path / name):
        assert path.stat().st_size > 500


@pytest.mark.parametrize("shape", SHAPES[1:])
@pytest.mark.parametrize("draw", [draw_scale, draw_overview, draw_annotations])
def test_slices_of_other_shapes_fit_the_page(draw, shape, assert_readable):
    assert_readable(draw(shape=shape)[1])


@pytest.mark.parametrize("count", [2, 12])
@pytest.mark.parametrize("draw", [draw_scale, draw_gram, draw_overview, draw_annotations])
def test_any_number_of_areas(draw, count, assert_readable):
    assert_readable(draw(count=count)[1])


@pytest.mark.parametrize("count", [2, 12])
def test_factors_of_any_number_of_areas(count, assert_readable):
    assert_readable(draw_factors(count=count, layers=False, slices=0)[1])


@pytest.mark.parametrize(
    ("draw", "options", "absent"),
    [
        (draw_scale, {"sampled": False}, {"e", "f"}),
        (draw_scale, {"border": False}, {"f"}),
        (draw_scale, {"sampled": False, "border": False}, {"d", "e", "f"}),
        (draw_overview, {"predicted": False}, {"e"}),
        (draw_classifiers, {"mixture": False}, {"b"}),
        (draw_classifiers, {"noise": False}, {"c"}),
        (draw_classifiers, {"several": True}, set()),
        (draw_gram, {"points": False}, {"c"}),
        (draw_gram, {"networks": ("cnn",)}, set()),
        (draw_gram, {"networks": ("cnn", "resnet18", "squeezenet", "texture")}, set()),
        (draw_clusters, {"layers": False, "nulls": False}, {"c", "d"}),
        (draw_clusters, {"nulls": False}, {"d"}),
        (draw_clusters, {"shape": (60, 300)}, set()),
        (draw_factorization, {"selected": False}, set()),
        (draw_factorization, {"k": 4}, set()),
        (draw_factorization, {"shape": (200, 150)}, set()),
        (draw_factors, {"slices": 0, "layers": False}, {"d", "e"}),
        (draw_factors, {"slices": 1, "layers": False}, {"f", "g"}),
        (draw_factors, {"slices": 1}, set()),
        (draw_factors, {"shape": (200, 150)}, set()),
        (draw_factors, {"layers": False}, {"f", "g"}),
        (draw_factors, {"aligned": False, "slices": 0, "layers": False}, {"c"}),
        (draw_curves, {"runs": ("blocks1",)}, set()),
    ],
)
def test_panels_without_data_are_left_out(draw, options, absent, assert_readable):
    table, figure = draw(**options)
    assert_readable(figure)
    written = {text.get_text() for text in figure.texts if len(text.get_text()) == 1}
    assert not absent & written
    assert not absent & set(table["panel"])


def test_bars_are_as_high_as_the_table_says():
    table, figure = draw_scale(count=3)
    expected = [
        plotted.pick(table, panel, metric, item=area)["y"].iloc[0]
        for panel in ("c", "e")
        for area in fakes.NAMES[:3]
        for metric in ("precision", "recall", "f1")
    ]
    bars = [
        patch.get_height()
        for axes in figure.axes
        if axes.get_ylabel() == "score"
        for patch in axes.patches
    ]
    np.testing.assert_allclose(bars, expected)


def test_dots_and_curves_are_where_the_table_says():
    table, figure = draw_classifiers()
    drawn = [
        (float(x), float(y))
        for axes in figure.axes
        if "variance" in axes.get_xlabel()
        for line in axes.lines
        if len(line.get_xdata()) > 2
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    ]
    rows = plotted.pick(table, "c", "accuracy")
    assert sorted(drawn) == sorted(zip(rows["x"], rows["y"], strict=True))


def test_confusion_picture_holds_the_tables_shares():
    table, figure = draw_scale(count=4, sampled=False, border=False)
    names = fakes.NAMES[:4]
    expected = plotted.matrix(plotted.pick(table, "b", "share of the area"), names, names)
    picture = next(axes for axes in figure.axes if axes.get_xlabel() == "predicted area")
    np.testing.assert_allclose(picture.images[0].get_array(), expected.to_numpy())


def test_stacked_shares_fill_every_depth():
    _, figure = draw_clusters()
    axes = next(axes for axes in figure.axes if axes.get_ylabel() == "relative depth")
    right = {}
    for bar in axes.patches:
        middle = round(bar.get_y() + bar.get_height() / 2, 6)
        right[middle] = max(right.get(middle, 0), bar.get_x() + bar.get_width())
    np.testing.assert_allclose(list(right.values()), 1)


def test_profiles_are_those_of_the_table():
    table, figure = draw_factors()
    rows = plotted.pick(table, quantity="share of the component's pixels")
    axes = [axes for axes in figure.axes if "JS" in axes.get_title(loc="left")]
    assert len(axes) == 4
    for component, panel in enumerate(axes, start=1):
        for line, z in zip(panel.lines, (104, 204), strict=True):
            own = plotted.pick(rows, series=str(component))
            expected = own.loc[own["z"] == z, "y"]
            np.testing.assert_allclose(line.get_ydata(), expected)


def test_names_with_markup_and_mathematics_are_shown_as_they_are(assert_readable):
    areas = fakes.areas(2)
    titles = {"Ctx": "cortex <b>$x^2$</b>", "Str": "$unclosed & co"}
    named = type(areas)(areas.names, titles, areas.colours)
    _, figure = draw_scale(count=2, names=named)
    assert_readable(figure)
    texts = {text.get_text() for text in figure.findobj(Text)}
    assert "cortex <b>$x^2$</b> (Ctx)" in texts


def test_long_names_are_cut_where_there_is_no_room(assert_readable):
    areas = fakes.areas(6)
    names = tuple(f"a_rather_long_area_name_{index}" for index in range(6))
    titles = {name: f"the {name} of the whole brain" for name in names}
    long = type(areas)(names, titles, dict(zip(names, areas.palette, strict=True)))
    assert_readable(draw_scale(names=long)[1])
