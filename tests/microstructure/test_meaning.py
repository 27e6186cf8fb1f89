"""Planted factors are described as what they follow; tables against plain formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels
from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.grids.grid import Place
from brainarch.grids.maps import write_maps
from brainarch.microstructure import stages
from brainarch.microstructure.meaning import WORDS, block_means, correlate, describe
from brainarch.microstructure.measures import MEASURES
from brainarch.tables import read_columns, read_table

BOOTSTRAP = {"resamples": 200, "seed": 1}


def test_correlations_are_spearmans_and_intervals_hold_them() -> None:
    rng = np.random.default_rng(0)
    blocks = np.repeat(np.arange(20), 30)
    C = rng.normal(size=(600, 3)).round(1)
    measures = {"grey": C[:, 0] + rng.normal(size=600), "blob_radius": np.exp(-C[:, 1])}
    measures["blob_radius"][::7] = np.nan
    found = correlate(C, measures, blocks, **BOOTSTRAP)
    assert len(found) == 6
    for row in found.itertuples():
        pair = C[:, row.factor - 1], measures[row.measure]
        assert row.rho == pytest.approx(spearmanr(*pair, nan_policy="omit").statistic)
        assert row.low <= row.rho <= row.high
    first, second, third = (describe(own) for _, own in found.groupby("factor"))
    assert (first, second) == ("bright", "small blobs")
    assert third == "follows none of the measures"


def test_intervals_hold_a_planted_correlation_and_a_zero_one() -> None:
    """Values that are one in a whole block: 40 samples, whatever the pixels."""
    rng = np.random.default_rng(5)
    blocks = np.repeat(np.arange(40), 25)
    held = {0.0: 0, 0.8: 0}
    for _ in range(60):
        a, b = rng.normal(size=(2, 40))
        for rho in held:
            other = rho * a + np.sqrt(1 - rho**2) * b
            own = correlate(a[blocks][:, None], {"grey": other[blocks]}, blocks, **BOOTSTRAP)
            spearman = 6 / np.pi * np.arcsin(rho / 2)
            held[rho] += bool((own["low"][0] <= spearman) & (spearman <= own["high"][0]))
    assert min(held.values()) >= 50


def test_a_constant_factor_follows_nothing() -> None:
    C = np.ones((100, 1))
    found = correlate(C, {"grey": np.arange(100.0)}, np.arange(100) // 5, **BOOTSTRAP)
    assert found["rho"].isna().all()
    assert describe(found) == "follows none of the measures"


def test_means_leave_out_what_is_unknown() -> None:
    values = np.array([[1.0, np.nan], [3.0, 5.0], [5.0, np.nan]])
    found = block_means(values, np.array([0, 0, 1]), **BOOTSTRAP)
    assert found["mean"].tolist() == [3.0, 5.0]
    assert found["low"].isna().all()


def test_every_measure_has_its_words() -> None:
    assert set(WORDS) == set(MEASURES)


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    """Two halves, dark and bright; factor 1 is where it is bright, factor 2 where it is dark."""
    shape, z = (1, 400, 800), 0
    rng = np.random.default_rng(2)
    y, x = np.arange(0, 400, 4), np.arange(0, 800, 4)
    bright = x >= 400
    image = np.where(np.arange(800) >= 400, 160.0, 100.0) + rng.normal(0, 5, shape[1:])

    class Volume:
        def read_slice(self, index):
            assert index == z
            return image

    monkeypatch.setattr(stages, "open_volume", lambda path: Volume())
    labels = create_labels(tmp_path / "areas.zarr", shape, 1.17, (z,))
    labels.write_slice(z, np.tile(np.where(np.arange(800) >= 400, 2, 1), (400, 1)).astype(np.uint8))
    write_legend(make_legend(("Ctx", "WM")), tmp_path / "legend.csv")
    place = Place(z, 4, 1.17, y, x)
    maps = CoefficientMaps.create(tmp_path / "c.zarr", place, 2)
    iy, ix = np.nonzero(np.ones(place.shape, dtype=bool))
    C = np.stack([bright[ix], ~bright[ix]], axis=1) + rng.uniform(0, 0.1, (len(ix), 2))
    maps.write_rows(0, iy, ix, C)
    found = np.tile(np.where(bright, 0, 1), (len(y), 1)).astype(np.uint8)
    write_maps(tmp_path / "parts.zarr", {"subdivision": found}, place, {"subdivisions": 1})
    return {
        "volume": tmp_path / "volume",
        "coefficients": tmp_path / "c.zarr",
        "labels": tmp_path / "areas.zarr",
        "legend": tmp_path / "legend.csv",
        "components": tmp_path / "parts.zarr",
        "meaning": tmp_path / "meaning.csv",
        "atlas": tmp_path / "atlas.csv",
        **BOOTSTRAP,
    }


def test_tables_say_what_was_planted(inputs) -> None:
    stages.explain_factors(**inputs)
    meaning = read_table(inputs["meaning"]).set_index(["factor", "measure"])
    assert read_columns(inputs["meaning"]) == stages.MEANING_COLUMNS
    assert meaning.loc[(1, "grey"), "low"] > 0.5
    assert meaning.loc[(2, "grey"), "high"] < -0.5
    assert "bright" in meaning.loc[(1, "grey"), "description"]
    assert "dark" in meaning.loc[(2, "grey"), "description"]
    atlas = read_table(inputs["atlas"]).astype({"name": str})
    assert set(zip(atlas["kind"], atlas["name"], strict=True)) == {
        ("area", "Ctx"), ("area", "WM"), ("component", "1"),
    }  # fmt: skip
    own = atlas.set_index(["name", "quantity"])
    assert own.loc[("WM", "factor 1"), "mean"] == pytest.approx(1.05, abs=0.02)
    assert own.loc[("WM", "factor 2"), "mean"] == pytest.approx(0.05, abs=0.02)
    assert own.loc[("Ctx", "grey"), "mean"] < 115
    assert own.loc[("WM", "grey"), "mean"] > 145
    assert own["um2"].unique() == pytest.approx([400 * 400 * 1.17**2])


def test_two_runs_write_the_same_bytes(inputs) -> None:
    texts = []
    for _ in range(2):
        stages.explain_factors(**inputs)
        texts.append((inputs["meaning"].read_bytes(), inputs["atlas"].read_bytes()))
    assert texts[0] == texts[1]


def test_a_slice_without_labels_has_an_empty_atlas(inputs) -> None:
    for name in ("labels", "legend", "components"):
        del inputs[name]
    stages.explain_factors(**inputs)
    assert len(read_table(inputs["atlas"], empty=True)) == 0


def test_nothing_extracted_is_refused(inputs, tmp_path) -> None:
    place = Place(0, 4, 1.17, np.arange(0, 40, 4), np.arange(0, 40, 4))
    CoefficientMaps.create(tmp_path / "none.zarr", place, 2)
    with pytest.raises(InputError, match="extract more rows"):
        stages.explain_factors(**inputs | {"coefficients": tmp_path / "none.zarr"})
