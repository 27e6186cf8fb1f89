"""Train on crops of one annotated slice, on a GPU if there is one, and print speed and accuracy.

    python bench/gpu_train.py slice.tif labels.tif --steps 4800
    python bench/gpu_train.py slice.tif labels.tif --steps 2 --evaluations 1   to see it work

It needs no installation, workflow or network: PyTorch, Lightning, pandas, tqdm and tifffile, and
``src`` beside it. Each area is cut along its longer side into a part for training, one for
validation and one for testing, and training reads no pixel of their windows. Accuracy is of the
labelled test pixels on a grid of 16 pixels, raw and as the mean of the areas' recalls.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from brainarch.geometry import STRIDE, WINDOW, pad_slice
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation, to_unit
from brainarch.training.crops import crop_logits
from brainarch.training.data import WindowDataset, grey_statistics
from brainarch.training.draws import CropDraw
from brainarch.training.fit_crops import crop_training, fit_crops
from brainarch.training.places import CropGround, pixels_of_windows
from brainarch.training.precision import find_precision

#: Along its longer side, training gets an area's pixels up to this share, validation up to that.
TRAIN, VAL = 0.6, 0.8
#: Rows of windows of the test grid that are computed at once.
BAND = 8
#: Steps that are timed alone, after as many that are not.
TIMED = 20


def main() -> None:
    """Train, time, test and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("slice", type=Path, help="grey values (TIFF, uint8 or uint16)")
    parser.add_argument("labels", type=Path, help="area codes (TIFF); 0 is unlabelled")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--evaluations", type=int, default=10)
    parser.add_argument("--crops", type=int, default=18)
    parser.add_argument("--side", type=int, default=8, help="windows along each axis of a crop")
    parser.add_argument("--orientation", default="fixed", help="fixed, mirrored or any")
    parser.add_argument("--no-changes", action="store_true", help="leave grey values as they are")
    parser.add_argument("--patches", type=int, default=200, help="validation patches an area")
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    grey, labels = tifffile.imread(options.slice), tifffile.imread(options.labels)
    codes = np.unique(labels[labels > 0])
    labels = np.where(labels > 0, np.searchsorted(codes, labels) + 1, 0).astype(np.uint8)
    names = [f"area {code}" for code in codes]
    splits = split_areas(labels)
    ground = CropGround(0, grey, splits["train"], splits["forbidden"] > 0)
    normalisation = grey_statistics([grey[splits["train"] > 0]])
    settings = {
        "steps": options.steps,
        "crops": options.crops,
        "side": options.side,
        "learning_rate": 5e-4,
        "dropout": 0.3,
        "orientation": options.orientation,
        "changes": not options.no_changes,
        "permute_labels": False,
        "seed": options.seed,
    }
    with tempfile.TemporaryDirectory() as partial:
        result = fit_crops(
            [ground],
            patches_of(grey, splits["val"], normalisation, options.patches, options.seed),
            names,
            normalisation,
            Path(partial),
            evaluations=options.evaluations,
            threads=options.threads,
            device=options.device,
            precision=find_precision("auto", options.device),
            **settings,
        )
    device = torch.device(result.device)
    alone, labelled = time_steps(crop_training([ground], names, normalisation, **settings), device)
    windows = options.crops * options.side**2
    taken = -(-options.steps // options.evaluations) * options.evaluations
    print(result.curves.round(4).to_string(index=False))
    print(
        json.dumps(
            {
                "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
                "torch": torch.__version__,
                "steps": taken,
                "windows": taken * windows,
                "seconds": round(result.seconds, 2),
                "seconds_per_step": result.seconds / taken,
                "windows_per_second": taken * windows / result.seconds,
                "seconds_per_step_alone": alone,
                "windows_per_second_alone": windows / alone,
                "labelled_share": labelled,
                "best_epoch": result.best_epoch,
                "val_accuracy": result.best_val_accuracy,
                **test(result.network.to(device), grey, splits["test"], normalisation, names),
            },
            indent=2,
        )
    )


def split_areas(labels: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """Return the labels of each split's centres, and the pixels that training must not read."""
    share = np.zeros(labels.shape, dtype=np.float32)
    for code in np.unique(labels[labels > 0]):
        y, x = np.nonzero(labels == code)
        along = x if np.ptp(x) >= np.ptp(y) else y
        # the share of the area's pixels that lie before each pixel's row or column
        share[y, x] = np.searchsorted(np.sort(along), along) / len(along)
    train = np.where(share < TRAIN, labels, 0)
    val = np.where((share >= TRAIN) & (share < VAL), labels, 0)
    near = pixels_of_windows(pixels_of_windows(val > 0))
    test = np.where((share >= VAL) & ~near, labels, 0)
    forbidden = pixels_of_windows((val > 0) | (test > 0)).astype(np.uint8)
    splits = {"train": train, "val": val, "test": test}
    for name, split in splits.items():
        missing = np.setdiff1d(labels, split)
        if missing.size:
            sys.exit(f"{name}: area code {missing[0]} has no pixel there; the slice is too small")
    return {**splits, "forbidden": forbidden}


def patches_of(
    grey: NDArray[np.generic],
    labels: NDArray[np.uint8],
    normalisation: Normalisation,
    number: int,
    seed: int,
) -> WindowDataset:
    """Draw patches, as many of each area."""
    rng = np.random.default_rng(seed)
    codes = np.unique(labels[labels > 0])
    flat = np.concatenate([rng.choice(np.flatnonzero(labels == code), number) for code in codes])
    y, x = np.divmod(flat, labels.shape[1])
    areas = labels[y, x].astype(np.int64) - 1
    return WindowDataset({0: grey}, np.zeros_like(y), y, x, areas, normalisation)


def time_steps(
    training: tuple[torch.nn.Module, torch.utils.data.Dataset[CropDraw]], device: torch.device
) -> tuple[float, float]:
    """Return the seconds of a step without Lightning, and the share of windows with a label."""
    module, draws = training
    module = module.to(device)
    optimizer = module.configure_optimizers()["optimizer"]
    gpu = device.type == "cuda"
    mixed = find_precision("auto", device.type) == "bfloat16"
    start, labelled = 0.0, []
    # a CPU is timed on a few steps: they take seconds
    timed = TIMED if gpu else 2
    for index in range(2 * timed):
        if index == timed:
            if gpu:
                torch.cuda.synchronize()
            start = time.perf_counter()
        draw = draws[index]
        labelled.append(float((draw.labels >= 0).float().mean()))
        optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            loss, _ = module.loss_of(CropDraw(*(tensor.to(device) for tensor in draw)))
        loss.backward()
        optimizer.step()
    if gpu:
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / timed, float(np.mean(labelled))


@torch.inference_mode()
def test(
    network: AreaNetwork,
    grey: NDArray[np.generic],
    labels: NDArray[np.uint8],
    normalisation: Normalisation,
    names: list[str],
) -> dict[str, object]:
    """Return accuracy and recalls of the labelled pixels of a grid, in float32."""
    device = next(network.parameters()).device
    padded = torch.from_numpy(normalisation.apply(to_unit(pad_slice(grey))))
    bands = []
    rows = range(0, labels.shape[0], STRIDE)
    for first in range(0, len(rows), BAND):
        top = rows[first]
        height = WINDOW + STRIDE * (len(rows[first : first + BAND]) - 1)
        band = padded[None, None, top : top + height].to(device)
        bands.append(crop_logits(network, band).argmax(dim=1)[0].cpu().numpy())
    found = np.concatenate(bands)
    truth = labels[::STRIDE, ::STRIDE].astype(np.int64) - 1
    known = truth >= 0
    right = found == truth
    recalls = {name: float(right[truth == i].mean()) for i, name in enumerate(names)}
    return {
        "test_pixels": int(known.sum()),
        "test_accuracy": float(right[known].mean()),
        "test_mean_recall": float(np.mean(list(recalls.values()))),
        "test_recalls": {name: round(value, 3) for name, value in recalls.items()},
    }


if __name__ == "__main__":
    main()
