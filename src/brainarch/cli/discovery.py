"""Verbs for subdivisions of an area: depth, clusters, components, profiles, nulls, matches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from brainarch.discovery.maps import SliceMap

AreaLabels = Annotated[Path, typer.Option(help="Area labels (OME-Zarr).")]
AreaLegend = Annotated[Path, typer.Option(help="Legend table of the areas.")]
AreaName = Annotated[str, typer.Option(help="The area to subdivide, by name.")]
ComponentMap = Annotated[
    Path, typer.Option("--map", help="Map that `cluster-area` or `find-components` wrote.")
]
DepthMapPath = Annotated[Path | None, typer.Option(help="Depth map that `depth` wrote.")]
LayerLabels = Annotated[Path | None, typer.Option(help="Layer labels (OME-Zarr).")]
LayerLegend = Annotated[Path | None, typer.Option(help="Legend table of the layers.")]
InsideOf = Annotated[
    Literal["area", "labelled"],
    typer.Option(help="What --inside-px is measured in: the area, or all labelled pixels (A)."),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of drawn pixels and starts.")]
Threads = Annotated[int, typer.Option(min=1, help="CPU threads.")]


def depth(
    labels: AreaLabels,
    legend: AreaLegend,
    slice_: Annotated[int, typer.Option("--slice", help="Annotated slice.")],
    area: AreaName,
    upper: Annotated[
        str,
        typer.Option(
            help="Border of depth 0: an area, outside (the unlabelled side away from the other "
            "border), or outside-left, -right, -top, -bottom."
        ),
    ],
    lower: Annotated[str, typer.Option(help="Border of depth 1, named likewise.")],
    output: Annotated[Path, typer.Option(help="Depth map (Zarr) to write.")],
    gap_px: Annotated[
        int, typer.Option(min=0, help="Widest unlabelled gap between areas that is closed.")
    ] = 64,
) -> None:
    """Relative depth of an area's pixels between two borders."""
    from brainarch.annotations.legend import read_legend
    from brainarch.annotations.store import open_labels
    from brainarch.discovery.depth import area_depth, parse_border
    from brainarch.discovery.maps import write_map

    names = read_legend(legend)
    codes = {name: names.code_of(name) for name in names.names}
    image = open_labels(labels)
    found = area_depth(
        image.read_slice(slice_),
        names.code_of(area),
        parse_border(upper, codes),
        parse_border(lower, codes),
        gap_px,
    )
    write_map(
        output,
        {"depth": found.depth, "upper_px": found.upper_px, "lower_px": found.lower_px},
        found.y,
        found.x,
        {
            "z": slice_,
            "stride": 1,
            "area": area,
            "upper": upper,
            "lower": lower,
            "gap_px": gap_px,
            "voxel_um": image.voxel_um,
        },
    )


def cluster_area(
    cube: Annotated[Path, typer.Option(help="Dense cube of the slice.")],
    labels: AreaLabels,
    legend: AreaLegend,
    area: AreaName,
    output_map: Annotated[Path, typer.Option(help="Cluster map (Zarr) to write.")],
    output_fit: Annotated[Path, typer.Option(help="Summary of the fit (JSON) to write.")],
    clusters: Annotated[int, typer.Option(min=2, help="Clusters k (V: 4).")] = 4,
    pca_components: Annotated[int, typer.Option(min=1, help="Principal components.")] = 10,
    inside_px: Annotated[
        int, typer.Option(min=0, help="Only pixels farther than this from the border.")
    ] = 0,
    inside_of: InsideOf = "area",
    fit_pixels: Annotated[
        int, typer.Option(min=100, help="Most pixels to fit on; all are assigned.")
    ] = 100_000,
    seed: Seed = 2020,
    threads: Threads = 1,
) -> None:
    """Cluster an area's pixels: PCA of the representation, then k-means (V)."""
    import numpy as np

    from brainarch.atomic import write_json
    from brainarch.dense.cube import CHUNK, Cube
    from brainarch.discovery.clusters import fit_clusters
    from brainarch.discovery.maps import write_map
    from brainarch.discovery.regions import draw_pixels
    from brainarch.progress import progress
    from brainarch.seeds import generator

    opened = Cube.open(cube)
    mask = _area_pixels(opened.z, opened.y, opened.x, labels, legend, area, inside_px, inside_of)
    mask &= opened.extracted
    _require_pixels(mask, area, opened.z, inside_px)
    drawn = draw_pixels(mask, fit_pixels, generator(seed, "cluster pixels"))
    parts = []
    bands = -(-len(opened.y) // CHUNK)
    for iy, ix, X in progress(opened.batches(), "pixels to fit", total=bands, unit="band"):
        keep = drawn[iy, ix]
        parts.append(X[keep])
    fitted = fit_clusters(np.concatenate(parts), clusters, pca_components, seed, threads)
    found = np.zeros(opened.shape, dtype=np.uint8)
    for iy, ix, X in progress(opened.batches(), "clusters", total=bands, unit="band"):
        keep = mask[iy, ix]
        found[iy[keep], ix[keep]] = fitted.assign(X[keep])
    attrs = {
        "z": opened.z,
        "stride": opened.stride,
        "area": area,
        "method": "PCA, then k-means",
        "components": clusters,
        "inside_px": inside_px,
        "inside_of": inside_of,
    }
    write_map(output_map, {"component": found}, opened.y, opened.x, attrs)
    sizes = np.bincount(found.ravel(), minlength=clusters + 1)[1:]
    fit = {
        "slice": opened.z,
        **{name: attrs[name] for name in ("area", "method", "inside_px", "inside_of")},
        "clusters": clusters,
        "pca_components": len(fitted.axes),
        "seed": seed,
        "pixels": int(mask.sum()),
        "pixels_fitted": int(drawn.sum()),
        "pca_share": fitted.pca_share,
        "within_share": fitted.within_share,
        "iterations": fitted.iterations,
        "sizes": [int(size) for size in sizes],
    }
    write_json(output_fit, fit)


def find_components(
    coefficients: Annotated[Path, typer.Option(help="Coefficient maps of the slice (Zarr).")],
    labels: AreaLabels,
    legend: AreaLegend,
    area: AreaName,
    output_map: Annotated[Path, typer.Option(help="Component map (Zarr) to write.")],
    output_components: Annotated[
        Path, typer.Option(help="Mean coefficients of the components (CSV) to write.")
    ],
    output_fit: Annotated[Path, typer.Option(help="Summary of the fit (JSON) to write.")],
    components: Annotated[int, typer.Option(min=2, help="Components (M, A: 4).")] = 4,
    inside_px: Annotated[
        int, typer.Option(min=0, help="Only pixels farther than this from the border (A: 64).")
    ] = 64,
    inside_of: InsideOf = "area",
    fit_pixels: Annotated[
        int, typer.Option(min=100, help="Most pixels to fit on; all are assigned.")
    ] = 30_000,
    regularisation: Annotated[
        float,
        typer.Option(min=0, help="Added to variances, in units of each coefficient's variance."),
    ] = 0.05,
    seed: Seed = 2020,
    threads: Threads = 1,
) -> None:
    """Find components of an area: a Gaussian mixture on the factors' coefficients (M, A)."""
    import logging

    import numpy as np
    import pandas as pd

    from brainarch.atomic import write_json
    from brainarch.discovery.maps import write_map
    from brainarch.discovery.mixture import fit_mixture
    from brainarch.discovery.regions import draw_pixels
    from brainarch.factors.store import CHUNK_ROWS, CoefficientMaps
    from brainarch.progress import progress
    from brainarch.seeds import generator
    from brainarch.tables import write_table

    maps = CoefficientMaps.open(coefficients)
    mask = _area_pixels(maps.z, maps.y, maps.x, labels, legend, area, inside_px, inside_of)
    mask &= maps.extracted
    _require_pixels(mask, area, maps.z, inside_px)
    drawn = draw_pixels(mask, fit_pixels, generator(seed, "mixture pixels"))
    sample = np.concatenate([C for _, _, C in maps.batches(drawn)])
    fitted = fit_mixture(sample, components, regularisation, seed, threads)
    if not fitted.converged:
        logging.getLogger(__name__).warning(
            "mixture of slice %d did not converge in %d iterations; lower --components or raise "
            "--regularisation",
            maps.z,
            fitted.iterations,
        )
    found = np.zeros(maps.shape, dtype=np.uint8)
    probability = np.full(maps.shape, np.nan, dtype=np.float32)
    moments = np.zeros((2, components, maps.factors))
    bands = -(-len(maps.y) // CHUNK_ROWS)
    for iy, ix, C in progress(maps.batches(mask), "components", total=bands, unit="band"):
        found[iy, ix], probability[iy, ix] = fitted.assign(C)
        for power in (1, 2):
            for factor in range(maps.factors):
                moments[power - 1, :, factor] += np.bincount(
                    found[iy, ix],
                    weights=C[:, factor].astype(np.float64) ** power,
                    minlength=components + 1,
                )[1:]
    attrs = {
        "z": maps.z,
        "stride": maps.stride,
        "area": area,
        "method": "Gaussian mixture on coefficients",
        "components": components,
        "inside_px": inside_px,
        "inside_of": inside_of,
    }
    write_map(output_map, {"component": found, "probability": probability}, maps.y, maps.x, attrs)
    sizes = np.bincount(found.ravel(), minlength=components + 1)[1:]
    mean = moments[0] / np.maximum(sizes, 1)[:, None]
    deviation = np.sqrt(np.maximum(moments[1] / np.maximum(sizes, 1)[:, None] - mean**2, 0))
    frame = pd.DataFrame(
        {
            "component": np.repeat(np.arange(1, components + 1), maps.factors),
            "factor": np.tile(np.arange(1, maps.factors + 1), components),
            "mean": mean.ravel(),
            "standard_deviation": deviation.ravel(),
        }
    )
    columns = {
        "component": "component, from 1, by weight, largest first",
        "factor": "factor, from 1",
        "mean": "mean coefficient of the component's pixels",
        "standard_deviation": "standard deviation of the coefficient over these pixels",
    }
    write_table(frame, output_components, columns)
    fit = {
        "slice": maps.z,
        **{name: attrs[name] for name in ("area", "method", "inside_px", "inside_of")},
        "components": components,
        "covariance": "full, coefficients divided by the root of their mean variance",
        "regularisation": regularisation,
        "factors_used": [int(i) + 1 for i in np.flatnonzero(fitted.used)],
        "seed": seed,
        "pixels": int(mask.sum()),
        "pixels_fitted": int(drawn.sum()),
        "converged": fitted.converged,
        "iterations": fitted.iterations,
        "log_likelihood": fitted.log_likelihood,
        "weights": [float(weight) for weight in fitted.weights],
        "sizes": [int(size) for size in sizes],
        "mean_probability": float(np.nanmean(probability)),
    }
    write_json(output_fit, fit)


def profile_components(
    map_: ComponentMap,
    output: Annotated[Path, typer.Option(help="Profiles (CSV) to write.")],
    depth: DepthMapPath = None,
    layers: LayerLabels = None,
    layers_legend: LayerLegend = None,
    bins: Annotated[int, typer.Option(min=2, help="Bins of relative depth.")] = 20,
) -> None:
    """Where components lie: their shares by layer and by depth."""
    import pandas as pd

    from brainarch.discovery.maps import open_map
    from brainarch.discovery.profiles import (
        PROFILE_COLUMNS,
        profile_by_depth,
        profile_by_layer,
    )
    from brainarch.errors import InputError
    from brainarch.tables import write_table

    opened = open_map(map_)
    found = opened.read("component")
    frames = []
    if layers is not None:
        codes, names = _layer_codes(opened, layers, layers_legend)
        frames.append(profile_by_layer(found, codes, names))
    if depth is not None:
        frames.append(profile_by_depth(found, _depth_of(opened, depth), bins))
    if not frames:
        raise InputError("profile-components: give --depth or --layers, or both")
    whole = pd.concat(frames, ignore_index=True)
    whole.insert(0, "slice", opened.z)
    write_table(whole, output, PROFILE_COLUMNS)


def compare_layers(
    map_: ComponentMap,
    layers: Annotated[Path, typer.Option(help="Layer labels (OME-Zarr).")],
    layers_legend: Annotated[Path, typer.Option(help="Legend table of the layers.")],
    output: Annotated[Path, typer.Option(help="Agreement and nulls (CSV) to write.")],
    depth: DepthMapPath = None,
    step_px: Annotated[
        int, typer.Option(min=1, help="Distance of the pixels that are looked at.")
    ] = 8,
    nulls: Annotated[int, typer.Option(min=20, help="Surrogate label maps a null.")] = 200,
    block_px: Annotated[
        int, typer.Option(min=1, help="Side of the shuffled blocks in pixels; at least a patch.")
    ] = 128,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the surrogates.")] = 2020,
) -> None:
    """Agreement of components with layers, beside spatial nulls."""
    from brainarch.discovery.agreement import compare_with_nulls
    from brainarch.discovery.maps import open_map
    from brainarch.tables import write_table

    opened = open_map(map_)
    step = max(1, round(step_px / opened.stride))
    thin = (slice(None, None, step), slice(None, None, step))
    codes, _ = _layer_codes(opened, layers, layers_legend)
    depths = None if depth is None else _depth_of(opened, depth)[thin]
    frame = compare_with_nulls(
        opened.read("component")[thin],
        codes[thin],
        block=max(1, round(block_px / (step * opened.stride))),
        count=nulls,
        seed=seed,
        depth=depths,
    )
    frame.insert(0, "slice", opened.z)
    columns = {
        "slice": "slice",
        "statistic": "agreement of components and layers: ami, v_measure or ari",
        "null": "surrogate layers: shift (torus), block (shuffled), depth (circular in depth)",
        "value": "agreement with the true layers (null depth: with what depth alone predicts)",
        "pixels": "pixels compared",
        "maps": "surrogates found",
        "median": "median agreement with the surrogates",
        "null_99": "99th percentile of the agreement with the surrogates",
        "p": "share of surrogates at least as high, the true layers counted in",
        "above": "value above null_99",
        "above_nulls": "value above null_99 of both shift and block: a finding (DESIGN)",
    }
    write_table(frame, output, columns)


def match_components(
    reference: Annotated[Path, typer.Option(help="Profiles of the reference slice (CSV).")],
    other: Annotated[Path, typer.Option(help="Profiles of the other slice (CSV).")],
    output: Annotated[Path, typer.Option(help="Matches (CSV) to write.")],
    output_distances: Annotated[Path, typer.Option(help="Distances of all pairs (CSV) to write.")],
    by: Annotated[
        Literal["auto", "layer", "depth"],
        typer.Option(help="Profile that is compared; auto: layers where both slices have them."),
    ] = "auto",
) -> None:
    """Match the components of two slices one to one by their profiles."""
    from brainarch.discovery.matching import match_profiles
    from brainarch.discovery.profiles import profile_matrix
    from brainarch.errors import InputError
    from brainarch.tables import read_table, write_table

    tables = [read_table(reference), read_table(other)]
    for path, table in zip((reference, other), tables, strict=True):
        if not {"slice", "component", "by", "bin", "share"} <= set(table.columns):
            raise InputError(f"{path}: not a table of `profile-components`")
    shared = set(tables[0]["by"]) & set(tables[1]["by"])
    chosen = ("layer" if "layer" in shared else "depth") if by == "auto" else by
    if chosen not in shared:
        raise InputError(
            f"{reference}, {other}: no {chosen} profile in both; run `profile-components` on both "
            "with the same options"
        )
    first, second = (profile_matrix(table, chosen) for table in tables)
    if list(first.columns) != list(second.columns):
        raise InputError(
            f"{reference}, {other}: {len(first.columns)} and {len(second.columns)} {chosen} bins; "
            "run `profile-components` on both with the same options"
        )
    matches, distances = match_profiles(first, second)
    slices = [int(table["slice"].iloc[0]) for table in tables]
    for frame in (matches, distances):
        frame.insert(0, "by", chosen)
        frame.insert(0, "other_slice", slices[1])
        frame.insert(0, "slice", slices[0])
    head = {
        "slice": "reference slice",
        "other_slice": "the other slice",
        "by": "profile that was compared: layer or depth",
        "component": "component of the reference slice",
    }
    unit = "Jensen-Shannon distance of the profiles, base 2 (0 equal, 1 disjoint)"
    write_table(
        matches,
        output,
        head
        | {
            "matched": "its match on the other slice, one to one at the least total distance",
            "distance": unit,
            "nearest": "component of the other slice at the least distance (A's match)",
            "nearest_distance": "its distance",
            "next_distance": "least distance of the components that are not the match",
        },
    )
    write_table(
        distances,
        output_distances,
        head
        | {
            "other": "component of the other slice",
            "distance": unit,
            "matched": "whether the two are matched",
        },
    )


def _area_pixels(
    z: int,
    y: NDArray[np.integer],
    x: NDArray[np.integer],
    labels: Path,
    legend: Path,
    area: str,
    inside_px: int,
    inside_of: str,
) -> NDArray[np.bool_]:
    """Return the grid's pixels of an area, far enough inside; distances are those of the slice."""
    from brainarch.annotations.legend import read_legend
    from brainarch.annotations.store import open_labels
    from brainarch.discovery.regions import inside_mask, on_grid

    code = read_legend(legend).code_of(area)
    whole = open_labels(labels).read_slice(z)
    own = whole == code
    inside = inside_mask(own if inside_of == "area" else whole > 0, inside_px) & own
    return on_grid(inside, y, x, str(labels)).astype(bool)


def _require_pixels(mask: NDArray[np.bool_], area: str, z: int, inside_px: int) -> None:
    from brainarch.errors import InputError

    if not mask.any():
        raise InputError(
            f"slice {z}: no extracted pixel of {area} lies more than {inside_px} px inside; lower "
            "--inside-px or extract rows that hold the area"
        )


def _layer_codes(
    opened: SliceMap, layers: Path, layers_legend: Path | None
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return layer codes on a map's grid and the layers' names."""
    from brainarch.annotations.legend import read_legend
    from brainarch.annotations.store import open_labels
    from brainarch.discovery.regions import on_grid
    from brainarch.errors import InputError

    if layers_legend is None:
        raise InputError("--layers-legend: missing; --layers needs the legend of the layers")
    whole = open_labels(layers).read_slice(opened.z)
    return on_grid(whole, opened.y, opened.x, str(layers)), read_legend(layers_legend).names


def _depth_of(opened: SliceMap, depth: Path) -> NDArray[np.float32]:
    """Return relative depth on a map's grid, NaN where there is none."""
    from brainarch.discovery.maps import open_map
    from brainarch.errors import InputError

    other = open_map(depth)
    if other.z != opened.z:
        raise InputError(
            f"{depth}: depth of slice {other.z}, but the map is of slice {opened.z}; "
            "give the depth of that slice"
        )
    return other.sample("depth", opened.y, opened.x, float("nan"))


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    app.command("depth")(depth)
    app.command("cluster-area")(cluster_area)
    app.command("find-components")(find_components)
    app.command("profile-components")(profile_components)
    app.command("compare-layers")(compare_layers)
    app.command("match-components")(match_components)
