"""Time the factorisation against scikit-learn; one run prints one table.

    python bench/factors.py                   1.05 and 4.3 million pixels, many minutes
    python bench/factors.py --quick           seconds, to see that it works
    python bench/factors.py --cube FILE.zarr  a cube of yours

X is a cube on disk: 15 planted smooth factors, half of the coefficients zero, 10 % noise. Each case
is a process of its own, from opening the cube to the basis. scikit-learn reads the cube into memory
and runs its coordinate descent from NNDSVDa to a tolerance of 1e-4. Written to ``results/bench/``:
``factors.csv`` (what the columns mean: ``factors.columns.json``), ``factors_machine.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter1d
from sklearn.decomposition import non_negative_factorization

from brainarch.atomic import write_json
from brainarch.dense.cube import Cube
from brainarch.factors.basis import basis_digest, fit_basis
from brainarch.factors.rows import Rows
from brainarch.grids.grid import Place
from brainarch.tables import write_table

FACTORS, UNITS = 15, 64
#: Rows and columns of the cubes.
SHAPES = ((512, 2048), (1024, 4200))
#: The settings of the embedded default.
OURS: dict[str, Any] = {"starts": 3, "max_iterations": 200, "tolerance": 3e-4}
THEIRS: dict[str, Any] = {
    "init": "nndsvda",
    "solver": "cd",
    "max_iter": 1000,
    "tol": 1e-4,
    "random_state": 0,
}

COLUMNS = {
    "method": "brainarch, or scikit-learn (NMF, solver cd, NNDSVDa, tolerance 1e-4)",
    "pixels": "rows of X",
    "threads": "CPU threads",
    "seconds": "wall time from opening the cube to the basis (s)",
    "cpu_seconds": "processor time of it, all threads (s)",
    "peak_mb": "most memory that the process held (MB)",
    "passes": "passes over X, or iterations",
    "relative_error": "||X - C B|| / ||X|| at its end",
    "times_faster": "scikit-learn's seconds over these",
    "basis": "digest of the basis: equal ones are equal bit by bit",
}


def main() -> None:
    """Measure every case, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes: only to see it work")
    parser.add_argument("--cube", type=Path, help="a dense cube instead of planted ones")
    parser.add_argument("--output", type=Path, default=Path("results/bench"))
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(**json.loads(options.case))))
        return
    threads = min(2, os.cpu_count() or 1)
    facts = machine.facts(threads, "cpu")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        cubes = [options.cube] if options.cube else []
        for shape in () if options.cube else ((40, 60),) if options.quick else SHAPES:
            cubes.append(plant(Path(folder) / f"{len(cubes)}.zarr", *shape))
        rows = [row for cube in cubes for row in compare(cube, threads)]
    table = pd.DataFrame(rows)[list(COLUMNS)]
    facts["load_after"] = round(os.getloadavg()[0], 2)
    print("  ".join(f"{name}: {value}" for name, value in facts.items()))
    print(table.assign(basis=table["basis"].str[:8]).round(4).to_string(index=False))
    options.output.mkdir(parents=True, exist_ok=True)
    write_json(options.output / "factors_machine.json", facts)
    write_table(table, options.output / "factors.csv", COLUMNS)


def compare(cube: Path, threads: int) -> list[dict[str, Any]]:
    """Return a row for each method and number of threads."""
    theirs = ask("scikit-learn", cube, threads)
    ours = [ask("brainarch", cube, count) for count in sorted({1, threads})]
    return [row | {"times_faster": theirs["seconds"] / row["seconds"]} for row in (theirs, *ours)]


def ask(method: str, cube: Path, threads: int) -> dict[str, Any]:
    """Measure a case in a process of its own."""
    case = json.dumps({"method": method, "cube": str(cube), "threads": threads})
    command = [sys.executable, __file__, "--case", case]
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **limits}
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{method}, {found['pixels']:,} pixels, {threads} threads: {found['seconds']:.1f} s")
    return found


def measure(method: str, cube: str, threads: int) -> dict[str, Any]:
    """Fit a basis; what is compiled the first time is compiled before the clock starts."""
    small = np.random.default_rng(0).random((400, UNITS), dtype=np.float32)
    fit_basis(Rows.of(small), 3, starts=1, max_iterations=2, tolerance=1e-4, seed=0)
    wall, cpu = time.perf_counter(), time.process_time()
    opened = Cube.open(Path(cube))
    if method == "brainarch":
        fitted = fit_basis(Rows.of_cubes([opened]), FACTORS, seed=0, threads=threads, **OURS)
        passes, basis = fitted.passes, fitted.values
    else:
        X = opened.read()[2]
        C, basis, passes = non_negative_factorization(X, n_components=FACTORS, **THEIRS)
    seconds, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = machine.peak_mb()
    if method == "brainarch":
        error = fitted.curve["relative_error"].iloc[-1]
    else:
        error = float(np.linalg.norm(X - C @ basis) / np.linalg.norm(X))
    return {
        "method": method,
        "pixels": opened.count,
        "threads": threads,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "peak_mb": peak,
        "passes": int(passes),
        "relative_error": error,
        "basis": basis_digest(basis.astype(np.float64)),
    }


def plant(path: Path, height: int, width: int) -> Path:
    """Write a cube of planted factors, band by band."""
    rng = np.random.default_rng(0)
    B = rng.exponential(size=(FACTORS, UNITS)) * (rng.random((FACTORS, UNITS)) < 0.5)
    place = Place(0, 1, 1.17, np.arange(height), np.arange(width))
    cube = Cube.create(path, place, UNITS)
    for top in range(0, height, 128):
        rows = min(128, height - top)
        C = rng.normal(size=(rows, width, FACTORS))
        for axis in (0, 1):
            C = gaussian_filter1d(C, 8, axis=axis)
        X = (np.maximum(C / C.std(), 0) @ B).astype(np.float32)
        X += rng.normal(scale=0.1 * X.std(), size=X.shape).astype(np.float32)
        cube.write(top, 0, np.maximum(X, 0), np.ones((rows, width), dtype=bool))
    return path


if __name__ == "__main__":
    main()
