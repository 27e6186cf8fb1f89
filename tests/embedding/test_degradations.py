"""Images that another microscope could have given: against closed forms and other libraries."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from skimage.transform import downscale_local_mean

from brainarch.embedding.degradations import degrade
from brainarch.embedding.describe import describe_degraded
from brainarch.embedding.names import CHANGES, change_of
from brainarch.geometry import WINDOW
from brainarch.patches.table import Places

MEAN = 0.4


@pytest.fixture
def windows() -> NDArray[np.float32]:
    return np.random.default_rng(0).random((3, WINDOW, WINDOW), dtype=np.float32)


@pytest.mark.parametrize("name", CHANGES[1:])
def test_grey_values_stay_in_range_and_windows_in_shape(
    windows: NDArray[np.float32], name: str
) -> None:
    kind, level = change_of(name)
    before = windows.copy()
    found = degrade(windows, kind, level, MEAN)
    assert found.shape == windows.shape
    assert found.dtype == np.float32
    assert 0 <= found.min() < found.max() <= 1
    assert not np.array_equal(found, windows)
    np.testing.assert_array_equal(windows, before)


def test_grey_changes_are_their_formulas(windows: NDArray[np.float32]) -> None:
    assert len(np.unique(degrade(windows, "levels", 8, MEAN))) == 8
    assert np.abs(degrade(windows, "levels", 8, MEAN) - windows).max() <= 0.5 / 7 + 1e-6
    middle = np.full((1, WINDOW, WINDOW), MEAN + 0.1, dtype=np.float32)
    np.testing.assert_allclose(degrade(middle, "contrast", 1.5, MEAN), MEAN + 0.15, rtol=1e-6)
    np.testing.assert_allclose(degrade(middle, "brightness", 0.2, MEAN), MEAN + 0.3, rtol=1e-6)


def test_blur_and_resolution_are_the_libraries(windows: NDArray[np.float32]) -> None:
    for window, found in zip(windows, degrade(windows, "blur", 1, MEAN), strict=True):
        np.testing.assert_allclose(found, ndimage.gaussian_filter(window, 1), atol=1e-6)
    halved = degrade(windows, "resolution", 0.5, MEAN)
    means = downscale_local_mean(windows, (1, 2, 2))
    np.testing.assert_allclose(halved[:, ::2, ::2], means, atol=1e-6)
    np.testing.assert_array_equal(halved[:, 1::2, 1::2], halved[:, ::2, ::2])
    doubled = degrade(windows, "resolution", 2, MEAN)
    at = (WINDOW - 1) / 2 + (np.arange(WINDOW) - (WINDOW - 1) / 2) / 2
    grid = np.meshgrid(at, at, indexing="ij")
    expected = ndimage.map_coordinates(windows[0], grid, order=1)
    np.testing.assert_allclose(doubled[0], expected, atol=1e-5)


def test_an_unknown_kind_is_refused(windows: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="fog: no such degradation"):
        degrade(windows, "fog", 1, MEAN)


class Reader:
    def read_slice(self, z: int) -> NDArray[np.uint8]:
        return np.random.default_rng(z).integers(0, 256, (200, 200), dtype=np.uint8)


class Mean:
    unit_names = ("mean",)
    commensurate = True

    def describe(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        return windows.mean(axis=(1, 2))[:, None]


def test_every_change_is_described_of_the_same_patches() -> None:
    places = Places(np.array([1, 0]), np.array([90, 100]), np.array([95, 100]))
    changes = ["none", "brightness_0.1", "contrast_0.5"]
    plain, brighter, flatter = describe_degraded(Mean(), Reader(), places, changes, 0.5)
    np.testing.assert_allclose(flatter, 0.5 + (plain - 0.5) / 2, atol=1e-5)
    assert (plain < brighter).all()
    assert (brighter < plain + 0.1).all()  # white stays white
