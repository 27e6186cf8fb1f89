"""What a run needs: against sizes counted by hand and against what real stores take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainarch.dense.cube import Cube
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.grids.grid import Place
from brainarch.preflight.machine import size_mb
from brainarch.preflight.needs import (
    UNITS,
    Work,
    coefficients_mb,
    convert_mb,
    cube_mb,
    needs,
    pyramid_mb,
    volume_mb,
)
from brainarch.volume.pyramid import plan_levels

PUBLISHED = Work(
    shape=(720, 1420, 5805),
    resampling=None,
    itemsize=1,
    writes_source=False,
    links=False,
    annotated=4,
    areas=6,
    runs=2,
    assignments=1,
    train_patches=2000,
    eval_patches=1000,
    networks=3,
    noise_sets=8,
    noise_patches=1000,
    extracted={259: 5_500_000, 359: 5_500_000},
    storage_bytes=4,
    factors=15,
    discovery=True,
    convert_mb=2000.0,
    extraction_mb=1500.0,
    convert_threads=2,
)


def disk(work: Work) -> dict[str, float]:
    return {need.stage: need.disk_mb for need in needs(work)}


def test_the_cube_of_the_published_slice_is_as_large_as_they_say() -> None:
    assert cube_mb(5_500_000, 4) == pytest.approx(1408)
    assert cube_mb(5_500_000, 2) == pytest.approx(704)
    assert coefficients_mb(5_500_000, 15) == pytest.approx(335.5)
    assert volume_mb((720, 1420, 5805), 1) == pytest.approx(5935.032)


@pytest.mark.parametrize(
    "shape", [(720, 1420, 5805), (1, 1420, 5805), (4, 150, 200), (15, 5000, 300), (300, 257, 257)]
)
@pytest.mark.parametrize("slab", [8, 64])
def test_pyramid_is_at_least_that_of_the_conversion(shape: tuple[int, int, int], slab: int) -> None:
    above = plan_levels(shape, 1.17, 0, slab)[1:]
    bytes_above = sum(float(np.prod(level.shape)) for level in above)
    assert pyramid_mb(shape, 1) >= bytes_above / 1e6
    assert pyramid_mb(shape, 2) == pytest.approx(2 * pyramid_mb(shape, 1))


def test_stores_of_noise_stay_within_what_was_counted(tmp_path: Path) -> None:
    """Incompressible values are the worst case; a store of zeros would prove nothing."""
    rng = np.random.default_rng(0)
    side = 128
    place = Place(3, 1, 1.17, np.arange(side), np.arange(side))
    done = np.ones((side, side), dtype=bool)
    cube = Cube.create(tmp_path / "cube.zarr", place, UNITS)
    cube.write(0, 0, rng.random((side, side, UNITS), dtype=np.float32), done)
    maps = CoefficientMaps.create(tmp_path / "c.zarr", place, 15)
    iy, ix = np.nonzero(done)
    maps.write_rows(0, iy, ix, rng.random((side * side, 15), dtype=np.float32))
    count = side * side
    for path, counted in (("cube.zarr", cube_mb(count, 4)), ("c.zarr", coefficients_mb(count, 15))):
        assert 0.5 * counted < size_mb(tmp_path / path) < 1.02 * counted + 0.02


def test_every_stage_grows_with_what_it_works_on() -> None:
    before = disk(PUBLISHED)
    deeper = disk(replace(PUBLISHED, shape=(1440, 1420, 5805)))
    assert deeper["volume"] == pytest.approx(2 * before["volume"])
    assert deeper["cubes"] == before["cubes"]
    coarse = disk(replace(PUBLISHED, extracted={259: 1_375_000}))
    assert coarse["cubes"] < before["cubes"] / 7
    assert coarse["factors"] == pytest.approx(before["factors"] / 8)
    assert disk(replace(PUBLISHED, storage_bytes=2))["cubes"] < 0.6 * before["cubes"]
    assert disk(replace(PUBLISHED, discovery=False))["discovery"] == 0
    assert disk(replace(PUBLISHED, itemsize=2))["volume"] == pytest.approx(2 * before["volume"])
    assert disk(replace(PUBLISHED, links=True))["volume"] == 0
    made = disk(replace(PUBLISHED, writes_source=True))
    assert "source" not in before
    assert made["source"] > 5935


def test_memory_of_factorisation_covers_what_was_measured() -> None:
    """On the default phantom, 1,049,640 pixels took 998 MB (snakemake's benchmark)."""
    work = replace(PUBLISHED, extracted={104: 1_049_640})
    memory = {need.stage: need.memory_mb for need in needs(work)}
    assert 998 < memory["factors"] < 1.5 * 998
    assert memory["cubes"] == 1500


def test_conversion_needs_more_than_it_may_use_only_where_no_slab_fits() -> None:
    assert convert_mb(PUBLISHED) <= 2000
    wide = replace(PUBLISHED, shape=(100, 30_000, 30_000))
    assert convert_mb(wide) > 2000
