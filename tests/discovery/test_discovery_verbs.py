"""Planted layers are found from files to files, on a grid of stride 2 that starts off zero."""

from __future__ import annotations

import json

import numpy as np
import pytest
import typer
from scipy.ndimage import gaussian_filter
from typer.testing import CliRunner

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels
from brainarch.cli import discovery as verbs
from brainarch.dense.cube import Cube
from brainarch.discovery.maps import open_map
from brainarch.errors import InputError
from brainarch.factors.store import CHUNK_ROWS, CoefficientMaps
from brainarch.tables import read_columns, read_table

STRIDE = 2
SHAPE = (4, 200, 260)
LAYERS = ("L1", "L2/3", "L4", "L5")
Y, X = 8 + STRIDE * np.arange(90), 30 + STRIDE * np.arange(110)
SLICES = (0, 3)

app = typer.Typer()
verbs.register(app)


def run(*words):
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output


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
        cube = Cube.create(folder / f"z{z}.zarr", Y, X, 12, {"z": z, "stride": STRIDE})
        cube.write(0, 0, values, seen > 0)
        maps = CoefficientMaps.create(folder / f"c{z}.zarr", Y, X, 6, {"z": z, "stride": STRIDE})
        iy, ix = np.nonzero(seen)
        assert len(Y) <= CHUNK_ROWS
        maps.write_rows(0, iy, ix, values[iy, ix, :6])
        run("depth", *of(folder), "--slice", z, "--area", "Ctx", "--upper", "outside",
            "--lower", "WM", "--output", folder / f"d{z}.zarr")  # fmt: skip
        run("cluster-area", "--cube", folder / f"z{z}.zarr", *of(folder), "--area", "Ctx",
            "--pca-components", 4, "--output-map", folder / f"k{z}.zarr",
            "--output-fit", folder / f"k{z}.json")  # fmt: skip
        run("find-components", "--coefficients", folder / f"c{z}.zarr", *of(folder),
            "--area", "Ctx", "--inside-px", 12, "--fit-pixels", 3000,
            "--output-map", folder / f"g{z}.zarr", "--output-fit", folder / f"g{z}.json",
            "--output-components", folder / f"g{z}.csv")  # fmt: skip
        for kind in "kg":
            run("profile-components", "--map", folder / f"{kind}{z}.zarr",
                "--depth", folder / f"d{z}.zarr", *layers_of(folder), "--bins", 10,
                "--output", folder / f"{kind}{z}_profiles.csv")  # fmt: skip
    return folder


def of(folder):
    return "--labels", folder / "areas.zarr", "--legend", folder / "legend.csv"


def layers_of(folder):
    return "--layers", folder / "layers.zarr", "--layers-legend", folder / "layers_legend.csv"


def test_depth_is_on_the_slices_pixels(results):
    found = open_map(results / "d0.zarr")
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
    best = layer.sort_values("share").groupby("component").tail(1)
    assert (best["share"] > 0.9).all()
    assert sorted(best["name"]) == sorted(name.replace("/", "_") for name in LAYERS)
    sums = profiles.groupby(["component", "by"])["share"].sum()
    np.testing.assert_allclose(sums, 1)
    assert set(read_columns(results / f"{kind}0_profiles.csv")) == set(profiles.columns)


def test_components_are_only_well_inside_the_area(results):
    found = open_map(results / "g0.zarr")
    component, probability = found.read("component"), found.read("probability")
    areas, _ = slice_labels(0)
    assert (areas[np.ix_(Y, X)][component > 0] == 1).all()
    assert np.array_equal(component > 0, np.isfinite(probability))
    depth = open_map(results / "d0.zarr").sample("upper_px", found.y, found.x, np.nan)
    assert depth[component > 0].min() > 11
    # The area reaches row 10 and column 239 of the slice.
    rows, columns = np.nonzero(component)
    assert Y[rows].min() == 22
    assert X[columns].max() == 226
    fit = json.loads((results / "g0.json").read_text())
    assert fit["pixels"] == (component > 0).sum() == sum(fit["sizes"])
    assert fit["pixels_fitted"] == 3000
    assert fit["converged"] is True


def test_clusters_cover_the_area(results):
    found = open_map(results / "k0.zarr").read("component")
    areas, _ = slice_labels(0)
    assert np.array_equal(found > 0, areas[np.ix_(Y, X)] == 1)
    fit = json.loads((results / "k0.json").read_text())
    assert fit["sizes"] == np.bincount(found.ravel())[1:].tolist()


def test_mean_coefficients_of_components(results):
    table = read_table(results / "g0.csv")
    assert len(table) == 4 * 6
    maps = CoefficientMaps.open(results / "c0.zarr")
    component = open_map(results / "g0.zarr").read("component")
    row = table[(table["component"] == 2) & (table["factor"] == 3)].iloc[0]
    values = maps.factor_map(3)[component == 2].astype(np.float64)
    assert row["mean"] == pytest.approx(values.mean())
    assert row["standard_deviation"] == pytest.approx(values.std())


@pytest.mark.parametrize("kind", ["k", "g"])
def test_components_of_two_slices_are_matched(results, kind):
    run("match-components", "--reference", results / f"{kind}0_profiles.csv",
        "--other", results / f"{kind}3_profiles.csv", "--output", results / "matches.csv",
        "--output-distances", results / "distances.csv")  # fmt: skip
    matches = read_table(results / "matches.csv")
    assert (matches["by"] == "layer").all()
    assert (matches["distance"] < 0.3).all()
    assert (matches["next_distance"] > 0.7).all()
    names = []
    for z, column in ((0, "component"), (3, "matched")):
        table = read_table(results / f"{kind}{z}_profiles.csv")
        table = table[table["by"] == "layer"]
        best = table.sort_values("share").groupby("component").tail(1).set_index("component")
        names.append(best.loc[matches[column], "name"].tolist())
    assert names[0] == names[1]


def test_matching_by_depth_finds_the_same_pairs(results):
    found = []
    for by in ("layer", "depth"):
        run("match-components", "--reference", results / "g0_profiles.csv",
            "--other", results / "g3_profiles.csv", "--by", by,
            "--output", results / "matches.csv",
            "--output-distances", results / "distances.csv")  # fmt: skip
        found.append(read_table(results / "matches.csv")["matched"].tolist())
    assert found[0] == found[1]


def test_planted_layers_are_above_nulls(results):
    run("compare-layers", "--map", results / "g0.zarr", *layers_of(results),
        "--depth", results / "d0.zarr", "--step-px", 4, "--nulls", 40, "--block-px", 32,
        "--output", results / "agreement.csv")  # fmt: skip
    table = read_table(results / "agreement.csv")
    assert len(table) == 9
    assert table["above_nulls"].all()
    assert (table["maps"] == 40).all()
    assert (table[table["statistic"] == "ami"]["value"] > 0.8).all()


def test_without_layers_profiles_are_by_depth(results, tmp_path):
    run("profile-components", "--map", results / "k0.zarr", "--depth", results / "d0.zarr",
        "--output", tmp_path / "p.csv")  # fmt: skip
    assert set(read_table(tmp_path / "p.csv")["by"]) == {"depth"}


def test_refusals_are_one_line(results, tmp_path):
    out = tmp_path / "out.csv"
    with pytest.raises(InputError, match="give --depth or --layers"):
        run("profile-components", "--map", results / "k0.zarr", "--output", out)
    with pytest.raises(InputError, match="depth of slice 3, but the map is of slice 0"):
        run("profile-components", "--map", results / "k0.zarr", "--depth", results / "d3.zarr",
            "--output", out)  # fmt: skip
    with pytest.raises(InputError, match="lies more than 500 px inside"):
        run("find-components", "--coefficients", results / "c0.zarr", *of(results),
            "--area", "Ctx", "--inside-px", 500, "--output-map", tmp_path / "m",
            "--output-fit", out, "--output-components", out)  # fmt: skip
    with pytest.raises(InputError, match="not in the legend"):
        run("depth", *of(results), "--slice", 0, "--area", "Cortex", "--upper", "outside",
            "--lower", "WM", "--output", tmp_path / "d")  # fmt: skip
    with pytest.raises(InputError, match="slice 1 is not annotated"):
        run("depth", *of(results), "--slice", 1, "--area", "Ctx", "--upper", "outside",
            "--lower", "WM", "--output", tmp_path / "d")  # fmt: skip
    with pytest.raises(InputError, match="no map here"):
        run("profile-components", "--map", tmp_path / "none", "--output", out)
    assert not list(tmp_path.iterdir()), "a refused command leaves nothing behind"
