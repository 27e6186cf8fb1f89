"""The verbs from files to files, on planted slices, and their one-line refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest
import typer
from scipy.ndimage import gaussian_filter
from typer.testing import CliRunner

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels
from brainarch.cli import factors as verbs
from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.factors.project import read_basis
from brainarch.factors.store import CoefficientMaps
from brainarch.tables import read_columns, read_table

AREAS = ("Ctx", "Str", "WM")
STRIDE = 2
Y, X = 6 + STRIDE * np.arange(60), 10 + STRIDE * np.arange(90)

app = typer.Typer()
verbs.register(app)


def run(*words):
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


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
        cube = Cube.create(folder / f"z{z}.zarr", Y, X, 8, {"z": z, "stride": STRIDE})
        cube.write(0, 0, values.astype(np.float32), seen > 0)
    run(
        "factorize", "--cube", folder / "z0.zarr", "--factors", 5, "--seed", 1,
        "--output-basis", folder / "basis.csv", "--output-coefficients", folder / "c0.zarr",
        "--output-fit", folder / "fit.json",
    )  # fmt: skip
    run(
        "project", "--cube", folder / "z3.zarr", "--basis", folder / "basis.csv",
        "--output", folder / "c3.zarr", "--output-fit", folder / "fit3.json",
    )  # fmt: skip
    return folder


def select(folder, *more):
    run(
        "select", "--coefficients", folder / "c0.zarr", "--labels", folder / "areas.zarr",
        "--legend", folder / "legend.csv", "--output", folder / "selection.csv",
        "--output-scores", folder / "scores.csv", *more,
    )  # fmt: skip
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
    run(
        "project", "--cube", results / "z0.zarr", "--basis", results / "basis.csv",
        "--output", tmp_path / "again.zarr",
    )  # fmt: skip
    own, again = (CoefficientMaps.open(p) for p in (results / "c0.zarr", tmp_path / "again.zarr"))
    for factor in range(1, 6):
        assert np.array_equal(own.factor_map(factor), again.factor_map(factor), equal_nan=True)
    assert again.attrs["fitted"] is False


def test_the_same_command_gives_the_same_files(results, tmp_path):
    run(
        "factorize", "--cube", results / "z0.zarr", "--factors", 5, "--seed", 1,
        "--output-basis", tmp_path / "basis.csv", "--output-coefficients", tmp_path / "c.zarr",
        "--output-fit", tmp_path / "fit.json",
    )  # fmt: skip
    for name in ("basis.csv", "fit.json"):
        assert (tmp_path / name).read_bytes() == (results / name).read_bytes()


def test_selection_finds_the_planted_units(results):
    table = select(results, "--threshold", 1)
    assert sorted(table["area"]) == sorted(AREAS)
    basis = read_basis(results / "basis.csv")
    for row in table.itertuples():
        assert basis[row.factor - 1].argmax() == AREAS.index(row.area)
        assert row.covered_share > 0.95
        assert row.leaked_share < 0.1
    assert table["lambda"].eq(0.5).all()
    scores = read_table(results / "scores.csv")
    assert len(scores) == 5 * 3
    assert set(read_columns(results / "selection.csv")) == set(table.columns)


def test_selection_over_layers_has_its_own_weight_and_column(results):
    table = select(results, "--target", "layer", "--count", 2)
    assert list(table.columns[:3]) == ["rank", "factor", "layer"]
    assert table["lambda"].eq(0.3).all()
    assert len(table) == 2


def test_too_many_pairs_are_refused(results):
    with pytest.raises(
        InputError, match="--count 4: the legend has 3 areas and the basis 5 factors"
    ):
        select(results, "--count", 4)


def test_an_area_that_the_slice_lacks_is_left_out_with_a_warning(results, tmp_path, caplog):
    write_legend(make_legend((*AREAS, "ZI")), tmp_path / "legend.csv")
    run(
        "select", "--coefficients", results / "c0.zarr", "--labels", results / "areas.zarr",
        "--legend", tmp_path / "legend.csv", "--output", tmp_path / "selection.csv",
        "--output-scores", tmp_path / "scores.csv", "--count", 4,
    )  # fmt: skip
    assert sorted(read_table(tmp_path / "selection.csv")["area"]) == sorted(AREAS)
    assert [r.getMessage() for r in caplog.records if r.levelname == "WARNING"] == [
        "slice 0 has pixels of 3 areas only: 3 pairs are selected instead of 4"
    ]


def align(folder, other, *more):
    run(
        "align", "--fitted", folder / "c0.zarr", "--other", other,
        "--labels", folder / "areas.zarr", "--legend", folder / "legend.csv",
        "--nulls", 30, "--block-px", 30, "--step-px", 4, "--output", folder / "alignment.csv",
        "--output-chosen", folder / "chosen.csv", "--output-summary", folder / "summary.json",
        *more,
    )  # fmt: skip


def test_planted_areas_are_aligned_on_the_slice_not_fitted(results):
    align(results, results / "c3.zarr")
    table = read_table(results / "alignment.csv")
    assert len(table) == 2 * 5 * 3
    assert table.groupby("slice")["fitted"].first().to_dict() == {0: True, 3: False}
    chosen = read_table(results / "chosen.csv")
    assert sorted(chosen["name"]) == sorted(AREAS)
    assert (chosen["slice"] == 3).all()
    assert chosen["aligned"].all()
    assert chosen["above_null"].all()
    summary = json.loads((results / "summary.json").read_text())
    entry = summary["slices"][0]
    assert (entry["areas"], entry["areas_aligned"], entry["slice"]) == (3, 3, 3)


def test_layers_are_aligned_beside_areas(results):
    align(
        results, results / "c3.zarr", "--layers", results / "areas.zarr",
        "--layers-legend", results / "legend.csv", "--layer-block-px", 30,
    )  # fmt: skip
    assert set(read_table(results / "alignment.csv")["target"]) == {"area", "layer"}
    entry = json.loads((results / "summary.json").read_text())["slices"][0]
    assert entry["layers_aligned"] == 3


def test_the_fitted_slice_is_no_other_slice(results):
    with pytest.raises(InputError, match="each slice once"):
        align(results, results / "c0.zarr")
    with pytest.raises(InputError, match="give both or neither"):
        align(results, results / "c3.zarr", "--layers", results / "areas.zarr")


def test_a_last_iteration_is_one_warning_line(results, tmp_path, caplog):
    run(
        "factorize", "--cube", results / "z0.zarr", "--factors", 5, "--max-iterations", 1,
        "--output-basis", tmp_path / "basis.csv", "--output-coefficients", tmp_path / "c.zarr",
        "--output-fit", tmp_path / "fit.json",
    )  # fmt: skip
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "raise --max-iterations" in warnings[0].getMessage()
    assert json.loads((tmp_path / "fit.json").read_text())["converged"] is False


def test_an_empty_cube_is_refused(results, tmp_path):
    Cube.create(tmp_path / "empty.zarr", Y, X, 8, {"z": 0, "stride": STRIDE})
    with pytest.raises(InputError, match="no pixel is extracted"):
        run(
            "project", "--cube", tmp_path / "empty.zarr", "--basis", results / "basis.csv",
            "--output", tmp_path / "c.zarr",
        )  # fmt: skip
    assert not (tmp_path / "c.zarr").exists()
