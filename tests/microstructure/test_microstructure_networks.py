"""Networks that found the same are told so, whatever order their factors have."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr

from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.grids.grid import Place
from brainarch.grids.maps import write_maps
from brainarch.microstructure.networks import NETWORK_COLUMNS, compare_networks, match_parts
from brainarch.tables import read_columns, read_table

SETTINGS = {"nulls": 99, "resamples": 100, "seed": 1}
ORDER = [2, 0, 1]


def write(path, values: np.ndarray, z: int = 7) -> None:
    rows, columns, factors = values.shape
    place = Place(z, 8, 1.17, np.arange(rows) * 8, np.arange(columns) * 8)
    maps = CoefficientMaps.create(path, place, factors)
    iy, ix = np.nonzero(np.ones((rows, columns), dtype=bool))
    for start in range(0, rows, 128):
        own = (iy >= start) & (iy < start + 128)
        maps.write_rows(start, iy[own], ix[own], values[iy[own], ix[own]])


@pytest.fixture
def fields(tmp_path):
    """Three smooth factors; another network has them in another order, the last one as noise."""
    rng = np.random.default_rng(0)
    smooth = [gaussian_filter(rng.normal(size=(100, 140)), 3) for _ in range(4)]
    own = np.exp(3 * np.stack(smooth[:3], axis=-1) / smooth[0].std())
    other = own[..., ORDER] ** 2
    other[..., 0] = np.exp(smooth[3])
    write(tmp_path / "own.zarr", own)
    write(tmp_path / "other.zarr", other)
    return own, other


def test_factors_are_matched_whatever_their_order_and_scale(fields, tmp_path) -> None:
    paths = {"repeat1": tmp_path / "other.zarr"}
    compare_networks(
        coefficients=tmp_path / "own.zarr", others=paths, agreement=tmp_path / "a.csv", **SETTINGS
    )
    found = read_table(tmp_path / "a.csv").set_index("name")
    assert read_columns(tmp_path / "a.csv") == NETWORK_COLUMNS
    assert found["match"].tolist() == [2, 3, 1]
    assert found["stable"].tolist() == [True, True, False]
    assert (found["p"].iloc[:2] == 0.01).all()
    own, other = (values[::2, ::2].reshape(-1, 3) for values in fields)
    for name, row in found.iterrows():
        expected = spearmanr(own[:, name - 1], other[:, row["match"] - 1]).statistic
        assert row["agreement"] == pytest.approx(expected, abs=1e-4)


def test_parts_are_matched_by_the_pixels_that_they_share() -> None:
    own = np.repeat([0, 1, 2, 3], 100)
    other = np.array([9, 2, 3, 1])[own]
    found = match_parts(own, other).set_index("name")
    assert found["match"].tolist() == [2, 3, 1]
    assert found["agreement"].tolist() == [1, 1, 1]
    assert found["ami"].iloc[0] == pytest.approx(1)
    other[150:200] = 3
    found = match_parts(own, other).set_index("name")
    assert found.loc[1, "agreement"] == pytest.approx(0.5)
    assert found.loc[2, "agreement"] == pytest.approx(100 / 150)


def test_components_stand_beside_factors(fields, tmp_path) -> None:
    place = CoefficientMaps.open(tmp_path / "own.zarr").place
    codes = 1 + (np.arange(140) // 35) * np.ones((100, 1), dtype=int)
    for name, values in (("parts", codes), ("others", 5 - codes)):
        write_maps(tmp_path / f"{name}.zarr", {"subdivision": values.astype(np.uint8)}, place, {})
    compare_networks(
        coefficients=tmp_path / "own.zarr",
        others={"repeat1": tmp_path / "other.zarr"},
        components=tmp_path / "parts.zarr",
        other_components={"repeat1": tmp_path / "others.zarr"},
        agreement=tmp_path / "a.csv",
        **SETTINGS,
    )
    found = read_table(tmp_path / "a.csv")
    parts = found[found["kind"] == "component"]
    assert parts["match"].tolist() == [4, 3, 2, 1]
    assert parts["stable"].all()


def test_another_slice_is_refused(fields, tmp_path) -> None:
    write(tmp_path / "far.zarr", fields[1], z=8)
    with pytest.raises(InputError, match="another slice or grid"):
        compare_networks(
            coefficients=tmp_path / "own.zarr",
            others={"repeat1": tmp_path / "far.zarr"},
            agreement=tmp_path / "a.csv",
            **SETTINGS,
        )
    with pytest.raises(InputError, match="no pixel in common"):
        match_parts(np.array([1, 0]), np.array([0, 1]))
