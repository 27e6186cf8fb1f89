"""Planted factors are described as what they follow; tables against plain formulas."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import tifffile
from fastparquet import ParquetFile
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels
from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.grids.grid import Place
from brainarch.grids.maps import write_maps
from brainarch.microstructure import stages
from brainarch.microstructure.meaning import (
    WORDS,
    block_means,
    correlate,
    describe,
    greatest_part,
)
from brainarch.microstructure.measures import MEASURES
from brainarch.microstructure.planted import PLANTED
from brainarch.microstructure.typical import nearest, strongest
from brainarch.tables import read_columns, read_table

BOOTSTRAP = {"resamples": 200, "seed": 1}
NULLS = {"nulls": 99, **BOOTSTRAP}


def test_correlations_are_spearmans_and_intervals_hold_them() -> None:
    rng = np.random.default_rng(0)
    blocks = np.repeat(np.arange(20), 30)
    C = rng.normal(size=(600, 3)).round(1)
    measures = {"grey": C[:, 0] + rng.normal(size=600), "blob_radius": np.exp(-C[:, 1])}
    measures["blob_radius"][::7] = np.nan
    found = correlate(C, measures, blocks, np.ones((20, 30), dtype=bool), **NULLS)
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
            seen = np.ones((40, 25), dtype=bool)
            few = {"nulls": 1, **BOOTSTRAP}
            own = correlate(a[blocks][:, None], {"grey": other[blocks]}, blocks, seen, **few)
            spearman = 6 / np.pi * np.arcsin(rho / 2)
            held[rho] += bool((own["low"][0] <= spearman) & (spearman <= own["high"][0]))
    assert min(held.values()) >= 50


def test_a_constant_factor_follows_nothing() -> None:
    C = np.ones((100, 1))
    seen = np.ones((10, 10), dtype=bool)
    found = correlate(C, {"grey": np.arange(100.0)}, np.arange(100) // 5, seen, **NULLS)
    assert found[["rho", "null_99", "p"]].isna().all(axis=None)
    assert describe(found) == "follows none of the measures"


def test_means_leave_out_what_is_unknown() -> None:
    values = np.array([[1.0, np.nan], [3.0, 5.0], [5.0, np.nan]])
    found = block_means(values, np.array([0, 0, 1]), **BOOTSTRAP)
    assert found["mean"].tolist() == [3.0, 5.0]
    assert found["low"].isna().all()


def test_every_measure_has_its_words() -> None:
    assert set(WORDS) == {*MEASURES, "depth"}
    assert not set(PLANTED) & set(WORDS)


def test_maps_that_know_nothing_of_each_other_are_not_named() -> None:
    """Smooth maps: as many independent pixels would call most of these correlations certain."""
    rng = np.random.default_rng(3)
    seen = np.ones((24, 60), dtype=bool)
    seen[:, 25:28] = seen[:4, :20] = False
    rows, columns = np.nonzero(seen)
    found, naive = [], []
    for _ in range(40):
        a, b = (gaussian_filter(rng.normal(size=(64, 100)), 4)[20:44, 20:80] for _ in range(2))
        blocks = rows // 8 * 100 + columns // 8
        own = correlate(a[seen][:, None], {"grey": b[seen]}, blocks, seen, **NULLS)
        found.append(float(own["p"].iloc[0]))
        naive.append(spearmanr(a[seen], b[seen]).pvalue)
    assert np.mean(np.array(naive) <= 0.05) > 0.5
    assert np.mean(np.array(found) <= 0.05) <= 0.15
    own = correlate(a[seen][:, None], {"grey": a[seen] + 0.1 * b[seen]}, blocks, seen, **NULLS)
    assert own["p"].iloc[0] == 0.01
    assert own["rho"].iloc[0] > own["null_99"].iloc[0]


def test_the_part_with_the_greatest_mean_is_named() -> None:
    atlas = pd.DataFrame(
        [("area", "Ctx", 1.0), ("area", "WM", 2.0), ("layer", "L4", 1.5), ("component", "1", 9.0)],
        columns=["kind", "name", "mean"],
    ).assign(quantity="factor 1")
    assert greatest_part(atlas, "factor 1") == "; most in WM"
    assert greatest_part(atlas.replace({"mean": {1.5: 2.5}}), "factor 1") == "; most in L4"
    assert greatest_part(atlas.assign(mean=0.0), "factor 1") == ""


def test_typical_patches_are_the_strongest_that_share_no_pixel() -> None:
    y, x = (grid.ravel() for grid in np.mgrid[0:600:16, 0:900:16])
    C = np.stack([np.hypot(y - 300, x - 450), np.zeros(len(y))], axis=1)
    C[:, 0] = C[:, 0].max() - C[:, 0]
    found = strongest(C, y, x, (600, 900))
    assert set(found["name"]) == {1}
    assert found["rank"].tolist() == [1, 2, 3, 4, 5, 6]
    assert found["value"].is_monotonic_decreasing
    assert abs(found["y"][0] - 300) <= 8
    places = found[["y", "x"]].to_numpy()
    apart = np.abs(places[:, None] - places).max(axis=-1)[np.triu_indices(6, 1)]
    assert apart.min() >= 128
    assert ((places >= 64) & (places <= np.array([536, 836]))).all()


def test_typical_patches_of_a_part_are_near_its_mean() -> None:
    rng = np.random.default_rng(0)
    y, x = (grid.ravel() for grid in np.mgrid[64:900:128, 64:900:128])
    C = rng.normal(size=(len(y), 3))
    codes = np.arange(len(y)) % 2 * 3
    found = nearest("cluster", codes, C, y, x, (1000, 1000))
    own = codes == 3
    distance = np.linalg.norm((C[own] - C[own].mean(axis=0)) / C[own].std(axis=0), axis=1)
    assert set(found["name"]) == {3}
    np.testing.assert_allclose(found["value"], np.sort(distance)[:6])
    assert nearest("cluster", codes * 0, C, y, x, (1000, 1000)).empty


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
    tifffile.imwrite(
        tmp_path / "microstructure_z0000.tif", np.where(image > 130, 1, 3).astype(np.uint8)
    )
    depth = np.tile(np.where(bright, np.nan, x / 400), (len(y), 1)).astype(np.float32)
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
    write_maps(tmp_path / "depth.zarr", {"depth": depth}, place, {})
    return {
        "volume": tmp_path / "volume",
        "coefficients": tmp_path / "c.zarr",
        "labels": tmp_path / "areas.zarr",
        "legend": tmp_path / "legend.csv",
        "components": tmp_path / "parts.zarr",
        "clusters": tmp_path / "parts.zarr",
        "depth": tmp_path / "depth.zarr",
        "truth": tmp_path,
        "meaning": tmp_path / "meaning.csv",
        "atlas": tmp_path / "atlas.csv",
        "atlas_parquet": tmp_path / "atlas.parquet",
        "typical": tmp_path / "typical.csv",
        **NULLS,
    }


def test_tables_say_what_was_planted(inputs) -> None:
    stages.explain_factors(**inputs)
    meaning = read_table(inputs["meaning"]).set_index(["factor", "measure"])
    assert read_columns(inputs["meaning"]) == stages.MEANING_COLUMNS
    assert meaning.loc[(1, "grey"), "low"] > 0.5
    assert meaning.loc[(2, "grey"), "high"] < -0.5
    assert "bright" in meaning.loc[(1, "grey"), "description"]
    assert meaning.loc[(1, "grey"), "description"].endswith("; most in WM")
    assert "dark" in meaning.loc[(2, "grey"), "description"]
    assert meaning.loc[(1, "planted_axons"), "rho"] > 0.5
    assert meaning.loc[(1, "planted_cells"), "rho"] < -0.5
    assert meaning.loc[(1, "depth"), "pixels"] == 25 * 25
    typical = read_table(inputs["typical"])
    assert (typical["x"][(typical["kind"] == "factor") & (typical["name"] == 1)] >= 400).all()
    assert set(typical["kind"]) == {"factor", "component", "cluster"}
    atlas = read_table(inputs["atlas"]).astype({"name": str})
    assert set(zip(atlas["kind"], atlas["name"], strict=True)) == {
        ("area", "Ctx"), ("area", "WM"), ("component", "1"), ("cluster", "1"),
    }  # fmt: skip
    own = atlas[atlas["kind"] != "cluster"].set_index(["name", "quantity"])
    assert own.loc[("WM", "planted_axons"), "mean"] > 0.9
    assert own.loc[("1", "planted_cells"), "mean"] > 0.9
    assert own.loc[("WM", "factor 1"), "mean"] == pytest.approx(1.05, abs=0.02)
    assert own.loc[("WM", "factor 2"), "mean"] == pytest.approx(0.05, abs=0.02)
    assert own.loc[("Ctx", "grey"), "mean"] < 115
    assert own.loc[("WM", "grey"), "mean"] > 145
    assert own["um2"].unique() == pytest.approx([400 * 400 * 1.17**2])
    parquet = ParquetFile(str(inputs["atlas_parquet"]))
    pd.testing.assert_frame_equal(parquet.to_pandas(), atlas, check_dtype=False)
    assert json.loads(parquet.key_value_metadata["columns"]) == stages.ATLAS_COLUMNS


def test_two_runs_write_the_same_bytes(inputs) -> None:
    texts = []
    for _ in range(2):
        stages.explain_factors(**inputs)
        texts.append([inputs[n].read_bytes() for n in ("meaning", "atlas", "atlas_parquet")])
    assert texts[0] == texts[1]


def test_a_slice_without_labels_has_an_empty_atlas(inputs) -> None:
    for name in ("labels", "legend", "components", "clusters", "depth", "truth"):
        del inputs[name]
    stages.explain_factors(**inputs)
    assert len(read_table(inputs["atlas"], empty=True)) == 0
    assert len(ParquetFile(str(inputs["atlas_parquet"])).to_pandas()) == 0


@pytest.mark.parametrize("masks", [None, b"no picture", np.zeros((9, 9), dtype=np.uint8)])
def test_masks_that_are_not_the_slices_are_refused(inputs, tmp_path, masks) -> None:
    path = tmp_path / "microstructure_z0000.tif"
    path.unlink()
    if isinstance(masks, bytes):
        path.write_bytes(masks)
    elif masks is not None:
        tifffile.imwrite(path, masks)
    with pytest.raises(InputError, match="run `brainarch phantom` again"):
        stages.explain_factors(**inputs)


def test_nothing_extracted_is_refused(inputs, tmp_path) -> None:
    place = Place(0, 4, 1.17, np.arange(0, 40, 4), np.arange(0, 40, 4))
    CoefficientMaps.create(tmp_path / "none.zarr", place, 2)
    with pytest.raises(InputError, match="extract more rows"):
        stages.explain_factors(**inputs | {"coefficients": tmp_path / "none.zarr"})
