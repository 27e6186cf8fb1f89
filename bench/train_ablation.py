"""Train on crops in several ways and compare them on pixels that training never saw.

    python bench/train_ablation.py FOLDER [FOLDER ...] --steps 1200 4800 --output table.csv

A folder holds ``grey_NAME.tif``, ``areas_NAME.tif`` (0 is unlabelled) and ``splits_NAME.tif``
(1 train, 2 val, 3 test) of each slice. Like `gpu_train.py` it needs no installation. Accuracy is
that of the test pixels on a grid of 16 pixels, raw and from probabilities averaged over 128 pixels.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import tifffile
import torch
from gpu_train import BAND, patches_of
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from torch.utils.data import ConcatDataset

from brainarch.geometry import STRIDE, WINDOW, pad_slice
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation, to_unit
from brainarch.training.crops import crop_logits
from brainarch.training.data import grey_statistics
from brainarch.training.fit_crops import fit_crops
from brainarch.training.places import CropGround, ground_beside

#: What is switched, from the papers' augmentation (none) up.
WAYS = {
    "nothing changed": {"orientation": "fixed", "changes": False},
    "grey values changed": {"orientation": "fixed", "changes": True},
    "grey values, mirrored": {"orientation": "mirrored", "changes": True},
    "grey values, mirrored and turned": {"orientation": "any", "changes": True},
}
#: Least distance of windows of different splits along an axis: 50 um at 1.17 um a pixel (V).
DISTANCE = WINDOW + 43
#: Width over which probabilities are averaged, in pixels.
WIDTH = 128
TRAIN, VAL, TEST = 1, 2, 3


@dataclass(frozen=True)
class Slice:
    """One slice of a folder."""

    grey: NDArray[np.generic]
    areas: NDArray[np.uint8]
    splits: NDArray[np.uint8]


def main() -> None:
    """Train in every way and write a row each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--steps", type=int, nargs="+", default=[1200])
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--learning-rates", type=float, nargs="+", default=[5e-4])
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1e9, help="begin none after so long")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    started = time.monotonic()
    with options.output.open("w", newline="") as stream:
        writer: csv.DictWriter[str] | None = None
        cases = product(options.steps, options.learning_rates, options.folders, options.ways)
        for steps, rate, folder, way in cases:
            if time.monotonic() - started > options.seconds:
                sys.exit("out of time; the rows so far are written")
            row = run(folder, way, steps, rate, options.seed, options.threads)
            if writer is None:
                writer = csv.DictWriter(stream, list(row))
                writer.writeheader()
            writer.writerow(row)
            stream.flush()
            print(row, flush=True)


def run(
    folder: Path, way: str, steps: int, learning_rate: float, seed: int, threads: int
) -> dict[str, object]:
    """Train in one way on one folder and return what came out."""
    slices = read(folder)
    codes = np.unique(np.concatenate([np.unique(s.areas) for s in slices]))
    names = [f"area {code}" for code in codes[codes > 0]]
    grounds = [ground for s in slices if (ground := ground_of(s)) is not None]
    normalisation = grey_statistics([s.grey[(s.splits == TRAIN) & (s.areas > 0)] for s in slices])
    val = ConcatDataset(
        patches_of(s.grey, np.where(s.splits == VAL, s.areas, 0), normalisation, 100, seed)
        for s in slices
        if (s.splits == VAL).any()
    )
    with tempfile.TemporaryDirectory() as partial:
        result = fit_crops(
            grounds,
            val,  # type: ignore[arg-type]  # a loader asks for no more than its items
            names,
            normalisation,
            Path(partial),
            steps=steps,
            crops=18,
            learning_rate=learning_rate,
            dropout=0.3,
            seed=seed,
            threads=threads,
            **WAYS[way],  # type: ignore[arg-type]
        )
    network = result.network.to("cuda" if torch.cuda.is_available() else "cpu")
    right: list[NDArray[np.bool_]] = []
    smooth: list[NDArray[np.bool_]] = []
    truth: list[NDArray[np.int64]] = []
    for s in slices:
        test = np.where(s.splits == TEST, s.areas, 0)[::STRIDE, ::STRIDE].astype(np.int64) - 1
        if (test >= 0).any():
            shares = probabilities(network, s.grey, normalisation)
            even = uniform_filter(shares, (0, WIDTH // STRIDE, WIDTH // STRIDE))
            known = test >= 0
            truth.append(test[known])
            right.append(shares.argmax(axis=0)[known] == test[known])
            smooth.append(even.argmax(axis=0)[known] == test[known])
    hits, areas = np.concatenate(right), np.concatenate(truth)
    recalls = [hits[areas == area].mean() for area in range(len(names)) if (areas == area).any()]
    return {
        "folder": folder.name,
        "way": way,
        "steps": steps,
        "windows": steps * 18 * 64,
        "learning_rate": learning_rate,
        "seconds": round(result.seconds, 1),
        "best_val": round(result.best_val_accuracy, 4),
        "accuracy": round(float(hits.mean()), 4),
        "mean_recall": round(float(np.mean(recalls)), 4),
        "lowest_recall": round(float(np.min(recalls)), 4),
        "averaged": round(float(np.concatenate(smooth).mean()), 4),
        "device": result.device,
    }


def read(folder: Path) -> list[Slice]:
    """Return the slices of a folder."""
    found = []
    for path in sorted(folder.glob("grey_*.tif")):
        others = (
            path.with_name(path.name.replace("grey_", kind)) for kind in ("areas_", "splits_")
        )
        found.append(Slice(tifffile.imread(path), *(tifffile.imread(other) for other in others)))
    if not found:
        sys.exit(f"{folder}: no grey_NAME.tif; see --help")
    return found


def ground_of(s: Slice) -> CropGround | None:
    """Return what training may use of a slice."""
    if not (s.splits == TRAIN).any():
        return None
    others = s.splits > TRAIN
    if not others.any():
        return CropGround(0, s.grey, s.areas)
    return ground_beside(0, s.grey, s.areas, others, DISTANCE)


@torch.inference_mode()
def probabilities(
    network: AreaNetwork, grey: NDArray[np.generic], normalisation: Normalisation
) -> NDArray[np.float32]:
    """Return every area's probability on a grid of 16 pixels."""
    device = next(network.parameters()).device
    padded = torch.from_numpy(normalisation.apply(to_unit(pad_slice(grey))))
    rows = range(0, grey.shape[0], STRIDE)
    bands = []
    for first in range(0, len(rows), BAND):
        top = rows[first]
        height = WINDOW + STRIDE * (len(rows[first : first + BAND]) - 1)
        band = padded[None, None, top : top + height].to(device)
        bands.append(crop_logits(network, band).softmax(dim=1)[0].cpu().numpy())
    return np.concatenate(bands, axis=1)


if __name__ == "__main__":
    main()
