"""The stages of factors: fit a basis, project slices on it, select and align factors."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.annotations.legend import Legend, read_legend
from brainarch.atomic import replacing, write_json
from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.factors.alignment import ALIGNED, RankedMaps, choose_aligned, compare_factors
from brainarch.factors.basis import fit_basis, read_basis, write_basis
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.factors.projection import project_cube
from brainarch.factors.selection import Presence, count_presence, score_pairs, select_factors
from brainarch.grids.labels import read_codes
from brainarch.progress import progress, progress_bar
from brainarch.tables import write_table

#: Distance of the pixels that are looked at for AUROCs, in pixels of the slice (ours).
STEP_PX = 4
#: Side of the blocks of labels that the block null shuffles, in pixels, of areas and of layers
#: (ours).
BLOCK_PX = {"area": 256, "layer": 128}

ALIGNMENT_COLUMNS = {
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
CHOSEN_COLUMNS = {
    "slice": "slice that the basis was not fitted on",
    "target": "area or layer",
    "name": "name of the area or layer",
    "factor": "its factor: the one of highest AUROC on the fitted slice",
    "auroc_fitted": "AUROC on the fitted slice",
    "auroc": "AUROC on this slice",
    "null_99": "99th percentile over surrogate labels on this slice, the higher of the two nulls",
    "above_null": "auroc above both 99th percentiles",
    "aligned": f"auroc at least {ALIGNED:g}",
}

logger = logging.getLogger(__name__)


def score_columns(target: str) -> dict[str, str]:
    """Return what the columns of the table of all pairs mean; ``target`` is area or layer."""
    return {
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


def selection_columns(target: str) -> dict[str, str]:
    """Return what the columns of the table of selected pairs mean."""
    return {"rank": "order of selection, from 1", **score_columns(target)}


def factorize(
    *,
    cube: Path,
    basis: Path,
    coefficients: Path,
    fit: Path,
    factors: int,
    max_iterations: int,
    tolerance: float,
    seed: int,
    threads: int = 1,
) -> None:
    """Factorise the representation of a slice, X ~ C B, both non-negative.

    Parameters
    ----------
    cube : Path
        Dense cube of the slice.
    basis, coefficients, fit : Path
        Basis table (CSV), coefficient maps (Zarr) and summary of the fit (JSON) to write.
    factors : int
        Number of factors k.
    max_iterations : int
        Iterations of the solver at most.
    tolerance : float
        Relative change at which the solver stops.
    seed : int
        Of the solver's start.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If the cube is empty or damaged, or has fewer pixels or units than factors.
    """
    opened = _open_filled(cube)
    _, _, X = opened.read()
    logger.info("fitting %d factors to %d x %d values; this takes minutes", factors, *X.shape)
    fitted = fit_basis(
        X,
        factors,
        max_iterations=max_iterations,
        tolerance=tolerance,
        seed=seed,
        threads=threads,
    )
    del X
    if not fitted.converged:
        logger.warning(
            "NMF of slice %d stopped at its %d iterations before the tolerance %g was met; "
            "raise factorization.max_iterations",
            opened.z,
            max_iterations,
            tolerance,
        )
    summary = _write_maps(opened, fitted.values, coefficients, threads, fitted=True)
    write_basis(fitted.values, basis)
    content = {
        "slice": opened.z,
        "factors": factors,
        "units": opened.units,
        "solver": "scikit-learn NMF, coordinate descent, NNDSVDa; then non-negative least squares",
        "seed": seed,
        "max_iterations": max_iterations,
        "tolerance": tolerance,
        "iterations": fitted.iterations,
        "converged": fitted.converged,
        "empty_factors": [int(i) + 1 for i, row in enumerate(fitted.values) if not row.any()],
        **summary,
    }
    write_json(fit, content)
    logger.info("%d iterations", fitted.iterations)


def project(*, cube: Path, basis: Path, coefficients: Path, fit: Path, threads: int = 1) -> None:
    """Find the coefficients of another slice, with the basis as it is.

    Parameters
    ----------
    cube, basis : Path
        Dense cube of the slice, and the basis table that `factorize` wrote.
    coefficients, fit : Path
        Coefficient maps (Zarr), and how well the basis fits this slice (JSON), to write.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If the cube is empty or damaged, or comes from another network than the basis.
    """
    opened, values = _open_filled(cube), read_basis(basis)
    summary = _write_maps(opened, values, coefficients, threads, fitted=False)
    write_json(fit, {"slice": opened.z, "factors": len(values), **summary})


def select_pairs(
    *,
    coefficients: Path,
    labels: Path,
    legend: Path,
    selected: Path,
    scores: Path,
    target: str,
    leakage: float,
    count: int,
    threshold: float,
) -> None:
    """Select the factors that cover an area (or layer) and leak least.

    Parameters
    ----------
    coefficients, labels, legend : Path
        Coefficient maps of the slice, and label image and legend of the areas (or layers).
    selected, scores : Path
        Tables to write: the selected pairs, and the scores of all.
    target : {"area", "layer"}
        What the labels are; names a column.
    leakage : float
        Weight lambda of leakage.
    count : int
        Pairs to select; fewer where the slice has fewer areas or the basis fewer factors.
    threshold : float
        A factor is present above this coefficient.

    Raises
    ------
    InputError
        If no labelled pixel was extracted, or the files do not belong together.
    """
    maps, names = CoefficientMaps.open(coefficients), read_legend(legend)
    presence = _count_presence(maps, read_codes(labels, maps), len(names), threshold)
    present = int((presence.pixels > 0).sum())
    if not present:
        raise InputError(f"{labels}: slice {maps.z} has no labelled pixel where it was extracted")
    if count > present:
        logger.warning(
            "slice %d has pixels of %d %ss only: %d pairs are selected instead of %d",
            maps.z,
            present,
            target,
            present,
            count,
        )
    pairs = score_pairs(presence, leakage)
    chosen = select_factors(pairs, min(count, maps.factors, present))
    for frame, path, columns in (
        (chosen, selected, selection_columns(target)),
        (pairs, scores, score_columns(target)),
    ):
        frame["area"] = [names.name_of(int(code)) for code in frame["area"]]
        titled = frame.rename(columns={"area": target})
        write_table(titled.assign(**{"threshold": threshold, "lambda": leakage}), path, columns)


def align_factors(
    *,
    fitted: Path,
    others: Sequence[Path],
    labels: Path,
    legend: Path,
    layers: Path | None = None,
    layers_legend: Path | None = None,
    alignment: Path,
    chosen: Path,
    summary: Path,
    nulls: int,
    seed: int,
) -> None:
    """Measure how well each factor tells each area from the rest, beside spatial nulls.

    Parameters
    ----------
    fitted : Path
        Coefficient maps of the fitted slice.
    others : sequence of Path
        Those of slices that were not fitted.
    labels, legend : Path
        Area labels and their legend.
    layers, layers_legend : Path, optional
        Layer labels and their legend, if there are any.
    alignment, chosen, summary : Path
        To write: the AUROC of all factors (CSV); each area's factor, chosen on the fitted slice
        (CSV); numbers of aligned areas (JSON).
    nulls : int
        Surrogate label maps of each null.
    seed : int
        Of the surrogates.

    Raises
    ------
    InputError
        If a slice is given twice, or the files do not belong together.
    """
    opened = [CoefficientMaps.open(path) for path in (fitted, *others)]
    slices = [maps.z for maps in opened]
    if len(set(slices)) != len(slices):
        raise InputError(f"{fitted}: of slices {slices} one stands there twice; each slice once")
    targets = [("area", labels, read_legend(legend))]
    if layers is not None and layers_legend is not None:
        targets.append(("layer", layers, read_legend(layers_legend)))
    frames = []
    with progress_bar(len(opened) * len(targets), "factors against labels", "map") as bar:
        for maps in opened:
            step = max(1, round(STEP_PX / maps.stride))
            ranked = RankedMaps(maps.factor_map(1 + i, step) for i in range(maps.factors))
            for target, image, names in targets:
                frame = compare_factors(
                    ranked,
                    read_codes(image, maps)[::step, ::step],
                    len(names),
                    block=max(1, round(BLOCK_PX[target] / (step * maps.stride))),
                    count=nulls,
                    seed=seed,
                )
                frames.append(_named(frame, maps.z, maps is opened[0], target, names))
                bar.update()
    whole = pd.concat(frames, ignore_index=True)[list(ALIGNMENT_COLUMNS)]
    best = choose_aligned(whole)
    write_table(whole, alignment, ALIGNMENT_COLUMNS)
    write_table(best, chosen, CHOSEN_COLUMNS)
    entries = [_count_aligned(best, z) for z in slices[1:]]
    content = {
        "threshold": ALIGNED,
        "step_px": STEP_PX,
        "nulls": nulls,
        "fitted_slice": slices[0],
        "slices": entries,
    }
    write_json(summary, content)
    for entry in entries:
        logger.info(
            "slice %d: %d of %d areas have a factor with AUROC >= %g",
            entry["slice"],
            entry["areas_aligned"],
            entry["areas"],
            ALIGNED,
        )


def _open_filled(cube: Path) -> Cube:
    opened = Cube.open(cube)
    if opened.count == 0:
        raise InputError(f"{cube}: no pixel is extracted; run `brainarch extract` on labelled rows")
    return opened


def _write_maps(
    cube: Cube, basis: NDArray[np.float64], path: Path, threads: int, *, fitted: bool
) -> dict[str, Any]:
    """Write the coefficient maps of a slice in one step; return how well the basis fits it."""
    with replacing(path) as temporary:
        summary = project_cube(cube, basis, temporary, {"fitted": fitted}, threads)
    logger.info(
        "slice %d: %s pixels, %d factors, relative error %.4f",
        cube.z,
        f"{summary['rows']:,}",
        len(basis),
        summary["relative_error"],
    )
    return summary


def _count_presence(
    maps: CoefficientMaps, codes: NDArray[np.integer], areas: int, threshold: float
) -> Presence:
    """Count the extracted pixels of each area in which each factor is present."""
    within = np.where(maps.extracted, codes, 0)
    pixels = np.bincount(within.ravel(), minlength=areas + 1)[1:].astype(np.int64)
    above = np.zeros((maps.factors, areas), dtype=np.int64)
    for i in progress(range(maps.factors), desc="factors", unit="factor"):
        above[i] = count_presence(maps.factor_map(1 + i) > threshold, within, areas)
    return Presence(above, pixels)


def _named(frame: pd.DataFrame, z: int, fitted: bool, target: str, names: Legend) -> pd.DataFrame:
    """Say which slice and labels a comparison is of, and call areas by name."""
    name = [names.name_of(int(code)) for code in frame["area"]]
    return frame.assign(slice=z, fitted=fitted, target=target, name=name)


def _count_aligned(chosen: pd.DataFrame, z: int) -> dict[str, Any]:
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
