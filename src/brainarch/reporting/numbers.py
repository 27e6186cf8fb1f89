"""The numbers of a run, with intervals, in the order in which a reader wants them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from brainarch.embedding.names import AUTHORS

NAN = float("nan")
CLASSIFIERS = {
    "logistic": "logistic regression",
    "linear_svm": "linear SVM",
    "rbf_svm": "RBF SVM",
}
#: Numbers that stand beside an accuracy where copying an annotation is possible.
POSITION = {
    "position_accuracy": "accuracy of the training slice's annotation copied to the same pixel",
    "above_position": "the network minus that copy, paired",
}
#: Digits of paired differences; all other numbers are rounded as in the figures.
DIFFERENCE_DIGITS = 3
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
    blocks : int or None
        Blocks that the interval comes from; with too few there is none.
    digits : int
        Digits after the point on the page.
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
    blocks: int | None = None
    digits: int = 2


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
            if (run, split, row["subset"]) == (AUTHORS, "test", "all"):
                key = "accuracy/authors"
            numbers.append(_number("Sampled patches", name, row, key))
        of_run = f"{split} patches" + ("" if run == "main" else f", run {run}")
        numbers += _position_numbers("Sampled patches", frame, of_run)
    test = metrics.get(("main", "test"))
    if test is not None:
        recall = test[(test["metric"] == "recall") & (test["subset"] == "all")]
        for row in recall.to_dict("records"):
            name = f"recall, {row['area']}"
            numbers.append(_number("Sampled patches", name, row, f"recall/{row['area']}"))
    return numbers


def calibration_numbers(found: Mapping[str, Any] | None) -> list[Number]:
    """Return how far confidence is from the share of right answers, raw and with a temperature."""
    if found is None:
        return []
    states = {"raw": "", "scaled": f", with temperature {found['temperature']:.2f}"}
    return [
        Number(
            "Sampled patches",
            f"expected calibration error, test patches{title}",
            float(found[state]["expected_calibration_error"]),
            note=f"{int(found['test_patches']):,} patches",
            digits=3,
        )
        for state, title in states.items()
    ]


def map_numbers(metrics: Mapping[int, pd.DataFrame], test_slices: Sequence[int]) -> list[Number]:
    """Return accuracy at scale by slice; only a test slice is compared with a published one."""
    names = {"accuracy": "accuracy", "balanced_accuracy": "accuracy at equal area weights"}
    numbers = []
    for z, frame in metrics.items():
        for metric, title in names.items():
            rows = frame[(frame["area"] == "all") & (frame["metric"] == metric)]
            for row in rows.to_dict("records"):
                raw = row["subset"] in ("all", "test")
                compared = metric == "accuracy" and raw and z in test_slices
                key = "accuracy/map" if compared else ""
                name = f"{title}, slice z={z}, {_pixels(row['subset'])}"
                numbers.append(_number("Whole slices", name, row, key, unit="pixels"))
        for subset in frame["subset"].unique():
            own = frame[frame["subset"] == subset]
            where = f"slice z={z}, {_pixels(subset)}"
            numbers += _position_numbers("Whole slices", own, where, unit="pixels")
    return numbers


def rim_rows(tables: Mapping[tuple[str, ...], pd.DataFrame]) -> list[list[str]]:
    """Return of each slice how right its map is away from borders and at the tissue's rim."""
    rows = []
    for (z,), table in tables.items():
        for row in table.to_dict("records"):
            interval = "" if math.isnan(row["low"]) else f"{row['low']:.2f} to {row['high']:.2f}"
            named = "" if math.isnan(row["outside"]) else f"{100 * row['outside']:.1f} %"
            found = "" if math.isnan(row["accuracy"]) else f"{row['accuracy']:.2f}"
            rows.append([z, row["part"], f"{row['pixels']:,}", found, interval, named])
    return rows


def _pixels(subset: str) -> str:
    """Return a subset's pixels in words: test pixels, averaged over 128 px."""
    which, comma, how = subset.partition(", ")
    return f"{which} pixels{comma}{how}"


def _position_numbers(
    group: str, frame: pd.DataFrame, where: str, unit: str = "patches"
) -> list[Number]:
    rows = frame[frame["metric"].isin(list(POSITION))].to_dict("records")
    return [_number(group, f"{POSITION[row['metric']]}, {where}", row, unit=unit) for row in rows]


def interval_note(seeds: int) -> str:
    """Return what intervals leave out: how much another training would change."""
    if seeds < 2:
        return (
            "Every interval is given this one network: training again with another seed is another "
            "source of spread, which training.repeats shows."
        )
    return f"Every interval is given one network; the spread over {seeds} seeds stands beside them."


def position_note(by_slices: bool) -> str:
    """Return what an accuracy is about, and where the baseline of position stands or why not."""
    note = (
        "The network reads a window and does not know where it lies: its accuracy is about "
        "appearance alone. "
    )
    if by_slices:
        return note + (
            "Slices of one volume lie in register, so that a training slice's annotation, copied "
            "to the same pixel, may name areas better than any network; that baseline stands "
            "beside every accuracy."
        )
    return note + (
        "Copying an annotation from the training tissue is no baseline here: training and test "
        "are parts of one slice."
    )


def difference_numbers(differences: pd.DataFrame | None) -> list[Number]:
    """Return by how much classifiers on one network beat those on another, on the same patches."""
    group = "Differences on the same test patches and blocks, paired"
    numbers = []
    for row in [] if differences is None else differences.to_dict("records"):
        first = CLASSIFIERS.get(row["classifier"], row["classifier"])
        other, key = f"on {row['other_network']}", ""
        if row["other_classifier"] == "cnn":
            other, key = "the network's own last layer", f"above_head/{row['classifier']}"
        name = f"{first} on {row['network']} minus {other}"
        numbers.append(_number(group, name, row, key, "difference", digits=DIFFERENCE_DIGITS))
    return numbers


def assignment_readout_numbers(
    accuracies: pd.DataFrame | None, differences: pd.DataFrame | None
) -> list[Number]:
    """Return what classifiers reach over all assignments of a slice's parts, and differences."""
    if accuracies is None or differences is None:
        return []
    count = accuracies["assignment"].nunique() - 1
    group = f"Classifiers over {count} assignments, each on its own test parts"
    numbers = []
    for row in accuracies[accuracies["assignment"] == "mean"].to_dict("records"):
        own = accuracies[
            (accuracies["assignment"] != "mean")
            & (accuracies["network"] == row["network"])
            & (accuracies["classifier"] == row["classifier"])
        ]["accuracy"]
        number = _number(group, f"{_predictor(row, '')}, mean", row, "", "accuracy")
        note = f"{number.note}; {own.min():.2f} to {own.max():.2f}"
        numbers.append(replace(number, note=note))
    group = f"Differences over {count} assignments, paired"
    for row in differences.to_dict("records"):
        name = f"{_predictor(row, '')} minus {_predictor(row, 'other_')}"
        numbers.append(_number(group, name, row, "", "difference", digits=DIFFERENCE_DIGITS))
    return numbers


def _predictor(row: Mapping[Hashable, Any], prefix: str) -> str:
    network, classifier = row[f"{prefix}network"], row[f"{prefix}classifier"]
    if classifier == "cnn":
        return "the network's own last layer"
    return f"{CLASSIFIERS.get(classifier, classifier)} on {network}"


def brain_numbers(brains: pd.DataFrame | None) -> list[Number]:
    """Return how the network names phantoms of other seeds: mean and spread over them."""
    if brains is None:
        return []
    numbers = []
    for area, own in brains.groupby("area", sort=False):
        name = "accuracy at equal area weights" if area == "all" else f"recall, {area}"
        patches = int(own["patches"].sum())
        note = f"{spread_text(own['recall'])}; {patches:,} patches of {len(own)} brains"
        group = "New brains: phantoms of other seeds, named by the same network (mean)"
        numbers.append(Number(group, name, float(own["recall"].mean()), note=note))
    return numbers


def assignment_numbers(metrics: Mapping[str, pd.DataFrame]) -> list[Number]:
    """Return accuracy and recalls of test patches, as means over assignments of blocks to splits.

    Parameters
    ----------
    metrics : mapping of str to pandas.DataFrame
        By run: one network for each assignment, scored on its own test blocks.
    """
    if len(metrics) < 2:
        return []
    whole = pd.concat(metrics.values())
    whole = whole[(whole["subset"] == "all") & whole["metric"].isin(["accuracy", "recall"])]
    numbers = []
    for (area, metric), own in whole.groupby(["area", "metric"], sort=False):
        values = own["value"].dropna()
        if len(values) > 1:
            name = "accuracy, test patches" if area == "all" else f"{metric}, {area}"
            note = f"{spread_text(values)}; {len(values)} assignments with test patches of it"
            group = "Assignments of blocks: a network each, scored on its own test blocks (mean)"
            numbers.append(Number(group, name, float(values.mean()), note=note))
    return numbers


def spread_text(values: pd.Series[float]) -> str:
    """Return the standard deviation, least and greatest of some values as the page writes them."""
    return f"spread {values.std():.2f}, {values.min():.2f} to {values.max():.2f}"


def readout_numbers(
    classifiers: pd.DataFrame | None, mixture: pd.DataFrame | None, gram: pd.DataFrame | None
) -> list[Number]:
    """Return accuracies of classifiers, V-measures and block errors by network."""
    numbers = []
    if classifiers is not None:
        for row in classifiers[classifiers["split"] == "test"].to_dict("records"):
            name = f"{CLASSIFIERS.get(row['classifier'], row['classifier'])} on {row['network']}"
            if row["classifier"] == "cnn":
                name = "the network's own last layer"
            numbers.append(
                _number("Classifiers, accuracy on test patches", name, row, "", "accuracy")
            )
    if mixture is not None:
        for row in mixture.to_dict("records"):
            key = f"v_measure/{row['network']}"
            group = "Gaussian mixture, V-measure"
            number = _number(group, str(row["network"]), row, key, "v_measure")
            starts = f"{row['starts']} starts: {row['lowest']:.2f} to {row['highest']:.2f}"
            numbers.append(replace(number, note=f"{number.note}; {starts}"))
            if _finite(row["behind"]):
                ends = {"low": row["behind_low"], "high": row["behind_high"]}
                name = f"cnn minus {row['network']}, paired"
                paired = row | ends
                numbers.append(
                    _number(group, name, paired, value="behind", digits=DIFFERENCE_DIGITS)
                )
    if gram is not None:
        for row in gram.to_dict("records"):
            key = f"block_error/{row['network']}"
            numbers.append(
                _number("Gram matrix, block error", str(row["network"]), row, key, "block_error")
            )
    return numbers


def factor_numbers(fits: Mapping[int, Mapping[str, Any]], fitted: Sequence[int]) -> list[Number]:
    """Return how well the basis fits the slices that it was fitted on, and the others.

    Parameters
    ----------
    fits : mapping of int to mapping
        By slice: relative_error and rows.
    fitted : sequence of int
        The fitted slices.
    """
    return [
        Number(
            "Non-negative factors",
            f"relative error, slice z={z}" + (" (fitted)" if z in fitted else " (basis held)"),
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
    digits: int = 2,
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
    blocks = int(row["blocks"]) if _finite(row.get("blocks")) else None
    return Number(
        group, name, number, **ends, note=", ".join(notes), key=key, blocks=blocks, digits=digits
    )


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
