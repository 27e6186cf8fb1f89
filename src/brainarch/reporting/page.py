"""The summary as one HTML page that needs nothing but itself: ``summary.html`` and its values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import groupby
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from brainarch.figures.catalogue import FIGURES
from brainarch.reporting.numbers import Number
from brainarch.reporting.runtime import duration
from brainarch.statistics.bootstrap import MIN_BLOCKS


def render_page(summary: Mapping[str, Any]) -> str:
    """Return the HTML page.

    Parameters
    ----------
    summary : mapping
        As `brainarch.reporting.summary.collect` returns, with costs and pictures; the template
        escapes every text in it.
    """
    costs = summary["costs"]
    rows = {
        "groups": {
            group: [_number_row(number) for number in numbers]
            for group, numbers in groupby(summary["numbers"], key=lambda number: number.group)
        },
        "confused": [
            (
                title,
                [(p["area"], p["predicted"], f"{p['share']:.3f}", f"{p['count']:,}") for p in ps],
            )
            for title, ps in summary["confused"]
        ],
        "compared": _compared_rows(summary["reproduction"]),
        "figures": [figure for figure in FIGURES if figure.name in summary["pictures"]],
        "costs": [
            (cost.stage, duration(cost.seconds), duration(cost.cpu_seconds), _whole(cost.peak_mb))
            for cost in costs
        ],
        "total": duration(sum(cost.seconds for cost in costs)),
        "versions": [
            *summary["versions"].items(),
            ("seed", summary["seed"]),
            ("last verified", summary.get("verified", "never")),
        ],
    }
    environment = Environment(
        loader=PackageLoader("brainarch.reporting", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("summary.html").render({**summary, **rows})


def _number_row(number: Number) -> list[str]:
    digits = number.digits
    value = f"{number.value:.{digits}f}" if math.isfinite(number.value) else "–"
    known = math.isfinite(number.low) and math.isfinite(number.high)
    interval = f"{number.low:.{digits}f} to {number.high:.{digits}f}" if known else ""
    if not known and number.blocks is not None and number.blocks < MIN_BLOCKS:
        interval = f"{number.blocks} blocks: none"
    return [number.name, value, interval, number.note]


def _compared_rows(table: pd.DataFrame | None) -> list[list[str]]:
    """Return the rows of published numbers and ours, as text."""
    return [
        [
            row["quantity"],
            f"{row['published']} ({row['source']}; {row['basis']})",
            _short(row["ours"]),
            f"{_short(row['low'])} to {_short(row['high'])}" if math.isfinite(row["low"]) else "",
            _short(row["difference"]),
            ", ".join(text for text in (row["data"], row["counted"]) if isinstance(text, str)),
            row["differs"],
        ]
        for row in ([] if table is None else table.to_dict("records"))
    ]


def _short(value: float) -> str:
    if not math.isfinite(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}"


def _whole(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else ""
