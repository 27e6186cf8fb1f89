"""Did it work? Each answer with its criterion; what was not tested says why."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from brainarch.discovery.matching import MATCHED
from brainarch.factors.alignment import ALIGNED
from brainarch.pipeline.facts import PARTS
from brainarch.reporting.numbers import DIFFERENCE_DIGITS, spread_text
from brainarch.statistics.depth_nulls import DECIDING
from brainarch.statistics.levels import LEVEL, MIN_EFFECTIVE

#: Points from chance within which a control with permuted labels must end (DESIGN).
CONTROL_POINTS = 0.05
#: Share of an area below which an answer says that little of it was looked at.
LITTLE = 0.5
#: What the nulls of layers are called.
NULLS = {"bands": "own bands moved: median", "depth": "depth alone: median"}
#: What tells areas without factors is called.
BASELINES = {
    "unit": "the best single unit",
    "grey": "the patch's mean grey",
    "untrained": "factors of the untrained network",
}

Answer = Literal["yes", "partly", "no", "undecided", "not tested"]


@dataclass(frozen=True)
class Verdict:
    """An answer.

    Parameters
    ----------
    question : str
    answer : {"yes", "partly", "no", "undecided", "not tested"}
        Undecided: the interval holds the bound, or there are too few blocks for one.
    criterion : str
        What had to hold.
    found : str
        What was measured, or why it was not.
    """

    question: str
    answer: Answer
    criterion: str
    found: str


def counts_verdict(counts: pd.DataFrame | None, sizes: pd.DataFrame | None) -> Verdict:
    """Say whether patch counts are conserved.

    Parameters
    ----------
    counts : pandas.DataFrame or None
        Columns split, area, reason, pixels.
    sizes : pandas.DataFrame or None
        Columns slice, area, pixels: labelled pixels, of the slices that were sampled.
    """
    question = "Is every labelled pixel accounted for?"
    criterion = "kept + not kept, by reason = labelled pixels of the sampled slices, in every area"
    if counts is None or sizes is None:
        return Verdict(question, "not tested", criterion, "no sampling in this run")
    sampled = counts.groupby("area")["pixels"].sum()
    labelled = sizes.groupby("area")["pixels"].sum()
    wrong = [area for area in labelled.index if int(sampled.get(area, 0)) != int(labelled[area])]
    if wrong:
        first = wrong[0]
        found = f"{first}: {sampled.get(first, 0):,} counted, {labelled[first]:,} labelled"
        return Verdict(question, "no", criterion, found)
    return Verdict(question, "yes", criterion, f"{int(labelled.sum()):,} labelled pixels")


def proof_verdict(proofs: Mapping[int, Mapping[str, Any]]) -> Verdict:
    """Say whether the dense representation is that of the windows cut one by one."""
    question = "Is the dense representation exact?"
    criterion = (
        "random windows cut and run alone, in float32 and float64: max |a-b| <= 1e-5 max |b| and "
        "||a-b|| / ||b|| <= 2e-6"
    )
    if not proofs:
        return Verdict(question, "not tested", criterion, "no slice was extracted")
    parts = []
    for z, proof in proofs.items():
        worst = max(entry["relative_max"] for entry in proof["cube_against"].values())
        norm = max(entry["relative_norm"] for entry in proof["cube_against"].values())
        how = f"{proof['precision']}, {proof['windows']} windows"
        parts.append(f"z={z}: {how}, max {worst:.1e}, norm {norm:.1e}")
    exact = all(proof["exact"] for proof in proofs.values())
    return Verdict(question, "yes" if exact else "no", criterion, "; ".join(parts))


def accuracy_verdict(
    metrics: Mapping[str, pd.DataFrame], chance: float, brains: pd.DataFrame | None = None
) -> Verdict:
    """Say whether the network tells areas apart on test patches.

    Parameters
    ----------
    metrics : mapping of str to pandas.DataFrame
        By run (main, blocks1 ...): metrics of the test patches.
    chance : float
    brains : pandas.DataFrame, optional
        Columns area, recall: how phantoms of other seeds were named.
    """
    question = "Does the network tell areas apart on patches it was not trained on?"
    criterion = f"lower end of the test accuracy's 95 % interval above chance ({chance:.3f})"
    rows = {run: overall(frame, "accuracy") for run, frame in metrics.items()}
    found = {run: row for run, row in rows.items() if row is not None}
    if not found:
        return Verdict(question, "not tested", criterion, "no test patches were evaluated")
    text = "; ".join(
        (f"{run}: " if len(found) > 1 else "") + interval_text(row) for run, row in found.items()
    )
    if brains is not None:
        other = brains[brains["area"] == "all"]["recall"]
        text += f"; {len(other)} new brains: mean {other.mean():.2f}, {spread_text(other)}"
    above = [_above(row["low"], row["high"], chance) for row in found.values()]
    return Verdict(question, _all_or_some(above), criterion, text)


def control_verdict(permuted: pd.DataFrame | None, chance: float, reason: str) -> Verdict:
    """Say whether a network trained on permuted labels ends at chance: a check of the code."""
    question = "Does the control with permuted labels end at chance?"
    criterion = (
        f"its test accuracy, with its whole interval, within {100 * CONTROL_POINTS:.0f} points of "
        f"{chance:.3f}; no if the interval lies beyond them"
    )
    row = None if permuted is None else overall(permuted, "accuracy")
    if row is None:
        return Verdict(question, "not tested", criterion, reason)
    return Verdict(question, _near(row, chance), criterion, interval_text(row))


def nonsense_verdict(nonsense: pd.DataFrame | None, area: str, reason: str) -> Verdict:
    """Say whether parts of one area, which mean nothing, are named at chance only.

    Parameters
    ----------
    nonsense : pandas.DataFrame or None
        Metrics of the control's test patches.
    area : str
        The area that was cut.
    reason : str
        Why there are none.
    """
    chance = 1 / len(PARTS)
    question = "Are nonsense areas, parts of one area, named at chance only?"
    criterion = (
        f"test accuracy of a network trained on {len(PARTS)} parts of {area}, the same in "
        f"every slice, with its whole interval within {100 * CONTROL_POINTS:.0f} points of "
        f"{chance:.2f}; above, position or an artefact is read"
    )
    row = None if nonsense is None else overall(nonsense, "accuracy")
    if row is None:
        return Verdict(question, "not tested", criterion, reason)
    return Verdict(question, _near(row, chance), criterion, interval_text(row))


def training_verdict(
    differences: pd.DataFrame | None,
    over_assignments: pd.DataFrame | None = None,
    assignments: int = 1,
) -> Verdict:
    """Say whether areas are read better from the trained network than from the others.

    Parameters
    ----------
    differences, over_assignments : pandas.DataFrame, optional
        Columns as in `brainarch.readout.differences.DIFFERENCE_COLUMNS`; the second, over all
        assignments of a slice's parts, decides where it is there.
    assignments : int
        How many.
    """
    question = "Do classifiers read areas better from the trained network than from the others?"
    criterion = (
        "accuracy on the trained network minus that on each other one, same classifier, patches "
        "and blocks: above 0 with its whole 95 % interval"
    )
    if over_assignments is not None:
        differences = over_assignments
        criterion += (
            f"; mean of {assignments} assignments, and the network's last layer minus the "
            "classifier that reads each other network best"
        )
    rows = [] if differences is None else differences.to_dict("records")
    rows = [row for row in rows if row["network"] != row["other_network"]]
    if not rows:
        return Verdict(question, "not tested", criterion, "needs the CNN and another network")
    above = [_above(row["low"], row["high"], 0) for row in rows]
    found = ", ".join(
        f"{row['other_network']} ({_compared(row)}) "
        + interval_text(row | {"value": row["difference"]}, DIFFERENCE_DIGITS)
        for row in rows
    )
    return Verdict(question, _all_or_some(above), criterion, found)


def _compared(row: dict[Hashable, Any]) -> str:
    one, other = row["classifier"], row["other_classifier"]
    return str(one) if one == other else f"{one} minus {other}"


def clusters_verdict(mixture: pd.DataFrame | None) -> Verdict:
    """Say whether clusters follow areas better in the trained network than in the controls."""
    question = "Do clusters, found without labels, follow areas better after training?"
    criterion = (
        "V-measure of the trained CNN minus that of each other network, on the same patches: above "
        "0 with its whole 95 % interval"
    )
    if mixture is None or "cnn" not in set(mixture["network"]) or len(mixture) < 2:
        return Verdict(question, "not tested", criterion, "needs the CNN and another network")
    rows = mixture.to_dict("records")
    apart, found = [], []
    for row in rows:
        text = f"{row['network']} {interval_text(row | {'value': row['v_measure']})}"
        if row["network"] != "cnn":
            apart.append(_above(row["behind_low"], row["behind_high"], 0))
            ends = {"low": row["behind_low"], "high": row["behind_high"]}
            behind = interval_text(ends | {"value": row["behind"]}, DIFFERENCE_DIGITS)
            text += f" (behind by {behind})"
        found.append(text)
    return Verdict(question, _all_or_some(apart), criterion, ", ".join(found))


def factors_verdict(
    chosen: pd.DataFrame | None, baselines: pd.DataFrame | None, reason: str
) -> Verdict:
    """Say whether factors stand for areas on a slice that they were not fitted on.

    Parameters
    ----------
    chosen : pandas.DataFrame or None
        Columns slice, target, name, factor, auroc, low, high, blocks, null_99, p, above_null.
    baselines : pandas.DataFrame or None
        Columns baseline, name, auroc, aligned: what does so without any factor.
    reason : str
        Why there is none.
    """
    question = "Do factors stand for areas on a slice that they were not fitted on?"
    criterion = (
        f"AUROC of each area's factor at least {ALIGNED} with its whole 95 % interval, and above "
        f"all but 1 % of fields as autocorrelated as that factor (p at most {LEVEL:g}); undecided "
        "where the interval holds the bound, or the area lies in too few blocks for one"
    )
    if chosen is None:
        return Verdict(question, "not tested", criterion, reason)
    rows = chosen[chosen["target"] == "area"].to_dict("records")
    good = [_stands(row) for row in rows]
    parts = [
        f"{row['name']} {interval_text(row | {'value': row['auroc']})} (factor {row['factor']}, "
        f"99 % of fields {row['null_99']:.2f}, p = {row['p']:.3f})"
        for row in rows
    ]
    reached = sum(row["auroc"] >= ALIGNED and row["above_null"] for row in rows)
    found = f"{reached} of {len(rows)} areas reach {ALIGNED} and exceed their null, "
    found += f"{sum(map(bool, good))} of them beyond doubt: {', '.join(parts)}"
    if baselines is not None:
        found += f". Without factors: {'; '.join(_without_factors(baselines))}"
    return Verdict(question, _all_or_some(good), criterion, found)


def _stands(row: Mapping[Any, Any]) -> bool | None:
    """Return whether a factor stands for its area, None if that cannot be decided."""
    return _above(row["low"], row["high"], ALIGNED) if row["above_null"] else False


def _without_factors(baselines: pd.DataFrame) -> list[str]:
    """Say how many areas each baseline tells."""
    texts = []
    for name, title in BASELINES.items():
        own = baselines[baselines["baseline"] == name]
        low, high = own["auroc"].min(), own["auroc"].max()
        texts.append(f"{title} {own['aligned'].sum()} of {len(own)} ({low:.2f} to {high:.2f})")
    return texts


def agreement_verdict(what: str, agreements: Mapping[int, pd.DataFrame], reason: str) -> Verdict:
    """Say whether clusters or components agree with layers more than other bands of depth do.

    Parameters
    ----------
    what : str
        Clusters or components.
    agreements : mapping of int to pandas.DataFrame
        By slice: columns statistic, null, value, effective, median, null_99, above, above_nulls.
    reason : str
        Why there is none.
    """
    question = f"Do {what} found without labels agree with annotated layers?"
    criterion = (
        "adjusted mutual information above the 99th percentile (p at most 0.01) of maps whose own "
        "bands lie in other orders along depth, and of depth alone, cut into as many bands"
    )
    if not agreements:
        return Verdict(question, "not tested", criterion, reason)
    good: list[bool | None] = []
    parts = []
    for z, frame in agreements.items():
        rows = frame[frame["statistic"] == DECIDING]
        nulls = [
            f"{NULLS[row['null']]} {row['median']:.2f}, 99 % {row['null_99']:.2f}"
            for row in rows.to_dict("records")
        ]
        enough = rows["effective"] >= MIN_EFFECTIVE
        good.append(_beats(rows["above"], enough))
        if not enough.all():
            few = int(rows["effective"].min())
            nulls.append(f"only {few} of them differ: cannot be decided at 1 %")
        covered = float(rows["area_share"].iloc[0])
        if covered < LITTLE:
            nulls.append(f"only {covered:.0%} of the area was looked at")
        parts.append(f"z={z}: {rows['value'].iloc[0]:.2f} ({'; '.join(nulls)})")
    return Verdict(question, _all_or_some(good), criterion, "; ".join(parts))


def matches_verdict(matches: pd.DataFrame | None, reason: str) -> Verdict:
    """Say whether the components of one slice are found again on another."""
    question = "Are the components found again on another slice?"
    criterion = (
        "mean distance of the profiles of matched components below the 1st percentile (p at most "
        "0.01) of the other slice's own bands in other orders and of random bands; partly if a "
        f"match is farther than {MATCHED} or not also the nearest"
    )
    if matches is None:
        return Verdict(question, "not tested", criterion, reason)
    row = matches.iloc[0]
    below = _beats(
        [row[f"{null}_p"] <= LEVEL and row["mean_distance"] < row[f"{null}_1"] for null in NULLS],
        [row[f"{null}_effective"] >= MIN_EFFECTIVE for null in NULLS],
    )
    clear = bool((matches["matched"] == matches["nearest"]).all())
    clear = clear and bool((matches["distance"] <= MATCHED).all())
    answer: Answer = ("yes" if clear else "partly") if below else "no"
    if below is None:
        answer = "undecided"
    few = min(int(row[f"{null}_effective"]) for null in NULLS)
    pairs = ", ".join(
        f"{component}-{matched} (JS {distance:.2f})"
        for component, matched, distance in zip(
            matches["component"], matches["matched"], matches["distance"], strict=True
        )
    )
    nulls = [
        f"{text} {row[f'{null}_median']:.2f}, 1 % {row[f'{null}_1']:.2f}"
        for null, text in NULLS.items()
    ]
    if few < MIN_EFFECTIVE:
        nulls.append(f"only {few} of them differ: cannot be decided at 1 %")
    found = f"mean JS {row['mean_distance']:.2f} ({'; '.join(nulls)}): {pairs}"
    return Verdict(question, answer, criterion, found)


def overall(metrics: pd.DataFrame, metric: str) -> dict[str, Any] | None:
    """Return a metric of all areas together in the main subset: value, low, high, subset."""
    rows = metrics[(metrics["area"] == "all") & (metrics["metric"] == metric)]
    if "all" in set(rows["subset"]):
        rows = rows[rows["subset"] == "all"]
    rows = rows[rows["value"].notna()]
    if rows.empty:
        return None
    row = rows.iloc[0]
    return {name: row[name] for name in rows.columns}


def interval_text(row: Mapping[Any, Any], digits: int = 2) -> str:
    """Return ``0.83 [0.80, 0.86]`` as the figures do, or what there is instead of an interval."""
    text = f"{row['value']:.{digits}f}"
    if math.isfinite(row["low"]) and math.isfinite(row["high"]):
        return f"{text} [{row['low']:.{digits}f}, {row['high']:.{digits}f}]"
    blocks = row.get("blocks")
    return text if blocks is None else f"{text} (no interval: {int(blocks)} blocks)"


def _above(low: float, high: float, bound: float) -> bool | None:
    """Return whether an interval lies above a bound; None if it holds it or there is none."""
    if low > bound:
        return True
    return False if high <= bound else None


def _beats(above: Iterable[bool], enough: Iterable[bool]) -> bool | None:
    """Return whether a value is beyond every null, None if too few surrogates leave that open."""
    told = list(zip(map(bool, above), map(bool, enough), strict=True))
    if any(known and not beyond for beyond, known in told):
        return False
    return True if all(known for _, known in told) else None


def _near(row: Mapping[str, Any], chance: float) -> Answer:
    """Return whether an interval lies within `CONTROL_POINTS` of chance."""
    low, high = row["low"], row["high"]
    if abs(low - chance) <= CONTROL_POINTS and abs(high - chance) <= CONTROL_POINTS:
        return "yes"
    beyond = low > chance + CONTROL_POINTS or high < chance - CONTROL_POINTS
    return "no" if beyond else "undecided"


def _all_or_some(good: Sequence[bool | None]) -> Answer:
    """Return one answer of several; as long as nothing fails, what is open leaves it open."""
    if all(good):
        return "yes"
    if not any(good):
        return "undecided" if None in good else "no"
    return "partly" if False in good else "undecided"
