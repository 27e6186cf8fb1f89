"""Time training on crops against the patch loop; one run prints one table.

    python bench/train.py                   this machine, about two minutes
    python bench/train.py --quick           seconds, to see that it works
    python bench/train.py --device cuda     a GPU

A step is forward, backward and Adam, in float32, from grey values in memory; for crops also cutting
and changing them, and once more in bfloat16 where a training would take it. The patch loop is tuned
first: every batch and memory layout is measured and printed, and the best is what crops are
compared with. All windows are labelled. Grey values and weights are random; neither changes the
time. Written to ``results/bench/``: ``train.csv`` (what the columns mean: ``train.columns.json``),
``train_machine.json``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from brainarch.allocation import keep_freed_memory
from brainarch.atomic import write_json
from brainarch.geometry import WINDOW
from brainarch.network.grey import Normalisation
from brainarch.progress import progress
from brainarch.tables import write_table
from brainarch.training.draws import CropDraw
from brainarch.training.fit_crops import crop_training
from brainarch.training.module import AreaTraining
from brainarch.training.places import CropGround
from brainarch.training.precision import find_precision

NAMES = ("Ctx", "Str", "VP", "ZI", "HypoTh", "WM")
NORMALISATION = Normalisation(0.5, 0.29)
BATCHES = (8, 24, 64)
LAYOUTS = ("nchw", "channels_last")
#: Windows along each axis of a crop, and crops a step, of about the same number of windows.
CROPS = ((8, 18), (12, 8), (16, 4))
#: How often every case is measured; the shortest time counts.
ROUNDS = 3

COLUMNS = {
    "method": "loop (each window alone) or crops (windows share their convolutions)",
    "setting": "batch and layout, or windows along each axis of a crop and crops a step",
    "windows": "labelled windows a step",
    "seconds_per_step": "shortest time of a step (s)",
    "us_per_window": "microseconds of wall time a labelled window",
    "cpu_us_per_window": "microseconds of processor time a labelled window, all threads",
    "windows_per_second": "labelled windows a second",
    "ratio_to_loop": "times faster than the best loop",
    "cpu_ratio_to_loop": "times less processor time than the loop that takes least",
}


def main() -> None:
    """Measure every case, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: only to see it work")
    parser.add_argument("--output", type=Path, default=Path("results/bench"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    facts = machine.facts(options.threads, options.device)
    quick = options.quick
    cases = [
        ("loop", f"batch {batch}, {layout}", batch, loop(batch, layout, options.device))
        for batch in (BATCHES[:1] if quick else BATCHES)
        for layout in LAYOUTS
    ]
    cases += [
        (
            "crops",
            f"{side} x {side}, {crops} crops",
            side * side * crops,
            on_crops(side, crops, options.device),
        )
        for side, crops in (((2, 2),) if quick else CROPS)
    ]
    if find_precision("auto", options.device) == "bfloat16":
        side, crops = (2, 2) if quick else CROPS[0]
        step = on_crops(side, crops, options.device, torch.bfloat16)
        cases.append(("crops", f"{side} x {side}, {crops} crops, bfloat16", side**2 * crops, step))
    # round after round, so that other work on the machine meets all cases alike
    order = list(range(len(cases))) * (1 if quick else ROUNDS)
    found: dict[int, list[tuple[float, float]]] = {}
    for index in progress(order, "measuring", unit="case"):
        times = machine.best_time(cases[index][3], 1, options.device)
        found.setdefault(index, []).append(times)
    rows = [
        row(*case[:3], (min(wall for wall, _ in found[i]), min(cpu for _, cpu in found[i])))
        for i, case in enumerate(cases)
    ]
    table = pd.DataFrame(rows)
    for kind in ("", "cpu_"):
        cost = table[f"{kind}us_per_window"]
        table[f"{kind}ratio_to_loop"] = cost[table["method"] == "loop"].min() / cost
    facts["load_after"] = round(os.getloadavg()[0], 2)
    print("  ".join(f"{name}: {value}" for name, value in facts.items()))
    print(table[list(COLUMNS)].round(3).to_string(index=False))
    options.output.mkdir(parents=True, exist_ok=True)
    write_json(options.output / "train_machine.json", facts)
    write_table(table[list(COLUMNS)], options.output / "train.csv", COLUMNS)


def row(method: str, setting: str, windows: int, times: tuple[float, float]) -> dict[str, Any]:
    """Return one row of the table, without its ratios."""
    wall, cpu = times
    return {
        "method": method,
        "setting": setting,
        "windows": windows,
        "seconds_per_step": wall,
        "us_per_window": wall / windows * 1e6,
        "cpu_us_per_window": cpu / windows * 1e6,
        "windows_per_second": windows / wall,
    }


def loop(batch: int, layout: str, device: str) -> Callable[[], object]:
    """Return a step of the patch loop."""
    training = AreaTraining(len(NAMES), 0.3, 1e-4).to(device)
    memory = torch.contiguous_format if layout == "nchw" else torch.channels_last
    network = training.network.to(memory_format=memory)
    optimizer = training.configure_optimizers()
    windows = torch.randn(batch, 1, WINDOW, WINDOW, device=device)
    labels = torch.randint(len(NAMES), (batch,), device=device)

    def step() -> None:
        optimizer.zero_grad()
        functional.cross_entropy(network(windows), labels).backward()
        optimizer.step()

    return step


def on_crops(
    side: int, crops: int, device: str, dtype: torch.dtype | None = None
) -> Callable[[], object]:
    """Return a step on crops, from the slice on the device; mixed precision has a ``dtype``."""
    rng = np.random.default_rng(0)
    shape = (1024, 1024)
    grey = rng.integers(0, 256, shape, dtype=np.uint8)
    labels = rng.integers(1, len(NAMES), shape, dtype=np.uint8, endpoint=True)
    training, draws = crop_training(
        [CropGround(0, grey, labels)],
        NAMES,
        NORMALISATION,
        steps=100,
        crops=crops,
        side=side,
        learning_rate=5e-4,
        dropout=0.3,
        orientation="any",
        changes=True,
        permute_labels=False,
        seed=0,
    )
    training = training.to(device)
    optimizer = training.configure_optimizers()["optimizer"]

    def step() -> None:
        optimizer.zero_grad()
        draw = CropDraw(*(tensor.to(device) for tensor in draws[0]))
        with torch.autocast(device, dtype, enabled=dtype is not None):
            loss = training.loss_of(draw)[0]
        loss.backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    main()
