"""The normalisation comes from labelled pixels of the training slices, and from no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainarch.annotations.store import create_labels
from brainarch.training.stages import _training_statistics
from brainarch.volume.store import Volume, open_volume
from small_inputs import write_volume

SHAPE = (4, 60, 80)
TRAIN, VAL, TEST = 1, 2, 3


def volume(folder: Path, grey: np.ndarray) -> Volume:
    write_volume(folder, grey)
    return open_volume(folder)


def masks(folder: Path, areas: dict[int, np.ndarray], splits: dict[int, np.ndarray]) -> list[Path]:
    paths = []
    for name, by_slice in (("areas", areas), ("splits", splits)):
        paths.append(folder / f"{name}.ome.zarr")
        store = create_labels(paths[-1], SHAPE, 1.17, list(by_slice))
        for z, codes in by_slice.items():
            store.write_slice(z, codes)
    return paths


@pytest.fixture
def grey() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)


@pytest.fixture
def labelled() -> np.ndarray:
    """Return area codes 0, 1 and 2; a third of the slice is unlabelled."""
    return np.random.default_rng(1).integers(0, 3, SHAPE[1:], dtype=np.uint8)


def test_slices_of_other_splits_and_unlabelled_pixels_do_not_count(
    tmp_path: Path, grey: np.ndarray, labelled: np.ndarray
) -> None:
    # Centres of training patches are fewer than the labelled pixels; all of these count.
    centres = (labelled > 0) & (np.arange(80) > 40)
    areas = dict.fromkeys(range(3), labelled)
    splits = {z: np.uint8(code) * centres for z, code in enumerate((TRAIN, VAL, TEST))}
    paths = masks(tmp_path, areas, splits)
    found = _training_statistics(volume(tmp_path / "one", grey), *paths)
    expected = grey[0][labelled > 0] / 255
    assert found.mean == pytest.approx(expected.mean(), rel=1e-6)
    assert found.std == pytest.approx(expected.std(), rel=1e-6)

    other = grey.copy()
    other[1:] = 255 - other[1:] // 3
    other[0][labelled == 0] = 0
    assert _training_statistics(volume(tmp_path / "two", other), *paths) == found

    # Control: one labelled pixel of the training slice does count.
    y, x = np.argwhere(labelled > 0)[0]
    other[0, y, x] = 255 - other[0, y, x]
    assert _training_statistics(volume(tmp_path / "three", other), *paths) != found


def test_of_a_slice_that_splits_share_only_trainings_part_counts(
    tmp_path: Path, grey: np.ndarray, labelled: np.ndarray
) -> None:
    split = np.select([np.arange(80) < 30, np.arange(80) < 50], [TRAIN, VAL], TEST)
    split = np.where(labelled > 0, split, 0).astype(np.uint8)
    paths = masks(tmp_path, {2: labelled}, {2: split})
    found = _training_statistics(volume(tmp_path / "one", grey), *paths)
    expected = grey[2][split == TRAIN] / 255
    assert found.mean == pytest.approx(expected.mean(), rel=1e-6)
    assert found.std == pytest.approx(expected.std(), rel=1e-6)
    other = grey.copy()
    other[2][split != TRAIN] = 0
    assert _training_statistics(volume(tmp_path / "two", other), *paths) == found
