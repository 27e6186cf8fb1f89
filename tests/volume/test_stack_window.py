"""Intensity windows: which grey value becomes which, and that no pixel is lost from the counts."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr
from making import make_volume

from brainarch.errors import InputError
from brainarch.volume.stack import open_stack
from brainarch.volume.window import can_narrow, narrow


def by_hand(value: float, low: float, high: float, top: int) -> int:
    """Return the narrowed value in exact arithmetic, rounded half up."""
    share = (Fraction(value) - Fraction(low)) / (Fraction(high) - Fraction(low))
    return int(min(max(share, Fraction(0)), Fraction(1)) * top + Fraction(1, 2))


@pytest.mark.parametrize("top", [255, 65535])
@pytest.mark.parametrize(("low", "high"), [(-0.5, 1.5), (0.0, 1.0), (1000.0, 1032.0)])
def test_against_exact_arithmetic(top, low, high):
    dtype = np.dtype("uint8" if top == 255 else "uint16")
    width = high - low
    image = np.random.default_rng(0).uniform(low - width, high + width, (30, 40))
    image = image.astype(np.float32)
    image[0, :2] = low, high
    found = narrow(image, (low, high), dtype)
    exact = np.array([[by_hand(float(v), low, high, top) for v in row] for row in image])
    # float64 may fall on the other side of a half; nothing else may differ.
    assert np.abs(found.values.astype(int) - exact).max() <= 1
    assert (found.values != exact).mean() < 0.01
    assert (found.values[0, 0], found.values[0, 1]) == (0, top)
    assert found.below == sum(float(v) < low for v in image.ravel())
    assert found.above == sum(float(v) > high for v in image.ravel())
    assert min(found.below, found.above) > 0
    assert (found.not_a_number, found.infinite) == (0, 0)


def test_ramp_and_halves():
    ramp = np.arange(511, dtype=np.uint16).reshape(1, -1)
    found = narrow(ramp, (0, 510), np.dtype("uint8"))
    np.testing.assert_array_equal(found.values[0], (ramp[0] + 1) // 2)  # halves go up
    assert (found.below, found.above) == (0, 0)


def test_bands_change_nothing(monkeypatch):
    image = np.random.default_rng(1).normal(size=(37, 50))
    image[3, 4], image[30, 2], image[36, 49] = np.nan, np.inf, -np.inf
    whole = narrow(image, (-1, 1), np.dtype("uint16"))
    monkeypatch.setattr("brainarch.volume.window.BAND_PIXELS", 120)
    parts = narrow(image, (-1, 1), np.dtype("uint16"))
    np.testing.assert_array_equal(whole.values, parts.values)
    assert whole[1:] == parts[1:]
    assert (whole.not_a_number, whole.infinite) == (1, 2)


def test_what_a_window_narrows():
    eight, sixteen = np.dtype("uint8"), np.dtype("uint16")
    for source in ("float32", "float64", "int16", "int32", "uint32"):
        assert can_narrow(np.dtype(source), sixteen)
    assert can_narrow(sixteen, eight)
    assert not can_narrow(eight, eight)
    assert not can_narrow(eight, sixteen)
    assert not can_narrow(np.dtype(bool), eight)
    assert not can_narrow(np.dtype(complex), eight)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three float32 slices from -1 to 2, of which 0 to 1 is the window."""
    folder = tmp_path / "scan ü"
    folder.mkdir()
    rng = np.random.default_rng(5)
    for z in range(3):
        data = rng.uniform(-1, 2, (40, 50)).astype(np.float32)
        tifffile.imwrite(folder / f"z{z}.tif", data, compression="zstd" if z == 1 else None)
    return folder


def convert(folder: Path, output: Path, **settings: object) -> None:
    make_volume(folder, output, (3, 40, 50), voxel_um=1.0, **settings)


def refusal(folder: Path, output: Path, **settings: object) -> str:
    with pytest.raises(InputError) as caught:
        convert(folder, output, **settings)
    return str(caught.value)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_converted_volume_and_its_counts(folder, tmp_path, dtype):
    output = tmp_path / "r" / "v.ome.zarr"
    convert(folder, output, window=[0.0, 1.0], dtype=dtype)
    group = zarr.open_group(output, mode="r")
    top = np.iinfo(dtype).max
    table = pd.read_csv(output.parent / "slices.csv")
    for z in range(3):
        data = tifffile.imread(folder / f"z{z}.tif").astype(np.float64)
        stored = np.asarray(group["0"][z])
        np.testing.assert_array_equal(stored, np.floor(np.clip(data, 0, 1) * top + 0.5))
        below, above = int((data < 0).sum()), int((data > 1).sum())
        assert table.loc[z, ["below_window", "above_window"]].tolist() == [below, above]
        # No pixel is lost: what is not clipped lies inside.
        inside = int(((data >= 0) & (data <= 1)).sum())
        assert below + above + inside == data.size
    assert dict(group.attrs)["brainarch"]["window"] == [0.0, 1.0]


def test_without_a_window(folder, tmp_path):
    assert refusal(folder, tmp_path / "v.ome.zarr") == (
        f"{folder / 'z0.tif'}: grey values are float32; wanted uint8 or uint16, or an intensity "
        "window that says which values become black and white (volume.window)"
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, "2 pixels that are NaN and 0 that are infinite; say in volume.nan which grey"),
        (np.inf, "0 pixels that are NaN and 2 that are infinite; give every pixel a number"),
    ],
)
def test_values_that_are_no_numbers_are_refused(folder, tmp_path, value, words):
    data = tifffile.imread(folder / "z1.tif")
    data[4, 5:7] = value
    tifffile.imwrite(folder / "z1.tif", data)
    assert refusal(folder, tmp_path / "r" / "v.ome.zarr", window=[0.0, 1.0]).startswith(
        f"{folder / 'z1.tif'}: page 0 has {words}"
    )
    assert not (tmp_path / "r" / "v.ome.zarr").exists()


def test_another_window_is_another_conversion(folder, tmp_path, monkeypatch):
    """Work left by one window is not gone on with under another."""

    def die(*_values):
        raise RuntimeError("killed")

    monkeypatch.setattr("brainarch.volume.convert._publish", die)
    output = tmp_path / "r" / "v.ome.zarr"
    left = []
    for high in (1.0, 1.0, 1.5):
        with pytest.raises(RuntimeError, match="killed"):
            convert(folder, output, window=[0.0, high])
        left += (tmp_path / ".partial").iterdir()
    assert left[0] == left[1] != left[2]


def test_sixteen_bits_to_eight(tmp_path):
    data = np.random.default_rng(0).integers(0, 5000, (4, 30, 20)).astype(">u2")
    tifffile.imwrite(tmp_path / "s.tif", data, photometric="minisblack", byteorder=">")
    stack = open_stack(tmp_path / "s.tif", window=(1000, 4000), dtype="uint8")
    assert (stack.dtype, stack.source_dtype) == (np.dtype("uint8"), np.dtype("uint16"))
    slab = stack.read_slab(1, 4, threads=2)
    share = (data[1:].astype(float) - 1000) / 3000
    np.testing.assert_array_equal(slab.values, np.floor(np.clip(share, 0, 1) * 255 + 0.5))
    np.testing.assert_array_equal(slab.below, (data[1:] < 1000).sum(axis=(1, 2)))
    np.testing.assert_array_equal(slab.above, (data[1:] > 4000).sum(axis=(1, 2)))
    with pytest.raises(InputError, match="uint16, which a window does not narrow to uint16; leave"):
        open_stack(tmp_path / "s.tif", window=(0, 1), dtype="uint16")
    with pytest.raises(InputError, match="float32: a window narrows to uint8 or uint16"):
        open_stack(tmp_path / "s.tif", window=(0, 1), dtype="float32")
