"""The volume's figure: what is drawn is what was counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainarch.figures import grey_values, plotted
from brainarch.figures.stages import draw_grey_values
from brainarch.tables import read_table, write_table
from brainarch.volume.statistics import (
    HISTOGRAM_COLUMNS,
    SLICE_COLUMNS,
    SUMMARY_COLUMNS,
    VolumeStatistics,
)


def counted(values: int, used: int, slices: int = 9) -> VolumeStatistics:
    rng = np.random.default_rng(0)
    histogram = np.zeros(values, dtype=np.int64)
    histogram[:used] = rng.integers(1, 1000, used)
    rows = {name: rng.random(slices) for name in SLICE_COLUMNS}
    frame = pd.DataFrame({**rows, "slice": np.arange(slices) + 40, "mean": 100.0, "std": 20.0})
    return VolumeStatistics(histogram, frame, used // 2)


@pytest.mark.parametrize(("values", "used"), [(256, 256), (256, 7), (65536, 4096), (65536, 65536)])
@pytest.mark.parametrize("slices", [1, 9])
def test_bars_hold_every_voxel_and_the_page_is_drawn(values: int, used: int, slices: int) -> None:
    found = counted(values, used, slices)
    table = grey_values.prepare(found.summary, found.table, found.slices)
    bars = plotted.pick(table, "a", "share of voxels")
    assert bars["y"].sum() == pytest.approx(1)
    assert len(bars) <= grey_values.BARS
    width = int(bars["item"].iloc[0])
    expected = found.histogram[3 * width : 4 * width].sum() / found.histogram.sum()
    assert bars["y"].iloc[3] == pytest.approx(expected)
    assert plotted.pick(table, "a", "tissue_threshold")["y"].tolist() == [used // 2]
    means = plotted.pick(table, "b", "mean grey value")
    assert means["x"].tolist() == found.slices["slice"].tolist()
    assert means["low"].tolist() == [80.0] * slices
    figure = grey_values.draw(table)
    drawn = figure.axes[0].patches
    assert [bar.get_height() for bar in drawn[: len(bars)]] == bars["y"].tolist()
    line = figure.axes[2].lines[0]
    np.testing.assert_array_equal(line.get_ydata(), found.slices["tissue_share"])


def test_the_stage_writes_picture_and_table(tmp_path: Path) -> None:
    found = counted(256, 200)
    tables = {name: tmp_path / f"{name}.csv" for name in ("summary", "histogram", "slices")}
    write_table(found.summary, tables["summary"], SUMMARY_COLUMNS)
    write_table(found.table, tables["histogram"], HISTOGRAM_COLUMNS)
    write_table(found.slices, tables["slices"], SLICE_COLUMNS)
    drawn = {name: tmp_path / f"grey.{name}" for name in ("png", "pdf")}
    draw_grey_values(**tables, **drawn, table=tmp_path / "grey.csv")
    assert {path.name for path in tmp_path.glob("grey*")} == {
        "grey.png", "grey.pdf", "grey.csv", "grey.columns.json",
    }  # fmt: skip
    assert len(read_table(tmp_path / "grey.csv")) == 200 + 4 + 2 * 9
