"""The stages from files to files, on planted slices, and their one-line refusals."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.metrics import roc_auc_score

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels
from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.factors import selection_stages
from brainarch.factors.basis import read_basis
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.factors.selection_stages import align_factors, select_pairs
from brainarch.factors.stages import factorize, measure_selection, project
from brainarch.grids.grid import Place
from brainarch.tables import read_columns, read_table

AREAS = ("Ctx", "Str", "WM")
STRIDE = 2
Y, X = 6 + STRIDE * np.arange(60), 10 + STRIDE * np.arange(90)
FIT = {"factors": 5, "starts": 2, "max_iterations": 200, "tolerance": 1e-4, "seed": 1}
SELECTION = {"target": "area", "rule": "papers", "leakage": 0.5, "count": 3, "threshold": 1.0}


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
    factorize(**fitted(folder), **FIT)
    project(
        cube=folder / "z3.zarr",
        basis=folder / "basis.csv",
        coefficients=folder / "c3.zarr",
        fit=folder / "fit3.json",
    )
    return folder


def fitted(folder, cubes=None, slices=(0,)):
    return {
        "cubes": {z: (cubes or folder) / f"z{z}.zarr" for z in slices},
        "basis": folder / "basis.csv",
        "convergence": folder / "convergence.csv",
        "fit": folder / "fit.json",
        "coefficients": {z: folder / f"c{z}.zarr" for z in slices},
        "fits": {z: folder / f"fit{z}.json" for z in slices},
    }


def of(folder):
    return {"labels": folder / "areas.zarr", "legend": folder / "legend.csv"}


def select(results, folder, **changes):
    names = {"selected": "selection", "scores": "scores", "sensitivity": "sensitivity"}
    tables = {name: folder / f"{file}.csv" for name, file in names.items()}
    inputs = {"coefficients": [results / "c0.zarr"], **of(results)}
    select_pairs(**{**inputs, **tables, **SELECTION, **changes})
    table = read_table(folder / "selection.csv")
    return table[table["shown"]]


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
    factorize(**fitted(tmp_path, results), **FIT)
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
    assert list(scores.columns) == list(selection_stages.score_columns("area"))
    assert set(read_columns(tmp_path / "selection.csv")) == set(table.columns)
    varied = read_table(tmp_path / "sensitivity.csv")
    assert list(varied.columns) == list(selection_stages.sensitivity_columns("area"))
    own = varied[(varied["threshold"] == "1") & (varied["lambda"] == 0.5)]
    papers = read_table(tmp_path / "selection.csv")
    papers = papers[papers["rule"] == "papers"].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        own[["area", "factor", "auroc"]].reset_index(drop=True),
        papers[["area", "factor", "auroc"]],
    )
    assert varied.groupby(["threshold", "lambda"])["area"].nunique().eq(3).all()


def test_selection_over_layers_has_its_own_column(results, tmp_path):
    table = select(results, tmp_path, target="layer", leakage=0.3, count=2)
    assert list(table.columns) == list(selection_stages.selection_columns("layer"))
    assert list(table.columns[3:6]) == ["rank", "factor", "layer"]
    assert table["lambda"].eq(0.3).all()
    assert len(table) == 2


def test_both_rules_stand_in_the_table_and_one_is_shown(results, tmp_path):
    own = select(results, tmp_path, rule="auroc")
    table = read_table(tmp_path / "selection.csv")
    assert table.groupby("rule")["shown"].agg(["all", "size"]).to_dict() == {
        "all": {"auroc": True, "papers": False},
        "size": {"auroc": 3, "papers": 3},
    }
    scores = read_table(tmp_path / "scores.csv").set_index(["factor", "area"])
    assert own["auroc"].iloc[0] == scores["auroc"].max()
    maps = CoefficientMaps.open(results / "c0.zarr")
    codes = slice_labels(0)[np.ix_(Y, X)][::2, ::2]  # 4 pixels apart at stride 2
    values = maps.factor_map(1, 2)
    seen = (codes > 0) & np.isfinite(values)
    expected = roc_auc_score(codes[seen] == 2, values[seen])
    assert scores["auroc"][1, "Str"] == pytest.approx(expected)


def test_a_factor_that_is_everywhere_wins_by_the_papers_rule_alone(tmp_path):
    """Present everywhere a little it covers all of an area, with a threshold of 0."""
    write_legend(make_legend(("one", "two")), tmp_path / "legend.csv")
    labels = create_labels(tmp_path / "areas.zarr", (1, 40, 40), 1.17, [0])
    codes = np.ones((40, 40), dtype=np.uint8)
    codes[:, 10:] = 2
    labels.write_slice(0, codes)
    rng = np.random.default_rng(0)
    everywhere = 0.1 + 0.01 * rng.random((40, 40))
    of_two = (codes == 2) * rng.random((40, 40)) * (rng.random((40, 40)) < 0.7)
    maps = CoefficientMaps.create(
        tmp_path / "c0.zarr", Place(0, 1, 1.17, np.arange(40), np.arange(40)), 2
    )
    iy, ix = np.nonzero(codes)
    maps.write_rows(0, iy, ix, np.stack([everywhere[iy, ix], of_two[iy, ix]], axis=1))
    changes = {"threshold": 0.0, "count": 1, "coefficients": [tmp_path / "c0.zarr"]}
    select(tmp_path, tmp_path, **changes, rule="auroc")
    table = read_table(tmp_path / "selection.csv").set_index("rule")
    assert table["factor"].to_dict() == {"papers": 1, "auroc": 2}
    assert table["area"].to_dict() == {"papers": "two", "auroc": "two"}
    assert table["differs"].all()


def test_two_slices_are_fitted_and_selected_together(results, tmp_path):
    factorize(**fitted(tmp_path, results, (0, 3)), **FIT)
    fits = [json.loads((tmp_path / f"fit{z}.json").read_text()) for z in (0, 3)]
    fit = json.loads((tmp_path / "fit.json").read_text())
    assert fit["slices"] == [0, 3]
    assert fit["rows"] == sum(own["rows"] for own in fits)
    errors = [own["relative_error"] for own in fits]
    assert min(errors) < fit["relative_error"] < max(errors)
    both = [tmp_path / f"c{z}.zarr" for z in (0, 3)]
    assert all(CoefficientMaps.open(path).attrs["fitted"] for path in both)
    table = select(results, tmp_path, coefficients=both)
    pixels = sum((slice_labels(z)[np.ix_(Y, X)] == 1).sum() for z in (0, 3))
    assert table.set_index("area")["pixels"]["Ctx"] == pixels


def test_the_error_of_every_pass_is_written(results):
    table = read_table(results / "convergence.csv")
    fit = json.loads((results / "fit.json").read_text())
    assert set(table["start"]) == {1, 2}
    assert table["relative_error"].iloc[-1] == pytest.approx(fit["relative_error"], rel=0.01)


def test_maps_of_two_bases_are_refused(results, tmp_path):
    factorize(**fitted(tmp_path, results, (3,)), **FIT | {"factors": 4})
    with pytest.raises(InputError, match=r"c3\.zarr: coefficients of another basis than .*c0"):
        select(results, tmp_path, coefficients=[results / "c0.zarr", tmp_path / "c3.zarr"])


def test_an_area_that_the_slice_lacks_is_left_out_with_a_warning(results, tmp_path, caplog):
    write_legend(make_legend((*AREAS, "ZI")), tmp_path / "legend.csv")
    table = select(results, tmp_path, legend=tmp_path / "legend.csv", count=4, threshold=0.0)
    assert sorted(table["area"]) == sorted(AREAS)
    assert [r.getMessage() for r in caplog.records if r.levelname == "WARNING"] == [
        "slice 0 has no pixel of ZI: 3 pairs are selected of 4 asked for"
    ]


def test_a_slice_without_labelled_pixels_is_refused(results, tmp_path):
    labels = create_labels(tmp_path / "areas.zarr", (4, 140, 200), 1.17, [0])
    labels.write_slice(0, np.zeros((140, 200), dtype=np.uint8))
    with pytest.raises(InputError, match="slice 0 has no labelled pixel where it was extracted"):
        select(results, tmp_path, labels=tmp_path / "areas.zarr")


def align(results, folder, other, **changes):
    select(results, folder, rule="auroc")
    given = {**of(results), **changes}
    align_factors(
        fitted=[results / "c0.zarr"],
        others=[other],
        **given,
        selected=folder / "selection.csv",
        alignment=folder / "alignment.csv",
        chosen=folder / "chosen.csv",
        summary=folder / "summary.json",
        predictions=folder / "unused.csv",
        nulls=99,
        resamples=100,
        block_px=40,
        seed=2020,
    )


def test_planted_areas_are_aligned_on_the_slice_not_fitted(results, tmp_path):
    align(results, tmp_path, results / "c3.zarr")
    table = read_table(tmp_path / "alignment.csv")
    assert list(table.columns) == list(selection_stages.ALIGNMENT_COLUMNS)
    assert len(table) == 2 * 5 * 3
    assert table.groupby("slice")["fitted"].first().to_dict() == {0: True, 3: False}
    chosen = read_table(tmp_path / "chosen.csv")
    assert list(chosen.columns) == list(selection_stages.CHOSEN_COLUMNS)
    assert sorted(chosen["name"]) == sorted(AREAS)
    assert (chosen["slice"] == 3).all()
    assert chosen["aligned"].all()
    assert chosen["above_null"].all()
    assert (chosen["best"] == chosen["name"]).all()
    known = chosen[chosen["blocks"] >= 8]
    assert len(known)
    assert ((known["low"] <= known["auroc"]) & (known["auroc"] <= known["high"])).all()
    assert chosen[chosen["blocks"] < 8][["low", "high"]].isna().all(axis=None)
    assert not chosen["contradicted"].any()
    selected = read_table(tmp_path / "selection.csv")
    pairs = selected[selected["shown"]].set_index("area")["factor"].to_dict()
    assert chosen.set_index("name")["factor"].to_dict() == pairs
    summary = json.loads((tmp_path / "summary.json").read_text())
    entry = summary["slices"][0]
    assert (entry["areas"], entry["areas_aligned"], entry["slice"]) == (3, 3, 3)


def test_layers_are_aligned_beside_areas(results, tmp_path):
    layers = {"layers": results / "areas.zarr", "layers_legend": results / "legend.csv"}
    select(results, tmp_path, rule="auroc", target="layer")
    for ending in (".csv", ".columns.json"):
        (tmp_path / f"selection{ending}").rename(tmp_path / f"layers{ending}")
    layers["selected_layers"] = tmp_path / "layers.csv"
    align(results, tmp_path, results / "c3.zarr", **layers)
    assert set(read_table(tmp_path / "alignment.csv")["target"]) == {"area", "layer"}
    entry = json.loads((tmp_path / "summary.json").read_text())["slices"][0]
    assert entry["layers_aligned"] == 3


def test_an_area_that_the_other_slice_lacks_is_said(results, tmp_path, caplog):
    labels = create_labels(tmp_path / "areas.zarr", (4, 140, 200), 1.17, [0, 3])
    labels.write_slice(0, slice_labels(0))
    labels.write_slice(3, np.where(slice_labels(3) == 3, 0, slice_labels(3)).astype(np.uint8))
    align(results, tmp_path, results / "c3.zarr", labels=tmp_path / "areas.zarr")
    assert "slice 3 has no pixel of WM to look at" in caplog.messages


def test_the_fitted_slice_is_no_other_slice(results, tmp_path):
    with pytest.raises(InputError, match="each slice once"):
        align(results, tmp_path, results / "c0.zarr")


def test_a_last_iteration_is_one_warning_line(results, tmp_path, caplog):
    factorize(**fitted(tmp_path, results), **FIT | {"max_iterations": 1})
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


def test_selected_factors_are_compared_with_random_choices(results, tmp_path):
    select(results, tmp_path)
    measure_selection(
        cubes=[results / "z0.zarr"],
        basis=results / "basis.csv",
        selected={"area": tmp_path / "selection.csv"},
        pairs=tmp_path / "pairs.csv",
        choices=tmp_path / "choices.csv",
        seed=1,
    )
    assert len(read_table(tmp_path / "pairs.csv")) == 10
    table = read_table(tmp_path / "choices.csv")
    assert sorted(table["rule"]) == ["auroc", "papers"]
    assert (table["share"] > table["share_median"]).all(), "the planted units are the strong ones"
