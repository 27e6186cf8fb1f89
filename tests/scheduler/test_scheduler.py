"""Work shared out to dask workers: the same bits, whichever of them dies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from brainarch import scheduler as module
from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.factors.projection import project_cube
from brainarch.grids.grid import Place
from brainarch.scheduler import connect
from dask_workers import Workers

pytest.importorskip("distributed", reason="dask.distributed is not installed")


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    running = Workers(tmp_path)
    yield running
    running.end()


def a_cube(folder: Path) -> Cube:
    """A cube of five bands, some pixels of which are extracted."""
    rng = np.random.default_rng(0)
    place = Place(7, 1, 1.17, np.arange(600), np.arange(300))
    cube = Cube.create(folder / "cube.zarr", place, 8)
    done = rng.random(place.shape) < 0.4
    done[128:256] = False  # a band without a pixel
    cube.write(0, 0, rng.random((*place.shape, 8)).astype(np.float32), done)
    cube.annotate({})
    return Cube.open(cube.path)


def content(path: Path) -> list[bytes]:
    maps = CoefficientMaps.open(path)
    return [maps.factor_map(i).tobytes() for i in range(1, maps.factors + 1)]


def test_a_killed_worker_changes_no_bit_of_coefficients(workers: Workers, tmp_path: Path) -> None:
    cube, basis = a_cube(tmp_path), np.random.default_rng(1).random((3, 8))
    here = project_cube(cube, basis, tmp_path / "here.zarr", {"fitted": False})
    with connect(workers.address) as connected:
        assert connected is not None
        assert connected.threads == 2
        slow = connected.each(_slow, range(6))
        assert next(slow) == 0
        workers.kill(0)
        assert list(slow) == [1, 4, 9, 16, 25]
        there = project_cube(
            cube, basis, tmp_path / "there.zarr", {"fitted": False}, scheduler=connected
        )
    assert content(tmp_path / "there.zarr") == content(tmp_path / "here.zarr")
    assert there.summary() == here.summary()


def _slow(number: int) -> int:
    time.sleep(0.3)
    return number**2


def test_without_any_worker_it_ends_in_one_line(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(module, "LOOKS", 2)
    with connect(workers.address) as connected:
        assert connected is not None
        workers.kill(0)
        workers.kill(1)
        with pytest.raises(InputError, match="all workers are gone"):
            list(connected.each(_slow, range(3)))


@pytest.mark.parametrize("name", ["host:8786 ", "local:0", "local", "slurm:", "tcp:/x"])
def test_a_wrong_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="wanted an address such as"), connect(name):
        pass


def test_none_is_no_cluster() -> None:
    with connect(None) as connected:
        assert connected is None


@pytest.mark.slow
def test_workers_are_started_here() -> None:
    with connect("local:2") as connected:
        assert connected is not None
        assert list(connected.each(_slow, range(4))) == [0, 1, 4, 9]
