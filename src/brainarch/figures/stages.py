"""The stages that draw: each reads what other stages wrote, and writes a picture and its table.

All of them write ``png`` and ``pdf``, and ``table``, the numbers that the picture shows. ``areas``
are the areas in the order of their codes, each with its name, title and colour (None: the next one
of the palette); ``layer_names`` are the layers likewise, from the upper border down. ``z`` is the
slice shown, ``seed`` chooses its example patches, ``chance`` is the accuracy of guessing.

All of them raise `InputError` where a file is missing or wrong, or is of other areas or slices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainarch.annotations.holes import count_holes
from brainarch.annotations.store import open_labels
from brainarch.dense.cube import Cube
from brainarch.embedding.representations import load_representations
from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.figures import annotations as annotated_slice
from brainarch.figures import (
    calibration,
    clusters,
    example_patches,
    factor_sources,
    factorization,
    factors,
    grey_values,
    label_efficiency,
    learning_curves,
    overview,
    preview,
    rasters,
    scale,
)
from brainarch.figures import classifiers as classifier_scores
from brainarch.figures import degradation as degraded_images
from brainarch.figures import gram as gram_matrices
from brainarch.figures import meaning as factor_meaning
from brainarch.figures import ranks as factor_ranks
from brainarch.figures import relations as area_relations
from brainarch.figures import typical as typical_patches
from brainarch.figures.factor_sources import area_view, read_agreement, read_profiles, share_shown
from brainarch.figures.panels import Areas, every_pixel
from brainarch.figures.save import save_figure
from brainarch.figures.sources import (
    code_picture,
    factor_pictures,
    grey_picture,
    label_picture,
    read_columns,
    shown_part,
    unit_pictures,
)
from brainarch.grids.labels import read_codes
from brainarch.grids.maps import SliceMaps
from brainarch.patches.table import read_patches
from brainarch.readout.gram_excerpt import load_excerpt
from brainarch.records import read_record
from brainarch.volume.store import open_volume

#: Areas or layers: name, title and colour of each.
Entries = Sequence[Mapping[str, Any]]


def draw_overview(
    *,
    volume: Path,
    labels: Path,
    network: Path,
    representations: Path,
    prediction: Path | None = None,
    areas: Entries,
    z: int,
    seed: int,
    png: Path,
    pdf: Path,
    table: Path,
) -> None:
    """V1: the method in one picture, every part of it taken from the data.

    Parameters
    ----------
    volume, labels : Path
        The volume and its area labels.
    network : Path
        The trained network, for the shapes of its layers.
    representations : Path
        Of the slice's test patches.
    prediction : Path, optional
        Predicted area map of the slice.
    """
    # No other figure needs torch, which takes seconds to load.
    from brainarch.figures.network_shapes import layer_shapes  # noqa: PLC0415
    from brainarch.network.trained import load_network  # noqa: PLC0415

    shown_areas = Areas.of(areas)
    opened, codes = open_volume(volume), open_labels(labels)
    content = load_representations(representations)
    own = content.rows(content.z == z)
    if not len(own):
        raise InputError(f"{representations}: holds no patch of slice {z}; embed its patches")
    _require_areas(own.areas, shown_areas, representations)
    grey = opened.read_slice(z)
    shown = overview.arrange(
        own.values,
        own.area,
        own.y,
        own.x,
        inside=example_patches.share_inside(codes.read_slice(z), own.area + 1, own.y, own.x),
        n_areas=len(areas),
        seed=seed,
    )
    annotation = label_picture(codes, z)
    predicted, part = None, ""
    if prediction is not None:
        maps = SliceMaps.open(prediction)
        predicted = code_picture(maps, "area")
        part = f"{every_pixel(maps.stride)}, rows {maps.y[0]} to {maps.y[-1]}"
    layers = layer_shapes(load_network(network).network)
    numbers = overview.prepare(shown_areas, annotation, predicted, layers, shown)
    figure = overview.draw(
        numbers,
        shown_areas,
        grey=grey_picture(opened, z),
        annotation=annotation,
        prediction=predicted,
        patch=example_patches.cut_patches(grey, np.array([shown.y]), np.array([shown.x]))[0],
        shown=shown,
        z=z,
        predicted_part=part,
    )
    save_figure(figure, numbers, png, pdf, table)


def draw_annotations(
    *,
    volume: Path,
    labels: Path,
    sizes: Path,
    patches: Path,
    splits: Path | None = None,
    areas: Entries,
    z: int,
    seed: int,
    png: Path,
    pdf: Path,
    table: Path,
) -> None:
    """V2: an annotated slice and example patches of every area.

    Parameters
    ----------
    volume, labels : Path
        The volume and its area labels.
    sizes, patches : Path
        Tables of the areas' sizes, and of training patches.
    splits : Path, optional
        Which pixels belong to which split, where the slice holds them all.
    """
    shown_areas, opened = Areas.of(areas), open_volume(volume)
    measured = read_columns(sizes, "slice", "area", "um2", "independent_patches")
    places = read_patches(patches)
    places = places[places["z"] == z]
    if places.empty:
        raise InputError(f"{patches}: holds no patch of slice {z}; name another slice")
    chosen = example_patches.choose_examples(places, shown_areas.names, seed)
    codes = label_picture(open_labels(labels), z)
    parts = None if splits is None else label_picture(open_labels(splits), z)
    sizes_here = measured[measured["slice"] == z]
    numbers = annotated_slice.prepare(shown_areas, codes, sizes_here, chosen, parts)
    figure = annotated_slice.draw(
        numbers,
        shown_areas,
        grey=grey_picture(opened, z),
        labels=codes,
        patches=example_patches.cut_patches(
            opened.read_slice(z), chosen["y"].to_numpy(), chosen["x"].to_numpy()
        ),
        title=f"Training slice z = {z}",
        splits=parts,
    )
    save_figure(figure, numbers, png, pdf, table)


def draw_scale(
    *,
    labels: Path,
    prediction: Path,
    confusion: Path,
    metrics: Path,
    border: Path,
    sampled_confusion: Path,
    sampled_metrics: Path,
    splits: Path | None = None,
    areas: Entries,
    png: Path,
    pdf: Path,
    table: Path,
) -> None:
    """V3: the predicted area map of a slice beside its annotation, and how right it is.

    Parameters
    ----------
    labels, prediction : Path
        Area labels and the predicted area map.
    confusion, metrics, border : Path
        Tables on that map; the last is its accuracy by distance to a border.
    sampled_confusion, sampled_metrics : Path
        Tables on the sampled test patches.
    splits : Path, optional
        Which pixels belong to which split, where the slice holds them all.
    """
    shown_areas, maps = Areas.of(areas), SliceMaps.open(prediction)
    predicted = code_picture(maps, "area")
    box = rasters.pixel_box(predicted)
    annotation = label_picture(open_labels(labels), maps.z, box)
    parts = None if splits is None else label_picture(open_labels(splits), maps.z, box)
    pairs = ("area", "predicted", "count")
    values = ("subset", "area", "metric", "value", "low", "high")
    numbers = scale.prepare(
        shown_areas,
        annotation,
        predicted,
        confusion=read_columns(confusion, *pairs),
        metrics=read_columns(metrics, *values),
        border=read_columns(border, "distance_um_low", "distance_um_high", "pixels", "accuracy"),
        sampled_confusion=read_columns(sampled_confusion, *pairs),
        sampled_metrics=read_columns(sampled_metrics, *values),
        splits=parts,
    )
    titles = (
        f"Annotation, {shown_part(maps)}",
        f"Predicted at {every_pixel(maps.stride)}",
    )
    figure = scale.draw(numbers, shown_areas, annotation, predicted, titles, parts)
    save_figure(figure, numbers, png, pdf, table)


def draw_classifiers(
    *,
    classifiers: Path,
    noise_curve: Path,
    scores: Path,
    differences: Path,
    chance: float,
    slices: Sequence[int],
    png: Path,
    pdf: Path,
    table: Path,
) -> None:
    """V4: what classifiers read from the representations of several networks.

    Parameters
    ----------
    classifiers, noise_curve, scores, differences : Path
        Tables of accuracies, of accuracies under noise, of clusters' agreement with areas, and of
        paired differences of accuracies.
    """
    fitted = ("network", "classifier", "accuracy", "low", "high")
    compared = ("network", "classifier", "other_network", "difference", "low", "high")
    found = ("v_measure", "low", "high", "ari", "ari_low", "ari_high", "ami")
    numbers = classifier_scores.prepare(
        read_columns(classifiers, "split", *fitted),
        read_columns(scores, "network", *found),
        read_columns(noise_curve, "variance", *fitted),
        read_columns(differences, *compared),
        chance,
    )
    save_figure(classifier_scores.draw(numbers, slices), numbers, png, pdf, table)


def draw_gram(
    *,
    errors: Path,
    blocks: Path,
    matrices: Mapping[str, Path],
    components: Path,
    variance: Path,
    areas: Entries,
    slices: Sequence[int],
    png: Path,
    pdf: Path,
    table: Path,
) -> None:
    """V5: Gram matrices of several networks, and their patches on principal components.

    Parameters
    ----------
    errors, blocks : Path
        Tables of block errors and of area-by-area means.
    matrices : mapping of str to Path
        Rows of the Gram matrix by network.
    components, variance : Path
        Tables of the patches' principal components and of their shares of variance.
    """
    shown_areas = Areas.of(areas)
    grams = {}
    for network, path in matrices.items():
        excerpt = load_excerpt(path)
        _require_areas(excerpt.areas, shown_areas, path)
        grams[network] = gram_matrices.Gram(excerpt.gram, excerpt.area)
    numbers = gram_matrices.prepare(
        read_columns(errors, "network", "block_error", "low", "high", *gram_matrices.YARDSTICKS),
        read_columns(blocks, "network", "area", "other", "mean"),
        read_columns(components, "network", "area", "pc1", "pc2", "pc3"),
        read_columns(variance, "network", "component", "share"),
    )
    figure = gram_matrices.draw(numbers, shown_areas, grams, slices)
    save_figure(figure, numbers, png, pdf, table)


def draw_relations(
    *,
    relations: Path,
    hierarchy: Path,
    variability: Path,
    areas: Entries,
    slices: Sequence[int],
    png: Path,
    pdf: Path,
    table: Path,
) -> None:
    """V7: areas as a hierarchy, and variability within areas against between areas.

    Parameters
    ----------
    relations, hierarchy, variability : Path
        Tables of how alike areas are, of how they are joined, and of the parts of the variance.
    """
    of_trees = ("measure", "step", "left", "right", "height", "size", "cophenetic")
    kinds = (*area_relations.PARTS, "share_between")
    parts = [f"{kind}{end}" for kind in kinds for end in ("", "_low", "_high")]
    numbers = area_relations.prepare(
        read_columns(
            relations, "network", "area", "other", "low", "high", *area_relations.MEASURES
        ),
        read_columns(hierarchy, "network", *of_trees),
        read_columns(variability, "network", "area", *parts),
    )
    figure = area_relations.draw(numbers, Areas.of(areas), slices)
    save_figure(figure, numbers, png, pdf, table)


def draw_clusters(
    *,
    volume: Path,
    map: Path,
    profiles: Path,
    depth: Path,
    layers: Path | None = None,
    agreement: Path | None = None,
    splits: Path | None = None,
    areas: Entries,
    layer_names: Entries = (),
    png: Path,
    pdf: Path,
    table: Path,
) -> None:
    """V6: clusters found inside one area, where they lie, and at which depth.

    Parameters
    ----------
    volume, map : Path
        The volume and the cluster map.
    profiles, depth : Path
        Table of where the clusters lie, and the depth map.
    layers, agreement : Path, optional
        Layer labels, and table of the clusters' agreement with them.
    splits : Path, optional
        Which pixels belong to which split, where the slice holds them all.
    """
    opened, found = open_volume(volume), SliceMaps.open(map)
    codes = code_picture(found, "subdivision")
    box = area_view(codes, opened)
    parts = None if splits is None else label_picture(open_labels(splits), found.z, box)
    names, layer_codes, borders = None, None, None
    if layers is not None:
        names = Areas.of(layer_names)
        layer_codes = label_picture(open_labels(layers), found.z, box)
        measured = SliceMaps.open(depth)
        every_4th = (slice(None, None, 4), slice(None, None, 4))
        borders = clusters.layer_borders(
            read_codes(layers, measured)[every_4th],
            measured.read("depth")[every_4th],
            len(names.names),
        )
    numbers = clusters.prepare(
        codes,
        read_profiles(profiles),
        found.z,
        layers=names,
        borders=borders,
        agreement=None if agreement is None else read_agreement(agreement),
        splits=parts,
    )
    figure = clusters.draw(
        numbers,
        grey_picture(opened, found.z, box),
        codes,
        f"{Areas.of(areas).titles[found.attrs['area']]}, {shown_part(found)}{share_shown(found)}",
        layers=names,
        layer_codes=layer_codes,
        splits=parts,
    )
    save_figure(figure, numbers, png, pdf, table)


def draw_factorization(
    *,
    cube: Path,
    basis: Path,
    coefficients: Path,
    fit: Path,
    selection: Path | None = None,
    chosen: Path | None = None,
    areas: Entries,
    png: Path,
    pdf: Path,
    table: Path,
) -> None:
    """M1: from the dense representation of a slice to factors and their maps.

    Parameters
    ----------
    cube, basis, coefficients, fit : Path
        Dense cube, basis, coefficient maps and summary of the factorisation.
    selection, chosen : Path, optional
        Factors selected over areas, and what became of them on slices that were not fitted.
    """
    maps = CoefficientMaps.open(coefficients)
    pictures = factor_pictures(maps, range(1, maps.factors + 1), max_side=factorization.MAP_SIDE)
    numbers = factorization.prepare(
        read_columns(basis, "factor", "unit", "value"),
        pictures,
        None if selection is None else _judged_areas(selection, chosen),
        float(read_record(fit)["relative_error"]),
    )
    units = unit_pictures(Cube.open(cube), factorization.STACK)
    figure = factorization.draw(numbers, Areas.of(areas), units, pictures, shown_part(maps))
    save_figure(figure, numbers, png, pdf, table)


def draw_factors(
    *,
    volume: Path,
    labels: Path,
    coefficients: Path,
    selection: Path,
    alignment: Path | None = None,
    chosen: Path | None = None,
    maps: Sequence[Path] = (),
    profiles: Sequence[Path] = (),
    agreements: Sequence[Path] = (),
    matches: Path | None = None,
    layers: Path | None = None,
    layer_selection: Path | None = None,
    areas: Entries,
    layer_names: Entries = (),
    png: Path,
    pdf: Path,
    table: Path,
) -> None:
    """M2: factors that predict areas and layers, and components of one area.

    Parameters
    ----------
    volume, labels : Path
        The volume and its area labels.
    coefficients, selection : Path
        Coefficient maps of the fitted slice, and the factors selected over areas.
    alignment, chosen : Path, optional
        AUROC of all factors, and what became of the selected ones on slices that were not fitted.
    maps, profiles : sequence of Path
        Component maps of one slice or two, the fitted one first, and where the components lie.
    agreements : sequence of Path
        How far components agree with layers, of the slices that have any.
    matches : Path, optional
        Matches of two slices' components.
    layers, layer_selection : Path, optional
        Layer labels, and the factors selected over layers.
    """
    shown_areas, opened = Areas.of(areas), open_volume(volume)
    found: dict[str, Any] = {
        "volume": opened,
        "maps": CoefficientMaps.open(coefficients),
        "alignment": alignment,
        "chosen": chosen,
    }
    target = factor_sources.read_target(
        "area", shown_areas, labels=labels, selection=selection, **found
    )
    discovery, layer_target = None, None
    if maps:
        discovery = factor_sources.read_discovery(
            shown_areas,
            volume=opened,
            maps=maps,
            profiles=profiles,
            agreements=agreements,
            matches=matches,
            layers=layers,
        )
    if layers is not None and layer_selection is not None:
        layer_target = factor_sources.read_target(
            "layer", Areas.of(layer_names), labels=layers, selection=layer_selection, **found
        )
    numbers = factors.prepare(target, discovery=discovery, layers=layer_target)
    figure = factors.draw(numbers, target, discovery=discovery, layers=layer_target)
    save_figure(figure, numbers, png, pdf, table)


def draw_meaning(
    *,
    meaning: Path,
    atlas: Path,
    selection: Path,
    sensitivity: Path,
    areas: Entries,
    png: Path,
    pdf: Path,
    table: Path,
) -> None:
    """M3: what each factor follows, and in which areas it is strong.

    Parameters
    ----------
    meaning, atlas : Path
        Tables of the factors' correlations with classical measures, and of the areas' means.
    selection, sensitivity : Path
        Tables of the factors selected for areas, and of those that the papers' rule selects with
        other thresholds and weights.
    """
    shown = Areas.of(areas)
    numbers = factor_meaning.prepare(
        read_columns(meaning, "factor", "measure", "rho", "low", "high", "p", "description"),
        read_columns(atlas, "kind", "name", "quantity", "mean", "low", "high", "pixels"),
        read_columns(selection, "rule", "area", "factor", "auroc"),
        read_columns(sensitivity, "threshold", "lambda", "area", "factor", "auroc"),
        shown,
    )
    save_figure(factor_meaning.draw(numbers, shown), numbers, png, pdf, table)


def draw_ranks(*, ranks: Path, chosen: int, png: Path, pdf: Path, table: Path) -> None:
    """M5: how many factors.

    Parameters
    ----------
    ranks : Path
        Table of numbers of factors compared on a sample.
    chosen : int
        The number of this run.
    """
    numbers = factor_ranks.prepare(read_columns(ranks, *factor_ranks.READ), chosen)
    save_figure(factor_ranks.draw(numbers), numbers, png, pdf, table)


def draw_typical(*, volume: Path, typical: Path, png: Path, pdf: Path, table: Path) -> None:
    """M4: the most typical patches of every factor, component and cluster.

    Parameters
    ----------
    volume, typical : Path
        The volume, and the table of typical patches of one of its slices.
    """
    opened = open_volume(volume)
    found = read_columns(typical, "slice", "kind", "name", "rank", "y", "x", "value")
    numbers = typical_patches.prepare(found)
    patches = example_patches.cut_patches(
        opened.read_slice(int(found["slice"].iloc[0])),
        numbers["y"].to_numpy().astype(np.int64),
        numbers["x"].to_numpy().astype(np.int64),
    )
    figure = typical_patches.draw(numbers, list(patches), opened.pixel_um)
    save_figure(figure, numbers, png, pdf, table)


def draw_outliers(
    *, volume: Path, outliers: Path, areas: Entries, png: Path, pdf: Path, table: Path
) -> None:
    """V8: the test patches that are least like the training patches of their area.

    Parameters
    ----------
    volume, outliers : Path
        The volume, and the table of outliers of every compared network.
    """
    opened = open_volume(volume)
    found = read_columns(outliers, "network", "z", "y", "x", "area", "rank", "distance")
    own = typical_patches.of_outliers(found, Areas.of(areas))
    own = own[own["rank"] <= typical_patches.SHOWN]
    numbers = typical_patches.prepare(own)
    patches = [
        example_patches.cut_patches(
            opened.read_slice(int(row["z"])), np.array([row["y"]]), np.array([row["x"]])
        )[0]
        for row in own.to_dict("records")
    ]
    figure = typical_patches.draw(numbers, patches, opened.pixel_um, typical_patches.OUTLIERS)
    save_figure(figure, numbers, png, pdf, table)


def draw_learning_curves(
    *, curves: Mapping[str, Path], chance: float, png: Path, pdf: Path, table: Path
) -> None:
    """Loss and accuracy of training and validation, with the epoch that was kept.

    Parameters
    ----------
    curves : mapping of str to Path
        Table of learning curves by run.
    """
    frames = {
        run: read_columns(path, "epoch", "split", "loss", "accuracy")
        for run, path in curves.items()
    }
    numbers = learning_curves.prepare(frames, chance)
    save_figure(learning_curves.draw(numbers), numbers, png, pdf, table)


def draw_calibration(
    *, reliability: Path, summary: Path, png: Path, pdf: Path, table: Path
) -> None:
    """How far the network's confidence is its share of right answers.

    Parameters
    ----------
    reliability, summary : Path
        Accuracy by confidence, and temperature and errors.
    png, pdf, table
        See the module.
    """
    numbers = calibration.prepare(
        read_columns(reliability, "state", "patches", "confidence", "accuracy"),
        read_record(summary),
    )
    save_figure(calibration.draw(numbers), numbers, png, pdf, table)


def draw_degradation(
    *, degradation: Path, chance: float, png: Path, pdf: Path, table: Path
) -> None:
    """Accuracy on worse images, by network.

    Parameters
    ----------
    degradation : Path
        Accuracy of classifiers by change and level.
    chance : float
        Accuracy of guessing.
    png, pdf, table
        See the module.
    """
    columns = ("network", "classifier", "change", "level", "accuracy", "low", "high")
    numbers = degraded_images.prepare(read_columns(degradation, *columns), chance)
    save_figure(degraded_images.draw(numbers), numbers, png, pdf, table)


def draw_label_efficiency(
    *, efficiency: Path, chance: float, png: Path, pdf: Path, table: Path
) -> None:
    """Accuracy of linear probes on a few labelled blocks of each area.

    Parameters
    ----------
    efficiency : Path
        Their accuracy by number of blocks.
    chance : float
        Accuracy of guessing.
    png, pdf, table
        See the module.
    """
    columns = ("network", "blocks", "every", "accuracy", "lowest", "highest")
    numbers = label_efficiency.prepare(read_columns(efficiency, *columns), chance)
    save_figure(label_efficiency.draw(numbers), numbers, png, pdf, table)


def draw_grey_values(
    *, summary: Path, histogram: Path, slices: Path, png: Path, pdf: Path, table: Path
) -> None:
    """Grey values of the whole volume, and how they change from slice to slice.

    Parameters
    ----------
    summary, histogram, slices : Path
        The volume's numbers, its histogram, and the numbers of its slices.
    png, pdf, table
        See the module.
    """
    numbers = grey_values.prepare(
        read_columns(summary, "quantity", "value"),
        read_columns(histogram, "grey", "voxels"),
        read_columns(slices, "slice", "mean", "std", "tissue_share"),
    )
    save_figure(grey_values.draw(numbers), numbers, png, pdf, table)


def draw_preview(
    *,
    volume: Path,
    labels: Path,
    sizes: Path,
    z: int,
    areas: Entries,
    png: Path,
    pdf: Path,
    table: Path,
) -> None:
    """Draw an annotated slice with the outlines of its labels, for the eye.

    Parameters
    ----------
    volume, labels, sizes : Path
        The volume, its area or layer labels, and the table of their sizes; ``areas`` are layers
        then.
    """
    measured = read_columns(sizes, "slice", "area", "rim_pixels")
    here = measured[measured["slice"] == z]
    rims = {str(area): int(n) for area, n in zip(here["area"], here["rim_pixels"], strict=True)}
    shown_areas, opened, codes = Areas.of(areas), open_volume(volume), open_labels(labels)
    drawn = codes.read_slice(z)
    holes = {
        name: count_holes(drawn == code, codes.hole_px)[0]
        for code, name in enumerate(shown_areas.names, start=1)
    }
    counts = rasters.count_codes(drawn, shown_areas.names)
    numbers = preview.prepare(counts, opened.pixel_um, holes, rims)
    figure = preview.draw(
        numbers,
        shown_areas,
        grey=grey_picture(opened, z),
        labels=label_picture(codes, z),
        title=f"Slice z = {z} with its labels",
    )
    save_figure(figure, numbers, png, pdf, table, preview.DPI)


def _judged_areas(selection: Path, chosen: Path | None) -> pd.DataFrame:
    """Read the factors selected for areas, and whether another slice contradicts them."""
    pairs = factor_sources.read_selected(selection, "area").rename(columns={"area": "name"})
    return factors.judged(pairs, factor_sources.held_out(chosen, "area")[1])


def _require_areas(found: tuple[str, ...], areas: Areas, path: Path) -> None:
    if found != areas.names:
        raise InputError(f"{path}: made with other areas than the config's; run its stage again")
