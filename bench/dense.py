"""Time dense extraction against the patch loop; one run prints one table.

    python bench/dense.py --threads 2

The patch loop is plain PyTorch at its best: batches of 8 to 64 windows, both memory layouts. Dense
extraction is the whole of it: reading no files, but cutting tiles, computing, writing the cube,
checking it. Weights and grey values are random; neither changes the time. Every line is measured in
a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from brainarch.dense.extract import Source, extract
from brainarch.dense.plan import make_plan
from brainarch.dense.schedule import STRIDES, derive_schedule
from brainarch.geometry import WINDOW
from brainarch.network.architecture import AreaNetwork
from brainarch.network.checkpoint import Checkpoint
from brainarch.network.grey import Normalisation

#: Rows of the grid that is extracted.
GRID_ROWS = 320
#: Windows in a timed run of the patch loop.
WINDOWS = 256
REPEATS = 3


def main() -> None:
    """Run every case in a process of its own and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--columns", type=int, default=1024, help="columns of the extracted grid")
    parser.add_argument("--memory-mb", type=float, default=1500)
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(run_case(options)))
        return
    cases = [
        *(f"loop:{batch}:{layout}" for layout in ("nchw", "nhwc") for batch in (8, 16, 32, 64)),
        *(f"dense:{stride}" for stride in STRIDES),
    ]
    results = {case: run_child(case, options) for case in cases}
    best = min(result["us"] for case, result in results.items() if case.startswith("loop"))
    facts = machine(options.threads)
    print("  ".join(f"{name}: {value}" for name, value in facts.items()))
    print(f"{'case':16s} {'us/pixel':>9s} {'cpu us':>9s} {'x loop':>7s} {'peak MB':>8s}  plan")
    for case, result in results.items():
        print(
            f"{case:16s} {result['us']:9.1f} {result['cpu_us']:9.1f} {best / result['us']:7.1f} "
            f"{result['peak_mb']:8.0f}  {result.get('plan', '')}"
        )
    if options.json:
        options.json.write_text(json.dumps({"machine": facts, "cases": results}, indent=2) + "\n")


def run_child(case: str, options: argparse.Namespace) -> dict[str, float]:
    """Measure one case in a new process."""
    command = [sys.executable, __file__, "--case", case, "--threads", str(options.threads)]
    command += ["--columns", str(options.columns), "--memory-mb", str(options.memory_mb)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    print(f"measured {case}", file=sys.stderr)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def run_case(options: argparse.Namespace) -> dict[str, object]:
    """Measure one case in this process."""
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    kind, *rest = options.case.split(":")
    if kind == "loop":
        result = time_loop(int(rest[0]), rest[1])
    else:
        result = time_dense(int(rest[0]), options)
    result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return result


def time_loop(batch: int, layout: str) -> dict[str, object]:
    """Time windows one batch after another, best of several runs."""
    trunk = AreaNetwork(6).eval().trunk
    windows = torch.rand(WINDOWS, 1, WINDOW, WINDOW)
    if layout == "nhwc":
        trunk = trunk.to(memory_format=torch.channels_last)
        windows = windows.contiguous(memory_format=torch.channels_last)

    def run() -> None:
        with torch.inference_mode():
            for start in range(0, WINDOWS, batch):
                trunk(windows[start : start + batch])

    run()
    walls, cpus = [], []
    for _ in range(REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {"us": min(walls) / WINDOWS * 1e6, "cpu_us": min(cpus) / WINDOWS * 1e6}


def time_dense(stride: int, options: argparse.Namespace) -> dict[str, object]:
    """Time an extraction of every pixel of a grid, from the slice in memory to the cube."""
    checkpoint = Checkpoint(AreaNetwork(6).eval(), tuple("abcdef"), Normalisation(0.5, 0.2), 1.17,
                            "uint8", {})  # fmt: skip
    shape = GRID_ROWS * stride, options.columns * stride
    grey = np.random.default_rng(0).integers(0, 256, size=shape, dtype=np.uint8)
    source = Source(grey, 0, 1.17, "labelled", np.ones(shape, dtype=bool))
    schedule = derive_schedule(checkpoint.network.trunk)
    plan = make_plan(schedule, shape, stride, memory_mb=options.memory_mb, threads=options.threads)
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        extract(
            source,
            checkpoint,
            plan,
            checkpoint_digest="",
            storage="float32",
            partial=Path(folder) / "partial",
            output=Path(folder) / "cube.zarr",
            threads=options.threads,
            device=torch.device("cpu"),
        )
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    pixels = GRID_ROWS * options.columns
    text = f"{plan.algorithm} tile {plan.tile} block {plan.block} x{plan.workers}"
    return {"us": wall / pixels * 1e6, "cpu_us": cpu / pixels * 1e6, "plan": text}


def machine(threads: int) -> dict[str, object]:
    """Return what a reader needs to judge the numbers."""
    load = os.getloadavg()[0]
    return {
        "cores": os.cpu_count(),
        "threads": threads,
        "load": round(load, 1),
        "torch": torch.__version__,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
