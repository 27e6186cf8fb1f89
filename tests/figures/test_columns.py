"""Panels alone: as wide as a column at most, text of its size and still text."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from brainarch.figures import columns, plotted
from brainarch.figures.save import save_figure
from brainarch.figures.sheet import Box, Sheet

MM_PER_POINT = 25.4 / 72


def drawn() -> Sheet:
    sheet = Sheet(70)
    sheet.panel("a", 0, 0, "wide")
    sheet.axes(Box(10, 6, 160, 20)).imshow(np.eye(8), aspect="auto")
    sheet.panel("b", 0, 34, "small")
    sheet.axes(Box(10, 42, 50, 20)).set_xlabel("a label that stays")
    return sheet


def save(sheet: Sheet, folder: Path) -> None:
    table = plotted.table([plotted.entry("a", "value", 1.0)])
    save_figure(sheet.figure, table, folder / "F.png", folder / "F.pdf", folder / "F.csv")


def width_mm(pdf: Path) -> float:
    found = re.search(rb"/MediaBox \[ ([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) \]", pdf.read_bytes())
    assert found
    left, _, right, _ = map(float, found.groups())
    return (right - left) * MM_PER_POINT


def content(pdf: Path) -> bytes:
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf.read_bytes(), re.DOTALL)
    parts = []
    for stream in streams:
        try:
            parts.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(parts)


def said(pdf: Path) -> bytes:
    """Return the texts, two bytes a character, without what stands between the letters."""
    return b"".join(re.findall(rb"\(((?:[^()])*)\)", content(pdf))).replace(b"\0", b"")


def test_every_panel_is_a_pdf_of_its_own_and_nothing_else_is_written(tmp_path: Path) -> None:
    with columns.apart(tmp_path / "panels", 89.0) as wanted:
        save(drawn(), tmp_path)
    assert [path.name for path in wanted.written] == ["F_a.pdf", "F_b.pdf"]
    assert [path.name for path in tmp_path.iterdir()] == ["panels"]
    a, b = wanted.written
    assert 86 < width_mm(a) <= 89.4
    assert width_mm(b) == pytest.approx(60, abs=12)
    assert b"a label that stays" in said(b)
    assert b"wide" not in said(b)
    assert b"wide" in said(a)
    assert b"/F1 7 Tf" in content(a)  # the title's size, in a panel that was made smaller


def test_the_same_panel_gives_the_same_bytes(tmp_path: Path) -> None:
    content = []
    for name in ("one", "two"):
        with columns.apart(tmp_path / name) as wanted:
            save(drawn(), tmp_path)
        content.append([path.read_bytes() for path in wanted.written])
    assert content[0] == content[1]


def test_figures_are_whole_again_afterwards(tmp_path: Path) -> None:
    with columns.apart(tmp_path / "panels"):
        pass
    save(drawn(), tmp_path)
    assert {path.suffix for path in tmp_path.iterdir() if path.is_file()} >= {
        ".png",
        ".pdf",
        ".csv",
    }
