"""Calibration and label efficiency as figures."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainarch.embedding.names import CHANGES, change_of
from brainarch.figures import calibration, degradation, label_efficiency, plotted
from brainarch.figures.stages import draw_calibration, draw_degradation, draw_label_efficiency
from brainarch.records import write_record
from small_inputs import write_plain


def test_calibration(tmp_path, assert_readable):
    confidence = np.array([0.3, 0.6, 0.95])
    rows = [
        pd.DataFrame({"state": state, "patches": 10, "confidence": confidence, "accuracy": right})
        for state, right in (("raw", confidence**2), ("scaled", confidence))
    ]
    few = pd.DataFrame([{"state": "raw", "patches": 9, "confidence": 0.2, "accuracy": 0.0}])
    rows.append(few)
    errors = {"raw": 0.123, "scaled": 0.004}
    summary = {k: {"expected_calibration_error": v} for k, v in errors.items()}
    table = calibration.prepare(pd.concat(rows), summary | {"temperature": 1.7})
    assert len(plotted.pick(table, "a", "accuracy")) == 6  # bins of few patches say little
    figure = calibration.draw(table)
    assert_readable(figure)
    shown = " ".join(text.get_text() for text in figure.texts)
    assert "0.123" in shown
    assert "0.004 (T = 1.70)" in shown
    write_plain(pd.concat(rows), tmp_path / "r.csv")
    write_record(tmp_path / "s.json", summary | {"temperature": 1.7})
    drawn = {name: tmp_path / f"f.{name}" for name in ("png", "pdf")}
    inputs = {"reliability": tmp_path / "r.csv", "summary": tmp_path / "s.json"}
    draw_calibration(**inputs, **drawn, table=tmp_path / "f.csv")
    assert (tmp_path / "f.png").stat().st_size > 500


def test_label_efficiency_shows_the_trained_network_with_all_labels_only(tmp_path, assert_readable):
    rows = [
        {"network": network, "blocks": blocks, "every": blocks == 11, "accuracy": level}
        for network in ("cnn", "texture", "lent")
        for blocks, level in ((1, 0.4), (2, 0.5), (4, 0.6), (8, 0.7), (11, 0.8))
    ]
    efficiency = pd.DataFrame(rows)
    efficiency["lowest"], efficiency["highest"] = (efficiency["accuracy"] + d for d in (-0.1, 0.1))
    table = label_efficiency.prepare(efficiency, 1 / 6)
    shown = plotted.pick(table, "a", "accuracy")
    assert shown.groupby("series").size().to_dict() == {"cnn": 1, "lent": 5, "texture": 5}
    figure = label_efficiency.draw(table)
    assert_readable(figure)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "2", "4", "8", "all"]
    write_plain(efficiency, tmp_path / "e.csv")
    drawn = {name: tmp_path / f"f.{name}" for name in ("png", "pdf")}
    draw_label_efficiency(
        efficiency=tmp_path / "e.csv", chance=1 / 6, **drawn, table=tmp_path / "f.csv"
    )
    assert (tmp_path / "f.png").stat().st_size > 500


def test_degradation_has_a_panel_for_each_kind_and_the_clean_image_in_it(tmp_path, assert_readable):
    rows = [
        {"network": network, "classifier": classifier, "change": kind, "level": level}
        for network in ("cnn", "texture")
        for classifier in ("logistic", "rbf_svm")
        for kind, level in map(change_of, CHANGES)
    ]
    found = pd.DataFrame(rows).assign(accuracy=0.6, low=0.5, high=0.7)
    table = degradation.prepare(found, 1 / 6)
    shown = plotted.pick(table, "a", "accuracy", "cnn")
    assert shown.groupby("item")["x"].apply(list).to_dict() == {
        "levels": [8, 16, 32, 64, 128, 256],
        "contrast": [0.5, 0.75, 1, 1.25, 1.5],
        "brightness": [-0.2, -0.1, 0, 0.1, 0.2],
        "blur": [0, 0.5, 1, 2],
        "resolution": [0.5, 1, 2],
    }
    figure = degradation.draw(table)
    assert_readable(figure)
    assert len(figure.axes) == 5
    write_plain(found, tmp_path / "d.csv")
    drawn = {name: tmp_path / f"f.{name}" for name in ("png", "pdf")}
    draw_degradation(
        degradation=tmp_path / "d.csv", chance=1 / 6, **drawn, table=tmp_path / "f.csv"
    )
    assert (tmp_path / "f.png").stat().st_size > 500
