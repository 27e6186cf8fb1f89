"""What tells areas without factors: planted units, brute-force greys, windows one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score

from brainarch.dense.reference import run_alone
from brainarch.dense.sparse import STRIDE, describe_grid
from brainarch.factors.baselines import best_factors, best_units, bright_or_dark, mean_grey
from brainarch.geometry import PATCH, PATCH_BEFORE
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.network.trained import TrainedNetwork
from brainarch.network.untrained import untrained_network

NAMES = ("A", "B", "C")


def pixels(seed: int, strength: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Return values of five columns, of which 2 tells A, 4 tells both B and, less, C."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(1, 4, 900)
    values = rng.normal(size=(900, 5)).astype(np.float32)
    values[:, 1] += strength * (codes == 1)
    values[:, 3] += strength * (codes == 2) + strength / 2 * (codes == 3)
    return values, codes


def test_the_best_unit_is_chosen_on_the_fitted_slice_and_judged_on_the_other() -> None:
    fitted, other = pixels(0), pixels(1)
    other[0][:, 1] = np.random.default_rng(9).normal(size=900)  # there it tells nothing
    found = best_units(fitted, {7: other}, NAMES).set_index("name")
    assert found["which"].to_dict()["A"] == 2
    assert (found["slice"] == 7).all()
    for name, code in zip(NAMES, (1, 2, 3), strict=True):
        column = found.loc[name, "which"] - 1
        own = roc_auc_score(fitted[1] == code, fitted[0][:, column])
        held = roc_auc_score(other[1] == code, other[0][:, column])
        assert found.loc[name, "auroc_fitted"] == pytest.approx(own)
        assert found.loc[name, "auroc"] == pytest.approx(held)
    assert found.loc["A", "auroc"] < 0.6 < found.loc["A", "auroc_fitted"]


def test_factors_are_given_one_to_one() -> None:
    fitted = pixels(2)
    units = best_units(fitted, {7: pixels(3)}, NAMES)["which"]
    factors = best_factors(fitted, {7: pixels(3)}, NAMES)["which"]
    assert units.tolist().count(4) == 2
    assert factors.nunique() == 3


def test_grey_may_tell_an_area_by_being_dark() -> None:
    values, codes = pixels(4)
    dark = (-values[:, [1]], codes)
    found = bright_or_dark(dark, {7: dark}, NAMES).set_index("name")
    assert found.loc["A", "which"] == "dark"
    assert found.loc["A", "auroc"] == pytest.approx(roc_auc_score(codes == 1, values[:, 1]))


def test_an_area_that_a_slice_lacks_has_no_row() -> None:
    values, codes = pixels(5)
    found = best_units(pixels(6), {7: (values[codes < 3], codes[codes < 3])}, NAMES)
    assert found["name"].tolist() == ["A", "B"]
    assert isinstance(best_units((values[codes < 3], codes[codes < 3]), {}, NAMES), pd.DataFrame)


def test_the_mean_grey_is_that_of_the_patch() -> None:
    grey = np.random.default_rng(7).integers(0, 255, (150, 170), dtype=np.uint8)
    y, x = np.array([0, 70, 149]), np.array([3, 90])
    padded = np.pad(grey.astype(float), PATCH)
    for i, row in enumerate(mean_grey(grey, y, x)):
        for j, value in enumerate(row):
            top, left = PATCH + y[i] - PATCH_BEFORE, PATCH + x[j] - PATCH_BEFORE
            own = padded[top : top + PATCH, left : left + PATCH].mean()
            assert value == pytest.approx(own, rel=1e-4)


def test_a_coarse_grid_holds_what_windows_alone_give() -> None:
    grey = np.random.default_rng(8).integers(0, 255, (160, 200), dtype=np.uint8)
    trained = TrainedNetwork(
        AreaNetwork(3).eval(), NAMES, Normalisation(0.4, 0.2), 1.17, "uint8", {}
    )
    alone = untrained_network(trained, 5)
    plain = alone.network
    assert not torch.equal(plain.trunk.fc2.weight, trained.network.trunk.fc2.weight)
    again = untrained_network(trained, 5).network
    assert torch.equal(plain.trunk.fc2.weight, again.trunk.fc2.weight)
    y, x = np.arange(5, 150, STRIDE), np.arange(11, 190, STRIDE)
    found = describe_grid(plain.trunk, trained.normalisation, grey, y, x)
    iy, ix = np.meshgrid(y, x, indexing="ij")
    expected = run_alone(grey, alone, iy.ravel(), ix.ravel(), torch.float32)
    np.testing.assert_allclose(found.reshape(expected.shape), expected, atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match="16 pixels"):
        describe_grid(plain.trunk, trained.normalisation, grey, y[::2], x)
