"""How far a network's confidence is its share of right answers, and one number that mends it.

Reliability, expected calibration error and temperature scaling after Guo et al. (2017): every
probability is raised to 1/T and the areas' are made to sum to 1 again, T fitted on validation
patches. The named area never changes, only how sure the network is of it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from brainarch.errors import InputError
from brainarch.patches.table import area_indices
from brainarch.records import write_record
from brainarch.tables import read_table, write_table

#: Bins of confidence, equally wide.
BINS = 15
#: Least probability: tables hold seven digits.
LEAST = 5e-8
#: Smallest and largest temperature looked for.
COLDEST, HOTTEST = 0.05, 20.0

CALIBRATION_COLUMNS = {
    "state": "raw: as the network says; scaled: with the temperature fitted on validation patches",
    "confidence_low": "lower end of the bin of confidence",
    "confidence_high": "upper end of the bin",
    "patches": "test patches in the bin",
    "confidence": "their mean confidence (the probability of the named area)",
    "accuracy": "share of them that is right",
}


def fit_temperature(probabilities: NDArray[np.float64], true: NDArray[np.integer]) -> float:
    """Return the temperature at which the true areas are likeliest.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, areas)
        Of validation patches.
    true : ndarray of int, shape (n,)
        Their areas.
    """
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(scaled(probabilities, float(np.exp(log_t))), true),
        bounds=(np.log(COLDEST), np.log(HOTTEST)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return float(np.exp(found.x))


def scaled(probabilities: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return probabilities at a temperature, shape (n, areas); at 1 they stay as they are."""
    logs = np.log(np.maximum(probabilities, LEAST))
    result: NDArray[np.float64] = np.exp(log_softmax(logs / temperature, axis=1))
    return result


def negative_log_likelihood(probabilities: NDArray[np.float64], true: NDArray[np.integer]) -> float:
    """Return the mean negative log probability of the true areas, in nats."""
    own = probabilities[np.arange(len(true)), true]
    return float(-np.log(np.maximum(own, LEAST)).mean())


def reliability_table(
    probabilities: NDArray[np.float64], true: NDArray[np.integer]
) -> pd.DataFrame:
    """Return accuracy by confidence, one row a bin that has patches.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, areas)
    true : ndarray of int, shape (n,)

    Returns
    -------
    pandas.DataFrame
        Columns as in `CALIBRATION_COLUMNS`, without the state.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == true
    at = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    counts = np.bincount(at, minlength=BINS)
    sums = (np.bincount(at, values, minlength=BINS) for values in (confidence, right))
    held = counts > 0
    means = (total[held] / counts[held] for total in sums)
    edges = np.arange(BINS + 1) / BINS
    columns = (edges[:-1][held], edges[1:][held], counts[held], *means)
    return pd.DataFrame(dict(zip(list(CALIBRATION_COLUMNS)[1:], columns, strict=True)))


def calibration_error(table: pd.DataFrame) -> float:
    """Return the expected calibration error: mean of |confidence - accuracy| over patches."""
    gap = (table["confidence"] - table["accuracy"]).abs()
    return float((gap * table["patches"]).sum() / table["patches"].sum())


def calibrate(*, val: Path, test: Path, reliability: Path, summary: Path) -> None:
    """Measure how far confidence is the share of right answers, raw and with a temperature.

    Parameters
    ----------
    val, test : Path
        The network's predictions of sampled patches: to fit the temperature on, and to judge.
    reliability, summary : Path
        What is written: accuracy by confidence (table), and temperature and errors (JSON).

    Raises
    ------
    InputError
        If a table is none of predictions.
    """
    (probabilities, true), judged = (_said(path) for path in (val, test))
    temperature = fit_temperature(probabilities, true)
    states = {"raw": judged[0], "scaled": scaled(judged[0], temperature)}
    curves = {state: reliability_table(values, judged[1]) for state, values in states.items()}
    table = pd.concat([curve.assign(state=state) for state, curve in curves.items()])
    write_table(table[list(CALIBRATION_COLUMNS)], reliability, CALIBRATION_COLUMNS)
    found = {
        state: {
            "expected_calibration_error": calibration_error(curves[state]),
            "negative_log_likelihood": negative_log_likelihood(values, judged[1]),
        }
        for state, values in states.items()
    }
    patches = {"val_patches": len(true), "test_patches": len(judged[1])}
    write_record(summary, {"temperature": temperature, **found, **patches})


def _said(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the probabilities of a table of predictions, and the areas that are true."""
    table = read_table(path)
    columns = [name for name in table.columns if name.startswith("p_")]
    names = [name.removeprefix("p_") for name in columns]
    if not columns or "area" not in table or not set(table["area"]) <= set(names):
        raise InputError(f"{path}: no table of predictions; run `brainarch evaluate`")
    return table[columns].to_numpy(np.float64), area_indices(table["area"], names)
