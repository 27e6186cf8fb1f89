import importlib
import os
import platform
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch
from dense_fakes import textured_slice
from extraction_case import CASE, plan_of, run

from brainarch import scheduler
from brainarch.dense import workers
from brainarch.dense.partial import Work
from brainarch.dense.workers import LocalTiles, Recipe, open_tiles
from brainarch.errors import InputError
from dask_workers import Workers


@pytest.fixture(scope="module")
def recipe(narrow):
    plan = plan_of(narrow, CASE["shape"], 1, tile=(128, 128), block=(4, 4))
    return Recipe(narrow.network.trunk, narrow.normalisation, plan)


def a_tile(seed=0, rows=8, columns=9):
    grey = textured_slice(133 + rows, 133 + columns, seed)
    return grey, np.ones((rows, columns), dtype=bool)


def test_every_device_gets_an_engine_and_one_tile_at_a_time(recipe, monkeypatch):
    devices = [torch.device("cpu"), torch.device("cpu", 0)]
    made, busy, most = [], set(), []
    guard = threading.Lock()
    make, work = Recipe.engine, Recipe.run

    def counted(self, device):
        made.append(device)
        return make(self, device)

    def slow(self, engine, device, grey, needed):
        with guard:
            assert device not in busy
            busy.add(device)
            most.append(len(busy))
        time.sleep(0.05)
        found = work(self, engine, device, grey, needed)
        with guard:
            busy.remove(device)
        return found

    monkeypatch.setattr(Recipe, "engine", counted)
    monkeypatch.setattr(Recipe, "run", slow)
    tiles = LocalTiles(recipe, devices)
    assert tiles.workers == 2
    assert not made, "nothing is prepared before it is needed"
    found = [None] * 6

    def one(index):
        found[index] = tiles(*a_tile())

    threads = [threading.Thread(target=one, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(made) == set(devices)
    assert len(made) == 2
    assert max(most) == 2
    assert len({values.tobytes() for values in found}) == 1


def test_a_failure_frees_the_device(recipe):
    tiles = LocalTiles(recipe, [torch.device("cpu")])
    with pytest.raises(ValueError, match="uint8 or uint16"):
        tiles(np.zeros((140, 140)), np.ones((7, 7), dtype=bool))
    assert np.isfinite(tiles(*a_tile())).all()


def test_two_tiles_are_in_work_for_each_gpu(recipe):
    devices = [torch.device("cuda", index) for index in range(4)]
    assert LocalTiles(recipe, devices).workers == 8


def test_a_gpu_computes_two_tiles_while_others_are_written(recipe, monkeypatch):
    gpu, busy, most = torch.device("cuda", 0), [], []
    guard = threading.Lock()

    def slow(self, engine, device, grey, needed):
        with guard:
            busy.append(device)
            most.append(len(busy))
        time.sleep(0.05)
        with guard:
            busy.remove(device)

    monkeypatch.setattr(Recipe, "engine", lambda self, device: None)
    monkeypatch.setattr(Recipe, "run", slow)
    tiles = LocalTiles(recipe, [gpu], writers=6)
    assert tiles.workers == 8
    threads = [threading.Thread(target=tiles, args=a_tile()) for _ in range(tiles.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 2


# --- clusters ---


@pytest.fixture
def cluster():
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    options = {"dashboard_address": None, "processes": False, "threads_per_worker": 1}
    with distributed.LocalCluster(n_workers=2, **options) as running:
        yield running.scheduler_address
    workers._KEPT.clear()


def test_workers_of_a_cluster_give_the_same_bits(narrow, tmp_path, cluster):
    here = run(narrow, tmp_path / "here", **CASE)
    there = run(narrow, tmp_path / "there", **CASE, scheduler=cluster)
    assert there.attrs == here.attrs
    for name in ("block", "extracted_block"):
        one, two = (getattr(cube, name)(slice(None), slice(None)) for cube in (here, there))
        assert one.tobytes() == two.tobytes()


@pytest.mark.slow
def test_workers_in_other_processes_give_the_same_bits(narrow, tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    here = run(narrow, tmp_path / "here", **CASE)
    options = {"dashboard_address": None, "processes": True, "threads_per_worker": 2}
    with distributed.LocalCluster(n_workers=1, **options) as running:
        address = running.scheduler_address
        there = run(narrow, tmp_path / "there", **CASE, scheduler=address)
    one, two = (cube.block(slice(None), slice(None)) for cube in (here, there))
    assert one.tobytes() == two.tobytes()


def test_a_killed_worker_changes_no_bit(narrow, tmp_path, monkeypatch):
    """Of two processes one is killed after the third tile; the other one does the rest."""
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    here = run(narrow, tmp_path / "here", **CASE)
    running = Workers(tmp_path)
    record, done = Work.record, []

    def counting(self, tile, checksums):
        record(self, tile, checksums)
        done.append(tile)
        if len(done) == 3:
            running.kill(0)

    monkeypatch.setattr(Work, "record", counting)
    try:
        there = run(narrow, tmp_path / "there", **CASE, scheduler=running.address)
    finally:
        running.end()
    assert len(done) == 18
    assert there.attrs == here.attrs
    one, two = (cube.block(slice(None), slice(None)) for cube in (here, there))
    assert one.tobytes() == two.tobytes()


def test_the_network_is_prepared_once_a_worker(narrow, tmp_path, cluster, monkeypatch):
    made = []
    make = Recipe.engine
    monkeypatch.setattr(Recipe, "engine", lambda *args: made.append(0) or make(*args))
    run(narrow, tmp_path, **CASE, scheduler=cluster)
    # Both workers of this cluster are threads of this process, which keeps one engine.
    assert len(made) == 1


def test_workers_with_other_software_are_refused(recipe, cluster, monkeypatch):
    # The workers are other threads of this process.
    monkeypatch.setattr(scheduler, "software", lambda: (threading.current_thread().name, "torch"))
    with (
        pytest.raises(InputError, match="install the same versions"),
        open_tiles(recipe, threads=1, scheduler=cluster),
    ):
        pass


def refused(recipe, reason, **options):
    with (
        pytest.raises(InputError, match=reason) as caught,
        open_tiles(recipe, threads=1, **options),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_a_cluster_without_workers_is_refused(recipe):
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    with distributed.LocalCluster(n_workers=0, dashboard_address=None, processes=False) as running:
        refused(recipe, "it has no workers", scheduler=running.scheduler_address)


def test_an_address_where_nobody_answers_is_refused(recipe, monkeypatch):
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    monkeypatch.setattr(scheduler, "PATIENCE", 0.5)
    refused(recipe, "no dask scheduler answers", scheduler="tcp://127.0.0.1:9")
    refused(recipe, "no dask scheduler answers", scheduler="nonsense://127.0.0.1")


def test_without_dask_distributed_one_line_says_so(recipe, monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    refused(recipe, r"pip install 'brainarch\[cluster\]'", scheduler="tcp://127.0.0.1:8786")


def test_devices_of_a_cluster_are_named(recipe):
    refused(recipe, "device tpu", scheduler="tcp://127.0.0.1:9", device="tpu")


#: Takes and frees 8 MB many times; prints how many pages came empty.
TAKES_AND_FREES = """
import resource
import sys

import numpy as np

from brainarch.dense.workers import keep_freed_memory

if "keep" in sys.argv:
    keep_freed_memory()
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(2**20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives memory back so")
def test_a_worker_that_dask_started_keeps_the_memory_that_tiles_free():
    def pages(*how):
        environment = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}  # as dask starts workers
        command = [sys.executable, "-c", TAKES_AND_FREES, *how]
        done = subprocess.run(command, check=True, capture_output=True, env=environment)
        return int(done.stdout)

    assert pages("keep") < pages() / 10
