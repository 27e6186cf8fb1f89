"""Verbs that draw the papers' figures, each beside the table that it plots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

    from brainarch.factors.store import CoefficientMaps
    from brainarch.figures.factors import ComponentMap, Overlay, Target
    from brainarch.figures.panels import Areas
    from brainarch.figures.sources import PixelBox
    from brainarch.volume.store import Volume

Output = Annotated[
    Path, typer.Option("--output-prefix", help="Path of the PNG, PDF and CSV without its ending.")
]
VolumeStore = Annotated[Path, typer.Option(help="OME-Zarr volume.")]
AreaLabels = Annotated[Path, typer.Option(help="Area labels (OME-Zarr).")]
AreaLegend = Annotated[Path, typer.Option(help="Legend table of the areas.")]
Slice = Annotated[int, typer.Option("--slice", help="Annotated slice to show.")]
LayerLabels = Annotated[Path | None, typer.Option(help="Layer labels (OME-Zarr), if any.")]
LayerLegend = Annotated[Path | None, typer.Option(help="Legend table of the layers.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the examples that are chosen.")]
Resolution = Annotated[float, typer.Option(min=30, help="Pixels per inch of the PNG.")]


def plot_overview(
    *,
    volume: VolumeStore,
    labels: AreaLabels,
    legend: AreaLegend,
    slice_: Slice,
    checkpoint: Annotated[Path, typer.Option(help="Trained network, for its layers' shapes.")],
    representations: Annotated[
        Path, typer.Option(help="Representations of the slice's patches (`embed`).")
    ],
    output: Output,
    prediction: Annotated[
        Path | None, typer.Option(help="Predicted area map of the slice (`predict`).")
    ] = None,
    patches_per_area: Annotated[int, typer.Option(min=1, help="Patches of each area shown.")] = 12,
    seed: Seed = 2020,
    dpi: Resolution = 300,
) -> None:
    """V1: the method in one picture, every part of it taken from the data."""
    import numpy as np

    from brainarch.annotations.store import open_labels
    from brainarch.embedding.store import load_representations
    from brainarch.errors import InputError
    from brainarch.figures import overview, sources
    from brainarch.figures.network_shapes import layer_shapes
    from brainarch.figures.patches import cut_patches, share_inside
    from brainarch.figures.save import save_figure
    from brainarch.network.checkpoint import load_checkpoint
    from brainarch.volume.store import open_volume

    areas = sources.read_areas(legend)
    opened, codes = open_volume(volume), open_labels(labels)
    content = load_representations(representations)
    own = content.rows(content.z == slice_)
    if not len(own):
        raise InputError(f"{representations}: holds no patch of slice {slice_}; name its slice")
    if own.areas != areas.names:
        raise InputError(f"{representations}: made with other areas than {legend}; embed again")
    grey = opened.read_slice(slice_)
    shown = overview.arrange(
        own.values,
        own.area,
        own.y,
        own.x,
        inside=share_inside(codes.read_slice(slice_), own.area + 1, own.y, own.x),
        n_areas=len(areas.names),
        per_area=patches_per_area,
        seed=seed,
    )
    annotation = sources.label_picture(codes, slice_)
    predicted, stride = None, 1
    if prediction is not None:
        found = sources.open_codes(prediction)
        predicted, stride = sources.code_picture(found, "area", opened.voxel_um), found.stride
    layers = layer_shapes(load_checkpoint(checkpoint).network)
    table = overview.prepare(areas, annotation, predicted, layers, shown)
    patch = cut_patches(grey, np.array([shown.y]), np.array([shown.x]))[0]
    figure = overview.draw(
        table,
        areas,
        grey=sources.grey_picture(opened, slice_),
        annotation=annotation,
        prediction=predicted,
        patch=patch,
        shown=shown,
        z=slice_,
        stride=stride,
    )
    save_figure(figure, table, output, dpi)


def plot_preview(
    *,
    volume: VolumeStore,
    labels: Annotated[Path, typer.Option(help="Area or layer labels (OME-Zarr).")],
    legend: Annotated[Path, typer.Option(help="Their legend table.")],
    slice_: Slice,
    output: Output,
    dpi: Resolution = 200,
) -> None:
    """Draw an annotated slice with the outlines of its labels, for the eye."""
    from brainarch.annotations.store import open_labels
    from brainarch.figures import previews, rasters, sources
    from brainarch.figures.save import save_figure
    from brainarch.volume.store import open_volume

    areas, opened = sources.read_areas(legend), open_volume(volume)
    codes = open_labels(labels)
    counts = rasters.count_codes(codes.read_slice(slice_), areas.names)
    table = previews.prepare(counts, opened.voxel_um)
    figure = previews.draw(
        table,
        areas,
        grey=sources.grey_picture(opened, slice_),
        labels=sources.label_picture(codes, slice_),
        title=f"Slice z = {slice_} with its labels",
    )
    save_figure(figure, table, output, dpi)


def plot_annotations(
    *,
    volume: VolumeStore,
    labels: AreaLabels,
    legend: AreaLegend,
    slice_: Slice,
    area_table: Annotated[Path, typer.Option(help="Sizes of the areas (`import-annotations`).")],
    patches: Annotated[Path, typer.Option(help="Patch table, of which some are shown.")],
    output: Output,
    examples: Annotated[int, typer.Option(min=1, help="Patches of each area shown.")] = 3,
    title: Annotated[str, typer.Option(help="What the slice is.")] = "Training slice",
    seed: Seed = 2020,
    dpi: Resolution = 300,
) -> None:
    """V2: an annotated slice and example patches of every area."""
    from brainarch.annotations.store import open_labels
    from brainarch.errors import InputError
    from brainarch.figures import annotations, sources
    from brainarch.figures.patches import choose_examples, cut_patches
    from brainarch.figures.save import save_figure
    from brainarch.patches.table import read_patches
    from brainarch.volume.store import open_volume

    areas = sources.read_areas(legend)
    opened = open_volume(volume)
    sizes = sources.read_columns_of(
        area_table, ("slice", "area", "um2", "independent_patches"), "brainarch import-annotations"
    )
    places = read_patches(patches)
    places = places[places["z"] == slice_]
    if places.empty:
        raise InputError(f"{patches}: holds no patch of slice {slice_}; name another slice")
    chosen = choose_examples(places, areas.names, examples, seed)
    codes = sources.label_picture(open_labels(labels), slice_)
    table = annotations.prepare(areas, codes, sizes[sizes["slice"] == slice_], chosen)
    cut = cut_patches(opened.read_slice(slice_), chosen["y"].to_numpy(), chosen["x"].to_numpy())
    figure = annotations.draw(
        table,
        areas,
        grey=sources.grey_picture(opened, slice_),
        labels=codes,
        patches=cut,
        title=f"{title} z = {slice_}",
    )
    save_figure(figure, table, output, dpi)


def plot_scale(
    *,
    labels: AreaLabels,
    legend: AreaLegend,
    prediction: Annotated[Path, typer.Option(help="Predicted area map (`predict`).")],
    confusion: Annotated[Path, typer.Option(help="Its confusion table.")],
    metrics: Annotated[Path, typer.Option(help="Its metrics table.")],
    output: Output,
    border: Annotated[
        Path | None, typer.Option(help="Its accuracy by distance to the border.")
    ] = None,
    sampled_confusion: Annotated[
        Path | None, typer.Option(help="Confusion of the sampled test patches (`evaluate`).")
    ] = None,
    sampled_metrics: Annotated[
        Path | None, typer.Option(help="Metrics of the sampled test patches (`evaluate`).")
    ] = None,
    dpi: Resolution = 300,
) -> None:
    """V3: the predicted area map of a slice beside its annotation, and how right it is."""
    from brainarch.annotations.store import open_labels
    from brainarch.errors import InputError
    from brainarch.figures import rasters, scale, sources
    from brainarch.figures.save import save_figure

    if (sampled_confusion is None) != (sampled_metrics is None):
        raise InputError("--sampled-confusion and --sampled-metrics: give both or neither")
    areas = sources.read_areas(legend)
    codes = open_labels(labels)
    opened = sources.open_codes(prediction)
    predicted = sources.code_picture(opened, "area", codes.voxel_um)
    annotation = sources.label_picture(codes, opened.z, rasters.pixel_box(predicted))
    pairs = ("area", "predicted", "count")
    values = ("subset", "area", "metric", "value", "low", "high")
    sampled = None
    if sampled_confusion is not None and sampled_metrics is not None:
        sampled = scale.Sampled(
            sources.read_columns_of(sampled_confusion, pairs, "brainarch evaluate"),
            sources.read_columns_of(sampled_metrics, values, "brainarch evaluate"),
        )
    bins = ("distance_um_low", "distance_um_high", "pixels", "accuracy")
    table = scale.prepare(
        areas,
        annotation,
        predicted,
        confusion=sources.read_columns_of(confusion, pairs, "brainarch predict"),
        metrics=sources.read_columns_of(metrics, values, "brainarch predict"),
        border=sources.read_optional(border, bins, "brainarch predict"),
        sampled=sampled,
    )
    figure = scale.draw(table, areas, annotation, predicted, opened.stride)
    save_figure(figure, table, output, dpi)


def plot_classifiers(
    *,
    legend: AreaLegend,
    classifiers: Annotated[Path, typer.Option(help="Accuracies (`classify`).")],
    output: Output,
    mixture: Annotated[
        Path | None, typer.Option(help="Agreement of clusters with areas (`cluster-score`).")
    ] = None,
    noise: Annotated[Path | None, typer.Option(help="Noise curve (`classify`).")] = None,
    dpi: Resolution = 300,
) -> None:
    """V4: what classifiers read from the representations of several networks."""
    from brainarch.figures import classifiers as drawing
    from brainarch.figures import sources
    from brainarch.figures.save import save_figure

    scores = ("network", "classifier", "split", "accuracy", "low", "high")
    curve = ("network", "classifier", "variance", "accuracy", "low", "high")
    clusters = ("network", "v_measure", "low", "high")
    table = drawing.prepare(
        sources.read_columns_of(classifiers, scores, "brainarch classify"),
        sources.read_optional(mixture, clusters, "brainarch cluster-score"),
        sources.read_optional(noise, curve, "brainarch classify"),
        chance=1 / len(sources.read_areas(legend).names),
    )
    save_figure(drawing.draw(table), table, output, dpi)


def plot_gram(
    *,
    legend: AreaLegend,
    errors: Annotated[Path, typer.Option(help="Block errors (`gram`).")],
    blocks: Annotated[Path, typer.Option(help="Area-by-area means (`gram`).")],
    drawing: Annotated[
        list[str],
        typer.Option(help="NETWORK=PATH: drawn rows of a Gram matrix (`gram`). Repeatable."),
    ],
    output: Output,
    components: Annotated[
        Path | None, typer.Option(help="Principal components of patches (`pca`).")
    ] = None,
    variance: Annotated[Path | None, typer.Option(help="Their shares of variance.")] = None,
    dpi: Resolution = 300,
) -> None:
    """V5: Gram matrices of several networks, and their patches in three dimensions."""
    from brainarch.cli.parsing import parse_pairs
    from brainarch.errors import InputError
    from brainarch.figures import gram, sources
    from brainarch.figures.save import save_figure
    from brainarch.readout.drawing import load_drawing

    if (components is None) != (variance is None):
        raise InputError("--components and --variance: give both or neither")
    areas = sources.read_areas(legend)
    grams = {}
    for network, path in parse_pairs("--drawing", drawing).items():
        content = load_drawing(Path(path))
        if content.areas != areas.names:
            raise InputError(f"{path}: made with other areas than {legend}; run `brainarch gram`")
        grams[network] = gram.Gram(content.gram, content.area)
    points = ("network", "area", "pc1", "pc2", "pc3")
    table = gram.prepare(
        sources.read_columns_of(
            errors, ("network", "block_error", "low", "high"), "brainarch gram"
        ),
        sources.read_columns_of(blocks, ("network", "area", "other", "mean"), "brainarch gram"),
        sources.read_optional(components, points, "brainarch pca"),
        sources.read_optional(variance, ("network", "component", "share"), "brainarch pca"),
    )
    save_figure(gram.draw(table, areas, grams), table, output, dpi)


def plot_clusters(
    *,
    volume: VolumeStore,
    legend: AreaLegend,
    map_: Annotated[Path, typer.Option("--map", help="Cluster map (`cluster-area`).")],
    profiles: Annotated[Path, typer.Option(help="Its profiles (`profile-components`).")],
    output: Output,
    layers: LayerLabels = None,
    layers_legend: LayerLegend = None,
    depth: Annotated[
        Path | None, typer.Option(help="Depth map (`depth`), for the depth of layer borders.")
    ] = None,
    agreement: Annotated[
        Path | None, typer.Option(help="Agreement with layers (`compare-layers`).")
    ] = None,
    dpi: Resolution = 300,
) -> None:
    """V6: clusters found inside one area, where they lie, and at which depth."""
    from brainarch.annotations.store import open_labels
    from brainarch.discovery.regions import on_grid
    from brainarch.figures import clusters, rasters, sources
    from brainarch.figures.save import save_figure
    from brainarch.volume.store import open_volume

    areas = sources.read_areas(legend)
    opened, found = open_volume(volume), sources.open_codes(map_)
    codes = sources.code_picture(found, "component", opened.voxel_um)
    box = _view(rasters.pixel_box(codes), opened)
    layer_names = _layer_legend(layers, layers_legend)
    layer_codes, borders = None, None
    if layers is not None and layer_names is not None:
        layer_image = open_labels(layers)
        layer_codes = sources.label_picture(layer_image, found.z, box)
        if depth is not None:
            measured = sources.open_codes(depth)
            grid = on_grid(layer_image.read_slice(found.z), measured.y, measured.x, str(layers))
            borders = clusters.layer_borders(
                grid[::4, ::4], measured.read("depth")[::4, ::4], len(layer_names.names)
            )
    table = clusters.prepare(
        codes,
        _profiles(profiles),
        found.z,
        layers=layer_names,
        borders=borders,
        agreement=None if agreement is None else _agreement(agreement),
    )
    area = areas.titles.get(str(found.attrs.get("area")), "Area")
    figure = clusters.draw(
        table,
        sources.grey_picture(opened, found.z, box),
        codes,
        f"{area}, slice z = {found.z}",
        layers=layer_names,
        layer_codes=layer_codes,
    )
    save_figure(figure, table, output, dpi)


def plot_factorization(
    *,
    volume: VolumeStore,
    cube: Annotated[Path, typer.Option(help="Dense cube of the fitted slice.")],
    basis: Annotated[Path, typer.Option(help="Basis table (`factorize`).")],
    coefficients: Annotated[Path, typer.Option(help="Coefficient maps (`factorize`).")],
    output: Output,
    fit: Annotated[Path | None, typer.Option(help="Summary of the fit (JSON).")] = None,
    selection: Annotated[
        Path | None, typer.Option(help="Factors selected over areas (`select`).")
    ] = None,
    legend: Annotated[Path | None, typer.Option(help="Legend, for the areas' colours.")] = None,
    dpi: Resolution = 300,
) -> None:
    """M1: from the dense representation of a slice to factors and their maps."""
    from brainarch.dense.cube import Cube
    from brainarch.factors.store import CoefficientMaps
    from brainarch.figures import factorization, sources
    from brainarch.figures.save import save_figure
    from brainarch.volume.store import open_volume

    voxel_um = open_volume(volume).voxel_um
    maps = CoefficientMaps.open(coefficients)
    pictures = sources.factor_pictures(
        maps, range(1, maps.factors + 1), voxel_um, max_side=factorization.MAP_SIDE
    )
    units = sources.unit_pictures(Cube.open(cube), factorization.STACK, voxel_um)
    error = None
    if fit is not None:
        error = float(json.loads(fit.read_text(encoding="utf-8"))["relative_error"])
    table = factorization.prepare(
        sources.read_columns_of(basis, ("factor", "unit", "value"), "brainarch factorize"),
        pictures,
        sources.read_optional(selection, ("rank", "factor", "area"), "brainarch select"),
        error,
    )
    areas = sources.read_areas(legend) if legend is not None else None
    figure = factorization.draw(table, areas, units, pictures, maps.z)
    save_figure(figure, table, output, dpi)


def plot_factors(
    *,
    volume: VolumeStore,
    labels: AreaLabels,
    legend: AreaLegend,
    coefficients: Annotated[Path, typer.Option(help="Coefficient maps of the fitted slice.")],
    selection: Annotated[Path, typer.Option(help="Factors selected over areas (`select`).")],
    output: Output,
    alignment: Annotated[Path | None, typer.Option(help="AUROC of all factors (`align`).")] = None,
    map_: Annotated[
        list[Path] | None,
        typer.Option("--map", help="Component map (`find-components`); the fitted slice first."),
    ] = None,
    profiles: Annotated[
        list[Path] | None, typer.Option(help="Its profiles, in the same order. Repeatable.")
    ] = None,
    matches: Annotated[
        Path | None, typer.Option(help="Matches of two slices' components (`match-components`).")
    ] = None,
    agreement: Annotated[
        list[Path] | None,
        typer.Option(help="Agreement with layers (`compare-layers`). Repeatable."),
    ] = None,
    layers: LayerLabels = None,
    layers_legend: LayerLegend = None,
    layer_selection: Annotated[
        Path | None, typer.Option(help="Factors selected over layers (`select --target layer`).")
    ] = None,
    dpi: Resolution = 300,
) -> None:
    """M2: factors that predict areas and layers, and components of one area."""
    import pandas as pd

    from brainarch.errors import InputError
    from brainarch.factors.store import CoefficientMaps
    from brainarch.figures import factors, sources
    from brainarch.figures.save import save_figure
    from brainarch.volume.store import open_volume

    areas = sources.read_areas(legend)
    opened, maps = open_volume(volume), CoefficientMaps.open(coefficients)
    whole = sources.extracted_box(maps)
    target = _target(areas, "area", selection, alignment)
    overlay, tops = _overlay(opened, maps, labels, target, box=whole, words="areas")

    component_maps, discovery = [], None
    paths, tables = map_ or [], profiles or []
    if len(paths) != len(tables) or len(paths) > 2:
        raise InputError("--map and --profiles: give one of each for one or two slices")
    if len(paths) == 2 and matches is None:
        raise InputError("--matches: missing; two maps need the matches of their components")
    if paths:
        pairs = None
        if len(paths) == 2 and matches is not None:
            needed = ("component", "matched", "distance")
            pairs = sources.read_columns_of(matches, needed, "brainarch match-components")
        component_maps = [_component_map(path, opened, areas, layers) for path in paths]
        frames = [_profiles(path) for path in tables]
        if pairs is not None:
            component_maps[1] = _renamed(component_maps[1], pairs)
            frames[1] = factors.rename_profiles(frames[1], pairs)
        discovery = factors.Discovery(
            profiles=pd.concat(frames, ignore_index=True),
            slices=tuple(entry.z for entry in component_maps),
            matches=pairs,
            agreement=_stacked_agreement(agreement),
        )

    layer_target, layer_overlay, layer_tops = None, None, None
    if layers is not None and layer_selection is not None:
        layer_names = _layer_legend(layers, layers_legend)
        assert layer_names is not None
        layer_target = _target(layer_names, "layer", layer_selection, alignment)
        box = _layer_box(layers, maps.z, whole)
        layer_overlay, layer_tops = _overlay(
            opened, maps, layers, layer_target, box=box, words="layers"
        )
    table = factors.prepare(
        target,
        tops,
        discovery=discovery,
        components=component_maps,
        layers=layer_target,
        layer_tops=layer_tops,
    )
    figure = factors.draw(
        table,
        target,
        overlay,
        component_maps,
        layers=layer_target,
        layer_overlay=layer_overlay,
    )
    save_figure(figure, table, output, dpi)


def plot_learning_curves(
    *,
    legend: AreaLegend,
    curves: Annotated[
        list[str], typer.Option(help="RUN=PATH: learning curves (`train`). Repeatable.")
    ],
    output: Output,
    dpi: Resolution = 300,
) -> None:
    """Loss and accuracy of training and validation, with the epoch that was kept."""
    from brainarch.cli.parsing import parse_pairs
    from brainarch.figures import learning_curves, sources
    from brainarch.figures.save import save_figure

    needed = ("epoch", "split", "loss", "accuracy")
    frames = {
        run: sources.read_columns_of(Path(path), needed, "brainarch train")
        for run, path in parse_pairs("--curves", curves).items()
    }
    chance = 1 / len(sources.read_areas(legend).names)
    table = learning_curves.prepare(frames, chance)
    save_figure(learning_curves.draw(table), table, output, dpi)


#: Pixels of the slice shown round an area.
_MARGIN_PX = 24


def _view(box: PixelBox, volume: Volume) -> PixelBox:
    from brainarch.figures import sources

    return sources.widened(box, (volume.shape[1], volume.shape[2]), _MARGIN_PX)


def _profiles(path: Path) -> pd.DataFrame:
    from brainarch.figures import sources

    needed = ("slice", "component", "by", "name", "low", "high", "share", "share_of_bin")
    return sources.read_columns_of(path, needed, "brainarch profile-components")


def _agreement(path: Path) -> pd.DataFrame:
    from brainarch.figures import sources

    needed = ("slice", "statistic", "null", "value", "median", "null_99")
    return sources.read_columns_of(path, needed, "brainarch compare-layers")


def _stacked_agreement(paths: list[Path] | None) -> pd.DataFrame | None:
    import pandas as pd

    return pd.concat([_agreement(path) for path in paths]) if paths else None


def _layer_legend(layers: Path | None, legend: Path | None) -> Areas | None:
    from brainarch.errors import InputError
    from brainarch.figures import sources

    if (layers is None) != (legend is None):
        raise InputError("--layers and --layers-legend: give both or neither")
    return None if legend is None else sources.read_areas(legend)


def _target(names: Areas, word: str, selection: Path, alignment: Path | None) -> Target:
    """Read how factors relate to areas or layers; the AUROC is that of a slice not fitted."""
    from brainarch.figures import factors, sources

    pairs = ("rank", "factor", word, "covered_share", "leaked_share")
    chosen = sources.read_columns_of(selection, pairs, f"brainarch select --target {word}")
    chosen = chosen.rename(columns={word: "name"})
    if alignment is None:
        return factors.Target(names, chosen, None, "")
    needed = ("slice", "fitted", "factor", "target", "name", "auroc", "null_99")
    frame = sources.read_columns_of(alignment, needed, "brainarch align")
    frame = frame[frame["target"] == word]
    others = frame[~frame["fitted"].astype(bool)]
    shown = others if len(others) else frame
    if shown.empty:
        return factors.Target(names, chosen, None, "")
    z = int(shown["slice"].iloc[0])
    title = f"slice z = {z}" + (", not used for the fit" if len(others) else "")
    return factors.Target(names, chosen, shown[shown["slice"] == z], title)


def _overlay(
    volume: Volume,
    maps: CoefficientMaps,
    labels: Path,
    target: Target,
    *,
    box: PixelBox,
    words: str,
) -> tuple[Overlay, dict[int, float]]:
    """Paint the selected factors over the fitted slice."""
    from brainarch.annotations.store import open_labels
    from brainarch.figures import factors, sources

    chosen = [int(factor) for factor in target.selection["factor"]]
    pictures = sources.factor_pictures(maps, chosen, volume.voxel_um, box)
    painted, tops = factors.paint_factors(pictures, target.selection, target.legend)
    overlay = factors.Overlay(
        grey=sources.grey_picture(volume, maps.z, box),
        painted=painted,
        codes=sources.label_picture(open_labels(labels), maps.z, box),
        title=f"Factors that predict {words}, slice z = {maps.z}",
    )
    return overlay, tops


def _component_map(path: Path, volume: Volume, areas: Areas, layers: Path | None) -> ComponentMap:
    from brainarch.annotations.store import open_labels
    from brainarch.figures import factors, rasters, sources

    found = sources.open_codes(path)
    codes = sources.code_picture(found, "component", volume.voxel_um)
    box = _view(rasters.pixel_box(codes), volume)
    layer_codes = None
    if layers is not None:
        image = open_labels(layers)
        if found.z in image.annotated_slices:
            layer_codes = sources.label_picture(image, found.z, box)
    area = areas.titles.get(str(found.attrs.get("area")), "Area")
    return factors.ComponentMap(
        grey=sources.grey_picture(volume, found.z, box),
        codes=codes,
        layers=layer_codes,
        z=found.z,
        title=f"Components of {area}, slice z = {found.z}",
    )


def _renamed(entry: ComponentMap, matches: pd.DataFrame) -> ComponentMap:
    from dataclasses import replace

    from brainarch.figures import factors

    return replace(
        entry,
        codes=factors.rename_matched(entry.codes, matches),
        title=f"Slice z = {entry.z}, matched components",
    )


def _layer_box(layers: Path, z: int, within: PixelBox) -> PixelBox:
    """Return where a slice has layers, within the extracted part."""
    from brainarch.annotations.store import open_labels
    from brainarch.errors import InputError
    from brainarch.figures import rasters

    top, bottom, left, right = within
    part = open_labels(layers).read_slice(z)[top:bottom, left:right] > 0
    if not part.any():
        raise InputError(f"{layers}: slice {z} has no layer where it was extracted")
    box = rasters.filled_box(part)
    return top + box[0], top + box[1], left + box[2], left + box[3]


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    for verb in (
        plot_overview,
        plot_preview,
        plot_annotations,
        plot_scale,
        plot_classifiers,
        plot_gram,
        plot_clusters,
        plot_factorization,
        plot_factors,
        plot_learning_curves,
    ):
        app.command(verb.__name__.replace("_", "-"))(verb)
