"""Planted layers are found from files to files, on a grid of stride 2 that starts off zero."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels, open_labels
from brainarch.dense.cube import Cube
from brainarch.discovery import mixture, stages
from brainarch.discovery.agreement import AGREEMENT_COLUMNS
from brainarch.discovery.matching import DISTANCE_COLUMNS, MATCH_COLUMNS
from brainarch.discovery.numbers import NUMBER_COLUMNS
from brainarch.discovery.profiles import PROFILE_COLUMNS
from brainarch.discovery.stages import (
    cluster_area,
    compare_layers,
    find_components,
    match_components,
    measure_depth,
    profile_map,
    sweep_components,
)
from brainarch.errors import InputError
from brainarch.factors.coefficients import CHUNK_ROWS, CoefficientMaps
from brainarch.grids.grid import Place
from brainarch.grids.maps import SliceMaps
from brainarch.tables import read_columns, read_table, write_table
from small_inputs import write_plain

STRIDE = 2
SHAPE = (4, 200, 260)
LAYERS = ("L1", "L2/3", "L4", "L5")
Y, X = 8 + STRIDE * np.arange(90), 30 + STRIDE * np.arange(110)
SLICES = (0, 3)
DEPTH = {"area": "Ctx", "upper": "outside", "lower": "WM"}


def slice_labels(z):
    """White matter, then cortex with four layers up to the pia on the right."""
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]]
    left = 60 + 4 * np.sin(y / 25 + z)
    depth = (240 - x) / (240 - left)
    tissue = (y >= 10) & (y < 190)
    cortex = tissue & (x >= left) & (x < 240)
    white = tissue & (x >= 20) & (x < left)
    areas = np.where(cortex, 1, np.where(white, 2, 0)).astype(np.uint8)
    layers = np.where(cortex, np.digitize(depth, [0.2, 0.5, 0.7]) + 1, 0).astype(np.uint8)
    return areas, layers


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("discovery")
    write_legend(make_legend(("Ctx", "WM")), folder / "legend.csv")
    layer_names = tuple(name.replace("/", "_") for name in LAYERS)
    write_legend(make_legend(layer_names), folder / "layers_legend.csv")
    areas = create_labels(folder / "areas.zarr", SHAPE, 1.17, SLICES)
    layers = create_labels(folder / "layers.zarr", SHAPE, 1.17, SLICES)
    rng = np.random.default_rng(0)
    patterns = np.zeros((5, 12))
    patterns[np.arange(5), [7, 0, 2, 4, 5]] = 2.0
    patterns[1:, 1] = (0.5, 1.0, 1.5, 2.0)
    for z in SLICES:
        own_areas, own_layers = slice_labels(z)
        areas.write_slice(z, own_areas)
        layers.write_slice(z, own_layers)
        seen, codes = own_areas[np.ix_(Y, X)], own_layers[np.ix_(Y, X)]
        noise = np.stack([gaussian_filter(rng.normal(size=seen.shape), 2) for _ in range(12)], -1)
        values = np.maximum(patterns[codes] + 0.3 * noise / noise.std(), 0).astype(np.float32)
        place = Place(z, STRIDE, 1.17, Y, X)
        cube = Cube.create(folder / f"z{z}.zarr", place, 12)
        cube.write(0, 0, values, seen > 0)
        maps = CoefficientMaps.create(folder / f"c{z}.zarr", place, 6)
        iy, ix = np.nonzero(seen)
        assert len(Y) <= CHUNK_ROWS
        maps.write_rows(0, iy, ix, values[iy, ix, :6])
        measure_depth(depth=folder / f"d{z}.zarr", z=z, **of(folder), **DEPTH)
        find_clusters(folder, folder, z)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(mixture, "FIT_PIXELS", 3000)
            components(folder, folder, z)
        for kind in "kg":
            profile(folder, folder, f"{kind}{z}", depth=folder / f"d{z}.zarr", **layers_of(folder))
    return folder


def of(folder):
    return {"labels": folder / "areas.zarr", "legend": folder / "legend.csv"}


def layers_of(folder):
    return {"layers": folder / "layers.zarr", "layers_legend": folder / "layers_legend.csv"}


def find_clusters(results, folder, z, **changes):
    cluster_area(
        cube=results / f"z{z}.zarr",
        **{**of(results), **changes},
        map=folder / f"k{z}.zarr",
        fit=folder / f"k{z}.json",
        area="Ctx",
        clusters=4,
        inside_px=12,
        seed=2020,
    )


def components(results, folder, z, inside_px=12, average_um=0):
    find_components(
        coefficients=results / f"c{z}.zarr",
        **of(results),
        map=folder / f"g{z}.zarr",
        table=folder / f"g{z}.csv",
        fit=folder / f"g{z}.json",
        area="Ctx",
        components=4,
        inside_px=inside_px,
        average_um=average_um,
        seed=2020,
    )


def test_numbers_of_components_are_compared_on_the_areas_pixels(results, tmp_path, monkeypatch):
    monkeypatch.setattr(mixture, "FIT_PIXELS", 1500)
    sweep_components(
        coefficients=results / "c0.zarr", **of(results), numbers=tmp_path / "numbers.csv",
        area="Ctx", sweep=[2, 4], inside_px=12, average_um=0, seed=2020,
    )  # fmt: skip
    found = read_table(tmp_path / "numbers.csv")
    assert list(found.columns) == list(NUMBER_COLUMNS)
    assert found[["slice", "components"]].values.tolist() == [[0, 2], [0, 4]]
    assert set(found["pixels"]) == {1500}
    assert set(found["patches"]) == {4}
    # four layers are described better by four
    assert found["bic"].diff().iloc[1] < 0
    assert found["held_out"].diff().iloc[1] > 0


def profile(results, folder, name, **arguments):
    profile_map(map=results / f"{name}.zarr", profiles=folder / f"{name}_profiles.csv", **arguments)


def match(results, folder, kind, maps=None):
    maps = maps or results
    match_components(
        reference=results / f"{kind}0_profiles.csv",
        other=results / f"{kind}3_profiles.csv",
        map=maps / f"{kind}3.zarr",
        depth=maps / "d3.zarr",
        **layers_of(maps),
        matches=folder / "matches.csv",
        distances=folder / "distances.csv",
        nulls=200,
        seed=2020,
    )
    return read_table(folder / "matches.csv")


def test_depth_is_on_the_slices_pixels(results):
    found = SliceMaps.open(results / "d0.zarr")
    areas, _ = slice_labels(0)
    depth = found.sample("depth", np.arange(SHAPE[1]), np.arange(SHAPE[2]), np.nan)
    assert np.array_equal(np.isfinite(depth), areas == 1)
    row = depth[100][areas[100] == 1]
    np.testing.assert_allclose(row, 1 - (np.arange(len(row)) + 0.5) / len(row), atol=0.03)
    assert found.attrs["upper"] == "outside"


@pytest.mark.parametrize("kind", ["k", "g"])
def test_planted_layers_are_the_components(results, kind):
    profiles = read_table(results / f"{kind}0_profiles.csv")
    assert set(profiles["by"]) == {"layer", "depth"}
    layer = profiles[profiles["by"] == "layer"]
    best = layer.sort_values("share").groupby("subdivision").tail(1)
    assert (best["share"] > 0.9).all()
    assert sorted(best["name"]) == sorted(name.replace("/", "_") for name in LAYERS)
    sums = profiles.groupby(["subdivision", "by"])["share"].sum()
    np.testing.assert_allclose(sums, 1)
    assert set(read_columns(results / f"{kind}0_profiles.csv")) == set(profiles.columns)


def test_components_are_only_well_inside_the_area(results):
    found = SliceMaps.open(results / "g0.zarr")
    component, probability = found.read("subdivision"), found.read("probability")
    areas, _ = slice_labels(0)
    assert (areas[np.ix_(Y, X)][component > 0] == 1).all()
    assert np.array_equal(component > 0, np.isfinite(probability))
    depth = SliceMaps.open(results / "d0.zarr").sample("upper_px", found.y, found.x, np.nan)
    assert depth[component > 0].min() > 11
    # The area reaches row 10 and column 239 of the slice.
    rows, columns = np.nonzero(component)
    assert Y[rows].min() == 22
    assert X[columns].max() == 226
    fit = json.loads((results / "g0.json").read_text())
    assert fit["pixels"] == (component > 0).sum() == sum(fit["sizes"])
    assert fit["pixels_fitted"] == 3000
    assert fit["converged"] is True
    assert fit["starts"] == len(fit["agreement_of_starts"]) == mixture.STARTS
    assert max(fit["agreement_of_starts"]) == 1


def test_what_is_left_of_an_area_is_told_where_it_is_little(results, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(mixture, "STARTS", 2)
    components(results, tmp_path, 0, inside_px=70)
    found = SliceMaps.open(tmp_path / "g0.zarr")
    kept, every = (found.read("subdivision") > 0).sum(), (slice_labels(0)[0][np.ix_(Y, X)] == 1)
    assert found.attrs["area_share"] == pytest.approx(kept / every.sum())
    assert f"only {kept} of {every.sum()} extracted pixels of Ctx" in caplog.text
    assert f"{kept} pixels for" in caplog.text


def test_pinholes_take_nothing_from_what_lies_inside(results, tmp_path):
    image = open_labels(results / "areas.zarr").read_slice(0)
    image[40:170:12, 90:220:12] = 0
    pierced = create_labels(tmp_path / "areas.zarr", SHAPE, 1.17, SLICES, hole_um2=2)
    pierced.write_slice(0, image)
    inside = {}
    for name, path in (("whole", results / "areas.zarr"), ("pierced", pierced.path)):
        (tmp_path / name).mkdir()
        find_clusters(results, tmp_path / name, 0, labels=path)
        inside[name] = SliceMaps.open(tmp_path / name / "k0.zarr").read("subdivision") > 0
    there = image[np.ix_(Y, X)] > 0
    assert (inside["whole"] & ~there).any()
    assert np.array_equal(inside["pierced"], inside["whole"] & there)


def test_clusters_cover_what_components_cover(results):
    found = SliceMaps.open(results / "k0.zarr").read("subdivision")
    components = SliceMaps.open(results / "g0.zarr").read("subdivision")
    assert np.array_equal(found > 0, components > 0)
    fit = json.loads((results / "k0.json").read_text())
    assert fit["sizes"] == np.bincount(found.ravel())[1:].tolist()


def test_mean_coefficients_of_components(results):
    table = read_table(results / "g0.csv")
    assert len(table) == 4 * 6
    maps = CoefficientMaps.open(results / "c0.zarr")
    component = SliceMaps.open(results / "g0.zarr").read("subdivision")
    row = table[(table["component"] == 2) & (table["factor"] == 3)].iloc[0]
    values = maps.factor_map(3)[component == 2].astype(np.float64)
    assert row["mean"] == pytest.approx(values.mean())
    assert row["standard_deviation"] == pytest.approx(values.std())


@pytest.mark.parametrize("kind", ["k", "g"])
def test_components_of_two_slices_are_matched(results, tmp_path, kind):
    matches = match(results, tmp_path, kind)
    assert list(matches.columns) == list(MATCH_COLUMNS)
    assert set(read_columns(tmp_path / "distances.csv")) == set(DISTANCE_COLUMNS)
    assert (matches["by"] == "layer").all()
    assert (matches["distance"] < 0.3).all()
    assert (matches["next_distance"] > 0.7).all()
    assert (matches["mean_distance"] < matches["depth_1"]).all()
    assert (matches["depth_p"] <= 0.01).all()
    # Two pairs of these layers are equally thick: some orders of the bands are the layers again.
    assert (matches["mean_distance"] < 0.2 * matches["bands_median"]).all()
    assert (matches["bands_p"] < 0.1).all()
    assert (matches[["bands_effective", "depth_effective"]] >= 99).all(axis=None)
    names = []
    for z, column in ((0, "component"), (3, "matched")):
        table = read_table(results / f"{kind}{z}_profiles.csv")
        table = table[table["by"] == "layer"]
        best = table.sort_values("share").groupby("subdivision").tail(1).set_index("subdivision")
        names.append(best.loc[matches[column], "name"].tolist())
    assert names[0] == names[1]


def test_matching_by_depth_finds_the_same_pairs(results, tmp_path):
    by_layer = match(results, tmp_path, "g")
    table = read_table(results / "g3_profiles.csv")
    write_table(table[table["by"] == "depth"], tmp_path / "g3_profiles.csv", PROFILE_COLUMNS)
    for ending in ("csv", "columns.json"):
        shutil.copy(results / f"g0_profiles.{ending}", tmp_path)
    by_depth = match(tmp_path, tmp_path, "g", results)
    assert (by_depth["by"] == "depth").all()
    assert by_depth["matched"].tolist() == by_layer["matched"].tolist()


def compare(results, folder, **changes):
    inputs = {"map": results / "g0.zarr", "depth": results / "d0.zarr", **layers_of(results)}
    agreement = folder / "agreement.csv"
    compare_layers(**{**inputs, "agreement": agreement, "nulls": 200, "seed": 2020, **changes})
    return read_table(agreement)


def test_planted_layers_are_above_nulls(results, tmp_path, monkeypatch):
    monkeypatch.setattr(stages, "STEP_PX", 4)
    table = compare(results, tmp_path)
    assert list(table.columns) == list(AGREEMENT_COLUMNS)
    assert len(table) == 6
    assert table["above_nulls"].all()
    assert (table["maps"] == 200).all()
    assert (table[table["statistic"] == "ami"]["value"] > 0.8).all()


def test_without_layers_profiles_are_by_depth(results, tmp_path):
    profile(results, tmp_path, "k0", depth=results / "d0.zarr")
    assert set(read_table(tmp_path / "k0_profiles.csv")["by"]) == {"depth"}


def test_refusals_are_one_line(results, tmp_path):
    depth = {"depth": tmp_path / "d", "z": 0, **of(results), **DEPTH}
    cases = [
        (profile, (results, tmp_path, "k0"), {"depth": results / "d3.zarr"},
         "depth of slice 3, but the map is of slice 0"),
        (components, (results, tmp_path, 0), {"inside_px": 500}, "lies more than 500 px inside"),
        (measure_depth, (), {**depth, "area": "Cortex"}, "not in the legend"),
        (measure_depth, (), {**depth, "z": 1}, "slice 1 is not annotated"),
        (profile, (tmp_path, tmp_path, "none"), {"depth": results / "d0.zarr"}, "no map here"),
        (compare, (results, tmp_path), {"layers_legend": results / "legend.csv"},
         "holds code 4, the legend has 2 layers"),
    ]  # fmt: skip
    for stage, places, arguments, reason in cases:
        with pytest.raises(InputError, match=reason) as caught:
            stage(*places, **arguments)
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir()), "a refused stage leaves nothing behind"


def test_tables_that_do_not_fit_are_refused(results, tmp_path):
    for ending in ("csv", "columns.json"):
        shutil.copy(results / f"g0_profiles.{ending}", tmp_path)
    write_plain(pd.DataFrame({"a": [1]}), tmp_path / "g3_profiles.csv")
    with pytest.raises(InputError, match="no table of profiles"):
        match(tmp_path, tmp_path, "g")
    table = read_table(results / "g3_profiles.csv")
    write_table(table[table["bin"] < 4], tmp_path / "g3_profiles.csv", PROFILE_COLUMNS)
    with pytest.raises(InputError, match="4 and 3 layer bins"):
        match(tmp_path, tmp_path, "g")
