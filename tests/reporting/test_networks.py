"""Several networks beside each other on the page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from report_fakes import agreement, chosen, metrics, write

from brainarch.reporting.manifest import Manifest
from brainarch.reporting.networks import network_numbers, seed_numbers
from brainarch.reporting.numbers import calibration_numbers


def test_mean_and_spread_are_over_seeds_of_true_labels_only() -> None:
    runs = {"main": 0.8, "repeat1": 0.9, "repeat2": 0.85, "permuted": 0.1, "blocks1": 0.2}
    (found,) = seed_numbers({run: metrics(value, 0.0, 1.0) for run, value in runs.items()})
    assert found.value == pytest.approx(0.85)
    assert "mean of 3 seeds" in found.name
    assert found.note == "standard deviation 0.050, 0.800 to 0.900"
    assert seed_numbers({"main": metrics(0.8, 0.0, 1.0), "blocks1": metrics(0.7, 0.0, 1.0)}) == []


def test_the_same_number_of_two_networks_stands_side_by_side(tmp_path: Path) -> None:
    files = {}
    for number, network in enumerate(("cnn", "untrained")):
        fit = {"relative_error": (number + 1) / 10, "rows": 10, "factors": 5}
        tables = {"network_agreement/NET/clusters/279": agreement(0.3, 0.2)}
        tables["network_chosen/NET"] = chosen((0.9, 0.7))
        tables["network_map/NET/279"] = metrics(0.8, 0.7, 0.9)
        for key, table in tables.items():
            own = key.replace("NET", network)
            files[own] = write(tmp_path, own, table)
        own = f"network_fit/{network}/279"
        files[own] = write(tmp_path, own, fit)
    found = network_numbers(Manifest(files))
    assert [number.name.partition(": ")[0] for number in found] == ["cnn", "untrained"] * 4
    values = {number.name: number.value for number in found}
    assert values["untrained: relative error of its factors, slice z=279"] == 0.2
    assert values["cnn: mean AUROC of the factors chosen for areas, slice z=279"] == 0.8
    note = next(n.note for n in found if "AUROC" in n.name)
    assert note == "1 of 2 above their nulls"


def test_calibration_stands_raw_and_scaled() -> None:
    found = (("raw", 0.1), ("scaled", 0))
    errors = {state: {"expected_calibration_error": error} for state, error in found}
    raw, scaled = calibration_numbers({"temperature": 1.5, "test_patches": 1200, **errors})
    assert (raw.value, scaled.value, raw.note) == (0.1, 0, "1,200 patches")
    assert scaled.name.endswith("with temperature 1.50")
    assert calibration_numbers(None) == []


def test_what_is_not_found_again_is_named(tmp_path: Path) -> None:
    rows = [("repeat1", "factor", 1, 0.9), ("repeat1", "factor", 2, 0.3)]
    rows += [("repeat1", "component", 1, 0.85), ("unlabelled", "factor", 1, 0.1)]
    table = pd.DataFrame(rows, columns=["network", "kind", "name", "agreement"])
    table["stable"] = table["agreement"] >= 0.8
    path = write(tmp_path, "matches", table)
    found = network_numbers(Manifest({"network_matches/279": path}))
    notes = {number.name.partition(" of the")[0]: number for number in found}
    assert notes["repeat1: factors"].value == 0.5
    assert notes["repeat1: factors"].note == "1 of 2, median 0.60; not stable: 2"
    assert notes["repeat1: components"].note == "1 of 1, median 0.85"
    assert notes["unlabelled: factors"].value == 0
