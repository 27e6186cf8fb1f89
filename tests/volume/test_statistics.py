"""Grey values of a whole volume: against numpy on the whole array."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from skimage.filters import threshold_otsu

from brainarch.tables import read_columns, read_table
from brainarch.volume import statistics
from brainarch.volume.convert import convert, plan_conversion
from brainarch.volume.stack import open_stack
from brainarch.volume.stages import measure_volume
from brainarch.volume.statistics import (
    PERCENTILES,
    measure,
    moments,
    otsu_level,
    percentiles,
)
from brainarch.volume.store import Volume, open_volume


def two_tissues(dtype: str, top: int) -> np.ndarray:
    """Return a volume with a dark and a bright half, brighter from slice to slice."""
    rng = np.random.default_rng(5)
    values = rng.normal(top * 0.2, top * 0.04, (19, 300, 270))
    values[:, :, 120:] += top * 0.4
    values += np.arange(19)[:, None, None] * top * 0.002
    return np.clip(values, 0, top).astype(dtype)


def store(data: np.ndarray, folder: Path, first: int = 40) -> Volume:
    tifffile.imwrite(folder / "s.tif", data, photometric="minisblack")
    stack = open_stack(folder / "s.tif")
    plan = plan_conversion(stack.shape, str(data.dtype), 1.17, first_slice=first, slab=8)
    convert(stack, plan, folder / "v.ome.zarr", folder / "slices.csv", folder / ".partial")
    return open_volume(folder / "v.ome.zarr")


@pytest.mark.parametrize(("dtype", "top"), [("uint8", 255), ("uint16", 4095), ("uint16", 65535)])
@pytest.mark.parametrize("threads", [1, 3])
def test_everything_is_what_numpy_finds_in_the_whole_array(
    tmp_path: Path, dtype: str, top: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "BATCH_VOXELS", 600_000)  # several bands of rows
    data = two_tissues(dtype, top)
    found = measure(store(data, tmp_path), threads)
    size = np.iinfo(dtype).max + 1
    np.testing.assert_array_equal(found.histogram, np.bincount(data.ravel(), minlength=size))
    values = dict(zip(found.summary["quantity"], found.summary["value"], strict=True))
    assert values["voxels"] == data.size
    assert values["mean"] == pytest.approx(data.mean(dtype=np.float64), rel=1e-12)
    assert values["std"] == pytest.approx(data.std(dtype=np.float64), rel=1e-9)
    assert (values["minimum"], values["maximum"]) == (data.min(), data.max())
    for share in PERCENTILES:
        expected = np.percentile(data, share, method="inverted_cdf")
        assert values[f"percentile_{share:g}"] == expected
    assert values["zero_share"] == (data == 0).mean()
    assert values["saturated_share"] == (data == size - 1).mean()
    threshold = values["tissue_threshold"]
    assert found.threshold == threshold
    assert values["tissue_share"] == (data > threshold).mean()
    assert 0.5 < values["tissue_share"] < 0.6  # the bright half is 150 of 270 columns
    frame = found.slices
    assert frame["slice"].tolist() == list(range(40, 59))
    np.testing.assert_allclose(frame["mean"], data.mean(axis=(1, 2), dtype=np.float64), rtol=1e-12)
    np.testing.assert_allclose(frame["std"], data.std(axis=(1, 2), dtype=np.float64), rtol=1e-9)
    np.testing.assert_array_equal(frame["minimum"], data.min(axis=(1, 2)))
    np.testing.assert_array_equal(frame["maximum"], data.max(axis=(1, 2)))
    median = np.percentile(data.reshape(19, -1), 50, axis=1, method="inverted_cdf")
    np.testing.assert_array_equal(frame["median"], median)
    np.testing.assert_allclose(frame["tissue_share"], (data > threshold).mean(axis=(1, 2)))


def test_threshold_is_that_of_scikit_image() -> None:
    data = two_tissues("uint8", 255)
    histogram = np.bincount(data.ravel(), minlength=256)
    expected = threshold_otsu(hist=(histogram, np.arange(256)))
    assert otsu_level(histogram) == expected


def test_one_grey_value_is_no_tissue(tmp_path: Path) -> None:
    found = measure(store(np.full((3, 20, 30), 7, dtype=np.uint8), tmp_path))
    assert found.threshold == 7
    assert found.slices["tissue_share"].tolist() == [0.0, 0.0, 0.0]
    assert found.slices["std"].tolist() == [0.0, 0.0, 0.0]


def test_moments_do_not_overflow() -> None:
    """Sums of squares beyond 64 bits: as many voxels as 40 published volumes of 16 bits."""
    histogram = np.zeros(65536, dtype=np.int64)
    histogram[[65534, 65535]] = 120_000_000_000
    mean, std = moments(histogram)
    assert (mean, std) == (65534.5, 0.5)


def test_percentiles_at_the_very_border() -> None:
    histogram = np.array([5, 0, 5, 0])
    assert percentiles(histogram, [50.0, 50.1, 0.0, 100.0]) == [0, 2, 0, 2]


def test_the_stage_writes_three_tables(tmp_path: Path) -> None:
    data = two_tissues("uint8", 255)
    store(data, tmp_path)
    names = ("summary", "histogram", "slices")
    paths = {name: tmp_path / "o" / f"{name}.csv" for name in names}
    measure_volume(volume=tmp_path / "v.ome.zarr", **paths)
    tables = {name: read_table(path) for name, path in paths.items()}
    for name, frame in tables.items():
        assert set(read_columns(paths[name])) == set(frame.columns)
    assert int(tables["histogram"]["voxels"].sum()) == data.size
    assert len(tables["histogram"]) == 256
    assert len(tables["slices"]) == 19
