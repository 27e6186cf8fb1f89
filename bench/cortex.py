"""Layers of phantoms that no choice was made on; one run prints one table.

    python bench/cortex.py results/phantom

A slice of a phantom of each seed is represented by the trained network of a run (of another seed),
factorised, and divided into components after averaging over each width; agreement with the planted
layers stands beside nulls that keep bands. The width that is best over the choosing seeds is then
looked at on the others. Written to ``results/bench/cortex_layers.csv``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from brainarch.dense.engine import DenseEngine
from brainarch.dense.schedule import derive_schedule
from brainarch.discovery.agreement import compare_with_nulls
from brainarch.discovery.area_pixels import average_inside, inside_mask
from brainarch.discovery.depth import area_depth, parse_border
from brainarch.discovery.mixture import fit_mixture
from brainarch.discovery.stages import GAP_PX
from brainarch.factors.basis import fit_basis
from brainarch.factors.nonnegative import nonnegative_coefficients
from brainarch.factors.rows import Rows
from brainarch.geometry import WINDOW, pad_slice
from brainarch.network.grey import to_unit
from brainarch.network.trained import TrainedNetwork, load_network
from brainarch.phantom import anatomy
from brainarch.phantom.model import PhantomSpec, render_blocks
from brainarch.tables import write_table

#: Pixels between patches.
STRIDE = 8
#: Widths that are compared, in micrometres.
WIDTHS = (0.0, 56.0, 112.0, 168.0)
#: Pixels that a mixture is fitted on.
FITTED = 3000
#: Columns of grid pixels computed together.
TILE = 64

LAYER_COLUMNS = {
    "seed": "of the phantom",
    "used": "choosing, or unseen",
    "average_um": "standard deviation of the Gaussian over which coefficients are averaged (um)",
    "ami": "adjusted mutual information of components and planted layers",
    "bands_median": "the same of bands in other orders, median",
    "bands_99": "their 99th percentile",
    "depth_median": "the same of depth cut at random places, median",
    "depth_99": "their 99th percentile",
    "above": "above both 99th percentiles, p at most 0.01 against both",
}


def main() -> None:
    """Measure every seed, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("run", type=Path, help="folder of a finished run of the embedded default")
    parser.add_argument("--choosing", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--unseen", type=int, nargs="+", default=[21, 22, 23])
    parser.add_argument("--rows", type=int, nargs=2, help="rows looked at; all by default")
    parser.add_argument("--nulls", type=int, default=200)
    parser.add_argument("--output", type=Path, default=Path("results/bench"))
    options = parser.parse_args()
    trained = load_network(options.run / "networks/main/network.safetensors")
    shape = json.loads((options.run / "source/phantom.json").read_text())["shape_zyx"][1:]
    layers = []
    for used in ("choosing", "unseen"):
        for seed in getattr(options, used):
            of_layers = measure(trained, shape, seed, options.rows, options.nulls)
            layers += [{"seed": seed, "used": used, **row} for row in of_layers]
            print(f"seed {seed}: {[round(row['ami'], 3) for row in of_layers]}", flush=True)
    found = pd.DataFrame(layers)[list(LAYER_COLUMNS)]
    means = found[found["used"] == "choosing"].groupby("average_um")["ami"].mean()
    print(found.round(3).to_string(index=False))
    print("mean over the choosing seeds:", means.round(3).to_dict())
    unseen = found[(found["used"] == "unseen") & (found["average_um"] == means.idxmax())]
    print(f"best width {means.idxmax():g} um, on the others:")
    print(unseen.round(3).to_string(index=False))
    write_table(found, options.output / "cortex_layers.csv", LAYER_COLUMNS)


def measure(
    trained: TrainedNetwork, shape: list[int], seed: int, rows: list[int] | None, nulls: int
) -> list[dict[str, Any]]:
    """Return what is found of layers in a slice of one seed, by width."""
    (block,) = render_blocks(PhantomSpec((1, *shape), trained.pixel_um, seed), 1)
    areas = np.where(block.areas[0] == anatomy.AREA_CODES["TRN"], 0, block.areas[0])
    y = np.arange(*(rows or (0, shape[0])), STRIDE)
    x = np.arange(0, shape[1], STRIDE)
    grid = np.ix_(y, x)
    X = represent(trained, block.grey[0], y, x)
    labelled = areas[grid] > 0
    fitted = fit_basis(
        Rows.of(X[labelled]), 15, starts=3, max_iterations=200, tolerance=3e-4, seed=seed
    )
    C = np.full((*labelled.shape, 15), np.nan, dtype=np.float32)
    C[labelled] = nonnegative_coefficients(X[labelled], fitted.values)[0]
    cortex = areas == anatomy.AREA_CODES["Ctx"]
    mask = inside_mask(cortex, 64)[grid]
    depths = area_depth(
        areas, anatomy.AREA_CODES["Ctx"], parse_border("outside", anatomy.AREA_CODES),
        parse_border("WM", anatomy.AREA_CODES), gap=GAP_PX, hole_px=0,
    )  # fmt: skip
    depth = np.full(areas.shape, np.nan, dtype=np.float32)
    depth[np.ix_(depths.y, depths.x)] = depths.depth
    layers, around = block.layers[0][grid], depth[grid]
    found = []
    for width in WIDTHS:
        sigma = width / trained.pixel_um / STRIDE
        found.append(layers_at(C, mask, layers, around, sigma, seed, nulls))
        found[-1]["average_um"] = width
    return found


def represent(
    trained: TrainedNetwork,
    image: NDArray[np.uint8],
    y: NDArray[np.integer],
    x: NDArray[np.integer],
) -> NDArray[np.float32]:
    """Return the representation at every pixel of a grid, shape (n, m, units)."""
    engine = DenseEngine(derive_schedule(trained.network.trunk), STRIDE, None)
    padded = trained.normalisation.apply(to_unit(pad_slice(image)))
    top, bottom = (int(v) for v in (y[0], y[-1]))
    parts = []
    for start in range(0, len(x), TILE):
        columns = x[start : start + TILE]
        left, right = (int(v) for v in (columns[0], columns[-1]))
        tile = padded[top : bottom + WINDOW, left : right + WINDOW]
        parts.append(engine.tile(torch.from_numpy(np.ascontiguousarray(tile))).numpy())
    return np.concatenate(parts, axis=1)


def layers_at(
    C: NDArray[np.float32],
    mask: NDArray[np.bool_],
    layers: NDArray[np.uint8],
    depth: NDArray[np.float32],
    sigma: float,
    seed: int,
    nulls: int,
) -> dict[str, Any]:
    """Divide the cortex into components and compare them with the planted layers."""
    maps = (average_inside(C[..., k], mask, sigma) for k in range(C.shape[2]))
    averaged = np.stack(list(maps), axis=1)
    codes = np.zeros(mask.shape, dtype=np.uint8)
    drawn = averaged[:: -(-len(averaged) // FITTED)]
    codes[mask] = fit_mixture(drawn, 4, seed).assign(averaged)[0]
    table = compare_with_nulls(codes, layers, depth, count=nulls, seed=seed)
    own = table[table["statistic"] == "ami"].set_index("null")
    row: dict[str, Any] = {"ami": own["value"].iloc[0], "above": bool(own["above_nulls"].iloc[0])}
    for null in ("bands", "depth"):
        row |= {f"{null}_median": own["median"][null], f"{null}_99": own["null_99"][null]}
    return row


if __name__ == "__main__":
    main()
