"""Train without labels on slices, on a GPU if there is one, and print speed and a linear probe.

    python bench/gpu_contrast.py slice.tif more.tif --labels labels.tif --supervised-steps 1200
    python bench/gpu_contrast.py slice.tif --labels labels.tif --steps 2 --epochs 1 --places 8
                                                                          to see it work

It needs no installation, workflow or network: PyTorch, Lightning, pandas, tqdm, scikit-learn and
tifffile, and ``src`` beside it. The labels are the first slice's. They are cut into blocks like a
chessboard: the probe is fitted on labelled pixels of one colour, and scored on those of the other
whose windows share no pixel with a window of the first. Pixels lie on a grid of 16. Training
without labels reads every slice whole; supervised training reads no pixel of a scored window.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from pathlib import Path

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from probe import grid_representations, probe_score

from brainarch.geometry import STRIDE, WINDOW
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.training.data import WindowDataset, grey_statistics
from brainarch.training.fit_contrast import fit_contrast
from brainarch.training.fit_crops import fit_crops
from brainarch.training.places import CropGround, ground_beside, pixels_of_windows
from brainarch.training.precision import find_precision
from brainarch.training.view_draws import ViewGround

#: Side of the box that grey values are averaged over before the threshold, in pixels.
BOX = 33
#: Patches of each area that choose the supervised network's state.
PATCHES = 50


def main() -> None:
    """Train, probe and print."""
    options = parse()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    greys = [tifffile.imread(path) for path in options.slices]
    labels = tifffile.imread(options.labels)
    codes = np.unique(labels[labels > 0])
    labels = np.where(labels > 0, np.searchsorted(codes, labels) + 1, 0).astype(np.uint8)
    train, test = split_blocks(greys[0], labels, options.block)
    normalisation = grey_statistics([greys[0][train > 0]])
    torch.manual_seed(options.seed)
    report = {
        "pixels": {"train": on_grid(train), "test": on_grid(test)},
        "untrained": probe(AreaNetwork(0).eval(), greys[0], normalisation, train, test),
    }
    show("untrained", report)
    with tempfile.TemporaryDirectory() as partial:
        result = fit_contrast(
            [
                ViewGround(options.distance * index, grey, bright(grey, options.above))
                for index, grey in enumerate(greys)
            ],
            normalisation,
            Path(partial),
            steps=options.steps,
            epochs=options.epochs,
            places=options.places,
            side=options.side,
            reach=options.reach,
            orientation=options.orientation,
            learning_rate=options.learning_rate,
            seed=options.seed,
            threads=options.threads,
            device=options.device,
            precision=find_precision("auto", options.device),
        )
    taken = -(-options.steps // options.epochs) * options.epochs
    print(result.curves.round(4).to_string(index=False))
    report["unlabelled"] = {
        "device": torch.cuda.get_device_name() if result.device.startswith("cuda") else "cpu",
        "steps": taken,
        "places": options.places,
        "side": options.side,
        "reach": options.reach,
        "orientation": options.orientation,
        "loss": float(result.curves["loss"].iloc[-1]),
        "seconds": round(result.seconds, 2),
        "seconds_per_step": result.seconds / taken,
        **probe(result.network, greys[0], normalisation, train, test),
    }
    show("unlabelled", report)
    if options.supervised_steps:
        report["supervised"] = supervised(options, greys[0], normalisation, train, test)
        show("supervised", report)
    print(json.dumps({**report, "torch": torch.__version__}, indent=2))


def parse() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("slices", type=Path, nargs="+", help="grey values (TIFF, one size)")
    parser.add_argument("--labels", type=Path, required=True, help="area codes of the first slice")
    parser.add_argument("--distance", type=int, default=50, help="voxels from slice to slice")
    parser.add_argument("--above", type=float, default=0.0, help="least mean grey of a place")
    parser.add_argument("--block", type=int, default=400, help="side of a block in pixels")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--places", type=int, default=256)
    parser.add_argument("--side", type=int, default=1, help="windows along each axis of a view")
    parser.add_argument("--reach", type=float, default=40.0, help="pixels to the second view")
    parser.add_argument("--orientation", default="any", help="fixed, mirrored or any")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--supervised-steps", type=int, default=0)
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    return parser.parse_args()


def split_blocks(
    grey: NDArray[np.generic], labels: NDArray[np.uint8], block: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the labels that are fitted on, and those that are scored."""
    rows, columns = (np.arange(size) // block for size in labels.shape)
    black = (rows[:, None] + columns) % 2 == 0
    train = np.where(black, labels, 0).astype(np.uint8)
    test = ground_beside(0, grey, np.where(black, 0, labels), train > 0, WINDOW).labels
    for name, part in (("fitted", train), ("scored", test)):
        missing = np.setdiff1d(labels, part[::STRIDE, ::STRIDE])
        if missing.size:
            sys.exit(f"{name}: area {missing[0]} has no pixel there; choose another --block")
    return train, test


def bright(grey: NDArray[np.generic], above: float) -> NDArray[np.bool_] | None:
    """Return the pixels round which the slice is bright on average, or none if all may be used."""
    if above <= 0:
        return None
    values = torch.from_numpy(grey.astype(np.float32))[None]
    mean = functional.avg_pool2d(values, BOX, 1, BOX // 2, count_include_pad=False)[0]
    return (mean > above).numpy()


def on_grid(labels: NDArray[np.uint8]) -> int:
    """Return the number of labelled pixels of the grid."""
    return int(np.count_nonzero(labels[::STRIDE, ::STRIDE]))


def probe(
    network: AreaNetwork,
    grey: NDArray[np.generic],
    normalisation: Normalisation,
    train: NDArray[np.uint8],
    test: NDArray[np.uint8],
) -> dict[str, float]:
    """Return accuracy and mean recall of a probe on all labels and on ten of each area."""
    values = grid_representations(network, grey, normalisation)
    sets = []
    for labels in (train, test):
        areas = labels[::STRIDE, ::STRIDE]
        sets.append((values[areas > 0], areas[areas > 0].astype(np.int64) - 1))
    found = {}
    for name, number in (("all", None), ("ten", 10)):
        score = probe_score(sets[0], sets[1], number)
        found[f"probe_{name}"] = round(score.accuracy, 4)
        found[f"probe_{name}_mean_recall"] = round(score.mean_recall, 4)
    return found


def supervised(
    options: argparse.Namespace,
    grey: NDArray[np.generic],
    normalisation: Normalisation,
    train: NDArray[np.uint8],
    test: NDArray[np.uint8],
) -> dict[str, object]:
    """Train on crops of the labels that are fitted on, and probe the representation alike."""
    rng = np.random.default_rng(options.seed)
    codes = np.unique(train[train > 0])
    flat = np.concatenate([rng.choice(np.flatnonzero(train == code), PATCHES) for code in codes])
    y, x = np.divmod(flat, train.shape[1])
    areas = train[y, x].astype(np.int64) - 1
    with tempfile.TemporaryDirectory() as partial:
        result = fit_crops(
            [CropGround(0, grey, train, pixels_of_windows(test > 0))],
            WindowDataset({0: grey}, np.zeros_like(y), y, x, areas, normalisation),
            [f"area {code}" for code in codes],
            normalisation,
            Path(partial),
            steps=options.supervised_steps,
            evaluations=min(options.supervised_steps, options.epochs),
            crops=18,
            learning_rate=5e-4,
            dropout=0.3,
            orientation="fixed",
            changes=True,
            seed=options.seed,
            threads=options.threads,
            device=options.device,
            precision=find_precision("auto", options.device),
        )
    return {
        "steps": options.supervised_steps,
        "seconds": round(result.seconds, 2),
        **probe(result.network, grey, normalisation, train, test),
    }


def show(name: str, report: dict[str, object]) -> None:
    """Print one network's numbers as soon as they are known."""
    print(name, json.dumps(report[name]), flush=True)


if __name__ == "__main__":
    main()
