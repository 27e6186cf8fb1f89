from __future__ import annotations

import numpy as np
import pytest
from bench.realism import comparison

from brainarch.errors import InputError


def test_table_says_what_is_within():
    real = {"Ctx": {"mean": 100.0, "std": 20.0, "skew": 1.0, "cells per mm2": 500.0}, "WM": {}}
    phantom = {"Ctx": {"mean": 109.0, "std": 23.9, "skew": 5.0, "vessels per mm2": 1.0}, "WM": {}}
    table = comparison.comparison_table(real, phantom).set_index("quantity")
    assert list(table.columns) == ["area", "real", "phantom", "difference", "tolerance", "within"]
    assert table.loc["mean", "within"] == "no"
    assert table.loc["std", "within"] == "yes"
    assert table.loc["skew", "within"] == ""
    assert table.loc["mean", "difference"] == pytest.approx(9.0)
    assert "cells per mm2" not in table.index
    assert set(comparison.COLUMNS) == {"quantity", *table.columns}


def test_what_could_not_be_measured_is_left_out():
    real = {"WM": {"mean": 1.0, "std": float("nan")}}
    phantom = {"WM": {"mean": 1.0, "std": 2.0}}
    assert list(comparison.comparison_table(real, phantom).quantity) == ["mean"]


@pytest.mark.parametrize(
    ("area", "quantity", "limit"),
    [
        ("Ctx", "mean", 8.0),
        ("Ctx", "std", 10.0),
        ("Ctx", "log10 power at 0.0077", 0.3),
        ("WM", "log10 power at 0.0077", 0.6),
        ("ZI", "cells per mm2", 12.5),
    ],
)
def test_tolerances_are_those_asked_for(area, quantity, limit):
    assert comparison.tolerance(area, quantity, 50.0) == pytest.approx(limit)


def test_densities_weigh_slices_by_their_area():
    structure = np.zeros((100, 100), np.uint8)
    structure[10:14, 10:14] = 3
    structure[50:54, 50:54] = 2
    empty = np.zeros((100, 100), np.uint8)
    whole = np.ones((100, 100), bool)
    half = whole.copy()
    half[:, 50:] = False
    found = comparison.structure_densities([structure, empty], [whole, half], 1.0)
    assert found["cells per mm2"] == pytest.approx(1 / (15_000 * 1e-6))
    assert found["vessels per mm2"] == pytest.approx(1 / (15_000 * 1e-6))


def test_reference_names_its_source_and_holds_every_area():
    content = comparison.reference()
    assert "Scientific Data" in content["source"]
    assert set(content["areas"]) == {"Ctx", "Str", "VP", "ZI", "HypoTh", "WM"}
    assert comparison.reference_densities("Ctx")["cells per mm2"] == 526.7
    assert comparison.reference_densities("WM") == {}


def test_too_few_patches_are_a_mistake_with_a_name():
    image = np.zeros((200, 200), np.uint8)
    labels = np.ones((200, 200), np.uint8)
    one = comparison.Slices([image], [labels], 1.17)
    with pytest.raises(InputError, match="patches of Ctx"):
        comparison.classifier_report(one, one, {"Ctx": 1}, 0)
