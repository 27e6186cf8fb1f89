"""Time the conversion of a TIFF stack against a plain copy, stack-to-chunk and ome-zarr.

    make bench-volume                        1 GB, three rounds, in a temporary folder
    make bench-volume BENCH="--gb 6 --folder /scratch/bench"
    make bench-volume BENCH="--stack scans/a --voxel-um 1.17"   a stack of your own, which stays

Every tool gets the same stack, disk, threads, codec (zstd with checksums), chunks, number of levels
and means of blocks of 2 x 2 x 2. Each run is a process of its own that starts without the stack in
the system's cache; its time ends when everything it wrote is on the disk. brainarch's time includes
reading its result back. The tools take turns, so that all see the same machine. A slice of every
result is compared with the stack.

The stack is a phantom: 64 slices of 1420 x 5805 pixels, then the same ones back and forth, a file
each (chunks are 8 slices deep, so that no codec sees the repetition). Stack and results are removed
at the end. The other tools live in environments of their own, in ``.venv-bench``, because what they
need contradicts brainarch's. Written to ``results/bench/``: ``volume.csv`` (every run; columns in
``volume.columns.json``) and ``volume_machine.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd
import tifffile
import zarr

from brainarch.atomic import write_json
from brainarch.phantom.stages import make_phantom
from brainarch.progress import progress
from brainarch.tables import write_table
from brainarch.volume.convert import ZSTD_LEVEL, ConversionPlan, plan_conversion
from brainarch.volume.stack import open_stack

#: Size of a published slice, and the number of slices that are 6 GB.
SLICE, SLICES_OF_6_GB = (1420, 5805), 720
#: Slices that the phantom has before they repeat.
DISTINCT = 64
#: Packages whose versions the table names, by tool with an environment of its own.
TOOLS = {
    "stack-to-chunk": ("stack_to_chunk", "tensorstore", "zarr", "dask"),
    "ome-zarr": ("ome-zarr", "dask-image", "zarr", "dask"),
}
#: Seconds between two looks at the memory of the processes.
INTERVAL = 0.05
MB = 1e6

COLUMNS = {
    "tool": "copy (file by file with fsync), brainarch (also uncompressed), stack-to-chunk, "
    "ome-zarr (dask-image and ome-zarr with the shards of brainarch), ome-zarr, no shards (a file "
    "a chunk)",
    "round": "number of the round",
    "seconds": "wall time until everything is on the disk, start of the process included (s)",
    "flush_seconds": "part of it after the process had ended (s)",
    "cpu_seconds": "processor time of all its processes (s)",
    "mb_per_s": "megabytes of the stack's pixels a second of wall time (MB/s)",
    "ratio_to_copy": "seconds over those of the copy in the same round",
    "peak_mb": "most memory of all its processes together, shared pages counted once (MB)",
    "predicted_mb": "what brainarch predicted (MB)",
    "written_mb": "bytes of the result's files (MB)",
    "files": "files of the result",
}


def main() -> None:
    """Run every tool in turns, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--gb", type=float, default=1, help="size of the phantom stack; 6 is 5.9")
    parser.add_argument("--shape", help="slices,rows,columns of the phantom stack instead of --gb")
    parser.add_argument("--stack", type=Path, help="folder of single-slice TIFF files instead")
    parser.add_argument("--voxel-um", type=float, default=1.17)
    parser.add_argument("--folder", type=Path, help="where to work; default a temporary folder")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--memory-mb", type=float, default=1000, help="given to brainarch")
    parser.add_argument("--tools", default="", help="only these, separated by commas")
    parser.add_argument("--environments", type=Path, default=Path(".venv-bench"))
    parser.add_argument("--output", type=Path, default=Path("results/bench"))
    options = parser.parse_args()
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-volume-", dir=options.folder) as folder:
        work = Path(folder)
        stack = options.stack or make_stack(work, shape_of(options), options.threads)
        question = describe(stack, options)
        facts = describe_machine(options, question, work)
        table = measure(cases_of(options, question), question, work, options.rounds)
    facts["load_after"] = round(os.getloadavg()[0], 2)
    print("\n".join(f"{name}: {value}" for name, value in facts.items()))
    print(summary(table).to_string())
    options.output.mkdir(parents=True, exist_ok=True)
    write_json(options.output / "volume_machine.json", facts)
    write_table(table, options.output / "volume.csv", COLUMNS)


def shape_of(options: argparse.Namespace) -> tuple[int, int, int]:
    """Return the shape of the phantom stack."""
    if options.shape:
        slices, rows, columns = map(int, options.shape.split(","))
        return slices, rows, columns
    return round(SLICES_OF_6_GB * options.gb / 6), *SLICE


def make_stack(work: Path, shape: tuple[int, int, int], threads: int) -> Path:
    """Write the phantom stack."""
    distinct = min(shape[0], DISTINCT)
    phantom = work / "phantom"
    make_phantom(
        shape=(distinct, *shape[1:]),
        voxel_um=1.17,
        seed=0,
        stack=phantom / "stack",
        areas={distinct // 2: phantom / "areas.tif"},
        layers={distinct // 2: phantom / "layers.tif"},
        truth=phantom / "truth",
        description=phantom / "phantom.json",
        threads=threads,
    )
    made = sorted((phantom / "stack").iterdir())
    turns = [*range(distinct), *range(distinct - 1, -1, -1)]
    stack = work / "stack"
    stack.mkdir()
    for z in progress(range(shape[0]), "writing the stack", unit="slice"):
        shutil.copyfile(made[turns[z % len(turns)]], stack / f"z{z:04d}.tif")
    shutil.rmtree(phantom)
    return stack


def describe(stack: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return what every tool is asked to do, which is what brainarch plans."""
    opened = open_stack(stack)
    plan = plan_of(stack, options)
    return {
        "stack": str(stack),
        "shape": list(opened.shape),
        "dtype": str(opened.dtype),
        "voxel_um": options.voxel_um,
        "chunk": list(plan.levels[0].chunk),
        "shard": list(plan.levels[0].shard),
        "levels": len(plan.levels),
        "zstd_level": ZSTD_LEVEL,
        "threads": options.threads,
    }


def plan_of(stack: Path, options: argparse.Namespace) -> ConversionPlan:
    """Return brainarch's plan."""
    opened = open_stack(stack)
    return plan_conversion(
        opened.shape,
        str(opened.dtype),
        options.voxel_um,
        memory_mb=options.memory_mb,
        threads=options.threads,
    )


def describe_machine(
    options: argparse.Namespace, question: dict[str, Any], work: Path
) -> dict[str, Any]:
    """Return what a reader needs to know of the machine, the software and the task."""
    facts = machine.facts(options.threads, "cpu")
    facts["disk"] = disk_of(work)
    facts["brainarch"] = f"{version('brainarch')}, zarr {version('zarr')}"
    for tool, packages in TOOLS.items():
        python = python_of(options, tool)
        if python.exists():
            asked = [python, cases_script(), "versions", json.dumps({"packages": packages})]
            found = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
            facts[tool] = ", ".join(f"{name} {v}" for name, v in json.loads(found).items())
    facts["memory_given_mb"] = options.memory_mb
    return {**facts, **{name: question[name] for name in question if name != "stack"}}


def disk_of(folder: Path) -> str:
    """Return the file system and device that a folder lies on."""
    best = ("", "unknown")
    mounts = Path("/proc/mounts")
    for line in mounts.read_text().splitlines() if mounts.exists() else ():
        device, place, kind = line.split()[:3]
        if folder.resolve().is_relative_to(place) and len(place) >= len(best[0]):
            best = (place, f"{kind} on {device}")
    return best[1]


def python_of(options: argparse.Namespace, tool: str) -> Path:
    """Return the interpreter of a tool's environment."""
    return Path(options.environments / tool / "bin" / "python").absolute()


def brainarch() -> str:
    """Return the path of this environment's command."""
    return str(Path(sys.executable).with_name("brainarch"))


def cases_script() -> Path:
    """Return the file that the other tools' environments run."""
    return Path(__file__).with_name("volume_cases.py").absolute()


def cases_of(options: argparse.Namespace, question: dict[str, Any]) -> dict[str, list[str]]:
    """Return the commands to compare, by tool, without the place of their result."""
    copy = [sys.executable, str(cases_script()), "copy"]
    convert = [brainarch(), "convert", "--input", question["stack"]]
    convert += ["--shape", ",".join(map(str, question["shape"]))]
    convert += ["--dtype", question["dtype"], "--voxel-um", str(options.voxel_um)]
    convert += ["--threads", str(options.threads), "--memory-mb", str(options.memory_mb)]
    plain = [*convert, "--compression", "none"]
    cases = {"copy": copy, "brainarch": convert, "brainarch, uncompressed": plain}
    for tool in TOOLS:
        python = python_of(options, tool)
        if python.exists():
            cases[tool] = [str(python), str(cases_script()), tool]
        else:
            print(f"{python}: not there; make bench-volume makes it", file=sys.stderr)
    if "ome-zarr" in cases:
        cases["ome-zarr, no shards"] = cases["ome-zarr"]
    chosen = [name.strip() for name in options.tools.split(",") if name.strip()] or list(cases)
    return {name: command for name, command in cases.items() if name in chosen}


def measure(
    cases: dict[str, list[str]], question: dict[str, Any], work: Path, rounds: int
) -> pd.DataFrame:
    """Run the tools in turns; return a row a run."""
    size = float(np.prod(question["shape"])) * np.dtype(question["dtype"]).itemsize / MB
    rows: list[dict[str, Any]] = []
    turns = [(number, tool) for number in range(1, rounds + 1) for tool in cases]
    for number, tool in progress(turns, "converting", unit="run"):
        folder = work / "result"
        output = folder / "volume" / "volume.ome.zarr"
        output.parent.mkdir(parents=True)
        if tool.startswith("brainarch"):
            command = [*cases[tool], "--output", str(output)]
        else:
            sharded = "no shards" not in tool
            asked = {**question, "output": str(output), "sharded": sharded}
            command = [*cases[tool], json.dumps(asked)]
        forget(Path(question["stack"]))
        found = run(command, work / "log.txt")
        if tool != "copy":
            check(output, Path(question["stack"]), question)
        files = [path for path in folder.rglob("*") if path.is_file()]
        rows.append(
            {
                "tool": tool,
                "round": number,
                **found,
                "mb_per_s": size / found["seconds"],
                "written_mb": sum(path.stat().st_size for path in files) / MB,
                "files": len(files),
            }
        )
        copied = [row["seconds"] for row in rows if (row["tool"], row["round"]) == ("copy", number)]
        rows[-1]["ratio_to_copy"] = found["seconds"] / copied[0] if copied else None
        shutil.rmtree(folder)
        print(
            f"\n{tool}: {found['seconds']:.1f} s, {found['peak_mb']:.0f} MB, load "
            f"{os.getloadavg()[0]:.1f}",
            file=sys.stderr,
        )
    return pd.DataFrame(rows).reindex(columns=list(COLUMNS))


def forget(stack: Path) -> None:
    """Flush the disk and drop a stack from the system's cache, as after a restart."""
    os.sync()
    for path in stack.iterdir():
        with path.open("rb") as handle:
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run(command: list[str], log: Path) -> dict[str, Any]:
    """Run a command and flush the disk; return times and memory."""
    before = os.times()
    start = time.perf_counter()
    with log.open("w") as handle:
        process = subprocess.Popen(command, stdout=handle, stderr=subprocess.STDOUT)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, memory_of(tree_of(process.pid)))
            time.sleep(INTERVAL)
    ended = time.perf_counter()
    os.sync()
    stop = time.perf_counter()
    after = os.times()
    text = log.read_text(errors="replace")
    if process.returncode:
        sys.exit(f"{' '.join(command)}\n{text[-3000:]}")
    predicted = re.search(r"predicted memory (\d+)", text)
    return {
        "seconds": stop - start,
        "flush_seconds": stop - ended,
        "cpu_seconds": after.children_user
        + after.children_system
        - before.children_user
        - before.children_system,
        "peak_mb": peak / MB,
        "predicted_mb": float(predicted[1]) if predicted else None,
    }


def tree_of(root: int) -> list[int]:
    """Return a process and all that descend from it (Linux)."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "stat").read_text()
        except OSError:
            continue
        parents[int(entry.name)] = int(status.rpartition(")")[2].split()[1])
    found = [root]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found


def memory_of(processes: list[int]) -> float:
    """Return the bytes that processes hold together, shared pages counted once (Linux)."""
    total = 0
    for process in processes:
        try:
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:  # it has just ended
            continue
        total += sum(int(size) for size in re.findall(r"^Pss:\s+(\d+) kB", text, re.MULTILINE))
    return total * 1024.0


def check(output: Path, stack: Path, question: dict[str, Any]) -> None:
    """Check that a result has as many levels as asked and the middle slice of the stack."""
    group = zarr.open_group(output, mode="r")
    ome: Any = group.attrs["ome"]
    multiscale = ome["multiscales"][0]
    names = [axis["name"] for axis in multiscale["axes"]]
    array: Any = group[multiscale["datasets"][0]["path"]]
    middle = question["shape"][0] // 2
    found = np.asarray(array[tuple(middle if name == "z" else slice(None) for name in names)])
    wanted = tifffile.imread(sorted(stack.iterdir())[middle])
    levels = len(list(group.array_keys()))
    chunk = {names[axis]: size for axis, size in enumerate(array.chunks)}
    if [chunk[name] for name in "zyx"] != question["chunk"] or levels != question["levels"]:
        sys.exit(f"{output}: {levels} levels of chunks {chunk}, asked for {question}")
    if not np.array_equal(found, wanted):
        sys.exit(f"{output}: slice {middle} is not that of the stack")


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return the medians of the rounds, a row a tool, and the spread of the seconds."""
    tools = table.drop(columns="round").groupby("tool", sort=False)
    shown = tools.median()
    shown.insert(1, "fastest", tools["seconds"].min())
    shown.insert(2, "slowest", tools["seconds"].max())
    return shown.round(2)


if __name__ == "__main__":
    main()
