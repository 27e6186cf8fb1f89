"""The stages that select factors for areas and layers, and look at them on other slices."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from skimage.filters import threshold_otsu

from brainarch.annotations.legend import Legend, read_legend
from brainarch.errors import InputError
from brainarch.evaluation.errors import read_blocks
from brainarch.factors.alignment import ALIGNED, RankedMaps, compare_factors, judge_selected
from brainarch.factors.coefficients import CoefficientMaps, open_together
from brainarch.factors.selection import (
    Presence,
    count_presence,
    score_pairs,
    select_by_rules,
    vary_papers_rule,
)
from brainarch.grids.labels import read_codes
from brainarch.progress import progress
from brainarch.records import write_record
from brainarch.scheduler import connect
from brainarch.statistics.auroc import auroc_interval
from brainarch.statistics.blocks import BlockSide, spatial_blocks
from brainarch.statistics.bootstrap import Estimate
from brainarch.statistics.levels import LEVEL
from brainarch.tables import read_table, write_table

#: Distance of the pixels that are looked at for AUROCs, in pixels of the slice (ours).
STEP_PX = 4
#: Areas that a slice must have for factors to tell them apart.
MIN_AREAS = 2

ALIGNMENT_COLUMNS = {
    "slice": "slice",
    "fitted": "whether the basis was fitted on this slice",
    "factor": "factor, from 1",
    "target": "area or layer",
    "name": "name of the area or layer",
    "auroc": "probability that the coefficient of a pixel inside exceeds one of another labelled "
    "pixel (ties count half)",
    "null_99": f"AUROC above which p is at most {LEVEL:g}; empty for factors of no pair shown",
    "p": "chance that a field as autocorrelated as the factor tells the area so well; empty "
    "likewise",
    "pixels": "pixels of the area or layer that were looked at",
}
CHOSEN_COLUMNS = {
    "slice": "slice that the basis was not fitted on",
    "target": "area or layer",
    "name": "name of the area or layer",
    "factor": "its factor: selected on the fitted slices by selection.rule",
    "auroc_fitted": "AUROC on the fitted slices",
    "auroc": "AUROC on this slice",
    "low": "lower end of its 95 % interval (spatial block bootstrap; none below 8 blocks)",
    "high": "upper end of that interval",
    "blocks": "spatial blocks that hold the area, or the others if those are worth fewer",
    "null_99": f"AUROC above which p is at most {LEVEL:g}",
    "p": "chance that a field as autocorrelated as the factor tells the area so well",
    "above_null": f"p at most {LEVEL:g}",
    "aligned": f"auroc at least {ALIGNED:g}",
    "best": "the area or layer that this factor tells best on this slice",
    "contradicted": "whether that is another one, or auroc is below 0.5",
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
        "auroc": f"probability that the coefficient of a pixel of the {target} exceeds one of "
        "another labelled pixel (ties count half)",
    }


def selection_columns(target: str) -> dict[str, str]:
    """Return what the columns of the table of selected pairs mean."""
    return {
        "rule": "by which the pair was selected: papers (score) or auroc",
        "shown": "whether figures and page show this rule's pairs (selection.rule)",
        "differs": f"whether the other rule gives this {target} another factor or none",
        "rank": "order of selection, from 1",
        **score_columns(target),
    }


def sensitivity_columns(target: str) -> dict[str, str]:
    """Return what the columns of the table of other thresholds and weights mean."""
    return {
        "threshold": "coefficient above which a factor is present: one number for all, or otsu, "
        "the factor's own by Otsu",
        "lambda": "weight of leakage",
        "rank": "order of selection by the papers' rule, from 1",
        target: f"name of the {target}",
        "factor": "factor, from 1",
        "auroc": "as in the table of selected pairs",
    }


def sampling_step(maps: CoefficientMaps) -> int:
    """Return the distance, on the grid, of the pixels that are looked at for AUROCs."""
    return max(1, round(STEP_PX / maps.stride))


def select_pairs(
    *,
    coefficients: Sequence[Path],
    labels: Path,
    legend: Path,
    selected: Path,
    scores: Path,
    sensitivity: Path,
    target: str,
    rule: str,
    leakage: float,
    count: int,
    threshold: float,
) -> None:
    """Select the factors that predict areas (or layers), by the papers' rule and by AUROC.

    Parameters
    ----------
    coefficients : sequence of Path
        Coefficient maps of the fitted slices; their pixels count together.
    labels, legend : Path
        Label image and legend of the areas (or layers).
    selected, scores, sensitivity : Path
        Tables to write: the selected pairs, the scores of all, and the pairs that the papers' rule
        selects with other thresholds and weights.
    target : {"area", "layer"}
        What the labels are; names a column.
    rule : {"auroc", "papers"}
        Whose pairs are shown.
    leakage : float
        Weight lambda of leakage.
    count : int
        Pairs to select; fewer where the slices have fewer areas or the basis fewer factors.
    threshold : float
        A factor is present above this coefficient.

    Raises
    ------
    InputError
        If no labelled pixel was extracted, or the files do not belong together.
    """
    maps, names = open_together(coefficients), read_legend(legend)
    codes = [np.where(own.extracted, read_codes(labels, own), 0) for own in maps]
    presence = _count_presence(maps, codes, len(names), threshold)
    present = int((presence.pixels > 0).sum())
    slices = " and ".join(f"slice {own.z}" for own in maps)
    if present < MIN_AREAS:
        found = "no labelled pixel" if not present else f"pixels of one {target} only"
        raise InputError(
            f"{labels}: {slices} has {found} where it was extracted; factors are selected by what "
            f"tells {target}s apart"
        )
    possible = min(count, maps[0].factors, present)
    if present < len(names):
        absent = [names.name_of(1 + i) for i, n in enumerate(presence.pixels) if not n]
        logger.warning(
            "%s has no pixel of %s: %d pairs are selected of %d asked for",
            slices,
            ", ".join(absent),
            possible,
            count,
        )
    pairs = score_pairs(presence, leakage)
    auroc = _pooled_auroc(maps, codes, len(names))
    pairs["auroc"] = auroc[pairs["factor"] - 1, pairs["area"] - 1]
    chosen = select_by_rules(pairs, possible, rule)
    varied = vary_papers_rule(_thin_presence(maps, codes, len(names), threshold), auroc, possible)
    used = {"threshold": threshold, "lambda": leakage}
    for frame, path, columns in (
        (chosen.assign(**used), selected, selection_columns(target)),
        (pairs.assign(**used), scores, score_columns(target)),
        (varied, sensitivity, sensitivity_columns(target)),
    ):
        frame["area"] = [names.name_of(int(code)) for code in frame["area"]]
        write_table(frame.rename(columns={"area": target})[list(columns)], path, columns)


def align_factors(
    *,
    fitted: Sequence[Path],
    others: Sequence[Path],
    labels: Path,
    legend: Path,
    selected: Path,
    layers: Path | None = None,
    layers_legend: Path | None = None,
    selected_layers: Path | None = None,
    predictions: Path,
    alignment: Path,
    chosen: Path,
    summary: Path,
    nulls: int,
    resamples: int,
    block_px: BlockSide,
    seed: int,
    scheduler: str | None = None,
) -> None:
    """Measure how well each factor tells each area from the rest, beside fields like it.

    Parameters
    ----------
    fitted : sequence of Path
        Coefficient maps of the fitted slices.
    others : sequence of Path
        Those of slices that were not fitted.
    labels, legend, selected : Path
        Area labels, their legend, and the factors that were selected for them.
    layers, layers_legend, selected_layers : Path, optional
        The same of layers, if there are any.
    predictions : Path
        The network's predictions of the test patches, whose errors decide on blocks.
    alignment, chosen, summary : Path
        To write: the AUROC of all factors (CSV); the selected pairs on slices that were not fitted
        (CSV); numbers of aligned areas (JSON).
    nulls : int
        Fields that each factor is compared with.
    resamples, block_px
        Of the block bootstrap; the side of a block is in pixels, or follows from the errors.
    seed : int
        Of the fields and of the bootstrap.
    scheduler : str, optional
        Dask workers that take a slice each; see `brainarch.scheduler.connect`.

    Raises
    ------
    InputError
        If a slice is given twice, or the files do not belong together.
    """
    opened = open_together([*fitted, *others])
    targets = [("area", labels, legend, selected)]
    if layers is not None and layers_legend is not None and selected_layers is not None:
        targets.append(("layer", layers, layers_legend, selected_layers))
    places = [
        (target, *(path.resolve() for path in (image, names, selected, maps.path)))
        for maps in opened
        for target, image, names, selected in targets
    ]
    compare = partial(_compare_slice, nulls, seed)
    with connect(scheduler) as workers:
        found = map(compare, places) if workers is None else workers.each(compare, places)
        named = progress(found, "factors against labels", len(places), "map")
        frames = [
            frame.assign(fitted=index < len(fitted) * len(targets))
            for index, frame in enumerate(named)
        ]
    whole = pd.concat(frames, ignore_index=True)[list(ALIGNMENT_COLUMNS)]
    pairs = pd.concat([_shown_pairs(path, target) for target, _, _, path in targets])
    best = judge_selected(whole, pairs)
    side = read_blocks(block_px, predictions).side
    images = {target: (image, read_legend(names)) for target, image, names, _ in targets}
    by_slice = {maps.z: maps for maps in opened}
    ends = [
        _interval(by_slice[row["slice"]], row, *images[row["target"]], side, resamples, seed)
        for row in best.to_dict("records")
    ]
    for name in ("low", "high", "blocks"):
        best[name] = [getattr(end, name) for end in ends]
    write_table(whole, alignment, ALIGNMENT_COLUMNS)
    write_table(best[list(CHOSEN_COLUMNS)], chosen, CHOSEN_COLUMNS)
    held_out = [maps.z for maps in opened[len(fitted) :]]
    for z in held_out:
        there = set(best["name"][best["slice"] == z])
        absent = [str(name) for name in pairs["name"] if name not in there]
        if absent:
            logger.warning("slice %d has no pixel of %s to look at", z, ", ".join(absent))
    entries = [_count_aligned(best, z) for z in held_out]
    content = {
        "threshold": ALIGNED,
        "step_px": STEP_PX,
        "nulls": nulls,
        "fitted_slices": [maps.z for maps in opened[: len(fitted)]],
        "slices": entries,
    }
    write_record(summary, content)
    for entry in entries:
        logger.info(
            "slice %d: %d of %d areas have a factor with AUROC >= %g",
            entry["slice"],
            entry["areas_aligned"],
            entry["areas"],
            ALIGNED,
        )


def _interval(
    maps: CoefficientMaps,
    row: Mapping[Hashable, Any],
    labels: Path,
    names: Legend,
    side: int,
    resamples: int,
    seed: int,
) -> Estimate:
    """Return the AUROC of a selected pair on a slice, with its interval."""
    step = sampling_step(maps)
    values = maps.factor_map(int(row["factor"]), step)
    codes = read_codes(labels, maps)[::step, ::step]
    iy, ix = np.nonzero(np.isfinite(values) & (codes > 0))
    blocks = spatial_blocks(maps.z, maps.y[::step][iy], maps.x[::step][ix], side)
    inside = codes[iy, ix] == names.code_of(str(row["name"]))
    return auroc_interval(values[iy, ix], inside, blocks, resamples=resamples, seed=seed)


def _compare_slice(
    nulls: int, seed: int, place: tuple[str, Path, Path, Path, Path]
) -> pd.DataFrame:
    """Compare the factors of one slice with its areas or layers: here or on a worker.

    Parameters
    ----------
    nulls, seed : int
    place : tuple
        ``area`` or ``layer``, the label store, its legend, the selected pairs, and the coefficient
        maps.
    """
    target, image, legend, selected, path = place
    maps, names = CoefficientMaps.open(path), read_legend(legend)
    step = sampling_step(maps)
    frame = compare_factors(
        [maps.factor_map(1 + i, step) for i in range(maps.factors)],
        read_codes(image, maps)[::step, ::step],
        len(names),
        chosen=sorted(set(_shown_pairs(selected, target)["factor"])),
        count=nulls,
        seed=seed,
    )
    return _named(frame, maps.z, target, names)


def _count_presence(
    maps: Sequence[CoefficientMaps],
    codes: Sequence[NDArray[np.integer]],
    areas: int,
    threshold: float,
) -> Presence:
    """Count the extracted pixels of each area in which each factor is present."""
    pixels = np.zeros(areas, dtype=np.int64)
    above = np.zeros((maps[0].factors, areas), dtype=np.int64)
    for own, labels in zip(maps, codes, strict=True):
        pixels += np.bincount(labels.ravel(), minlength=areas + 1)[1:].astype(np.int64)
        for i in progress(range(own.factors), desc=f"factors of slice {own.z}", unit="factor"):
            above[i] += count_presence(own.factor_map(1 + i) > threshold, labels, areas)
    return Presence(above, pixels)


def _thin_presence(
    maps: Sequence[CoefficientMaps],
    codes: Sequence[NDArray[np.integer]],
    areas: int,
    threshold: float,
) -> dict[str, Presence]:
    """Count presence above a threshold and above each factor's own, at every `STEP_PX`-th pixel."""
    otsu: Callable[[NDArray[np.float32]], float] = threshold_otsu
    steps = [sampling_step(own) for own in maps]
    thin = [c[::step, ::step] for c, step in zip(codes, steps, strict=True)]
    labels = np.concatenate([c[c > 0] for c in thin])
    pixels = np.bincount(labels, minlength=areas + 1)[1:].astype(np.int64)
    above = np.zeros((2, maps[0].factors, areas), dtype=np.int64)
    for i in range(maps[0].factors):
        values = np.concatenate(
            [
                own.factor_map(1 + i, step)[c > 0]
                for own, step, c in zip(maps, steps, thin, strict=True)
            ]
        )
        limits = (threshold, otsu(values) if np.ptp(values) > 0 else np.inf)
        for index, limit in enumerate(limits):
            above[index, i] = count_presence(values > limit, labels, areas)
    names = (f"{threshold:g}", "otsu")
    return {name: Presence(own, pixels) for name, own in zip(names, above, strict=True)}


def _pooled_auroc(
    maps: Sequence[CoefficientMaps], codes: Sequence[NDArray[np.integer]], areas: int
) -> NDArray[np.float64]:
    """Return the AUROC of every factor for every area, the pixels of all slices together."""
    steps = [sampling_step(own) for own in maps]
    ranked = RankedMaps(
        np.concatenate(
            [own.factor_map(1 + i, step).ravel() for own, step in zip(maps, steps, strict=True)]
        )
        for i in range(maps[0].factors)
    )
    seen = [labels[::step, ::step].ravel() for labels, step in zip(codes, steps, strict=True)]
    return ranked.auroc(np.concatenate(seen), areas)


def _shown_pairs(path: Path, target: str) -> pd.DataFrame:
    frame = read_table(path)
    frame = frame[frame["shown"]].rename(columns={target: "name"})
    return frame.assign(target=target)[["target", "name", "factor", "auroc"]]


def _named(frame: pd.DataFrame, z: int, target: str, names: Legend) -> pd.DataFrame:
    """Say which slice and labels a comparison is of, and call areas by name."""
    name = [names.name_of(int(code)) for code in frame["area"]]
    return frame.assign(slice=z, target=target, name=name)


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
