"""A volume that is unlike the training is said to be."""

from __future__ import annotations

import numpy as np
import pytest

from brainarch.network.differences import scan_differences, training_differences
from brainarch.network.grey import Normalisation


def slice_with_tissue() -> np.ndarray:
    rng = np.random.default_rng(0)
    grey = rng.normal(20, 8, size=(200, 260))
    grey[60:150, 40:200] += 100
    return np.clip(grey, 0, 255).astype(np.uint8)


def differences(grey: np.ndarray, **changes: object) -> list[str]:
    arguments = {
        "normalisation": Normalisation(grey.mean() / 255, grey.std() / 255),
        "pixel_um": (1.17, 1.17),
        "dtypes": ("uint8", "uint8"),
    }
    pixels = np.ones(grey.shape, dtype=bool)
    return training_differences(grey, pixels, **{**arguments, **changes})  # type: ignore[arg-type]


def test_a_slice_like_the_training_raises_no_warning() -> None:
    assert differences(slice_with_tissue()) == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"normalisation": Normalisation(0.9, 0.17)}, "mean grey"),
        ({"normalisation": Normalisation(0.21, 0.05)}, "standard deviation"),
        ({"pixel_um": (1.3, 1.17)}, "voxel of 1.3 um"),
        ({"dtypes": ("uint8", "uint16")}, "uint16"),
    ],
)
def test_a_clear_difference_is_named(changes: dict[str, object], word: str) -> None:
    assert any(word in line for line in differences(slice_with_tissue(), **changes))


@pytest.mark.parametrize(("pixel_um", "differs"), [(1.15, False), (1.19, False), (1.2, True)])
def test_roundings_of_the_voxel_size_are_no_difference(pixel_um: float, differs: bool) -> None:
    assert bool(scan_differences((pixel_um, 1.17), ("uint8", "uint8"))) == differs
