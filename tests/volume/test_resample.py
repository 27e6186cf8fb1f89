"""Resampled slices: against repeated pixels, torch's interpolation, and what stays in place."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
import zarr
from hypothesis import given
from hypothesis import strategies as st
from making import make_volume

from brainarch.annotations.stages import import_labels
from brainarch.errors import InputError
from brainarch.tables import read_table
from brainarch.volume.pixel_size import Resampling
from brainarch.volume.resample import (
    interpolations,
    overlaps,
    resample_image,
    resample_labels,
)
from brainarch.volume.stages import Verified, verify_volume
from brainarch.volume.store import open_image, open_volume

FINE, COARSE = 0.65, 1.3


def by_repetition(image: np.ndarray, ratio: Fraction) -> list[list[np.ndarray]]:
    """Return the equal parts of source pixels that each new pixel covers, by brute force."""
    whole = image.repeat(ratio.denominator, 0).repeat(ratio.denominator, 1)
    step = ratio.numerator
    return [
        [whole[y : y + step, x : x + step] for x in range(0, whole.shape[1], step)]
        for y in range(0, whole.shape[0], step)
    ]


@pytest.mark.parametrize("ratio", [Fraction(2), Fraction(3, 2), Fraction(9, 5), Fraction(7, 1)])
def test_larger_pixels_are_means_over_the_area_they_cover(ratio: Fraction) -> None:
    image = np.random.default_rng(0).integers(0, 65536, (150, 211)).astype(np.uint16)
    parts = by_repetition(image, ratio)
    means = np.array([[part.mean(dtype=np.float64) for part in row] for row in parts])
    resampling = Resampling(*image.shape, source_um=1.0, pixel_um=float(ratio))
    found = resample_image(image, resampling)
    assert found.shape == means.shape
    assert found.dtype == image.dtype
    # A mean of exactly x.5 may fall either way.
    assert np.abs(found - means).max() <= 0.5 + 1e-6
    assert (found == np.floor(means + 0.5)).mean() > 0.999


@pytest.mark.parametrize("ratio", [0.5, 0.37, 0.8])
def test_smaller_pixels_are_interpolated_as_torch_does(ratio: float) -> None:
    image = np.random.default_rng(1).integers(0, 256, (41, 70)).astype(np.uint8)
    resampling = Resampling(*image.shape, source_um=1.17, pixel_um=1.17 * ratio)
    whole = torch.from_numpy(image.astype(np.float64))[None, None]
    rows, columns = (int(side / ratio) for side in image.shape)  # torch drops a last part
    wanted = torch.nn.functional.interpolate(
        whole, scale_factor=1 / ratio, mode="bilinear", recompute_scale_factor=False
    )[0, 0].numpy()
    found = resample_image(image, resampling)[:rows, :columns]
    assert np.abs(found - wanted).max() <= 0.5 + 1e-6


def test_labels_take_the_code_that_covers_most() -> None:
    labels = np.random.default_rng(2).integers(0, 4, (60, 90)).astype(np.uint8)
    parts = by_repetition(labels, Fraction(9, 5))
    wanted = np.array([[np.bincount(part.ravel()).argmax() for part in row] for row in parts])
    found = resample_labels(labels, Resampling(60, 90, source_um=1.0, pixel_um=1.8))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, wanted)


@given(count=st.integers(1, 400), ratio=st.floats(0.02, 50))
def test_weights_add_up_and_every_pixel_counts(count: int, ratio: float) -> None:
    covered = overlaps(count, ratio)
    np.testing.assert_allclose(covered.sum(axis=1), 1)
    sizes = np.diff(np.minimum(np.arange(covered.shape[0] + 1) * ratio, count))
    np.testing.assert_allclose((covered * sizes[:, None]).sum(axis=0), 1, atol=2e-5)
    between = interpolations(count, ratio)
    assert between.shape == covered.shape
    np.testing.assert_allclose(between.sum(axis=1), 1)


def test_what_was_there_stays_there_in_micrometer() -> None:
    y, x = np.mgrid[:160, :200] * FINE
    image = (250 * np.exp(-((y - 40.0) ** 2 + (x - 71.0) ** 2) / 200)).astype(np.uint8)
    for pixel_um in (COARSE, 1.17, 0.4):
        resampling = Resampling(160, 200, source_um=FINE, pixel_um=pixel_um)
        found = resample_image(image, resampling).astype(float)
        places = np.indices(found.shape) * pixel_um + resampling.shift_um
        centre = (places * found).sum(axis=(1, 2)) / found.sum()
        np.testing.assert_allclose(centre, (40.0, 71.0), atol=0.05)


def test_mistaken_sizes_are_refused() -> None:
    for source_um, pixel_um in ((1.17, 0.0), (1.17, 1170.0), (-1.0, 1.0)):
        with pytest.raises(InputError, match="wanted two positive sizes in micrometer"):
            Resampling(10, 10, source_um, pixel_um)


@pytest.fixture
def converted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> tuple[Path, np.ndarray]:
    """Return a folder with a stack of 12 slices at 0.65 um and the volume made of it at 1.3."""
    data = np.random.default_rng(4).integers(0, 256, (12, 300, 411)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "s.tif", data)
    with caplog.at_level(logging.INFO):
        make_volume(
            tmp_path / "s.tif",
            tmp_path / "v.ome.zarr",
            data.shape,
            voxel_um=FINE,
            pixel_um=COARSE,
            first_slice=40,
        )
    assert "slices are resampled from 0.65 to 1.3 um, 300 x 411 px to 150 x 206 px" in caplog.text
    return tmp_path, data


def test_a_converted_volume_says_where_its_voxels_are(converted: tuple[Path, np.ndarray]) -> None:
    folder, data = converted
    volume = open_volume(folder / "v.ome.zarr")
    assert volume.shape == (12, 150, 206)
    assert (volume.pixel_um, volume.slice_um, volume.slices) == (COARSE, FINE, range(40, 52))
    assert open_image(folder / "v.ome.zarr").sides_um() == (FINE, COARSE, COARSE)
    halves = data[3, :300, :410].astype(float).reshape(150, 2, 205, 2).mean(axis=(1, 3))
    np.testing.assert_array_equal(volume.read_slice(43)[:, :205], np.floor(halves + 0.5))
    steps = volume_transformations(folder / "v.ome.zarr")
    assert steps[0] == [
        {"type": "scale", "scale": [FINE, COARSE, COARSE]},
        {"type": "translation", "translation": [40 * FINE, FINE / 2, FINE / 2]},
    ]


def volume_transformations(path: Path) -> list[list[dict[str, object]]]:
    ome = dict(zarr.open_group(path, mode="r").attrs["ome"])
    return [d["coordinateTransformations"] for d in ome["multiscales"][0]["datasets"]]


def test_verify_resamples_what_it_reads_again(converted: tuple[Path, np.ndarray]) -> None:
    folder, data = converted

    def verified() -> Verified:
        return verify_volume(
            volume=folder / "v.ome.zarr",
            slices=folder / "slices.csv",
            source=str(folder / "s.tif"),
            sample=None,
            seed=0,
        )

    assert verified() == (12, 12, [])
    data[5, 7, 8] ^= 255
    tifffile.imwrite(folder / "s.tif", data)
    assert list(map(str, verified().differences)) == [
        "slice 45: the source (s.tif) has changed since it was converted"
    ]


def test_labels_of_the_source_follow_the_volume(converted: tuple[Path, np.ndarray]) -> None:
    folder, _ = converted
    labels = np.where(np.arange(411) < 100, 1, 2)[None] * np.ones((300, 1), int)
    tifffile.imwrite(folder / "l.tif", labels.astype(np.uint8))

    def import_from(path: Path) -> None:
        import_labels(
            volume=folder / "v.ome.zarr",
            images={44: str(path)},
            codes={"A": [1], "B": [2]},
            ignored=[0],
            shares={},
            first_slice=None,
            first_stated=False,
            axes=None,
            hole_um2=0,
            labels=folder / "l.ome.zarr",
            legend=folder / "legend.csv",
            table=folder / "t.csv",
        )

    import_from(folder / "l.tif")
    table = read_table(folder / "t.csv").set_index("area")
    assert table.loc["A", "pixels"] == 150 * 50
    assert table.loc["B", "pixels"] == 150 * 156
    assert table.loc["A", "um2"] == pytest.approx(300 * 100 * FINE**2)
    assert open_image(folder / "l.ome.zarr").sides_um() == (FINE, COARSE, COARSE)
    # Labels as large as the volume are not of the source.
    tifffile.imwrite(folder / "m.tif", labels[::2, ::2].astype(np.uint8))
    with pytest.raises(InputError) as caught:
        import_from(folder / "m.tif")
    wanted = "labels of slice 44 are 150 x 206 px, but the volume's slices are 300 x 411 px"
    assert wanted in str(caught.value)
