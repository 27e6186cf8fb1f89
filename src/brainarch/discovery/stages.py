"""The stages inside one area: depth, clusters, components, profiles, nulls, matches."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.annotations.holes import close_holes
from brainarch.annotations.legend import read_legend
from brainarch.annotations.store import open_labels
from brainarch.dense.cube import Cube
from brainarch.discovery import clusters as kmeans
from brainarch.discovery import mixture
from brainarch.discovery.agreement import AGREEMENT_COLUMNS, compare_with_nulls
from brainarch.discovery.area_pixels import average_inside, draw_pixels, inside_mask
from brainarch.discovery.depth import GAP_PX, area_depth, parse_border
from brainarch.discovery.matching import (
    DISTANCE_COLUMNS,
    MATCH_COLUMNS,
    match_nulls,
    match_profiles,
)
from brainarch.discovery.numbers import NUMBER_COLUMNS, chequered, compare_numbers
from brainarch.discovery.profiles import (
    DEPTH_BINS,
    PROFILE_COLUMNS,
    depth_bins,
    profile_by_depth,
    profile_by_layer,
    profile_matrix,
)
from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.geometry import PATCH
from brainarch.grids.extracted import ExtractedGrid
from brainarch.grids.grid import Place
from brainarch.grids.labels import on_grid, read_codes
from brainarch.grids.maps import SliceMaps, write_maps
from brainarch.records import write_record
from brainarch.seeds import generator
from brainarch.statistics.packing import pack_patches
from brainarch.tables import read_table, write_table

#: Distance of the pixels that are compared with layers, in pixels of the slice (ours).
STEP_PX = 8

#: Share of the area's extracted pixels below which the log says that little was looked at (ours).
LITTLE = 0.5

logger = logging.getLogger(__name__)


def measure_depth(
    *, labels: Path, legend: Path, depth: Path, z: int, area: str, upper: str, lower: str
) -> None:
    """Measure the relative depth of an area's pixels between two borders.

    Parameters
    ----------
    labels, legend : Path
        Area labels and their legend.
    depth : Path
        Depth map to write (Zarr).
    z : int
        Number of the slice.
    area : str
        The area's name.
    upper, lower : str
        What borders depth 0 and 1: an area, ``outside`` (the unlabelled side away from the other
        border), or outside-left, -right, -top, -bottom.

    Raises
    ------
    InputError
        If a name is not in the legend, the slice is not annotated, or a border is not found.
    """
    names, image = read_legend(legend), open_labels(labels)
    codes = {name: names.code_of(name) for name in names.names}
    borders = parse_border(upper, codes), parse_border(lower, codes)
    found = area_depth(
        image.read_slice(z), names.code_of(area), *borders, gap=GAP_PX, hole_px=image.hole_px
    )
    write_maps(
        depth,
        {"depth": found.depth, "upper_px": found.upper_px, "lower_px": found.lower_px},
        Place(z, 1, image.pixel_um, found.y, found.x),
        {
            "area": area,
            "upper": upper,
            "lower": lower,
            "gap_px": GAP_PX,
            "hole_px": image.hole_px,
        },
        "`brainarch depth`",
    )


def cluster_area(
    *,
    cube: Path,
    labels: Path,
    legend: Path,
    map: Path,
    fit: Path,
    area: str,
    clusters: int,
    inside_px: int,
    seed: int,
    threads: int = 1,
) -> None:
    """Cluster an area's pixels: PCA of the representation, then k-means (V).

    Parameters
    ----------
    cube, labels, legend : Path
        Dense cube of the slice; area labels and their legend.
    map, fit : Path
        Cluster map (Zarr) and summary of the fit (JSON) to write.
    area : str
        The area's name.
    clusters : int
        Number of clusters k.
    inside_px : int
        Only pixels farther than this from the area's border: the windows of others are partly of
        its neighbours, and clusters would be strips along the border.
    seed : int
        Of the drawn pixels and starts.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If too few of the area's pixels are extracted, or the files do not belong together.
    """
    opened = Cube.open(cube)
    mask, kept = _area_pixels(opened, labels, legend, area, inside_px)
    drawn = draw_pixels(mask, kmeans.FIT_PIXELS, generator(seed, "cluster pixels"))
    sample = [X for _, _, X in opened.batches(mask=drawn, desc="pixels to fit")]
    fitted = kmeans.fit_clusters(np.concatenate(sample), clusters, seed, threads)
    found = np.zeros(opened.shape, dtype=np.uint8)
    for iy, ix, X in opened.batches(mask=mask, desc="clusters"):
        found[iy, ix] = fitted.assign(X)
    about = {"area": area, "method": "PCA, then k-means", "inside_px": inside_px, **kept}
    attrs = {**about, "subdivisions": clusters}
    write_maps(map, {"subdivision": found}, opened.place, attrs, "`brainarch cluster-area`")
    sizes = np.bincount(found.ravel(), minlength=clusters + 1)[1:]
    content = {
        "slice": opened.z,
        **about,
        "clusters": clusters,
        "pca_components": len(fitted.axes),
        "seed": seed,
        "pixels": int(mask.sum()),
        "pixels_fitted": int(drawn.sum()),
        "pca_share": fitted.pca_share,
        "within_share": fitted.within_share,
        "iterations": fitted.iterations,
        "sizes": sizes.tolist(),
    }
    write_record(fit, content)


def find_components(
    *,
    coefficients: Path,
    labels: Path,
    legend: Path,
    map: Path,
    table: Path,
    fit: Path,
    area: str,
    components: int,
    inside_px: int,
    average_um: float,
    seed: int,
    threads: int = 1,
) -> None:
    """Find components of an area: a Gaussian mixture on the factors' coefficients (M, A).

    Coefficients are averaged over a neighbourhood first (ours): a single patch holds so few cells
    that two patches of one layer differ as much as two layers do.

    Parameters
    ----------
    coefficients, labels, legend : Path
        Coefficient maps of the slice; area labels and their legend.
    map, table, fit : Path
        Component map (Zarr), mean coefficients of the components (CSV) and summary of the fit
        (JSON) to write.
    area : str
        The area's name.
    components : int
        Number of components.
    inside_px : int
        Only pixels farther than this from the area's border.
    average_um : float
        Standard deviation, in micrometer, of the Gaussian that averages coefficients over these
        pixels; 0 takes every pixel alone (M).
    seed : int
        Of the drawn pixels and starts.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If too few of the area's pixels are extracted, or the files do not belong together.
    """
    maps = CoefficientMaps.open(coefficients)
    mask, kept = _area_pixels(maps, labels, legend, area, inside_px)
    drawn = draw_pixels(mask, mixture.FIT_PIXELS, generator(seed, "mixture pixels"))
    averaged = _averaged(maps, mask, average_um)
    sample = averaged[drawn[mask]]
    fitted = mixture.fit_mixture(sample, components, seed, threads)
    if len(sample) < mixture.PIXELS_PER_PARAMETER * fitted.parameters:
        logger.warning(
            "mixture of slice %d: %d pixels for %d parameters; lower discovery.components",
            maps.z,
            len(sample),
            fitted.parameters,
        )
    if not fitted.converged:
        logger.warning(
            "mixture of slice %d did not converge in %d iterations; lower discovery.components",
            maps.z,
            fitted.iterations,
        )
    found = np.zeros(maps.shape, dtype=np.uint8)
    probability = np.full(maps.shape, np.nan, dtype=np.float32)
    moments = mixture.ComponentMoments(components, maps.factors)
    found[mask], probability[mask] = fitted.assign(averaged)
    for iy, ix, C in maps.batches(mask, desc="components"):
        moments.add(found[iy, ix], C)
    about = {
        "area": area,
        "method": "Gaussian mixture on coefficients",
        "average_um": average_um,
        "inside_px": inside_px,
        **kept,
        "subdivisions": components,
    }
    made: dict[str, NDArray[Any]] = {"subdivision": found, "probability": probability}
    write_maps(map, made, maps.place, about, "`brainarch find-components`")
    write_table(moments.table(), table, mixture.COMPONENT_COLUMNS)
    content = {
        "slice": maps.z,
        **about,
        "covariance": "full, coefficients divided by the root of their mean variance",
        "regularisation": mixture.REGULARISATION,
        "factors_used": (np.flatnonzero(fitted.used) + 1).tolist(),
        "seed": seed,
        "pixels": int(mask.sum()),
        "pixels_fitted": int(drawn.sum()),
        "parameters": fitted.parameters,
        "converged": fitted.converged,
        "iterations": fitted.iterations,
        "starts": len(fitted.agreement),
        "agreement_of_starts": [round(value, 4) for value in fitted.agreement],
        "log_likelihood": fitted.log_likelihood,
        "weights": fitted.weights.tolist(),
        "sizes": moments.sizes.tolist(),
        "mean_probability": float(np.nanmean(probability)),
    }
    write_record(fit, content)


def sweep_components(
    *,
    coefficients: Path,
    labels: Path,
    legend: Path,
    numbers: Path,
    area: str,
    sweep: Sequence[int],
    inside_px: int,
    average_um: float,
    seed: int,
    threads: int = 1,
) -> None:
    """Compare numbers of components of an area: BIC, held-out likelihood, stability.

    Parameters
    ----------
    coefficients, labels, legend, area, inside_px, average_um, seed, threads
        As for `find_components`.
    numbers : Path
        Table to write.
    sweep : sequence of int
        Numbers of components.

    Raises
    ------
    InputError
        If too few of the area's pixels are extracted, or the files do not belong together.
    """
    maps = CoefficientMaps.open(coefficients)
    mask, _ = _area_pixels(maps, labels, legend, area, inside_px)
    drawn = draw_pixels(mask, mixture.FIT_PIXELS, generator(seed, "mixture pixels"))
    sample = _averaged(maps, mask, average_um)[drawn[mask]]
    iy, ix = np.nonzero(drawn)
    patches = len(pack_patches(mask, max(1, PATCH // maps.stride)))
    half = chequered(iy, ix, maps.stride)
    found = compare_numbers(sample, half, sweep, patches, seed, threads)
    found.insert(0, "slice", maps.z)
    write_table(found[list(NUMBER_COLUMNS)], numbers, NUMBER_COLUMNS)


def _averaged(
    maps: CoefficientMaps, mask: NDArray[np.bool_], average_um: float
) -> NDArray[np.float32]:
    """Return the averaged coefficients of a mask's pixels, shape (pixels, factors)."""
    sigma = average_um / (maps.pixel_um * maps.stride)
    averaged = np.empty((int(mask.sum()), maps.factors), dtype=np.float32)
    for factor in range(maps.factors):
        averaged[:, factor] = average_inside(maps.factor_map(factor + 1), mask, sigma)
    return averaged


def profile_map(
    *,
    map: Path,
    depth: Path,
    layers: Path | None = None,
    layers_legend: Path | None = None,
    profiles: Path,
) -> None:
    """Say where clusters or components lie: their shares by layer and by depth.

    Parameters
    ----------
    map, depth : Path
        Map of clusters or components, and depth map of the same slice.
    layers, layers_legend : Path, optional
        Layer labels and their legend, if there are any.
    profiles : Path
        Table to write.

    Raises
    ------
    InputError
        If the files do not belong together.
    """
    opened = SliceMaps.open(map)
    found = opened.read("subdivision")
    frames = []
    if layers is not None and layers_legend is not None:
        codes, names = _layer_codes(opened, layers, layers_legend)
        frames.append(profile_by_layer(found, codes, names))
    frames.append(profile_by_depth(found, _depth_of(opened, depth), DEPTH_BINS))
    whole = pd.concat(frames, ignore_index=True)
    whole.insert(0, "slice", opened.z)
    write_table(whole, profiles, PROFILE_COLUMNS)


def compare_layers(
    *,
    map: Path,
    depth: Path,
    layers: Path,
    layers_legend: Path,
    agreement: Path,
    nulls: int,
    seed: int,
) -> None:
    """Measure how far clusters or components agree with layers, beside nulls that keep bands.

    Parameters
    ----------
    map, depth : Path
        Map of clusters or components, and depth map of the same slice.
    layers, layers_legend : Path
        Layer labels and their legend.
    agreement : Path
        Table to write.
    nulls : int
        Surrogate maps of each null.
    seed : int
        Of the surrogates.

    Raises
    ------
    InputError
        If the files do not belong together.
    """
    opened = SliceMaps.open(map)
    thin = _thin(opened)
    codes, _ = _layer_codes(opened, layers, layers_legend)
    frame = compare_with_nulls(
        opened.read("subdivision")[thin],
        codes[thin],
        _depth_of(opened, depth)[thin],
        count=nulls,
        seed=seed,
    )
    frame.insert(0, "slice", opened.z)
    frame["area_share"] = opened.attrs["area_share"]
    write_table(frame, agreement, AGREEMENT_COLUMNS)


def match_components(
    *,
    reference: Path,
    other: Path,
    map: Path,
    depth: Path,
    layers: Path | None = None,
    layers_legend: Path | None = None,
    matches: Path,
    distances: Path,
    nulls: int,
    seed: int,
) -> None:
    """Match the components of two slices one to one by their profiles, beside two nulls.

    Profiles by layer are compared where both slices have them, else those by depth.

    Parameters
    ----------
    reference, other : Path
        Profiles that `profile_map` wrote, of the two slices.
    map, depth : Path
        Map and depth map of the other slice, for its surrogates.
    layers, layers_legend : Path, optional
        Layer labels and their legend, if that slice has them.
    matches, distances : Path
        Tables to write: the matches, and the distances of all pairs.
    nulls : int
        Surrogates of each null.
    seed : int
        Of the surrogates.

    Raises
    ------
    InputError
        If a table is none of profiles, the two have different bins, or the map is of another slice.
    """
    tables = [read_table(reference), read_table(other)]
    for path, table in zip((reference, other), tables, strict=True):
        if not set(PROFILE_COLUMNS) <= set(table.columns):
            raise InputError(f"{path}: no table of profiles; run `brainarch profile`")
    by = "layer" if all("layer" in set(table["by"]) for table in tables) else "depth"
    first, second = (profile_matrix(table, by) for table in tables)
    if list(first.columns) != list(second.columns):
        raise InputError(
            f"{reference}, {other}: {len(first.columns)} and {len(second.columns)} {by} bins; "
            "run `brainarch profile` on both again"
        )
    z, other_z = (int(table["slice"].iloc[0]) for table in tables)
    opened = SliceMaps.open(map)
    if opened.z != other_z:
        raise InputError(f"{map}: of slice {opened.z}, but {other} is of slice {other_z}")
    found, pairs = match_profiles(first, second)
    mean = float(found["distance"].mean())
    of_bin = [table[table["by"] == by].groupby("bin")["pixels"].sum() for table in tables]
    beside = match_nulls(
        mean,
        first.to_numpy(),
        (of_bin[0].to_numpy(), of_bin[1].to_numpy()),
        *_thinned(opened, depth, by, layers, layers_legend),
        count=nulls,
        seed=seed,
    )
    found = found.assign(mean_distance=mean, **beside)
    for frame, path, columns in zip(
        (found, pairs),
        (matches, distances),
        (MATCH_COLUMNS, DISTANCE_COLUMNS),
        strict=True,
    ):
        write_table(frame.assign(slice=z, other_slice=other_z, by=by)[list(columns)], path, columns)


def _thinned(
    opened: SliceMaps, depth: Path, by: str, layers: Path | None, layers_legend: Path | None
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[Any], NDArray[np.int64]]:
    """Return codes, places, depth and bin of a map's pixels that are compared, `STEP_PX` apart."""
    thin = _thin(opened)
    codes, depths = opened.read("subdivision")[thin], _depth_of(opened, depth)[thin]
    if by == "layer" and layers is not None and layers_legend is not None:
        bins = _layer_codes(opened, layers, layers_legend)[0][thin].astype(np.int64)
    else:
        bins = depth_bins(depths, DEPTH_BINS)
    compared = (codes > 0) & (bins > 0) & np.isfinite(depths)
    places = np.argwhere(compared).astype(np.float64)
    return codes[compared].astype(np.int64), places, depths[compared], bins[compared]


def _thin(opened: SliceMaps) -> tuple[slice, slice]:
    """Return which pixels of a map's grid are compared with layers."""
    step = max(1, round(STEP_PX / opened.stride))
    return slice(None, None, step), slice(None, None, step)


def _area_pixels(
    grid: ExtractedGrid, labels: Path, legend: Path, area: str, inside_px: int
) -> tuple[NDArray[np.bool_], dict[str, Any]]:
    """Return an area's extracted pixels far enough inside it, and what share of all they are."""
    stored = open_labels(labels)
    own = stored.read_slice(grid.z) == read_legend(legend).code_of(area)
    inside = own & inside_mask(close_holes(own, stored.hole_px), inside_px)
    mask: NDArray[np.bool_] = on_grid(inside, grid.place, str(labels)) & grid.extracted
    if not mask.any():
        where = f" that lies more than {inside_px} px inside" if inside_px else ""
        raise InputError(
            f"slice {grid.z}: no extracted pixel of {area}{where}; extract rows that hold the "
            "area, or lower discovery.inside_px"
        )
    every = on_grid(own, grid.place, str(labels)) & grid.extracted
    share = float(mask.sum() / every.sum())
    if share < LITTLE:
        logger.warning(
            "slice %d: only %d of %d extracted pixels of %s (%.0f %%) lie more than %d px inside "
            "it; lower discovery.inside_px, or raise annotations.hole_um2 if it is full of holes",
            grid.z,
            mask.sum(),
            every.sum(),
            area,
            100 * share,
            inside_px,
        )
    return mask, {"area_share": share, "hole_px": stored.hole_px}


def _layer_codes(
    grid: SliceMaps, layers: Path, layers_legend: Path
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return layer codes on a map's grid and the layers' names."""
    codes, names = read_codes(layers, grid), read_legend(layers_legend).names
    if codes.max() > len(names):
        raise InputError(f"{layers}: holds code {codes.max()}, the legend has {len(names)} layers")
    return codes, names


def _depth_of(grid: SliceMaps, depth: Path) -> NDArray[Any]:
    """Return relative depth on a map's grid, NaN where there is none."""
    opened = SliceMaps.open(depth)
    if opened.z != grid.z:
        raise InputError(
            f"{depth}: depth of slice {opened.z}, but the map is of slice {grid.z}; give the depth "
            "of that slice"
        )
    return opened.sample("depth", grid.y, grid.x, float("nan"))
