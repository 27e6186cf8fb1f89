"""Label images for the room's tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainarch.annotations.legend import Legend, make_legend, write_legend
from brainarch.annotations.store import create_labels

NAMES = ("Ctx", "WM")


@pytest.fixture(scope="session")
def legend() -> Legend:
    return make_legend(NAMES)


@pytest.fixture(scope="session")
def slice_labels() -> np.ndarray:
    """Two areas with slanted borders: a broad one and one of 150 rows; some pixels unlabelled."""
    labels = np.zeros((480, 620), dtype=np.uint8)
    y, x = np.ogrid[:480, :620]
    labels[(y > 20 + x // 20) & (y < 270)] = 1
    labels[(y >= 290) & (y < 440 + x // 60) & (x > 30)] = 2
    return labels


@pytest.fixture(scope="session")
def label_folder(slice_labels, legend, tmp_path_factory) -> Path:
    """A label store of slices 104, 154, 155 and 205 of 100 ... 219, 1 um apart, and its legend."""
    folder = tmp_path_factory.mktemp("it's “labels” ü")
    store = create_labels(
        folder / "areas.ome.zarr", (120, 480, 620), 1.0, [104, 154, 155, 205], first_slice=100
    )
    for index, z in enumerate(store.annotated_slices):
        store.write_slice(z, np.roll(slice_labels, 5 * index, axis=1))
    write_legend(legend, folder / "legend.csv")
    return folder


@pytest.fixture(scope="session")
def divisible() -> np.ndarray:
    """A slice large enough to be divided: two blocks side by side and a bent band above them."""
    labels = np.zeros((900, 2300), dtype=np.uint8)
    labels[330:880, 30:1150] = 1
    labels[330:880, 1200:2280] = 2
    y, x = np.ogrid[:900, :2300]
    bend = 90 + (x - 1150) ** 2 // 26000
    labels[(y > bend) & (y < bend + 190) & (x > 40) & (x < 2260) & (labels == 0)] = 3
    return labels
