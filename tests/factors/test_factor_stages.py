"""The stages from files to files, on planted slices, and their one-line refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels
from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.factors import stages
from brainarch.factors.basis import read_basis
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.factors.stages import align_factors, factorize, project, select_pairs
from brainarch.grids.grid import Place
from brainarch.tables import read_columns, read_table

AREAS = ("Ctx", "Str", "WM")
STRIDE = 2
Y, X = 6 + STRIDE * np.arange(60), 10 + STRIDE * np.arange(90)
FIT = {"factors": 5, "max_iterations": 200, "tolerance": 1e-4, "seed": 1}
SELECTION = {"target": "area", "leakage": 0.5, "count": 3, "threshold": 1.0}


def slice_labels(z):
    """Return three areas side by side in a slice of 140 x 200; borders move with z."""
    y, x = np.mgrid[:140, :200]
    labels = 1 + np.digitize(x + y / 4, [70 + z, 140 + z])
    labels[:3] = 0
    return labels.astype(np.uint8)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Cubes of slices 0 and 3 in which unit u < 3 is strong in area u + 1, and all the outputs."""
    folder = tmp_path_factory.mktemp("factors")
    write_legend(make_legend(AREAS), folder / "legend.csv")
    labels = create_labels(folder / "areas.zarr", (4, 140, 200), 1.17, [0, 3])
    rng = np.random.default_rng(0)
    for z in (0, 3):
        codes = slice_labels(z)
        labels.write_slice(z, codes)
        seen = codes[np.ix_(Y, X)]
        values = np.stack([gaussian_filter(rng.normal(size=seen.shape), 2) for _ in range(8)], -1)
        values = np.maximum(values / values.std() * 0.5, 0)
        for unit in range(3):
            values[..., unit] += 3 * (seen == unit + 1) * rng.uniform(0.7, 1.3, seen.shape)
        cube = Cube.create(folder / f"z{z}.zarr", Place(z, STRIDE, 1.17, Y, X), 8)
        cube.write(0, 0, values.astype(np.float32), seen > 0)
    factorize(cube=folder / "z0.zarr", **fitted(folder), **FIT)
    project(
        cube=folder / "z3.zarr",
        basis=folder / "basis.csv",
        coefficients=folder / "c3.zarr",
        fit=folder / "fit3.json",
    )
    return folder


def fitted(folder):
    return {
        "basis": folder / "basis.csv",
        "coefficients": folder / "c0.zarr",
        "fit": folder / "fit.json",
    }


def of(folder):
    return {"labels": folder / "areas.zarr", "legend": folder / "legend.csv"}


def select(results, folder, **changes):
    tables = {"selected": folder / "selection.csv", "scores": folder / "scores.csv"}
    inputs = {"coefficients": results / "c0.zarr", **of(results)}
    select_pairs(**{**inputs, **tables, **SELECTION, **changes})
    return read_table(folder / "selection.csv")


def test_factorize_writes_basis_maps_and_fit(results):
    basis = read_basis(results / "basis.csv")
    np.testing.assert_allclose(np.linalg.norm(basis, axis=1), 1)
    fit = json.loads((results / "fit.json").read_text())
    maps = CoefficientMaps.open(results / "c0.zarr")
    assert fit["rows"] == maps.extracted.sum()
    assert fit["factors"] == maps.factors == 5
    assert fit["converged"] is True
    assert maps.attrs["fitted"] is True
    assert 0 < fit["relative_error"] < 0.4
    assert fit["explained_share"] == pytest.approx(1 - fit["relative_error"] ** 2)
    assert not any("second" in key or "time" in key for key in fit)


def test_projecting_the_fitted_slice_gives_its_own_maps(results, tmp_path):
    project(
        cube=results / "z0.zarr",
        basis=results / "basis.csv",
        coefficients=tmp_path / "again.zarr",
        fit=tmp_path / "fit.json",
    )
    own, again = (CoefficientMaps.open(p) for p in (results / "c0.zarr", tmp_path / "again.zarr"))
    for factor in range(1, 6):
        assert np.array_equal(own.factor_map(factor), again.factor_map(factor), equal_nan=True)
    assert again.attrs["fitted"] is False


def test_the_same_stage_gives_the_same_files(results, tmp_path):
    factorize(cube=results / "z0.zarr", **fitted(tmp_path), **FIT)
    for name in ("basis.csv", "fit.json"):
        assert (tmp_path / name).read_bytes() == (results / name).read_bytes()


def test_selection_finds_the_planted_units(results, tmp_path):
    table = select(results, tmp_path)
    assert sorted(table["area"]) == sorted(AREAS)
    basis = read_basis(results / "basis.csv")
    for row in table.itertuples():
        assert basis[row.factor - 1].argmax() == AREAS.index(row.area)
        assert row.covered_share > 0.95
        assert row.leaked_share < 0.1
    assert table["lambda"].eq(0.5).all()
    assert table["threshold"].eq(1).all()
    scores = read_table(tmp_path / "scores.csv")
    assert len(scores) == 5 * 3
    assert list(scores.columns) == list(stages.score_columns("area"))
    assert set(read_columns(tmp_path / "selection.csv")) == set(table.columns)


def test_selection_over_layers_has_its_own_column(results, tmp_path):
    table = select(results, tmp_path, target="layer", leakage=0.3, count=2)
    assert list(table.columns) == list(stages.selection_columns("layer"))
    assert list(table.columns[:3]) == ["rank", "factor", "layer"]
    assert table["lambda"].eq(0.3).all()
    assert len(table) == 2


def test_an_area_that_the_slice_lacks_is_left_out_with_a_warning(results, tmp_path, caplog):
    write_legend(make_legend((*AREAS, "ZI")), tmp_path / "legend.csv")
    table = select(results, tmp_path, legend=tmp_path / "legend.csv", count=4, threshold=0.0)
    assert sorted(table["area"]) == sorted(AREAS)
    assert [r.getMessage() for r in caplog.records if r.levelname == "WARNING"] == [
        "slice 0 has pixels of 3 areas only: 3 pairs are selected instead of 4"
    ]


def test_a_slice_without_labelled_pixels_is_refused(results, tmp_path):
    labels = create_labels(tmp_path / "areas.zarr", (4, 140, 200), 1.17, [0])
    labels.write_slice(0, np.zeros((140, 200), dtype=np.uint8))
    with pytest.raises(InputError, match="slice 0 has no labelled pixel where it was extracted"):
        select(results, tmp_path, labels=tmp_path / "areas.zarr")


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of labels that fit this small slice."""
    monkeypatch.setattr(stages, "BLOCK_PX", {"area": 30, "layer": 30})


def align(results, folder, other, **layers):
    align_factors(
        fitted=results / "c0.zarr",
        others=[other],
        **of(results),
        **layers,
        alignment=folder / "alignment.csv",
        chosen=folder / "chosen.csv",
        summary=folder / "summary.json",
        nulls=30,
        seed=2020,
    )


def test_planted_areas_are_aligned_on_the_slice_not_fitted(results, tmp_path, small_blocks):
    align(results, tmp_path, results / "c3.zarr")
    table = read_table(tmp_path / "alignment.csv")
    assert list(table.columns) == list(stages.ALIGNMENT_COLUMNS)
    assert len(table) == 2 * 5 * 3
    assert table.groupby("slice")["fitted"].first().to_dict() == {0: True, 3: False}
    chosen = read_table(tmp_path / "chosen.csv")
    assert list(chosen.columns) == list(stages.CHOSEN_COLUMNS)
    assert sorted(chosen["name"]) == sorted(AREAS)
    assert (chosen["slice"] == 3).all()
    assert chosen["aligned"].all()
    assert chosen["above_null"].all()
    summary = json.loads((tmp_path / "summary.json").read_text())
    entry = summary["slices"][0]
    assert (entry["areas"], entry["areas_aligned"], entry["slice"]) == (3, 3, 3)


def test_layers_are_aligned_beside_areas(results, tmp_path, small_blocks):
    layers = {"layers": results / "areas.zarr", "layers_legend": results / "legend.csv"}
    align(results, tmp_path, results / "c3.zarr", **layers)
    assert set(read_table(tmp_path / "alignment.csv")["target"]) == {"area", "layer"}
    entry = json.loads((tmp_path / "summary.json").read_text())["slices"][0]
    assert entry["layers_aligned"] == 3


def test_the_fitted_slice_is_no_other_slice(results, tmp_path):
    with pytest.raises(InputError, match="each slice once"):
        align(results, tmp_path, results / "c0.zarr")


def test_a_last_iteration_is_one_warning_line(results, tmp_path, caplog):
    factorize(cube=results / "z0.zarr", **fitted(tmp_path), **FIT | {"max_iterations": 1})
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "raise factorization.max_iterations" in warnings[0].getMessage()
    assert json.loads((tmp_path / "fit.json").read_text())["converged"] is False


def test_an_empty_cube_is_refused(results, tmp_path):
    Cube.create(tmp_path / "empty.zarr", Place(0, STRIDE, 1.17, Y, X), 8)
    with pytest.raises(InputError, match="no pixel is extracted"):
        project(
            cube=tmp_path / "empty.zarr",
            basis=results / "basis.csv",
            coefficients=tmp_path / "c.zarr",
            fit=tmp_path / "fit.json",
        )
    assert not (tmp_path / "c.zarr").exists()
