"""The stages inside one area: depth, clusters, components, profiles, nulls, matches."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.annotations.legend import read_legend
from brainarch.annotations.store import open_labels
from brainarch.atomic import write_json
from brainarch.dense.cube import Cube
from brainarch.discovery import clusters as kmeans
from brainarch.discovery import mixture
from brainarch.discovery.agreement import AGREEMENT_COLUMNS, compare_with_nulls
from brainarch.discovery.area_pixels import draw_pixels, inside_mask
from brainarch.discovery.depth import GAP_PX, area_depth, parse_border
from brainarch.discovery.matching import DISTANCE_COLUMNS, MATCH_COLUMNS, match_profiles
from brainarch.discovery.profiles import (
    DEPTH_BINS,
    PROFILE_COLUMNS,
    profile_by_depth,
    profile_by_layer,
    profile_matrix,
)
from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.grids.extracted import ExtractedGrid
from brainarch.grids.grid import Place
from brainarch.grids.labels import on_grid, read_codes
from brainarch.grids.maps import SliceMaps, write_maps
from brainarch.seeds import generator
from brainarch.tables import read_table, write_table

#: Distance of the pixels that are compared with layers, in pixels of the slice (ours).
STEP_PX = 8
#: Side of the blocks of layers that the block null shuffles, in pixels: that of a patch (ours).
BLOCK_PX = 128

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
    found = area_depth(image.read_slice(z), names.code_of(area), *borders, GAP_PX)
    write_maps(
        depth,
        {"depth": found.depth, "upper_px": found.upper_px, "lower_px": found.lower_px},
        Place(z, 1, image.pixel_um, found.y, found.x),
        {"area": area, "upper": upper, "lower": lower, "gap_px": GAP_PX},
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
    mask = _area_pixels(opened, labels, legend, area, inside_px=0)
    drawn = draw_pixels(mask, kmeans.FIT_PIXELS, generator(seed, "cluster pixels"))
    sample = [X for _, _, X in opened.batches(mask=drawn, desc="pixels to fit")]
    fitted = kmeans.fit_clusters(np.concatenate(sample), clusters, seed, threads)
    found = np.zeros(opened.shape, dtype=np.uint8)
    for iy, ix, X in opened.batches(mask=mask, desc="clusters"):
        found[iy, ix] = fitted.assign(X)
    about = {"area": area, "method": "PCA, then k-means", "inside_px": 0, "inside_of": "area"}
    attrs = {**about, "components": clusters}
    write_maps(map, {"component": found}, opened.place, attrs, "`brainarch cluster-area`")
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
    write_json(fit, content)


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
    seed: int,
    threads: int = 1,
) -> None:
    """Find components of an area: a Gaussian mixture on the factors' coefficients (M, A).

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
    mask = _area_pixels(maps, labels, legend, area, inside_px)
    drawn = draw_pixels(mask, mixture.FIT_PIXELS, generator(seed, "mixture pixels"))
    sample = np.concatenate([C for _, _, C in maps.batches(drawn)])
    fitted = mixture.fit_mixture(sample, components, seed, threads)
    if not fitted.converged:
        logger.warning(
            "mixture of slice %d did not converge in %d iterations; lower discovery.components",
            maps.z,
            fitted.iterations,
        )
    found = np.zeros(maps.shape, dtype=np.uint8)
    probability = np.full(maps.shape, np.nan, dtype=np.float32)
    moments = mixture.ComponentMoments(components, maps.factors)
    for iy, ix, C in maps.batches(mask, desc="components"):
        found[iy, ix], probability[iy, ix] = fitted.assign(C)
        moments.add(found[iy, ix], C)
    about = {
        "area": area,
        "method": "Gaussian mixture on coefficients",
        "inside_px": inside_px,
        "inside_of": "area",
        "components": components,
    }
    made: dict[str, NDArray[Any]] = {"component": found, "probability": probability}
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
        "converged": fitted.converged,
        "iterations": fitted.iterations,
        "log_likelihood": fitted.log_likelihood,
        "weights": fitted.weights.tolist(),
        "sizes": moments.sizes.tolist(),
        "mean_probability": float(np.nanmean(probability)),
    }
    write_json(fit, content)


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
    found = opened.read("component")
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
    """Measure how far clusters or components agree with layers, beside spatial nulls.

    Parameters
    ----------
    map, depth : Path
        Map of clusters or components, and depth map of the same slice.
    layers, layers_legend : Path
        Layer labels and their legend.
    agreement : Path
        Table to write.
    nulls : int
        Surrogate label maps of each null.
    seed : int
        Of the surrogates.

    Raises
    ------
    InputError
        If the files do not belong together.
    """
    opened = SliceMaps.open(map)
    step = max(1, round(STEP_PX / opened.stride))
    thin = (slice(None, None, step), slice(None, None, step))
    codes, _ = _layer_codes(opened, layers, layers_legend)
    frame = compare_with_nulls(
        opened.read("component")[thin],
        codes[thin],
        block=max(1, round(BLOCK_PX / (step * opened.stride))),
        count=nulls,
        seed=seed,
        depth=_depth_of(opened, depth)[thin],
    )
    frame.insert(0, "slice", opened.z)
    write_table(frame, agreement, AGREEMENT_COLUMNS)


def match_components(*, reference: Path, other: Path, matches: Path, distances: Path) -> None:
    """Match the components of two slices one to one by their profiles.

    Profiles by layer are compared where both slices have them, else those by depth.

    Parameters
    ----------
    reference, other : Path
        Profiles that `profile_map` wrote, of the two slices.
    matches, distances : Path
        Tables to write: the matches, and the distances of all pairs.

    Raises
    ------
    InputError
        If a table is none of profiles, or the two have different bins.
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
    for frame, path, columns in zip(
        match_profiles(first, second),
        (matches, distances),
        (MATCH_COLUMNS, DISTANCE_COLUMNS),
        strict=True,
    ):
        write_table(frame.assign(slice=z, other_slice=other_z, by=by)[list(columns)], path, columns)


def _area_pixels(
    grid: ExtractedGrid, labels: Path, legend: Path, area: str, inside_px: int
) -> NDArray[np.bool_]:
    """Return the extracted pixels of an area, far enough inside it on the whole slice."""
    code = read_legend(legend).code_of(area)
    inside = inside_mask(open_labels(labels).read_slice(grid.z) == code, inside_px)
    mask: NDArray[np.bool_] = on_grid(inside, grid.place, str(labels)) & grid.extracted
    if not mask.any():
        where = f" that lies more than {inside_px} px inside" if inside_px else ""
        raise InputError(
            f"slice {grid.z}: no extracted pixel of {area}{where}; extract rows that hold the "
            "area, or lower discovery.inside_px"
        )
    return mask


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
