"""The summary as one HTML page that needs nothing but itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import Any

from brainarch.reporting.numbers import Number
from brainarch.reporting.published import Published
from brainarch.reporting.runtime import Cost, duration
from brainarch.reporting.verdicts import Verdict

#: What the figures show.
CAPTIONS = {
    "V1": "The method in one picture: a slice and its annotated areas, a patch, the network's "
    "layers, the representation of real patches, and the area predicted at every pixel.",
    "V2": "An annotated slice and example patches of every area, framed on the slice.",
    "V3": "The predicted area map beside its annotation; confusion, precision, recall and F1 of "
    "all evaluated pixels and of the sampled test patches; accuracy by distance to the nearest "
    "border of an area. Vertical lines are 95 % intervals (spatial block bootstrap).",
    "V4": "What classifiers and an unsupervised Gaussian mixture read from the representations of "
    "the trained network and of controls, and how noise on the grey values harms them.",
    "V5": "Gram matrices of patches sorted by area, mean similarity of areas, and the patches on "
    "their three main principal components, by network.",
    "V6": "Clusters (PCA, then k-means) inside one area: where they lie, their shares along depth, "
    "and their agreement with annotated layers beside spatial nulls.",
    "M1": "Non-negative factorisation of the dense representation: pixels x units = coefficients x "
    "basis; coefficient maps of all factors, framed where they were selected for an area.",
    "M2": "Factors selected for areas and layers, with AUROC on a slice that was not fitted; "
    "components of one area on two slices, their profiles and their agreement with layers.",
    "grey": "Grey values of the whole volume, with the threshold of tissue, and how they change "
    "from slice to slice.",
    "learning": "Loss and accuracy of training and validation; a circle marks the epoch kept.",
}


def figure_caption(name: str) -> str:
    """Return what a figure shows; the part of its name before the first underscore decides."""
    return CAPTIONS.get(name.split("_", maxsplit=1)[0], "")


def render_page(summary: Mapping[str, Any]) -> str:
    """Return the HTML page.

    Parameters
    ----------
    summary : mapping
        As `brainarch.reporting.summary.collect` returns; every text in it is escaped here.
    """
    style = (files("brainarch.reporting") / "summary.css").read_text(encoding="utf-8")
    title, source = escape(summary["title"]), escape(summary["source_text"])
    sections = [
        _section("verdicts", "Did it work?", _verdicts(summary["verdicts"])),
        _section("data", "Data", _data(summary)),
        _section("numbers", "Numbers", _numbers(summary)),
        _section("figures", "Figures", _figures(summary["pictures"])),
        _section("missing", "Not in this run", _missing(summary["missing"])),
        _section("cost", "Time and memory", _costs(summary["costs"])),
        _section("versions", "Versions and seed", _versions(summary)),
    ]
    links = "".join(f'<a href="#{name}">{escape(text)}</a>' for name, text, _ in sections)
    body = "".join(
        f'<section id="{name}"><h2>{escape(text)}</h2>{content}</section>'
        for name, text, content in sections
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{style}</style></head><body><main>"
        f"<header><h1>{title}</h1>"
        f'<p class="faint">dataset {escape(summary["dataset"])}: {source}</p>'
        f"<nav>{links}</nav></header>{body}</main></body></html>\n"
    )


def _section(name: str, title: str, content: str) -> tuple[str, str, str]:
    return name, title, content


def _verdicts(verdicts: Sequence[Verdict]) -> str:
    cards = [
        f'<div class="verdict {entry.answer.split()[0]}"><div class="answer">{entry.answer}</div>'
        f'<div><div class="question">{escape(entry.question)}</div>'
        f'<div class="found">{escape(entry.found)}</div>'
        f'<div class="criterion">Criterion: {escape(entry.criterion)}</div></div></div>'
        for entry in verdicts
    ]
    return f'<div class="verdicts">{"".join(cards)}</div>'


def _data(summary: Mapping[str, Any]) -> str:
    parts = [_table(["", ""], summary["data"])]
    if summary["planted"]:
        parts.append("<h3>Planted truth and controls</h3>")
        parts.append(_table(["", ""], summary["planted"]))
    if summary["areas"]:
        parts.append("<h3>Areas: labelled area (patches that fit without sharing a pixel)</h3>")
        parts.append(_table(summary["areas"]["head"], summary["areas"]["rows"]))
    if summary["patches"]:
        parts.append("<h3>Patches drawn (that fit without sharing a pixel)</h3>")
        parts.append(
            "<p class='faint'>Overlapping patches are not independent samples; intervals come "
            "from a spatial block bootstrap.</p>"
        )
        parts.append(_table(summary["patches"]["head"], summary["patches"]["rows"]))
    return "".join(parts)


def _numbers(summary: Mapping[str, Any]) -> str:
    published: Mapping[str, Published] = summary["published"]
    parts = []
    if summary["comparison_note"]:
        parts.append(f"<p>{escape(summary['comparison_note'])}</p>")
    for group, entries in groupby(summary["numbers"], key=lambda number: str(number.group)):
        parts.append(f"<h3>{escape(group)}</h3>")
        head = ["", "value", "95 % interval", "from"]
        if published:
            head += ["published", "source"]
        rows = [_number_row(number, published) for number in entries]
        parts.append(_table(head, rows, numeric=(1, 2)))
    for title, pairs in summary["confused"]:
        parts.append(f"<h3>{escape(title)}</h3>")
        rows = [
            [pair["area"], pair["predicted"], f"{pair['share']:.3f}", f"{pair['count']:,}"]
            for pair in pairs
        ]
        head = ["area", "taken for", "share of the area", "count"]
        parts.append(_table(head, rows, numeric=(2, 3)))
    for title, rows in summary["selected"]:
        parts.append(f"<h3>{escape(title)}</h3>")
        head = ["rank", "factor", "stands for", "covered", "elsewhere"]
        parts.append(_table(head, rows, numeric=(3, 4)))
    if summary["statements"]:
        parts.append("<h3>Published, without a number of ours beside it</h3>")
        rows = [[entry.value, entry.source] for entry in summary["statements"]]
        parts.append(_table(["published", "source"], rows))
    return "".join(parts)


def _number_row(number: Number, published: Mapping[str, Published]) -> list[str]:
    row = [number.name, decimal(number.value), interval(number.low, number.high), number.note]
    if published:
        figure = published.get(number.key)
        row += [figure.value, figure.source] if figure else ["", ""]
    return row


def _figures(pictures: Mapping[str, str]) -> str:
    if not pictures:
        return "<p>No figure was drawn.</p>"
    return "".join(
        f'<figure><img src="{address}" alt="{escape(name, quote=True)}">'
        f"<figcaption><b>{escape(name)}</b> {escape(figure_caption(name))}</figcaption></figure>"
        for name, address in pictures.items()
    )


def _missing(missing: Iterable[tuple[str, str]]) -> str:
    rows = [list(pair) for pair in missing]
    return _table(["what", "why"], rows) if rows else "<p>Nothing: every target was made.</p>"


def _costs(costs: Sequence[Cost]) -> str:
    if not costs:
        return "<p>No stage was timed.</p>"
    rows = [
        [
            cost.stage,
            duration(cost.seconds),
            duration(cost.cpu_seconds),
            f"{cost.peak_mb:,.0f}" if math.isfinite(cost.peak_mb) else "",
        ]
        for cost in costs
    ]
    total = sum(cost.seconds for cost in costs)
    note = (
        f"<p>{len(costs)} jobs, {duration(total)} one after another; memory is the largest "
        "resident set of a job.</p>"
    )
    return note + _table(["job", "time", "processor", "memory (MB)"], rows, numeric=(1, 2, 3))


def _versions(summary: Mapping[str, Any]) -> str:
    rows = [[name, text] for name, text in summary["versions"].items()]
    rows.append(["seed", str(summary["seed"])])
    return _table(["", ""], rows)


def _table(
    head: Sequence[str], rows: Iterable[Sequence[object]], numeric: Sequence[int] = ()
) -> str:
    def cell(tag: str, index: int, text: object) -> str:
        kind = ' class="number"' if index in numeric else ""
        return f"<{tag}{kind}>{escape(str(text))}</{tag}>"

    top = "".join(cell("th", index, text) for index, text in enumerate(head))
    header = f"<thead><tr>{top}</tr></thead>" if any(head) else ""
    lines = "".join(
        "<tr>" + "".join(cell("td", index, text) for index, text in enumerate(row)) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table>{header}<tbody>{lines}</tbody></table></div>'


def decimal(value: float) -> str:
    """Return a number with three decimals, or a dash."""
    return f"{value:.3f}" if math.isfinite(value) else "–"


def interval(low: float, high: float) -> str:
    """Return an interval with three decimals, or nothing."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"{low:.3f} to {high:.3f}"
