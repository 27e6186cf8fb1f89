"""Cases of the benchmark: JSON questions in, a line each, and JSON answers out."""

from __future__ import annotations

import json
import logging
import math
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import machine
import numpy as np
import tifffile
import torch
from torch import nn

from brainarch.dense.costs import TileCost
from brainarch.dense.cube import Cube
from brainarch.dense.device_plan import plan_on_device
from brainarch.dense.extract import Source, extract
from brainarch.dense.plan import Plan, make_plan
from brainarch.dense.precision import arithmetic, factor_dtype
from brainarch.dense.schedule import Convolution, Pool, Schedule, derive_schedule
from brainarch.dense.tiles import Tile, cut_tiles
from brainarch.dense.workers import Recipe, open_tiles, pick_devices
from brainarch.geometry import WINDOW, pad_slice
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.network.trained import TrainedNetwork

Answer = dict[str, Any]


def main() -> None:
    """Answer questions until there are no more."""
    logging.disable(logging.WARNING)
    for line in sys.stdin:
        question = json.loads(line)
        torch.manual_seed(0)
        torch.set_num_threads(question["threads"])
        machine.forget_peak(question["device"])
        with arithmetic(question.get("precision", "float32")):
            answer = CASES[question["kind"]](question)
        answer["peak_mb"] = machine.peak_mb()
        if question["device"] == "cuda":
            answer["gpu_mb"] = torch.cuda.max_memory_allocated() / 1e6
        print(json.dumps(answer), flush=True)


def facts(question: Answer) -> Answer:
    """Name the machine."""
    return machine.facts(question["threads"], question["device"])


def peak(question: Answer) -> Answer:
    """Measure what the machine can do."""
    dtype = factor_dtype(question["precision"])
    rate = machine.peak_rate(question["what"], dtype, question["device"], quick=question["quick"])
    return {"gflops": rate}


def loop(question: Answer) -> Answer:
    """Time the patch loop: windows batch after batch."""
    device, batch = question["device"], question["batch"]
    windows = torch.rand(max(batch, question["windows"]), 1, WINDOW, WINDOW)
    dtype = factor_dtype(question["precision"])
    trunk = trained().network.trunk.to(device, dtype)
    windows = windows.to(device, dtype)
    if question["layout"] == "channels_last":
        trunk = trunk.to(memory_format=torch.channels_last)
        windows = windows.contiguous(memory_format=torch.channels_last)

    def run() -> None:
        with torch.inference_mode():
            for part in windows.split(batch):
                trunk(part)

    return per_pixel(machine.best_time(run, question["repeats"], device), len(windows))


def monai(question: Answer) -> Answer:
    """Time MONAI's sliding windows at stride 1.

    MONAI averages overlapping maps, so a window's vector is spread over a map and weighted by zero
    everywhere but at the window's pixel, which makes the average that vector.
    """
    from monai.inferers import sliding_window_inference

    device, side = question["device"], question["side"]
    trunk = trained().network.trunk.to(device).to(memory_format=torch.channels_last)
    image = torch.rand(1, 1, WINDOW + side - 1, WINDOW + side - 1, device=device)
    centre = torch.zeros(WINDOW, WINDOW, device=device)
    centre[WINDOW // 2, WINDOW // 2] = 1

    def predict(windows: torch.Tensor) -> torch.Tensor:
        units = trunk(windows.contiguous(memory_format=torch.channels_last))
        return units[:, :, None, None].repeat(1, 1, WINDOW, WINDOW)

    def run() -> torch.Tensor:
        with torch.inference_mode():
            return sliding_window_inference(
                image,
                WINDOW,
                question["batch"],
                predict,
                overlap=1 - 1 / WINDOW,
                roi_weight_map=centre,
            )

    first = WINDOW // 2
    found = run()[0, :, first : first + side, first : first + side]
    with torch.inference_mode():
        alone = trunk(image[:, :, side - 1 :, side - 1 :])[0]
    if not torch.allclose(found[:, -1, -1], alone, rtol=1e-4, atol=1e-5):
        raise RuntimeError("MONAI's result is not that of the window alone")
    return per_pixel(machine.best_time(run, 1, device), side**2)


def fully_convolutional(question: Answer) -> Answer:
    """Time an ordinary fully convolutional pass: one output every 16 pixels."""
    device, side = question["device"], question["side"]
    schedule = derive_schedule(trained().network.trunk)
    pass_ = convolutional(schedule).to(device, factor_dtype(question["precision"]))
    image = torch.rand(1, 1, *(2 * (WINDOW + 16 * (side - 1),)), device=device)
    image = image.to(next(pass_.parameters()).dtype)
    if question["layout"] == "channels_last":
        pass_ = pass_.to(memory_format=torch.channels_last)
        image = image.contiguous(memory_format=torch.channels_last)

    def run() -> torch.Tensor:
        with torch.inference_mode():
            return pass_(image)

    return per_pixel(machine.best_time(run, question["repeats"], device), side**2)


def convolutional(schedule: Schedule) -> nn.Sequential:
    """Return the trunk with its fully connected layers as convolutions."""
    layers: list[nn.Module] = []
    for layer in (*schedule.layers, schedule.wide, *schedule.tail):
        if isinstance(layer, Convolution):
            convolution = nn.Conv2d(layer.inputs, layer.outputs, layer.side)
            convolution.weight.data, convolution.bias.data = layer.weight, layer.bias
            layers.append(convolution)
        else:
            layers.append(nn.MaxPool2d(2) if isinstance(layer, Pool) else nn.ReLU())
    return nn.Sequential(*layers).eval()


def dense(question: Answer) -> Answer:
    """Time an extraction, from the slice in memory to the finished cube on disk."""
    stride = question["stride"]
    shape = question["rows"], question["columns"]
    grey = np.random.default_rng(0).integers(0, 256, size=shape, dtype=np.uint8)
    source = Source(grey, 0, 1.17, "all", np.ones(shape, dtype=bool))
    return extraction(source, stride, question)


def real_slice(question: Answer) -> Answer:
    """Time an extraction from TIFF files to the finished cube on disk."""
    start = time.perf_counter()
    grey = tifffile.imread(question["slice"])
    labels = tifffile.imread(question["labels"])
    source = Source(grey, 0, 1.17, "labelled", labels > 0)
    reading = time.perf_counter() - start
    answer = extraction(source, 1, question)
    return {**answer, "seconds": answer["seconds"] + reading}


def extraction(source: Source, stride: int, question: Answer) -> Answer:
    """Extract into a temporary folder."""
    threads, precision = question["threads"], question["precision"]
    network = trained()
    schedule = derive_schedule(network.network.trunk)
    shape, device = source.grey.shape, pick_devices(question["device"])[0]
    if device.type == "cuda":
        plan = plan_on_device(network.network.trunk, shape, stride, device, precision=precision)
    else:
        memory_mb = question["memory_mb"]
        plan = make_plan(
            schedule, shape, stride, precision=precision, memory_mb=memory_mb, threads=threads
        )
    recipe = Recipe(network.network.trunk, network.normalisation, plan)
    pixels = int(source.wanted[::stride, ::stride].sum())
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "cube.zarr"
        with open_tiles(recipe, threads=threads, device=question["device"]) as tiles:
            if question.get("compute_only"):
                compute_all(source, tiles, first=True)
            wall, cpu = time.perf_counter(), time.process_time()
            if question.get("compute_only"):
                compute_all(source, tiles)
            else:
                partial = Path(folder) / "partial"
                extract(source, network, tiles, storage="float32", partial=partial, output=output)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        answer = {} if question.get("compute_only") else error_of(output)
    return {
        **per_pixel((wall, cpu), pixels),
        **answer,
        "seconds": wall,
        "pixels": pixels,
        "operations": operations(schedule, plan),
        "plan": f"{plan.algorithm} tile {plan.tile} block {plan.block} x{plan.workers}",
    }


def compute_all(source: Source, tiles: Any, *, first: bool = False) -> None:
    """Compute all tiles, one a thread, or only the first; throw the results away."""
    plan = tiles.recipe.plan
    padded, wanted = pad_slice(source.grey), source.wanted[np.ix_(plan.y, plan.x)]

    def compute(tile: Tile) -> None:
        torch.set_num_threads(1)
        rows, columns = (
            slice(int(axis[part.start]), int(axis[part.stop - 1]) + plan.window)
            for axis, part in zip((plan.y, plan.x), tile.reach, strict=True)
        )
        tiles(padded[rows, columns], wanted[tile.reach])

    chosen = cut_tiles(wanted, plan.tile)[: 1 if first else None]
    with ThreadPoolExecutor(tiles.workers) as pool:
        list(pool.map(compute, chosen))


def error_of(output: Path) -> Answer:
    """Return what the cube says of its own error."""
    error = Cube.open(output).attrs["measured_error"]
    return {f"error_{name}": error[f"relative_{name}"] for name in ("max", "norm")}


def operations(schedule: Schedule, plan: Plan) -> Answer:
    """Count multiplications a pixel: of the loop, of sharing alone, and of this plan."""
    alone = schedule.sizes(schedule.step, 1)
    shared = window = 0.0
    pools = 0
    for index, layer in enumerate(schedule.layers):
        if isinstance(layer, Pool):
            pools += 1
        elif isinstance(layer, Convolution):
            window += alone[index + 1] ** 2 * layer.weight.numel()
            # A map that the grid does not split has 4 ** -pools values a pixel of the slice.
            fragments = min(4**pools, plan.stride**2)
            shared += plan.stride**2 / fragments * layer.weight.numel()
    last = schedule.wide.weight.numel()
    last += sum(x.weight.numel() for x in schedule.tail if isinstance(x, Convolution))
    cost = TileCost(schedule, plan.stride, plan.tile, plan.block, plan.precision)
    return {
        "loop": window + last,
        "shared": shared + last,
        "plan": cost.counted / math.prod(plan.tile),
    }


def per_pixel(times: tuple[float, float], pixels: int) -> Answer:
    """Return microseconds a pixel of wall and of processor time."""
    wall, cpu = times
    return {"us": wall / pixels * 1e6, "cpu_us": cpu / pixels * 1e6}


def trained() -> TrainedNetwork:
    """Return the papers' network with random weights, which take as long as trained ones."""
    network = AreaNetwork(6).eval()
    return TrainedNetwork(network, tuple("abcdef"), Normalisation(0.5, 0.2), 1.17, "uint8", {})


CASES = {
    "facts": facts,
    "peak": peak,
    "loop": loop,
    "monai": monai,
    "fully_convolutional": fully_convolutional,
    "dense": dense,
    "slice": real_slice,
}

if __name__ == "__main__":
    main()
