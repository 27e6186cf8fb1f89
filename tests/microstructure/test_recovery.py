"""What was planted is found by the factor that follows it, and by none where none does."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter, uniform_filter

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels
from brainarch.errors import InputError
from brainarch.factors.coefficients import CHUNK_ROWS, CoefficientMaps
from brainarch.geometry import PATCH
from brainarch.grids.grid import Place
from brainarch.microstructure import recovery
from brainarch.tables import read_table

SHAPE = (300, 1400)
STEP = 4
AREAS = ("Ctx", "Str")


def smooth(rng: np.random.Generator) -> np.ndarray:
    field = gaussian_filter(rng.normal(size=SHAPE), 30)
    return field / field.std()


@pytest.fixture
def results(tmp_path):
    """Factor 1 follows cells, factor 2 barrel walls, factor 3 nothing; no vessel, random axons."""
    rng = np.random.default_rng(0)
    write_legend(make_legend(AREAS), tmp_path / "legend.csv")
    labels = create_labels(tmp_path / "areas.zarr", (8, *SHAPE), 1.17, [1, 5])
    (tmp_path / "truth").mkdir()
    # nearer to the rim, patches reach out of the slice, and all densities fall there together
    y, x = (np.arange(PATCH // 2, side - PATCH // 2, STEP) for side in SHAPE)
    for z in (1, 5):
        area = np.where(np.arange(SHAPE[1]) < 1000, 1, 2)[None].repeat(SHAPE[0], 0)
        labels.write_slice(z, area.astype(np.uint8))
        dense = smooth(rng)
        micro = np.where(rng.random(SHAPE) < 0.05 * (1 + np.tanh(dense)), 3, 0)
        micro[(rng.random(SHAPE) < 0.02) & (micro == 0)] = 1
        wall = np.where((np.arange(SHAPE[1]) // 100) % 2 == 0, 1, 2)[None].repeat(SHAPE[0], 0)
        barrels = np.where(area == 1, wall, 0)
        for kind, image in (("microstructure", micro), ("barrels", barrels)):
            tifffile.imwrite(tmp_path / f"truth/{kind}_z{z:04d}.tif", image.astype(np.uint8))
        cells = uniform_filter((micro == 3).astype(float), PATCH, mode="constant")
        walls = uniform_filter((wall == 1).astype(float), 60)
        values = [5 * cells, walls + 0.1 * smooth(rng), smooth(rng)]
        thin = np.stack([np.maximum(v, 0)[np.ix_(y, x)] for v in values], -1).astype(np.float32)
        maps = CoefficientMaps.create(tmp_path / f"c{z}.zarr", Place(z, STEP, 1.17, y, x), 3)
        iy, ix = np.nonzero(np.ones((len(y), len(x)), bool))
        assert len(y) <= CHUNK_ROWS
        maps.write_rows(0, iy, ix, thin[iy, ix])
    return tmp_path


def look(results) -> None:
    recovery.find_planted(
        fitted=[results / "c1.zarr"], others=[results / "c5.zarr"], labels=results / "areas.zarr",
        legend=results / "legend.csv", truth=results / "truth", planted=results / "planted.csv",
        area="Ctx", nulls=199, seed=1,
    )  # fmt: skip


def test_a_damaged_truth_is_one_line(results) -> None:
    (results / "truth/barrels_z0005.tif").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"barrels_z0005\.tif: what was planted cannot be read"):
        look(results)


def test_planted_things_are_found_by_the_factor_that_follows_them(results) -> None:
    look(results)
    table = read_table(results / "planted.csv")
    assert list(table.columns) == list(recovery.PLANTED_COLUMNS)
    assert (table["slice"] == 5).all()
    rows = {(row["planted"], row["where"]): row for row in table.to_dict("records")}
    assert set(rows) == {("barrels", "Ctx")} | {
        (what, where) for what in recovery.MICROSTRUCTURE for where in (recovery.EVERYWHERE, "Ctx")
    }
    for where in (recovery.EVERYWHERE, "Ctx"):
        cells = rows["cell bodies", where]
        assert cells["factor"] == 1
        assert cells["auroc"] > 0.9 > cells["null_99"]
        assert cells["above_null"] == True  # noqa: E712  # decided
        axons = rows["myelinated axons", where]
        assert axons["above_null"] == False  # noqa: E712  # decided
        vessels = rows["vessels", where]
        assert np.isnan(vessels["auroc"])
        assert "none" in vessels["note"]
    assert rows["barrels", "Ctx"]["factor"] == 2
    assert rows["barrels", "Ctx"]["auroc"] > 0.8
