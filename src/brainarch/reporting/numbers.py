"""The numbers of a run, with intervals, in the order in which a reader wants them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

NAN = float("nan")
CLASSIFIERS = {
    "logistic": "logistic regression",
    "linear_svm": "linear SVM",
    "rbf_svm": "RBF SVM",
}
#: Confused pairs of areas that are named.
PAIRS = 5


@dataclass(frozen=True)
class Number:
    """One number.

    Parameters
    ----------
    group : str
        Table that it stands in.
    name : str
        What it is.
    value, low, high : float
        With its 95 % interval, NaN without one.
    note : str
        Number of patches and blocks, or what else belongs to it.
    key : str
        Which published figure it may be compared with; empty for most.
    """

    group: str
    name: str
    value: float
    low: float = NAN
    high: float = NAN
    note: str = ""
    key: str = ""


def patch_numbers(metrics: Mapping[tuple[str, ...], pd.DataFrame]) -> list[Number]:
    """Return accuracy by run and split, and recall by area of the main run's test.

    Parameters
    ----------
    metrics : mapping of (run, split) to pandas.DataFrame
    """
    numbers = []
    for (run, split), frame in metrics.items():
        total = frame[(frame["area"] == "all") & (frame["metric"] == "accuracy")]
        for row in total.to_dict("records"):
            name = f"accuracy, {split} patches" + ("" if run == "main" else f", run {run}")
            main = run == "main" and row["subset"] == "all"
            name += "" if row["subset"] == "all" else f", {row['subset']}"
            key = f"accuracy/{split}" if main else ""
            numbers.append(_number("Sampled patches", name, row, key))
    test = metrics.get(("main", "test"))
    if test is not None:
        recall = test[(test["metric"] == "recall") & (test["subset"] == "all")]
        for row in recall.to_dict("records"):
            name = f"recall, {row['area']}"
            numbers.append(_number("Sampled patches", name, row, f"recall/{row['area']}"))
    return numbers


def map_numbers(metrics: Mapping[int, pd.DataFrame], test_slices: Sequence[int]) -> list[Number]:
    """Return accuracy at scale by slice; only a test slice is compared with a published one."""
    names = {"accuracy": "accuracy", "balanced_accuracy": "accuracy at equal area weights"}
    numbers = []
    for z, frame in metrics.items():
        for metric, title in names.items():
            rows = frame[(frame["area"] == "all") & (frame["metric"] == metric)]
            for row in rows.to_dict("records"):
                key = "accuracy/map" if metric == "accuracy" and z in test_slices else ""
                name = f"{title}, slice z={z}, {row['subset']} pixels"
                numbers.append(_number("Whole slices", name, row, key, unit="pixels"))
    return numbers


def readout_numbers(
    classifiers: pd.DataFrame | None, mixture: pd.DataFrame | None, gram: pd.DataFrame | None
) -> list[Number]:
    """Return accuracies of classifiers, V-measures and block errors by network."""
    numbers = []
    if classifiers is not None:
        for row in classifiers[classifiers["split"] == "test"].to_dict("records"):
            key = f"classifier/{row['classifier']}" if row["network"] == "cnn" else ""
            name = f"{CLASSIFIERS.get(row['classifier'], row['classifier'])} on {row['network']}"
            if row["classifier"] == "cnn":
                name = "the network's own last layer"
            numbers.append(
                _number("Classifiers, accuracy on test patches", name, row, key, "accuracy")
            )
    if mixture is not None:
        for row in mixture.to_dict("records"):
            key = f"v_measure/{row['network']}"
            numbers.append(
                _number("Gaussian mixture, V-measure", str(row["network"]), row, key, "v_measure")
            )
    if gram is not None:
        for row in gram.to_dict("records"):
            key = f"block_error/{row['network']}"
            numbers.append(
                _number("Gram matrix, block error", str(row["network"]), row, key, "block_error")
            )
    return numbers


def factor_numbers(fits: Mapping[int, Mapping[str, Any]], fitted: int) -> list[Number]:
    """Return how well the basis fits the slice that it was fitted on, and the others.

    Parameters
    ----------
    fits : mapping of int to mapping
        By slice: relative_error and rows.
    fitted : int
        The fitted slice.
    """
    return [
        Number(
            "Non-negative factors",
            f"relative error, slice z={z}" + (" (fitted)" if z == fitted else " (basis held)"),
            float(fit["relative_error"]),
            note=f"{int(fit['rows']):,} pixels" if "rows" in fit else "",
        )
        for z, fit in fits.items()
    ]


def confused_pairs(confusion: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the `PAIRS` pairs of areas that are most often confused.

    Parameters
    ----------
    confusion : pandas.DataFrame
        Columns area, predicted, count.

    Returns
    -------
    list of dict
        area, predicted, count, share (of the area), the largest share first.
    """
    totals = confusion.groupby("area")["count"].transform("sum")
    shares = confusion.assign(share=confusion["count"] / totals.where(totals > 0))
    wrong = shares[(shares["area"] != shares["predicted"]) & (shares["count"] > 0)]
    ordered = wrong.sort_values(["share", "area", "predicted"], ascending=[False, True, True])
    return ordered.head(PAIRS)[["area", "predicted", "count", "share"]].to_dict("records")  # type: ignore[return-value]  # keys are text


def _number(
    group: str,
    name: str,
    row: Mapping[Any, Any],
    key: str = "",
    value: str = "value",
    *,
    unit: str = "patches",
) -> Number:
    notes = [
        f"{int(row[column]):,} {title}"
        for column, title in (
            ("patches", unit),
            ("independent_patches", "independent"),
            ("blocks", "blocks"),
        )
        if column in row and _finite(row[column])
    ]
    ends = {end: float(row[end]) if _finite(row.get(end)) else NAN for end in ("low", "high")}
    number = float(row[value]) if _finite(row[value]) else NAN
    return Number(group, name, number, **ends, note=", ".join(notes), key=key)


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
