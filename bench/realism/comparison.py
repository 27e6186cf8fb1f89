"""The table that sets a phantom beside a real slice, and what classifiers make of the two."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.errors import InputError
from brainarch.seeds import generator

from . import measures

Byte = NDArray[np.uint8]

#: Meaning of the columns of the table.
COLUMNS = {
    "area": "area name",
    "quantity": "what is compared; power is log10 of the radial power at a frequency in cycles/px",
    "real": "value on the real slice; from the reference numbers where masks were not given",
    "phantom": "value on the phantom's slices, pooled",
    "difference": "phantom minus real",
    "tolerance": "largest absolute difference asked for; empty where none is",
    "within": "yes or no; empty without a tolerance",
}
#: Patches an area for the classifiers, at most (ours).
PATCHES = 300
#: Fewest patches of an area that a classifier is trained and tested on (ours).
MIN_PATCHES = 8


@dataclass(frozen=True)
class Slices:
    """Slices of one volume with their labels.

    Attributes
    ----------
    images, labels : sequences of uint8 arrays (n_y, n_x)
        Grey values and area codes.
    voxel_um : float
        Edge of a pixel in um.
    """

    images: Sequence[Byte]
    labels: Sequence[Byte]
    voxel_um: float

    def masks(self, code: int) -> list[NDArray[np.bool_]]:
        """Return the pixels of one area on each slice."""
        return [labels == code for labels in self.labels]


@cache
def reference() -> dict[str, Any]:
    """Return the statistics of the published slice z=159, with their source."""
    text = Path(__file__).with_name("reference.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def tolerance(area: str, quantity: str, real: float) -> float:
    """Return how far the phantom may lie from the real slice, NaN where nothing is asked.

    Mean grey within 8, standard deviation within 20 %, log10 power within 0.3 (WM 0.6), annotated
    cells per mm^2 within 25 %.
    """
    if quantity == "mean":
        return 8.0
    if quantity == "std":
        return 0.2 * real
    if quantity.startswith("log10 power"):
        return 0.6 if area == "WM" else 0.3
    if quantity == "cells per mm2":
        return 0.25 * real
    return float("nan")


def grey_quantities(slices: Slices, code: int) -> dict[str, float]:
    """Return the grey and blob statistics of one area, by the name of the quantity."""
    masks = slices.masks(code)
    found = measures.area_statistics(slices.images, masks)
    power = zip(measures.FREQUENCIES, found.log_power, strict=True)
    blobs = [
        measures.cell_blobs(image, mask, slices.voxel_um)
        for image, mask in zip(slices.images, masks, strict=True)
    ]
    return {
        "mean": found.mean,
        "std": found.std,
        "skew": found.skew,
        **{f"log10 power at {frequency:.4f}": value for frequency, value in power},
        "std of patch means": found.patch_mean_std,
        "dark blobs per mm2": float(np.mean(blobs)),
    }


def structure_densities(
    structures: Sequence[Byte], masks: Sequence[NDArray[np.bool_]], voxel_um: float
) -> dict[str, float]:
    """Return the annotated cells and vessels per mm^2 of one area, by the name of the quantity.

    Parameters
    ----------
    structures : sequence of uint8 arrays (n_y, n_x)
        2 in vessels, 3 in cell bodies.
    masks : sequence of bool arrays (n_y, n_x)
        The area.
    voxel_um : float
        Edge of a pixel in um.
    """
    pixels = [mask.sum() for mask in masks]
    return {
        f"{name} per mm2": float(
            np.average(
                [
                    measures.component_density(image == code, mask, voxel_um)
                    for image, mask in zip(structures, masks, strict=True)
                ],
                weights=pixels,
            )
        )
        for name, code in (("cells", 3), ("vessels", 2))
    }


def reference_densities(area: str) -> dict[str, float]:
    """Return the published slice's annotated cells and vessels per mm^2, where there are any."""
    known = reference()["areas"].get(area, {})
    if "cells_per_mm2" not in known:
        return {}
    return {
        "cells per mm2": float(known["cells_per_mm2"]),
        "vessels per mm2": float(known["vessels_per_mm2"]),
    }


def comparison_table(
    real: Mapping[str, Mapping[str, float]], phantom: Mapping[str, Mapping[str, float]]
) -> pd.DataFrame:
    """Return the table of `COLUMNS`; quantities are by area, then by name.

    A quantity that only one side has, or that could not be measured, is left out.
    """
    rows = []
    for area, quantities in real.items():
        for quantity, value in quantities.items():
            if quantity not in phantom[area]:
                continue
            other = phantom[area][quantity]
            if not (np.isfinite(value) and np.isfinite(other)):
                continue
            limit = tolerance(area, quantity, value)
            within = "" if np.isnan(limit) else "yes" if abs(other - value) <= limit else "no"
            rows.append((area, quantity, value, other, other - value, limit, within))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def classifier_report(
    real: Slices, phantom: Slices, codes: Mapping[str, int], seed: int
) -> dict[str, Any]:
    """Return what classifiers make of the patches of both, for ``realism.json``.

    Parameters
    ----------
    real, phantom : Slices
        The same areas on both.
    codes : mapping of str to int
        Code of each area.
    seed : int
        For the choice of patches.

    Raises
    ------
    InputError
        If an area has too few patches to train and test on.
    """
    rng = generator(seed, "realism patches")
    sides = [
        {
            name: measures.area_patches(side.images, side.masks(code), PATCHES, rng)
            for name, code in codes.items()
        }
        for side in (real, phantom)
    ]
    for label, side in zip(("real", "phantom"), sides, strict=True):
        for name, (patches, blocks) in side.items():
            if len(patches) < MIN_PATCHES or len(np.unique(blocks)) < 2:
                raise InputError(
                    f"{label} slices: {len(patches)} patches of {name} in "
                    f"{len(np.unique(blocks))} blocks; wanted {MIN_PATCHES} in two; add slices"
                )
    auroc = {
        name: round(measures.discrimination_auroc(*sides[0][name], *sides[1][name]), 4)
        for name in codes
    }
    report: dict[str, Any] = {
        "texture_classifier_auroc": auroc,
        "texture_classifier_note": (
            "telling phantom from real patches of an area: logistic regression on binary patterns, "
            "spectrum and grey quantiles, trained and tested on different blocks; 0.5 is "
            "indistinguishable, the aim is below 0.9"
        ),
        "patches": {
            name: {"real": len(sides[0][name][0]), "phantom": len(sides[1][name][0])}
            for name in codes
        },
    }
    accuracy: dict[str, float] = {}
    recalls: dict[str, dict[str, float]] = {}
    for label, side in zip(("real", "phantom"), sides, strict=True):
        balanced, recall = measures.mean_std_accuracy(
            [side[name][0] for name in codes], [side[name][1] for name in codes]
        )
        accuracy[label] = round(balanced, 4)
        recalls[label] = {name: round(float(r), 4) for name, r in zip(codes, recall, strict=True)}
    gap = accuracy["phantom"] - accuracy["real"]
    report["mean_std_classifier"] = {
        "balanced_accuracy": accuracy,
        "recall": recalls,
        "difference": round(gap, 4),
        "tolerance": 0.1,
        "within": bool(abs(gap) <= 0.1),
        "note": "which area, from the mean and the standard deviation of a patch alone",
    }
    return report
