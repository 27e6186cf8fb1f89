"""Verbs for factors: fit a basis, project slices on it, select and align factors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from brainarch.annotations.legend import Legend
    from brainarch.factors.store import CoefficientMaps

Threads = Annotated[int, typer.Option(min=1, help="CPU threads.")]
Coefficients = Annotated[Path, typer.Option(help="Coefficient maps of the slice (Zarr).")]
Labels = Annotated[Path, typer.Option(help="Label image (OME-Zarr).")]
LegendTable = Annotated[Path, typer.Option(help="Legend table of these labels.")]


def factorize(
    cube: Annotated[Path, typer.Option(help="Dense cube of the slice to fit.")],
    output_basis: Annotated[Path, typer.Option(help="Basis table (CSV) to write.")],
    output_coefficients: Annotated[Path, typer.Option(help="Coefficient maps (Zarr) to write.")],
    output_fit: Annotated[Path, typer.Option(help="Summary of the fit (JSON) to write.")],
    factors: Annotated[int, typer.Option(min=1, help="Number of factors k (M: 15).")] = 15,
    max_iterations: Annotated[int, typer.Option(min=1, help="Most solver iterations.")] = 200,
    tolerance: Annotated[
        float, typer.Option(min=0, help="Relative change at which the solver stops.")
    ] = 1e-4,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the solver's start.")] = 2020,
    threads: Threads = 1,
) -> None:
    """Factorise a slice's representation, X ~ C B, both non-negative."""
    import logging

    from brainarch.atomic import replacing, write_json
    from brainarch.dense.cube import Cube
    from brainarch.factors.factorize import fit_basis
    from brainarch.factors.project import project_cube, write_basis

    opened = Cube.open(cube)
    _, _, X = opened.read()
    if len(X) == 0:
        _refuse_empty(cube)
    log = logging.getLogger(__name__)
    log.info("fitting %d factors to %d x %d values; this takes minutes", factors, *X.shape)
    basis = fit_basis(
        X,
        factors,
        seed=seed,
        max_iterations=max_iterations,
        tolerance=tolerance,
        threads=threads,
    )
    del X
    if not basis.converged:
        log.warning(
            "NMF of slice %d stopped at its %d iterations before the tolerance %g was met; "
            "raise --max-iterations",
            opened.z,
            max_iterations,
            tolerance,
        )
    with replacing(output_coefficients) as temporary:
        summary = project_cube(opened, basis.values, temporary, {"fitted": True}, threads)
    write_basis(basis.values, output_basis)
    fit = {
        "slice": opened.z,
        "factors": factors,
        "units": opened.units,
        "solver": "scikit-learn NMF, coordinate descent, NNDSVDa; then non-negative least squares",
        "seed": seed,
        "max_iterations": max_iterations,
        "tolerance": tolerance,
        "iterations": basis.iterations,
        "converged": basis.converged,
        "empty_factors": [int(i) + 1 for i, row in enumerate(basis.values) if not row.any()],
        **summary,
    }
    write_json(output_fit, fit)
    typer.echo(
        f"slice {opened.z}: {summary['rows']:,} pixels, {factors} factors, "
        f"relative error {summary['relative_error']:.4f}, {basis.iterations} iterations"
    )


def project(
    cube: Annotated[Path, typer.Option(help="Dense cube of another slice.")],
    basis: Annotated[Path, typer.Option(help="Basis table that `factorize` wrote.")],
    output: Annotated[Path, typer.Option(help="Coefficient maps (Zarr) to write.")],
    output_fit: Annotated[
        Path | None, typer.Option(help="How well the basis fits this slice (JSON) to write.")
    ] = None,
    threads: Threads = 1,
) -> None:
    """Coefficient maps of another slice, with the basis as it is."""
    from brainarch.atomic import replacing, write_json
    from brainarch.dense.cube import Cube
    from brainarch.factors.project import project_cube, read_basis

    opened = Cube.open(cube)
    if opened.count == 0:
        _refuse_empty(cube)
    values = read_basis(basis)
    with replacing(output) as temporary:
        summary = project_cube(opened, values, temporary, {"fitted": False}, threads)
    if output_fit is not None:
        write_json(output_fit, {"slice": opened.z, "factors": len(values), **summary})
    typer.echo(
        f"slice {opened.z}: {summary['rows']:,} pixels, "
        f"relative error {summary['relative_error']:.4f}"
    )


def select(
    coefficients: Coefficients,
    labels: Labels,
    legend: LegendTable,
    output: Annotated[Path, typer.Option(help="Selected pairs (CSV) to write.")],
    output_scores: Annotated[Path, typer.Option(help="Scores of all pairs (CSV) to write.")],
    target: Annotated[
        Literal["area", "layer"], typer.Option(help="What the labels are; names a column.")
    ] = "area",
    leakage: Annotated[
        float | None,
        typer.Option(min=0, help="Weight lambda of leakage. Default: area 0.5 (M), layer 0.3 (A)."),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Pairs p to select. Default: area 6, layer 3 (M), or as many as there can be.",
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0, help="A factor is present above this coefficient (M: 0).")
    ] = 0.0,
) -> None:
    """Select the factors that cover an area (or layer) and leak least."""
    import logging

    import numpy as np
    import pandas as pd

    from brainarch.errors import InputError
    from brainarch.factors.selection import (
        AREA_COUNT,
        AREA_LEAKAGE,
        LAYER_COUNT,
        LAYER_LEAKAGE,
        Presence,
        count_presence,
        score_pairs,
        select_factors,
    )
    from brainarch.factors.store import CoefficientMaps
    from brainarch.progress import progress
    from brainarch.tables import write_table

    maps = CoefficientMaps.open(coefficients)
    codes, names = _labels_of(maps, labels, legend)
    areas = len(names)
    within = np.where(maps.extracted, codes, 0)
    pixels = np.bincount(within.ravel(), minlength=areas + 1)[1:].astype(np.int64)
    if not pixels.any():
        raise InputError(f"{labels}: slice {maps.z} has no labelled pixel where it was extracted")
    above = np.zeros((maps.factors, areas), dtype=np.int64)
    for factor in progress(range(1, maps.factors + 1), desc="factors", unit="factor"):
        above[factor - 1] = count_presence(maps.factor_map(factor) > threshold, within, areas)
    weight = leakage
    if weight is None:
        weight = AREA_LEAKAGE if target == "area" else LAYER_LEAKAGE
    pairs = score_pairs(Presence(above, pixels), weight)
    if count is not None and count > min(maps.factors, areas):
        raise InputError(
            f"--count {count}: the legend has {areas} {target}s and the basis {maps.factors} "
            f"factors, so at most {min(maps.factors, areas)} pairs can be selected; lower it"
        )
    present = int((pixels > 0).sum())
    wanted = count or (AREA_COUNT if target == "area" else LAYER_COUNT)
    if count is not None and count > present:
        logging.getLogger(__name__).warning(
            "slice %d has pixels of %d %ss only: %d pairs are selected instead of %d",
            maps.z,
            present,
            target,
            present,
            count,
        )
    wanted = min(wanted, maps.factors, present)
    chosen = select_factors(pairs, wanted)
    meaning = {
        "rank": "order of selection, from 1",
        "factor": "factor, from 1",
        target: f"name of the {target}",
        "score": "coverage - leakage (pixels)",
        "coverage": f"pixels of the {target} with the coefficient above the threshold",
        "leakage": f"lambda x labelled pixels outside the {target} above the threshold",
        "pixels": f"pixels of the {target}",
        "covered_share": f"coverage as a share of the {target}'s pixels",
        "leaked_share": f"labelled pixels outside the {target} above the threshold, as a share",
        "threshold": "coefficient above which a factor is present (basis rows of unit length)",
        "lambda": "weight of leakage",
    }

    def named(frame: pd.DataFrame) -> pd.DataFrame:
        titled = frame.assign(area=[names.name_of(int(code)) for code in frame["area"]])
        titled = titled.rename(columns={"area": target})
        return titled.assign(**{"threshold": threshold, "lambda": weight})

    write_table(named(chosen), output, meaning)
    every = {name: text for name, text in meaning.items() if name != "rank"}
    write_table(named(pairs), output_scores, every)


def align(
    fitted: Annotated[Path, typer.Option(help="Coefficient maps of the fitted slice.")],
    other: Annotated[
        list[Path], typer.Option(help="Coefficient maps of a slice not fitted; repeat for more.")
    ],
    labels: Annotated[Path, typer.Option(help="Area labels (OME-Zarr).")],
    legend: Annotated[Path, typer.Option(help="Legend table of the areas.")],
    output: Annotated[Path, typer.Option(help="AUROC of all factors (CSV) to write.")],
    output_chosen: Annotated[
        Path, typer.Option(help="Each area's factor, chosen on the fitted slice (CSV) to write.")
    ],
    output_summary: Annotated[Path, typer.Option(help="Numbers of aligned areas (JSON) to write.")],
    layers: Annotated[Path | None, typer.Option(help="Layer labels, if there are any.")] = None,
    layers_legend: Annotated[Path | None, typer.Option(help="Legend table of the layers.")] = None,
    threshold: Annotated[
        float, typer.Option(min=0.5, max=1, help="AUROC from which a factor is aligned.")
    ] = 0.85,
    step_px: Annotated[
        int, typer.Option(min=1, help="Distance of the pixels that are looked at.")
    ] = 4,
    nulls: Annotated[int, typer.Option(min=20, help="Surrogate label maps a null.")] = 200,
    block_px: Annotated[
        int, typer.Option(min=1, help="Side of the shuffled blocks of areas in pixels.")
    ] = 256,
    layer_block_px: Annotated[
        int, typer.Option(min=1, help="Side of the shuffled blocks of layers in pixels.")
    ] = 128,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the surrogates.")] = 2020,
) -> None:
    """How well each factor tells each area from the rest, beside spatial nulls."""
    import pandas as pd

    from brainarch.atomic import write_json
    from brainarch.errors import InputError
    from brainarch.factors.alignment import RankedMaps, align_factors, choose_aligned
    from brainarch.factors.store import CoefficientMaps
    from brainarch.progress import progress_bar
    from brainarch.tables import write_table

    if (layers is None) != (layers_legend is None):
        raise InputError("--layers and --layers-legend: give both or neither")
    opened = [CoefficientMaps.open(path) for path in (fitted, *other)]
    slices = [maps.z for maps in opened]
    if len(set(slices)) != len(slices):
        raise InputError(f"--other: slice {slices} stands there twice; each slice once")
    targets = [("area", labels, legend, block_px)]
    if layers is not None and layers_legend is not None:
        targets.append(("layer", layers, layers_legend, layer_block_px))
    frames = []
    with progress_bar(len(opened) * len(targets), "factors against labels", "map") as bar:
        for maps in opened:
            step = max(1, round(step_px / maps.stride))
            ranked = RankedMaps(
                maps.factor_map(factor, step) for factor in range(1, maps.factors + 1)
            )
            for target, image, table, block in targets:
                codes, names = _labels_of(maps, image, table)
                side = max(1, round(block / (step * maps.stride)))
                frame = align_factors(
                    ranked,
                    codes[::step, ::step],
                    len(names),
                    block=side,
                    count=nulls,
                    seed=seed,
                )
                name = [names.name_of(int(code)) for code in frame["area"]]
                frame = frame.drop(columns="area")
                frame.insert(0, "name", name)
                frame.insert(0, "target", target)
                frame.insert(0, "fitted", maps is opened[0])
                frame.insert(0, "slice", maps.z)
                frames.append(frame)
                bar.update()
    whole = pd.concat(frames, ignore_index=True)
    first = ["slice", "fitted", "factor", "target", "name", "auroc", "null_99"]
    whole = whole[[*first, *(name for name in whole.columns if name not in first)]]
    chosen = choose_aligned(whole, threshold)
    write_table(whole, output, _ALIGNMENT_COLUMNS)
    write_table(chosen, output_chosen, _CHOSEN_COLUMNS)
    entries = [_aligned(chosen, maps.z) for maps in opened[1:]]
    summary = {
        "threshold": threshold,
        "step_px": step_px,
        "nulls": nulls,
        "fitted_slice": opened[0].z,
        "slices": entries,
    }
    write_json(output_summary, summary)
    for entry in entries:
        typer.echo(
            f"slice {entry['slice']}: {entry['areas_aligned']} of {entry['areas']} areas have a "
            f"factor with AUROC >= {threshold:g}"
        )


_ALIGNMENT_COLUMNS = {
    "slice": "slice",
    "fitted": "whether the basis was fitted on this slice",
    "factor": "factor, from 1",
    "target": "area or layer",
    "name": "name of the area or layer",
    "auroc": "probability that the coefficient of a pixel inside exceeds one of another labelled "
    "pixel (ties count half)",
    "null_99": "99th percentile of the AUROC over surrogate labels, the higher of the two nulls",
    "pixels": "pixels of the area or layer that were looked at",
    "null_99_shift": "99th percentile over shifted labels; empty without enough surrogates",
    "null_99_block": "99th percentile over block-shuffled labels; empty without enough surrogates",
    "maps_shift": "shifted surrogates in which the area is no copy of itself",
    "maps_block": "block-shuffled surrogates in which the area is no copy of itself",
    "above_null": "auroc above both 99th percentiles",
}
_CHOSEN_COLUMNS = {
    "slice": "slice that the basis was not fitted on",
    "target": "area or layer",
    "name": "name of the area or layer",
    "factor": "its factor: the one of highest AUROC on the fitted slice",
    "auroc_fitted": "AUROC on the fitted slice",
    "auroc": "AUROC on this slice",
    "null_99": "99th percentile over surrogate labels on this slice, the higher of the two nulls",
    "above_null": "auroc above both 99th percentiles",
    "aligned": "auroc at least the threshold (0.85 unless asked otherwise)",
}


def _aligned(chosen: Any, z: int) -> dict[str, Any]:
    """Count what is aligned on a slice; layers have their own entries."""
    entry: dict[str, Any] = {"slice": z}
    for target, word in (("area", "areas"), ("layer", "layers")):
        rows = chosen[(chosen["slice"] == z) & (chosen["target"] == target)]
        if target == "area" or len(rows):
            both = rows["aligned"] & rows["above_null"]
            entry[word] = len(rows)
            entry[f"{word}_aligned"] = int(rows["aligned"].sum())
            entry[f"{word}_aligned_above_null"] = int(both.sum())
            entry[f"names_of_{word}_aligned"] = list(rows["name"][rows["aligned"]])
    return entry


def _labels_of(
    maps: CoefficientMaps, labels: Path, legend: Path
) -> tuple[NDArray[np.integer], Legend]:
    """Return a slice's codes on the maps' grid and the legend."""
    from brainarch.annotations.legend import read_legend
    from brainarch.annotations.store import open_labels
    from brainarch.discovery.regions import on_grid

    whole = open_labels(labels).read_slice(maps.z)
    return on_grid(whole, maps.y, maps.x, str(labels)), read_legend(legend)


def _refuse_empty(cube: Path) -> None:
    from brainarch.errors import InputError

    raise InputError(f"{cube}: no pixel is extracted; run `brainarch extract` on labelled rows")


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    app.command("factorize")(factorize)
    app.command("project")(project)
    app.command("select")(select)
    app.command("align")(align)
