"""Every figure, drawn: what stands on the page is what stands in the table, and it can be read."""

from __future__ import annotations

import re

import figure_fakes as fakes
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from brainarch.figures import (
    annotations,
    classifiers,
    clusters,
    example_patches,
    factorization,
    factors,
    gram,
    learning_curves,
    meaning,
    overview,
    plotted,
    ranks,
    rasters,
    relations,
    save,
    scale,
    style,
    typical,
)
from brainarch.figures.network_shapes import layer_shapes
from brainarch.figures.panels import Areas
from brainarch.network.architecture import AreaNetwork

Drawn = tuple[pd.DataFrame, Figure]
#: Wide like the real slice, square, and tall.
SHAPES = ((110, 440), (160, 160), (220, 130))


def draw_scale(count=6, shape=SHAPES[0], names=None, blocks=False) -> Drawn:
    areas = names or fakes.areas(count)
    labels = fakes.label_slice(count, *shape)
    splits = fakes.split_raster(labels) if blocks else None
    pictures = (fakes.label_raster(labels), fakes.label_raster(fakes.mistaken(labels, count)))
    table = scale.prepare(
        areas,
        *pictures,
        confusion=fakes.confusion(areas.names),
        metrics=fakes.metrics(areas.names),
        border=fakes.border(),
        sampled_confusion=fakes.confusion(areas.names, 3, 1200),
        sampled_metrics=fakes.metrics(areas.names, 4),
        splits=splits,
    )
    return table, scale.draw(table, areas, *pictures, splits=splits)


def draw_overview(count=6, shape=SHAPES[0], predicted=True) -> Drawn:
    areas = fakes.areas(count)
    labels = fakes.label_slice(count, *shape)
    grey = fakes.grey_slice(labels)
    values, area, y, x = fakes.representation(labels, count)
    shown = overview.arrange(values, area, y, x, inside=np.ones(len(x)), n_areas=count, seed=1)
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
        patch=example_patches.cut_patches(grey, np.array([shown.y]), np.array([shown.x]))[0],
        shown=shown,
        z=104,
    )
    return table, figure


def draw_annotations(count=6, shape=SHAPES[0], blocks=False) -> Drawn:
    areas = fakes.areas(count)
    labels = fakes.label_slice(count, *shape)
    splits = fakes.split_raster(labels) if blocks else None
    grey = fakes.grey_slice(labels)
    examples = example_patches.choose_examples(
        fakes.patch_table(labels, areas.names), areas.names, 1
    )
    codes = fakes.label_raster(labels)
    sizes = fakes.sizes(labels, areas.names)
    table = annotations.prepare(areas, codes, sizes, examples, splits)
    figure = annotations.draw(
        table,
        areas,
        grey=rasters.grey_raster(grey, fakes.VOXEL_UM),
        labels=codes,
        patches=example_patches.cut_patches(
            grey, examples["y"].to_numpy(), examples["x"].to_numpy()
        ),
        title="Training slice z = 4",
        splits=splits,
    )
    return table, figure


def draw_classifiers() -> Drawn:
    table = classifiers.prepare(
        fakes.classifiers(), fakes.mixture(), fakes.noise(), fakes.differences(), 1 / 6
    )
    return table, classifiers.draw(table)


def draw_gram(count=6, networks=("cnn", "untrained", "texture")) -> Drawn:
    areas = fakes.areas(count)
    *tables, grams = fakes.gram_tables(areas.names, networks)
    table = gram.prepare(*tables)
    return table, gram.draw(table, areas, grams)


def draw_relations(count=6, networks=("cnn", "untrained", "texture"), trees=True) -> Drawn:
    areas = fakes.areas(count)
    related, joined, varied = fakes.relation_tables(areas.names, networks)
    table = relations.prepare(related, joined if trees else joined.iloc[:0], varied)
    return table, relations.draw(table, areas)


def draw_clusters(shape=(160, 200), layers=True, nulls=True, blocks=False) -> Drawn:
    codes, depth = fakes.layer_slices(*shape)
    splits = fakes.split_raster(codes) if blocks else None
    found = fakes.clusters_of(codes)
    names = fakes.layer_legend() if layers else None
    table = clusters.prepare(
        fakes.label_raster(found),
        fakes.profiles(104, found, codes, depth),
        104,
        layers=names,
        borders=clusters.layer_borders(codes, depth, 5) if layers else None,
        agreement=fakes.agreement(104) if nulls else None,
        splits=splits,
    )
    figure = clusters.draw(
        table,
        rasters.grey_raster(fakes.grey_slice(codes), fakes.VOXEL_UM),
        fakes.label_raster(found),
        "Cortex, slice z = 104",
        layers=names,
        layer_codes=fakes.label_raster(codes) if layers else None,
        splits=splits,
    )
    return table, figure


def draw_factorization(count=6, shape=(90, 360), k=15, selected=True) -> Drawn:
    areas = fakes.areas(count)
    maps = fakes.coefficient_maps(fakes.label_slice(count, *shape), k)
    chosen = None
    if selected:
        pairs = fakes.selection(areas.names[: min(count, k)]).rename(columns={"area": "name"})
        chosen = factors.judged(pairs, fakes.chosen(areas.names))
    table = factorization.prepare(fakes.basis(k), maps, chosen, 0.31)
    units = list(maps.values())[:5]
    figure = factorization.draw(table, areas, units, maps, "slice z = 104, rows 0 to 89")
    return table, figure


def target_of(word, legend, codes, k, aligned=True) -> factors.Target:
    maps = fakes.coefficient_maps(codes, k)
    most = 3 if word == "layer" else len(legend.names)
    pairs = fakes.selection(legend.names[: min(most, k)]).rename(columns={"area": "name"})
    chosen = factors.judged(pairs, fakes.chosen(legend.names) if aligned else None)
    painted, tops = factors.paint_factors(maps, chosen, legend)
    overlay = factors.Overlay(
        rasters.grey_raster(fakes.grey_slice(codes), fakes.VOXEL_UM),
        painted,
        tops,
        fakes.label_raster(codes),
        f"Factors that predict {word}s, slice z = 104",
    )
    found = fakes.alignment(legend.names, k) if aligned else None
    return factors.Target(
        word, legend, chosen, overlay, found, "slice z = 204, not used for the fit"
    )


def discovery_of(slices, layers) -> factors.Discovery:
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
        title = f"Components of Cortex, slice z = {z} (79% of the area)"
        components.append(factors.ComponentMap(grey, picture, layer_picture, z, title))
        frames.append(profile if layers else profile[profile["by"] == "depth"])
        agreements.append(fakes.agreement(z))
    return factors.Discovery(
        components,
        pd.concat(frames),
        fakes.matches() if slices > 1 else None,
        pd.concat(agreements) if layers else None,
    )


def draw_factors(count=6, shape=(90, 360), k=15, slices=2, layers=True, aligned=True) -> Drawn:
    target = target_of("area", fakes.areas(count), fakes.label_slice(count, *shape), k, aligned)
    parts = {
        "discovery": discovery_of(slices, layers) if slices else None,
        "layers": None,
    }
    if layers:
        codes = fakes.layer_slices(100, 200)[0]
        parts["layers"] = target_of("layer", fakes.layer_legend(), codes, k)
    table = factors.prepare(target, **parts)
    return table, factors.draw(table, target, **parts)


def draw_curves(runs=("main", "permuted")) -> Drawn:
    table = learning_curves.prepare({run: fakes.curve() for run in runs}, 1 / 6)
    return table, learning_curves.draw(table)


def draw_meaning(count=6, k=15) -> Drawn:
    areas = fakes.areas(count)
    selected = fakes.selection(areas.names).assign(auroc=0.9)
    varied = fakes.sensitivity(areas.names)
    table = meaning.prepare(*fakes.meaning(areas.names, k), selected, varied, areas)
    return table, meaning.draw(table, areas)


def draw_typical(k=15, parts=4) -> Drawn:
    table = typical.prepare(fakes.typical(k, parts))
    rng = np.random.default_rng(1)
    return table, typical.draw(table, list(rng.random((len(table), 128, 128))), 1.17)


def draw_outliers(count=6) -> Drawn:
    areas = fakes.areas(count)
    own = typical.of_outliers(fakes.outliers(areas.names), areas)
    table = typical.prepare(own)
    rng = np.random.default_rng(1)
    patches = list(rng.random((len(table), 128, 128)))
    return table, typical.draw(table, patches, 1.17, typical.OUTLIERS)


def draw_ranks(numbers=(2, 5, 10, 15, 20)) -> Drawn:
    table = ranks.prepare(fakes.ranks(numbers), 15)
    return table, ranks.draw(table)


WHOLE = {
    "overview": draw_overview,
    "annotations": draw_annotations,
    "scale": draw_scale,
    "classifiers": draw_classifiers,
    "gram": draw_gram,
    "relations": draw_relations,
    "clusters": draw_clusters,
    "factorization": draw_factorization,
    "factors": draw_factors,
    "meaning": draw_meaning,
    "typical": draw_typical,
    "outliers": draw_outliers,
    "ranks": draw_ranks,
    "learning_curves": draw_curves,
}


@pytest.mark.parametrize("name", WHOLE)
def test_every_figure_can_be_read_and_is_written(name, assert_readable, tmp_path):
    table, figure = WHOLE[name]()
    assert_readable(figure)
    paths = [tmp_path / f"figure.{ending}" for ending in ("png", "pdf", "csv")]
    save.save_figure(figure, table, *paths, dpi=40)
    for path in paths:
        assert path.stat().st_size > 500


@pytest.mark.parametrize("shape", SHAPES[1:])
@pytest.mark.parametrize("draw", [draw_scale, draw_overview, draw_annotations])
def test_slices_of_other_shapes_fit_the_page(draw, shape, assert_readable):
    assert_readable(draw(shape=shape)[1])


@pytest.mark.parametrize("count", [2, 12])
@pytest.mark.parametrize(
    "draw",
    [draw_scale, draw_gram, draw_relations, draw_overview, draw_annotations, draw_outliers],
)
def test_any_number_of_areas(draw, count, assert_readable):
    assert_readable(draw(count=count)[1])


@pytest.mark.parametrize("count", [2, 12])
def test_factors_of_any_number_of_areas(count, assert_readable):
    assert_readable(draw_factors(count=count, layers=False, slices=0)[1])


@pytest.mark.parametrize(
    ("draw", "options", "absent"),
    [
        (draw_overview, {"predicted": False}, {"e"}),
        (draw_gram, {"networks": ("cnn",)}, set()),
        (draw_gram, {"networks": ("cnn", "resnet18", "squeezenet", "texture")}, set()),
        (draw_relations, {"networks": ("texture",)}, set()),
        (draw_relations, {"trees": False}, {"a"}),
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
        (draw_meaning, {"k": 40}, set()),
        (draw_meaning, {"count": 12, "k": 2}, set()),
        (draw_typical, {"k": 40, "parts": 0}, set()),
        (draw_typical, {"k": 1, "parts": 9}, set()),
        (draw_ranks, {"numbers": (3,)}, set()),
        (draw_curves, {"runs": ("blocks1",)}, set()),
    ],
)
def test_panels_without_data_are_left_out(draw, options, absent, assert_readable):
    table, figure = draw(**options)
    assert_readable(figure)
    written = {text.get_text() for text in figure.texts if len(text.get_text()) == 1}
    assert not absent & written
    assert not absent & set(table["panel"])


@pytest.mark.parametrize("draw", [draw_annotations, draw_scale, draw_clusters])
def test_splits_of_one_slice_are_outlined_where_they_are(draw, assert_readable, drawn_texts):
    """Beside each other from left to right, as `fakes.split_raster` has them."""
    table, figure = draw(blocks=True)
    assert_readable(figure)
    splits = ["train", "val", "test"]
    words = [text for text, *_ in drawn_texts(figure)]
    named = [f"centres of {split} patches" for split in splits]
    assert [text for text in words if text in named] == named
    counts = plotted.pick(table, "a", series="patch centres").set_index("item")["y"]
    assert list(counts.index) == splits
    assert (counts > 0).all()
    maps = [axes for axes in figure.axes if axes.collections and axes.images]
    assert len(maps) == (2 if draw is draw_scale else 1)
    for axes in maps:
        left, right = axes.get_xlim()
        dark = [c for c in axes.collections if to_hex(c.get_edgecolor()[0]) == style.INK]
        assert len({str(c.get_linestyle()) for c in dark}) == 3
        for third, outline in enumerate(dark):
            places = np.concatenate([path.vertices[:, 0] for path in outline.get_paths()])
            shares = (places - left) / (right - left)
            assert shares.min() >= third / 3 - 0.01
            assert shares.max() <= (third + 1) / 3 + 0.01
    plain, other = draw()
    assert not set(named) & {text for text, *_ in drawn_texts(other)}
    assert plotted.pick(plain, "a", series="patch centres").empty


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


def test_trees_join_where_the_table_says():
    table, figure = draw_relations()
    heights = [
        sorted(plotted.pick(table, "a", f"{measure}, joined at")["y"])
        for measure in relations.MEASURES
    ]
    drawn = [
        sorted(float(max(line.get_ydata())) for line in axes.lines)
        for axes in figure.axes
        if axes.get_xlim() == (0, 60)
    ]
    np.testing.assert_allclose(drawn, heights)


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


def test_intervals_are_those_of_the_table():
    table, figure = draw_classifiers()
    axes = next(axes for axes in figure.axes if axes.get_ylabel() == "agreement with areas")
    drawn = [line.get_ydata() for line in axes.lines]
    rows = plotted.pick(table, "b")
    for row in plotted.rows_of(rows):
        assert any(row.y in values for values in drawn)
        ends = [values for values in drawn if len(values) == 2 and values[0] == row.low]
        assert len(ends) == (0 if np.isnan(row.low) else 1)
        assert all(values[1] == row.high for values in ends)


def test_confusion_picture_holds_the_tables_shares():
    table, figure = draw_scale(count=4)
    names = fakes.NAMES[:4]
    pictures = [axes for axes in figure.axes if axes.get_xlabel() == "predicted area"]
    for axes, panel in zip(pictures, ("b", "d"), strict=True):
        expected = plotted.matrix(plotted.pick(table, panel, "share of the area"), names, names)
        (drawn,) = axes.collections
        np.testing.assert_allclose(drawn.get_array(), expected.to_numpy())
        shares = [float(text.get_text().split("\n")[0] or 0) for text in axes.texts]
        np.testing.assert_allclose(shares, expected.to_numpy().ravel(), atol=0.005)


def test_correlations_that_may_be_zero_are_white():
    table, figure = draw_meaning(k=5)
    rows = plotted.pick(table, "a", "Spearman's correlation")
    shown = figure.axes[0].collections[0].get_array().ravel()
    sure = ((rows["low"] * rows["high"] > 0) & (rows["item"] != "grey")).to_numpy()
    assert 0 < sure.sum() < len(sure)
    np.testing.assert_allclose(shown, np.where(sure, rows["y"], 0))


def test_networks_without_room_in_the_gram_figure_are_named_with_their_error() -> None:
    names = ("cnn", "untrained", "texture", "unlabelled", "resnet18", "squeezenet")
    _, figure = draw_gram(networks=names)
    (text,) = [t.get_text() for t in figure.texts if t.get_text().startswith("not drawn")]
    assert re.fullmatch(r"not drawn, block error: resnet18 0\.\d.*, squeezenet 0\.\d.*", text)


def test_points_lie_where_the_table_says():
    table, figure = draw_gram(networks=("cnn",))
    rows = plotted.pick(table, "c", gram.POINTS)
    for axis, column in (("PC2", "y"), ("PC3", "z")):
        axes = next(axes for axes in figure.axes if axes.get_ylabel().startswith(axis))
        drawn = axes.collections[0].get_offsets()
        assert sorted(map(tuple, drawn)) == sorted(zip(rows["x"], rows[column], strict=True))


def test_stacked_shares_fill_every_depth():
    _, figure = draw_clusters()
    axes = next(axes for axes in figure.axes if axes.get_xlabel() == "relative depth")
    top = {}
    for bar in axes.patches:
        middle = round(bar.get_x() + bar.get_width() / 2, 6)
        top[middle] = max(top.get(middle, 0), bar.get_y() + bar.get_height())
    np.testing.assert_allclose(list(top.values()), 1)


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


def test_a_run_of_one_epoch_is_a_dot():
    curves = {"main": fakes.curve(), "permuted": fakes.curve(epochs=1)}
    figure = learning_curves.draw(learning_curves.prepare(curves, 1 / 6))
    loss = next(axes for axes in figure.axes if axes.get_ylabel().startswith("cross"))
    markers = {len(line.get_xdata()): line.get_marker() for line in loss.lines}
    assert markers == {12: "", 1: "o"}


def test_names_with_markup_and_mathematics_are_shown_as_they_are(assert_readable):
    areas = fakes.areas(2)
    titles = {"Ctx": "cortex <b>$x^2$</b>", "Str": "$unclosed & co"}
    named = Areas(areas.names, titles, areas.colours)
    _, figure = draw_scale(count=2, names=named)
    assert_readable(figure)
    texts = {text.get_text() for text in figure.findobj(Text)}
    assert "cortex <b>$x^2$</b> (Ctx)" in texts


def test_long_names_are_cut_where_there_is_no_room(assert_readable):
    areas = fakes.areas(6)
    names = tuple(f"a_rather_long_area_name_{index}" for index in range(6))
    titles = {name: f"the {name} of the whole brain" for name in names}
    long = Areas(names, titles, dict(zip(names, areas.palette, strict=True)))
    assert_readable(draw_scale(names=long)[1])


def test_outliers_are_the_shown_networks_by_area():
    table, figure = draw_outliers(count=4)
    assert len(figure.axes) == len(table) == 3 * typical.SHOWN
    assert set(table["panel"]) == {"a"}
    assert table["z"].tolist() == pytest.approx(3 * [3 - rank / 10 for rank in range(1, 6)])


def test_typical_patches_are_those_of_the_table():
    """Every patch is drawn once, above its own row and column."""
    table, figure = draw_typical(k=3, parts=2)
    assert len(figure.axes) == len(table) == 7 * typical.SHOWN
    places = [text.get_text() for text in figure.texts if "," in text.get_text()]
    assert sorted(places) == sorted(f"{row.y:.0f}, {row.x:.0f}" for row in table.itertuples())
