"""Time two dask workers of one core against a second thread of one process; one run, one table.

    python bench/workers.py            0.5 million pixels, some minutes
    python bench/workers.py --quick    to see that it works

The sides take turns, and the best of each counts. The workers are processes that were there
before, as on a cluster; each side does something small before its clock starts, and all follow the
same plan. The basis of the factors is found in the stage, with its two threads, while workers wait,
so coefficients are timed apart. Written to ``results/bench/``: ``workers.csv`` (what the columns
mean: ``workers.columns.json``), ``workers_machine.json``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from pathlib import Path

import machine
import numpy as np
import pandas as pd
import torch
from cases import trained
from distributed import Client, LocalCluster

from brainarch.atomic import write_json
from brainarch.dense.cube import Cube
from brainarch.dense.extract import Source, extract
from brainarch.dense.plan import make_plan
from brainarch.dense.schedule import derive_schedule
from brainarch.dense.workers import Recipe, open_tiles
from brainarch.factors.basis import fit_basis
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.factors.projection import project_cube
from brainarch.factors.rows import Rows
from brainarch.scheduler import connect
from brainarch.tables import write_table
from factors import FACTORS, OURS, plant

ONE, THREADS, WORKERS = "one thread", "two threads", "two workers"
#: Rows and columns of the slice, and of the one that is done before the clock starts.
SHAPE, SMALL = (512, 1024), (128, 256)

COLUMNS = {
    "work": "extraction (to the finished cube); coefficients (a basis given); factorisation "
    "(basis, then coefficients)",
    "side": "one process with one or two threads, or two dask workers of one core",
    "seconds": "wall time, the best of all rounds (s)",
    "cpu_seconds": "processor time of all processes, the best of all rounds (s)",
    "gain": "seconds of one thread over these",
    "of_a_thread": "this gain over that of two threads",
    "digest": "of what came out: equal ones are equal bit by bit",
}


def main() -> None:
    """Measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="tiny sizes: only to see it work")
    parser.add_argument("--output", type=Path, default=Path("results/bench"))
    options = parser.parse_args()
    facts = machine.facts(2, "cpu")
    limits = {"threads_per_worker": 1, "memory_limit": 0, "dashboard_address": None}
    with (
        tempfile.TemporaryDirectory(dir=Path.cwd()) as folder,
        LocalCluster(n_workers=2, **limits) as cluster,
        Client(cluster) as client,
    ):
        shape = SMALL if options.quick else SHAPE
        measure(Path(folder), SMALL, client)
        rounds = [measure(Path(folder), shape, client) for _ in range(options.rounds)]
    facts["load_after"] = round(os.getloadavg()[0], 2)
    measured = pd.concat(rounds)
    table = measured.groupby(["work", "side"], sort=False, as_index=False).agg(
        seconds=("seconds", "min"),
        cpu_seconds=("cpu_seconds", "min"),
        digest=("digest", "first"),
    )
    seconds = table.pivot(index="work", columns="side", values="seconds")
    table["gain"] = [seconds.loc[row.work, ONE] / row.seconds for row in table.itertuples()]
    table["of_a_thread"] = [
        seconds.loc[row.work, THREADS] / row.seconds for row in table.itertuples()
    ]
    table = table[list(COLUMNS)]
    print("  ".join(f"{name}: {value}" for name, value in facts.items()))
    print(table.assign(digest=table["digest"].str[:8]).round(3).to_string(index=False))
    options.output.mkdir(parents=True, exist_ok=True)
    write_json(options.output / "workers_machine.json", facts)
    write_table(table, options.output / "workers.csv", COLUMNS)


def measure(folder: Path, shape: tuple[int, int], client: Client) -> pd.DataFrame:
    """Return a row for each work and side, done once."""
    planted = folder / f"planted{shape[0]}.zarr"
    if not planted.exists():
        plant(planted, *shape)
    address = client.scheduler.address
    rows = []
    for side, threads, scheduler in ((ONE, 1, None), (THREADS, 2, None), (WORKERS, 2, address)):
        with tempfile.TemporaryDirectory(dir=folder) as own:
            clock = Clock(client)
            digest = extracted(clock, Path(own), shape, threads, scheduler)
            rows.append({"work": "extraction", "side": side, "digest": digest, **clock.read()})
            fit, clock = Clock(client), Clock(client)
            with fit:
                cubes = Rows.of_cubes([Cube.open(planted)])
                fitted = fit_basis(cubes, FACTORS, seed=0, threads=threads, **OURS)
            maps = Path(own) / "maps.zarr"
            with connect(scheduler) as workers, clock:
                project_cube(Cube.open(planted), fitted.values, maps, {}, threads, workers)
            digest = digest_of(CoefficientMaps.open(maps).factor_map(1))
        took, before = clock.read(), fit.read()
        whole = {name: took[name] + before[name] for name in took}
        rows.append({"work": "coefficients", "side": side, "digest": digest, **took})
        rows.append({"work": "factorisation", "side": side, "digest": digest, **whole})
    return pd.DataFrame(rows)


class Clock:
    """Takes wall time, and the processor time of this process and of the workers.

    Parameters
    ----------
    client : Client
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def __enter__(self) -> None:
        self._start = self._now()

    def __exit__(self, *_: object) -> None:
        self._took = [now - start for now, start in zip(self._now(), self._start, strict=True)]

    def read(self) -> dict[str, float]:
        """Return what it took."""
        return dict(zip(("seconds", "cpu_seconds"), self._took, strict=True))

    def _now(self) -> tuple[float, float]:
        workers = sum(self._client.run(time.process_time).values())
        return time.perf_counter(), time.process_time() + workers


def extracted(
    clock: Clock, folder: Path, shape: tuple[int, int], threads: int, scheduler: str | None
) -> str:
    """Extract a slice by a clock; return the digest of the cube's values."""
    grey = np.random.default_rng(0).integers(0, 256, size=shape, dtype=np.uint8)
    source = Source(grey, 0, 1.17, "all", np.ones(shape, dtype=bool))
    torch.manual_seed(0)
    network, output, partial = trained(), folder / "cube.zarr", folder / "partial"
    trunk = network.network.trunk
    plan = make_plan(derive_schedule(trunk), shape, 1, memory_mb=1900, threads=2)
    recipe = Recipe(trunk, network.normalisation, plan)
    with (
        open_tiles(recipe, threads=threads, device="cpu", scheduler=scheduler) as tiles,
        clock,
    ):
        extract(source, network, tiles, storage="float32", partial=partial, output=output)
    return digest_of(Cube.open(output).read()[2])


def digest_of(values: np.ndarray) -> str:
    """Return the SHA-256 of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(values)).hexdigest()


if __name__ == "__main__":
    main()
