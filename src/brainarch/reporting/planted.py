"""Everything that was planted in the phantom: where it was looked for, and what was found."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from brainarch.statistics.depth_nulls import DECIDING

#: Columns of the page's table.
HEAD = ("planted", "looked for", "found", "beside", "more than chance or null")
#: What the phantom has and nobody looks for, and why.
NOT_LOOKED_FOR = {
    "thalamic reticular nucleus": "not annotated, as in the papers: no pixel of it is extracted",
    "dead detector column": "an artefact; inside one area, and no number is made of it",
}
YES, NO = "yes", "no"


def planted_rows(
    *,
    test: pd.DataFrame | None,
    chance: float,
    chosen: pd.DataFrame | None,
    agreements: Mapping[tuple[str, int], pd.DataFrame],
    planted: pd.DataFrame | None,
    lesions: pd.DataFrame | None = None,
) -> list[list[str]]:
    """Return a row for each thing that was planted and each place where it was looked for.

    Parameters
    ----------
    test : pandas.DataFrame or None
        Metrics of the test patches.
    chance : float
        Accuracy of guessing.
    chosen : pandas.DataFrame or None
        The selected factors on slices that were not fitted; see
        `brainarch.factors.selection_stages.CHOSEN_COLUMNS`.
    agreements : mapping of (clusters or components, slice) to pandas.DataFrame
        See `brainarch.discovery.agreement.AGREEMENT_COLUMNS`.
    planted : pandas.DataFrame or None
        See `brainarch.microstructure.recovery.PLANTED_COLUMNS`.
    lesions : pandas.DataFrame or None
        See `brainarch.evaluation.lesions.LESION_COLUMNS`; the score that decides is shown.
    """
    rows: list[list[str]] = []
    if test is not None:
        recalls = test[(test["metric"] == "recall") & (test["subset"] == "all")]
        for row in recalls.to_dict("records"):
            above = row["low"] > chance if pd.notna(row["low"]) else row["value"] > chance
            text = f"recall {row['value']:.2f}"
            rows.append(
                [f"area {row['area']}", "test patches", text, f"chance {chance:.2f}", _said(above)]
            )
    for row in [] if chosen is None else chosen.to_dict("records"):
        where = f"factor {row['factor']}, slice z={row['slice']}"
        found = f"AUROC {row['auroc']:.2f}"
        thing = f"{row['target']} {row['name']}"
        rows.append([thing, where, found, _fields(row), _said(row["above_null"])])
    for (kind, z), frame in agreements.items():
        own = frame[frame["statistic"] == DECIDING]
        nulls = ", ".join(
            f"{row['null']} 99 %: {row['null_99']:.2f}" for row in own.to_dict("records")
        )
        found = f"adjusted mutual information {own['value'].iloc[0]:.2f}"
        where = f"{kind}, slice z={z}"
        rows.append(["all layers", where, found, nulls, _said(own["above_nulls"].all())])
    for row in [] if planted is None else planted.to_dict("records"):
        where = f"{row['contrast']}, in {row['where']}, slice z={row['slice']}"
        if pd.isna(row["auroc"]):
            rows.append([row["planted"], where, "not looked for", str(row["note"]), ""])
            continue
        found = f"factor {row['factor']:.0f}, AUROC {row['auroc']:.2f}"
        rows.append([row["planted"], where, found, _fields(row), _said(row["above_null"])])
    deciding = [] if lesions is None else lesions[lesions["decides"]].to_dict("records")
    for row in deciding:
        thing, where = f"{row['planted']} in a disc", f"{row['where']}, slice z={row['slice']}"
        if pd.isna(row["auroc"]):
            rows.append([thing, where, "not looked for", str(row["note"]), ""])
            continue
        found = f"AUROC {row['auroc']:.2f}; without the lesion {row['before']:.2f}"
        null = f"healthy discs, 99 %: {row['null_99']:.2f}; p = {row['p']:.3f}"
        answer = f"undecided: {row['note']}"
        if pd.notna(row["above_null"]):
            answer = _said(row["above_null"])
        rows.append([thing, where, found, null, answer])
    return [*rows, *([what, "nowhere", "", why, ""] for what, why in NOT_LOOKED_FOR.items())]


def _fields(row: Mapping[Hashable, Any]) -> str:
    return f"fields like it, 99 %: {row['null_99']:.2f}; p = {row['p']:.3f}"


def _said(above: object) -> str:
    return YES if str(above) == "True" else NO
