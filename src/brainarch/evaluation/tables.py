"""Tables of a network's predictions: predictions, confusion, metrics with intervals.

Sampled patches and the pixels of a predicted slice, each the centre of a patch, are judged alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.evaluation.probabilities import predicted_areas
from brainarch.patches.table import area_indices
from brainarch.statistics.bootstrap import block_sizes, bootstrap_counts, keep_shares
from brainarch.statistics.independence import count_disjoint
from brainarch.statistics.metrics import accuracies, confusion_by_block, precision_recall_f1

#: Meaning of the columns of a metrics table.
METRIC_COLUMNS = {
    "subset": "which patches are judged: all; test, those that the splits keep for testing; all "
    "without an area, whose patches are dropped and which the network may not choose; or, of a "
    "slice, the same from probabilities averaged over a stated width",
    "area": "area, or all for numbers over all areas",
    "metric": "accuracy, balanced_accuracy (mean recall), precision, recall or f1 (all 0 to 1); "
    "position_accuracy, that of copying the training slice's annotation to the same pixel; "
    "above_position, accuracy minus that",
    "value": "value of the metric; empty where it is undefined (no patches, or never predicted)",
    "low": "lower end of the 95 % interval (spatial block bootstrap; none below 8 blocks)",
    "high": "upper end of the 95 % interval",
    "patches": "patches of the area; of a predicted slice its pixels, whose patches overlap",
    "blocks": "spatial blocks with patches of the area, the units of the bootstrap",
    "block_px": "side of a block in pixels",
    "independent_patches": "patches of the area that share no pixel (greedy count); empty where "
    "not counted",
}
#: Meaning of the columns of a confusion table.
CONFUSION_COLUMNS = {
    "area": "area of the patch's centre pixel",
    "predicted": "area that the network predicts",
    "count": "number of patches; of a predicted slice its pixels",
}


def metric_table(
    confusions: NDArray[np.int64],
    areas: Sequence[str],
    *,
    subset: str,
    drawn: bool,
    block_px: int,
    independent: Mapping[str, int] | None = None,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return accuracy, precision, recall and F1 with intervals.

    Parameters
    ----------
    confusions : ndarray of int64, shape (blocks, areas, areas)
        One confusion matrix per spatial block; rows are the true areas.
    areas : sequence of str
        Area names.
    subset : str
        What stands in the column ``subset``.
    drawn : bool
        Whether so many patches were drawn for each area, which resamples keep; otherwise they are
        all there are.
    block_px : int
        Side of the blocks in pixels.
    independent : mapping of str to int, optional
        Number of patches that share no pixel, by area and for ``"all"``.
    resamples, seed : int
        Of the block bootstrap.

    Returns
    -------
    pandas.DataFrame
        Columns as in `METRIC_COLUMNS`.
    """
    total = confusions.sum(axis=0)
    by_area = confusions.sum(axis=2)
    equal = block_sizes(by_area)
    sizes = [equal if drawn else by_area.sum(axis=1), equal, *np.tile(by_area.T, (3, 1))]

    def metrics(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return _metrics(keep_shares(sums, total) if drawn else sums, total)

    low, high = bootstrap_counts(
        metrics, confusions, resamples, seed, sizes=np.stack(sizes, axis=1), share=True
    )
    values = metrics(total[None].astype(np.float64))[0]
    names = [("all", "accuracy"), ("all", "balanced_accuracy")]
    names += [(area, kind) for kind in ("precision", "recall", "f1") for area in areas]
    patches = dict(zip(areas, by_area.sum(axis=0), strict=True)) | {"all": total.sum()}
    blocks = dict(zip(areas, (by_area > 0).sum(axis=0), strict=True))
    blocks["all"] = (by_area.sum(axis=1) > 0).sum()
    table = pd.DataFrame(names, columns=["area", "metric"])
    table.insert(0, "subset", subset)
    table["value"], table["low"], table["high"] = values, low, high
    table["patches"] = table["area"].map(patches).astype(int)
    table["blocks"] = table["area"].map(blocks).astype(int)
    table["block_px"] = block_px
    table["independent_patches"] = table["area"].map(dict(independent or {})).astype("Int64")
    return table


def subset_metrics(
    patches: pd.DataFrame,
    probabilities: NDArray[np.float64],
    areas: Sequence[str],
    blocks: NDArray[np.integer],
    *,
    without: str | None,
    block_px: int,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return the metrics of sampled patches, of all of them or without an area.

    An area that is left out is left out on both sides (ours): its patches are dropped, and the
    network chooses among the logits of the other areas.

    Parameters
    ----------
    patches : pandas.DataFrame
        Patch table.
    probabilities : ndarray of float64, shape (patches, areas)
        See `brainarch.evaluation.probabilities.area_probabilities`.
    areas : sequence of str
        Area names, in the order of the columns.
    blocks : ndarray of int, shape (patches,)
        Spatial block of each patch.
    without : str or None
        Area that is left out.
    block_px : int
        Side of the blocks in pixels.
    resamples, seed : int
        Of the block bootstrap.

    Returns
    -------
    pandas.DataFrame
        Columns as in `METRIC_COLUMNS`.
    """
    kept = [index for index, area in enumerate(areas) if area != without]
    names = [areas[index] for index in kept]
    inside = patches["area"].isin(names).to_numpy()
    table = patches[inside]
    predicted = predicted_areas(probabilities[inside], kept)
    confusions = confusion_by_block(
        area_indices(table["area"], names),
        np.searchsorted(kept, predicted),
        blocks[inside],
        len(names),
    )
    return metric_table(
        confusions,
        names,
        subset="all" if without is None else f"without {without}",
        drawn=True,
        block_px=block_px,
        independent=independent_patches(table, names),
        resamples=resamples,
        seed=seed,
    )


def rim_table(
    parts: Mapping[str, NDArray[np.bool_]],
    found: tuple[NDArray[np.int64], NDArray[np.int64]],
    outside: NDArray[np.floating] | None,
    areas: Sequence[str],
    blocks: NDArray[np.integer],
    *,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return the accuracy of parts of the judged pixels, and how many of each count as no tissue.

    Parameters
    ----------
    parts : mapping of str to ndarray of bool, shape (n,)
        See `brainarch.evaluation.area_map.rim_parts`.
    found : tuple of ndarray of int64, shape (n,)
        Index of the true and of the predicted area of each pixel.
    outside : ndarray, shape (n,), or None
        Probability that it is no tissue; None where the network does not say.
    areas : sequence of str
        Area names.
    blocks : ndarray of int, shape (n,)
        Spatial block of each pixel.
    resamples, seed : int
        Of the block bootstrap.

    Returns
    -------
    pandas.DataFrame
        Columns as in `brainarch.evaluation.area_map.RIM_COLUMNS`.
    """
    rows = []
    for part, inside in parts.items():
        true, predicted = (values[inside] for values in found)
        counts = confusion_by_block(true, predicted, blocks[inside], len(areas))
        own = metric_table(
            counts, areas, subset=part, drawn=False, block_px=0, resamples=resamples, seed=seed
        ).iloc[0]
        named = np.nan
        if outside is not None and inside.any():
            named = float((outside[inside] > 0.5).mean())
        rows.append((part, len(true), own["value"], own["low"], own["high"], named))
    return pd.DataFrame(rows, columns=["part", "pixels", "accuracy", "low", "high", "outside"])


def averaged_subset(subset: str, width: int) -> str:
    """Return what the same pixels are called where probabilities were averaged over a width."""
    return f"{subset}, averaged over {width} px"


def stacked(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put metrics under each other, the columns in the order of `METRIC_COLUMNS`."""
    table = pd.concat(parts, ignore_index=True).reindex(columns=list(METRIC_COLUMNS))
    return table.astype({"independent_patches": "Int64"})


def independent_patches(patches: pd.DataFrame, areas: Sequence[str]) -> dict[str, int]:
    """Count, for every area and for all, the patches that share no pixel."""
    groups = {area: patches[patches["area"] == area] for area in areas} | {"all": patches}
    return {
        name: count_disjoint(group["z"].to_numpy(), group["y"].to_numpy(), group["x"].to_numpy())
        for name, group in groups.items()
    }


def confusion_table(confusions: NDArray[np.int64], areas: Sequence[str]) -> pd.DataFrame:
    """Return confusion matrices, summed over blocks, one row per pair of areas, zeros included."""
    pairs = [(true, predicted) for true in areas for predicted in areas]
    table = pd.DataFrame(pairs, columns=["area", "predicted"])
    table["count"] = confusions.sum(axis=0).ravel()
    return table


def prediction_table(
    patches: pd.DataFrame, probabilities: NDArray[np.float64], areas: Sequence[str]
) -> pd.DataFrame:
    """Return the patch table with the predicted area and every area's probability."""
    names = np.asarray(areas, dtype=object)
    table = patches.assign(predicted=names[predicted_areas(probabilities)])
    for index, area in enumerate(areas):
        table[f"p_{area}"] = probabilities[:, index].round(7)
    return table


def prediction_columns(areas: Sequence[str], patch_columns: Mapping[str, str]) -> dict[str, str]:
    """Return the meaning of the columns of `prediction_table`."""
    return {
        **patch_columns,
        "predicted": "area that the network predicts",
        **{f"p_{area}": f"probability that the network gives {area} (0 to 1)" for area in areas},
    }


def _metrics(counts: NDArray[np.float64], total: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the metrics of tables; the mean recall is that of the areas of the whole table."""
    precision, recall, f1 = precision_recall_f1(counts)
    there = total.sum(axis=1) > 0
    balanced = recall[:, there].mean(axis=1) if there.any() else np.full(len(counts), np.nan)
    overall = np.stack([accuracies(counts), balanced], axis=1)
    return np.concatenate([overall, precision, recall, f1], axis=1)
