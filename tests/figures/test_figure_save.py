from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from brainarch.figures import plotted, save
from brainarch.tables import read_columns, read_table


def example():
    figure = Figure(figsize=(2.0, 1.5))
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    axes.plot([0, 1], [0, 1])
    table = plotted.table([plotted.entry("a", "height", 0.25, series="line", x=1.0)])
    return figure, table


def paths(prefix):
    return [prefix.with_suffix(f".{ending}") for ending in ("png", "pdf", "csv")]


def test_png_pdf_and_table_are_written(tmp_path):
    figure, table = example()
    png, pdf, csv = paths(tmp_path / "folder" / "V9_test")
    save.save_figure(figure, table, png, pdf, csv, dpi=80)
    with Image.open(png) as picture:
        assert picture.size == (160, 120)
    assert pdf.read_bytes().startswith(b"%PDF")
    written = read_table(csv).replace({np.nan: ""})
    pd.testing.assert_frame_equal(written, table.replace({np.nan: ""}), check_dtype=False)
    assert read_columns(csv) == plotted.COLUMNS


def test_same_figure_same_bytes(tmp_path):
    contents = []
    for name in ("one", "two"):
        save.save_figure(*example(), *paths(tmp_path / name), dpi=60)
        contents.append([path.read_bytes() for path in paths(tmp_path / name)])
    assert contents[0] == contents[1]


def test_large_figures_get_fewer_pixels_an_inch():
    assert save.bounded_dpi(7, 9) == save.DPI
    dpi = save.bounded_dpi(40, 40)
    assert 40 * dpi * 40 * dpi == pytest.approx(save.MAX_PIXELS)


def test_a_failed_drawing_leaves_what_was_there(tmp_path, monkeypatch):
    figure, table = example()
    save.save_figure(figure, table, *paths(tmp_path / "V9"), dpi=60)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def broken(*args, **kwargs):
        args[0].write_bytes(b"half")
        raise RuntimeError

    monkeypatch.setattr(figure, "savefig", broken)
    with pytest.raises(RuntimeError):
        save.save_figure(figure, table, *paths(tmp_path / "V9"), dpi=60)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
