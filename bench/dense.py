"""Time dense extraction against the patch loop and MONAI; one run prints one table.

    make bench                                     this machine, about a quarter of an hour
    python bench/dense.py --quick                  a minute, to see that it works
    python bench/dense.py --slice z.tif --labels labels.tif   a slice of your own, end to end
    python bench/dense.py --device cuda --minutes 3   a GPU, the most telling cases first

The patch loop is tuned first: every batch size and memory layout is measured and printed, and the
best of a precision is what ours is compared with. Weights and grey values are random; neither
changes the time. One process measures all cases, one after another; the peak of memory begins anew
with each.
Written to ``results/bench/``: ``dense.csv`` (what the columns mean: ``dense.columns.json``),
``dense.png``, ``machine.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd

from brainarch.atomic import replacing, write_json
from brainarch.progress import progress
from brainarch.tables import write_table

STRIDES = (1, 2, 4, 8, 16)
#: Precisions that a device has; the last is left out of the patch loop's tuning where it is tf32.
PRECISIONS = {"cpu": ("float32", "bfloat16"), "cuda": ("float32", "tf32", "bfloat16")}
BATCHES = (8, 16, 32, 64, 128, 256, 512)
LAYOUTS = ("nchw", "channels_last")
#: Kinds of cases, the most telling first: what is left out when time is short stands last.
RANK = ("slice", "dense", "peak", "loop", "fully_convolutional", "monai")
#: Slices of these megapixels show how the cost grows.
MEGAPIXELS = (0.1, 0.5, 1, 2, 4, 8)

COLUMNS = {
    "method": "peak_* (what the machine can do), loop (each window alone), monai, "
    "fully_convolutional (one pass, stride 16), dense (ours, weights to finished cube), compute "
    "(ours, the tiles alone, as the loop and the pass are timed), "
    "growth (ours, several sizes), slice (ours, from TIFF to cube)",
    "precision": "arithmetic: float32, bfloat16 or tf32",
    "stride": "pixels between neighbouring patches; empty where it has no meaning",
    "setting": "batch and layout, or size of the slice, or size of the test",
    "us_per_patch": "microseconds of wall time a patch",
    "cpu_us_per_patch": "microseconds of processor time a patch, all threads",
    "patches_per_second": "patches a second of wall time",
    "seconds": "wall time of the whole case (s)",
    "patches": "patches computed",
    "ratio_to_loop": "times faster than the best loop of the same precision",
    "peak_mb": "most memory that the process held (MB)",
    "gpu_mb": "most memory held on the GPU (MB)",
    "gflops": "billions of floating point operations a second; for ours, those of its own plan",
    "share_of_peak": "gflops as a share of the best measured peak of the same precision",
    "operations_bound": "operations of the loop over those of this plan: the ratio that it could "
    "reach at the loop's rate of operations",
    "sharing_bound": "the same for sharing alone, without transforms",
    "error_max": "largest difference from windows run alone in float64, over the largest value",
    "error_norm": "norm of that difference over the norm of the values",
    "plan": "algorithm, tile, block and workers",
}


def main() -> None:
    """Run the cases, print the table, write it and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--memory-mb", type=float, default=1900)
    parser.add_argument("--device", choices=list(PRECISIONS), default="cpu")
    parser.add_argument("--slice", type=Path, help="grey values of a slice (TIFF)")
    parser.add_argument("--labels", type=Path, help="its labels (TIFF); 0 is left out")
    parser.add_argument("--minutes", type=float, help="begin no further case after so long")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: only to see it work")
    parser.add_argument("--output", type=Path, default=Path("results/bench"))
    options = parser.parse_args()
    common = {
        "threads": options.threads,
        "device": options.device,
        "memory_mb": options.memory_mb,
        "quick": options.quick,
    }
    questions = [*compared(options), *sized(options)]
    if options.minutes:
        questions.sort(key=lambda question: RANK.index(question["kind"]))
    rows = []
    with Cases(options.threads) as cases:
        machine = cases.ask({"kind": "facts", **common})
        deadline = time.monotonic() + 60 * (options.minutes or float("inf"))
        for question in progress(questions, "measuring", unit="case"):
            if time.monotonic() < deadline:
                rows.append(row_of(question, cases.ask({**question, **common})))
                print(f"\n{line_of(rows[-1])}", file=sys.stderr)
    machine["cases"] = f"{len(rows)} of {len(questions)}"
    machine["load_after"] = round(os.getloadavg()[0], 2)
    table = complete(pd.DataFrame(rows).reindex(columns=list(COLUMNS)))
    print("  ".join(f"{name}: {value}" for name, value in machine.items()))
    shown = table.drop(columns=["plan"]).round(3).astype(object)
    print(shown.where(shown.notna(), "").to_string(index=False))
    options.output.mkdir(parents=True, exist_ok=True)
    write_json(options.output / "machine.json", machine)
    write_table(table, options.output / "dense.csv", COLUMNS)
    draw(table, machine, options.output / "dense.png")


def compared(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the cases that are compared with each other."""
    quick, precisions = options.quick, PRECISIONS[options.device]
    repeats, windows = (1, 8) if quick else (3, 256)
    batches = (8,) if quick else BATCHES
    cases: list[dict[str, Any]] = []
    for precision in precisions:
        own = {"precision": precision}
        cases += [{"kind": "peak", "what": what, **own} for what in ("matmul", "conv")]
        cases += [
            {"kind": "loop", "batch": b, "layout": x, "windows": windows, "repeats": repeats, **own}
            for x in LAYOUTS
            for b in batches
        ]
    if find_spec("monai"):
        side, sizes = (2, (4,)) if quick else (16, (8, 16, 32, 64))
        cases += [
            {"kind": "monai", "precision": "float32", "batch": b, "side": side} for b in sizes
        ]
    else:
        print("monai is not installed; make bench installs it", file=sys.stderr)
    side = 4 if quick else 64
    for precision in precisions:
        cases += [
            {"kind": "fully_convolutional", "precision": precision, "side": side, "layout": layout,
             "stride": 16, "repeats": repeats}
            for layout in LAYOUTS
        ]  # fmt: skip
        for stride in STRIDES:
            rows, columns = (1024, 2048) if stride < 8 else (2048, 4096)
            rows, columns = (16 * stride, 16 * stride) if quick else (rows, columns)
            size = {"rows": rows, "columns": columns, "stride": stride}
            cases.append({"kind": "dense", "precision": precision, **size})
            if stride in (1, 16):
                cases.append({**cases[-1], "compute_only": True})
    return cases


def sized(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the cases that show the cost of whole slices."""
    cases: list[dict[str, Any]] = []
    for mega in (0.0004, 0.0016) if options.quick else MEGAPIXELS:
        rows = round((mega * 1e6 / 4) ** 0.5)  # slices four times as wide as high
        size = {"rows": rows, "columns": 4 * rows, "stride": 1, "growth": True}
        cases.append({"kind": "dense", "precision": "float32", **size})
    if options.slice:
        files = {"slice": str(options.slice), "labels": str(options.labels)}
        for precision in PRECISIONS[options.device]:
            cases.append({"kind": "slice", "precision": precision, "stride": 1, **files})
    return cases


class Cases:
    """A process that measures cases as they are asked for."""

    def __init__(self, threads: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("cases.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        )

    def __enter__(self) -> Cases:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Measure one case."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"case {question}: the process that measures ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


def row_of(question: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Turn a case and what was measured into a row of the table."""
    method, setting = question["kind"], ""
    if method == "peak":
        method, setting = f"peak_{question['what']}", ""
    elif method in ("loop", "monai"):
        setting = f"batch {question['batch']}, {question.get('layout', 'channels_last')}"
    elif method == "fully_convolutional":
        setting = f"{question['side']} x {question['side']}, {question['layout']}"
    elif method == "dense":
        setting = f"{question['rows']} x {question['columns']}"
        method = "growth" if question.get("growth") else method
        method = "compute" if question.get("compute_only") else method
    row = {"method": method, "precision": question["precision"], "setting": setting}
    row["stride"] = question.get("stride", 1 if method in ("loop", "monai") else None)
    if "us" in answer:
        row["us_per_patch"], row["cpu_us_per_patch"] = answer["us"], answer["cpu_us"]
        row["patches_per_second"] = 1e6 / answer["us"]
    if "operations" in answer:
        counted = answer["operations"]
        row["gflops"] = 2 * counted["plan"] / answer["us"] / 1e3
        row["operations_bound"] = counted["loop"] / counted["plan"]
        row["sharing_bound"] = counted["loop"] / counted["shared"]
    row["patches"] = answer.get("pixels")
    kept = ("gflops", "seconds", "peak_mb", "gpu_mb", "error_max", "error_norm", "plan")
    return {**row, **{name: answer[name] for name in kept if name in answer}}


def complete(table: pd.DataFrame) -> pd.DataFrame:
    """Fill in what compares rows: the ratio to the best loop and the share of the peak."""
    table = table.copy()
    for precision, rows in table.groupby("precision"):
        here = table["precision"] == precision
        loop = rows.loc[rows["method"] == "loop", "us_per_patch"].min()
        peak = rows.loc[rows["method"].str.startswith("peak"), "gflops"].max()
        table.loc[here, "ratio_to_loop"] = loop / table["us_per_patch"]
        table.loc[here, "share_of_peak"] = table["gflops"] / peak
    return table


def line_of(row: dict[str, Any]) -> str:
    """Return a row as it is printed while others are measured."""
    timed = "us_per_patch" in row
    value = f"{row['us_per_patch']:.1f} us" if timed else f"{row['gflops']:.0f} GFLOP/s"
    return f"{row['method']} {row['precision']} {row['stride'] or ''} {row['setting']}: {value}"


def draw(table: pd.DataFrame, machine: dict[str, Any], path: Path) -> None:
    """Draw patches per second by stride, and the duration by slice size."""
    mpl.use("Agg")
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    colours = {"float32": "#0072B2", "tf32": "#009E73", "bfloat16": "#D55E00"}
    for precision, rows in table.groupby("precision"):
        colour = colours[precision]
        ours = rows[rows["method"] == "dense"]
        label = f"ours, {precision}"
        left.plot(ours["stride"], ours["patches_per_second"], "o-", color=colour, label=label)
        for method, style in (("loop", "--"), ("monai", ":")):
            best = rows.loc[rows["method"] == method, "patches_per_second"].max()
            if best > 0:
                label = f"{method}, {precision}, best setting"
                left.axhline(best, color=colour, linestyle=style, label=label)
        single = rows.loc[rows["method"] == "fully_convolutional", "patches_per_second"].max()
        label = f"fully convolutional, {precision}"
        left.plot([16], [single], "x", color=colour, markersize=9, label=label)
    for axis in (left, right):
        axis.set_visible(False)  # until there is something to show
    if (table["method"] == "dense").any():
        left.set(visible=True, xscale="log", yscale="log", xlabel="stride (pixels)")
        left.set_ylabel("patches per second")
        left.set_xticks(STRIDES, [str(stride) for stride in STRIDES])
        left.minorticks_off()
        left.legend(fontsize=7, frameon=False)
    growth = table[table["method"] == "growth"]
    if len(growth):
        right.plot(growth["patches"] / 1e6, growth["seconds"], "o-", color=colours["float32"])
        right.set(visible=True, xscale="log", yscale="log")
        right.set(xlabel="megapixels, stride 1, float32", ylabel="seconds, writing included")
    figure.suptitle(f"{machine.get('gpu', machine['processor'])}, {machine['threads']} threads")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    main()
