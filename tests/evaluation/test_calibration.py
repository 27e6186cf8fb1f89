"""Confidence beside right answers: closed forms, torchmetrics, planted temperatures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from torchmetrics.functional.classification import multiclass_calibration_error

from brainarch.errors import InputError
from brainarch.evaluation import calibration
from brainarch.records import read_record
from small_inputs import write_plain

AREAS = 4


@pytest.fixture
def said() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return probabilities that mean what they say, and areas drawn from them."""
    rng = np.random.default_rng(0)
    logits = 2 * rng.standard_normal((20_000, AREAS))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    true = (probabilities.cumsum(axis=1) < rng.random((len(logits), 1))).sum(axis=1)
    return probabilities, true


def sharpened(probabilities: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    raised = probabilities**power
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("planted", [0.5, 1.0, 3.0])
def test_a_planted_temperature_is_found_and_mends_the_error(
    said: tuple[NDArray[np.float64], NDArray[np.int64]], planted: float
) -> None:
    probabilities, true = said
    wrong = sharpened(probabilities, planted)
    found = calibration.fit_temperature(wrong, true)
    assert found == pytest.approx(planted, rel=0.05)
    mended = calibration.scaled(wrong, found)
    np.testing.assert_allclose(mended, probabilities, atol=0.02)
    np.testing.assert_array_equal(mended.argmax(axis=1), wrong.argmax(axis=1))
    error = calibration.calibration_error(calibration.reliability_table(mended, true))
    assert error < 0.015
    if planted != 1:
        before = calibration.reliability_table(wrong, true)
        assert calibration.calibration_error(before) > 3 * error


def test_the_error_is_torchmetrics(said: tuple[NDArray[np.float64], NDArray[np.int64]]) -> None:
    probabilities, true = sharpened(said[0], 2.0), said[1]
    expected = multiclass_calibration_error(
        torch.from_numpy(probabilities), torch.from_numpy(true), AREAS, n_bins=calibration.BINS
    )
    table = calibration.reliability_table(probabilities, true)
    assert calibration.calibration_error(table) == pytest.approx(float(expected), abs=1e-5)
    assert table["patches"].sum() == len(true)


def test_one_bin_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.92, 0.08], [0.08, 0.92]])
    table = calibration.reliability_table(probabilities, np.array([0, 1, 1]))
    assert len(table) == 1
    row = table.iloc[0]
    assert (row["confidence_low"], row["confidence_high"]) == (13 / 15, 14 / 15)
    assert row["accuracy"] == pytest.approx(2 / 3)
    assert calibration.calibration_error(table) == pytest.approx(0.9133333 - 2 / 3)
    certain = calibration.scaled(np.array([[1.0, 0.0]]), 2.0)
    assert np.isfinite(certain).all()


def test_the_stage_reads_predictions_and_refuses_others(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for split in ("val", "test"):
        values = rng.dirichlet([1, 1], 50)
        area = np.where(values[:, 0] > 0.5, "Ctx", "Str")
        table = pd.DataFrame({"area": area, "p_Ctx": values[:, 0], "p_Str": values[:, 1]})
        write_plain(table, tmp_path / f"{split}.csv")
    out = {"reliability": tmp_path / "r.csv", "summary": tmp_path / "s.json"}
    calibration.calibrate(val=tmp_path / "val.csv", test=tmp_path / "test.csv", **out)
    found = read_record(out["summary"])
    assert found["temperature"] < 0.2  # always right: the surer the better
    raw, scaled = (found[state]["negative_log_likelihood"] for state in ("raw", "scaled"))
    assert scaled < raw
    assert set(pd.read_csv(out["reliability"])["state"]) == {"raw", "scaled"}
    write_plain(table.assign(area="Elsewhere"), tmp_path / "val.csv")
    with pytest.raises(InputError, match="no table of predictions"):
        calibration.calibrate(val=tmp_path / "val.csv", test=tmp_path / "test.csv", **out)
