"""Grey values of a whole volume in one pass: histogram, percentiles, slice by slice, tissue.

Everything is exact: the histogram counts every voxel at every grey value, and the rest follows
from it. Memory does not grow with the slices but for a coarse histogram each (16 KB at most).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.progress import progress_bar
from brainarch.volume.store import Volume

#: Percentiles that are reported, in percent.
PERCENTILES = (0.1, 1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0, 99.9)
#: Levels at which the tissue threshold may lie: every grey value of uint8, every 16th of uint16.
LEVELS = 4096
#: Voxels that are read and counted at a time.
BATCH_VOXELS = 1 << 24

HISTOGRAM_COLUMNS = {
    "grey": "grey value, raw",
    "voxels": "voxels of the whole volume with this grey value",
}
SLICE_COLUMNS = {
    "slice": "slice number",
    "mean": "mean grey value of the slice, raw",
    "std": "standard deviation of its grey values, raw",
    "minimum": "smallest grey value, raw",
    "median": "smallest grey value that at least half of the slice's pixels do not exceed, raw",
    "maximum": "largest grey value, raw",
    "zero_share": "share of pixels with grey value 0 (0 to 1)",
    "tissue_share": "share of pixels brighter than the volume's tissue threshold (0 to 1)",
}
SUMMARY_COLUMNS = {
    "quantity": "what was measured; percentile_P is the smallest grey value that at least P "
    "percent of all voxels do not exceed",
    "value": "its value: voxels, raw grey values, or shares from 0 to 1",
}


@dataclass(frozen=True)
class VolumeStatistics:
    """What was counted.

    Attributes
    ----------
    histogram : ndarray of int64, shape (256,) or (65536,)
        Voxels by grey value.
    slices : DataFrame
        One row a slice; see `SLICE_COLUMNS`.
    threshold : int
        Largest grey value that counts as background: Otsu's threshold of the histogram (ours).
    """

    histogram: NDArray[np.int64]
    slices: pd.DataFrame
    threshold: int

    @property
    def summary(self) -> pd.DataFrame:
        """The volume's numbers; see `SUMMARY_COLUMNS`."""
        voxels = int(self.histogram.sum())
        mean, std = moments(self.histogram)
        present = np.flatnonzero(self.histogram)
        rows: list[tuple[str, float]] = [
            ("voxels", voxels),
            ("mean", mean),
            ("std", std),
            ("minimum", int(present[0])),
            ("maximum", int(present[-1])),
        ]
        values = percentiles(self.histogram, PERCENTILES)
        rows += [(f"percentile_{p:g}", v) for p, v in zip(PERCENTILES, values, strict=True)]
        rows += [
            ("zero_share", int(self.histogram[0]) / voxels),
            ("saturated_share", int(self.histogram[-1]) / voxels),
            ("tissue_threshold", self.threshold),
            ("tissue_share", int(self.histogram[self.threshold + 1 :].sum()) / voxels),
        ]
        return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))

    @property
    def table(self) -> pd.DataFrame:
        """The histogram; see `HISTOGRAM_COLUMNS`."""
        return pd.DataFrame({"grey": np.arange(len(self.histogram)), "voxels": self.histogram})


def measure(volume: Volume, threads: int = 1) -> VolumeStatistics:
    """Count the grey values of a volume, reading each voxel once.

    Parameters
    ----------
    volume : Volume
    threads : int
        Slices counted at a time.
    """
    size = int(np.iinfo(volume.dtype).max) + 1
    width = max(1, size // LEVELS)
    total = np.zeros(size, dtype=np.int64)
    coarse = np.zeros((volume.shape[0], size // width), dtype=np.uint32)
    rows = []
    bar = progress_bar(volume.shape[0], "counting grey values", "slice")
    with bar, ThreadPoolExecutor(max(1, threads)) as pool:
        for start, stop in _bands(volume.shape[0], volume.chunks[0]):
            counts = np.zeros((stop - start, size), dtype=np.int64)
            for top, bottom in _row_bands(volume, stop - start):
                slices = (volume.first_slice + start, volume.first_slice + stop)
                block = volume.read_block(slices, (top, bottom), (0, volume.shape[2]))
                for index, found in enumerate(pool.map(count_values, block)):
                    counts[index] += found
            for index, histogram in enumerate(counts):
                coarse[start + index] = histogram.reshape(-1, width).sum(axis=1)
                rows.append({"slice": volume.first_slice + start + index, **_slice_row(histogram)})
            total += counts.sum(axis=0)
            bar.update(stop - start)
    level = otsu_level(total.reshape(-1, width).sum(axis=1))
    frame = pd.DataFrame(rows)
    pixels = volume.shape[1] * volume.shape[2]
    frame["tissue_share"] = coarse[:, level + 1 :].sum(axis=1, dtype=np.int64) / pixels
    return VolumeStatistics(total, frame[list(SLICE_COLUMNS)], (level + 1) * width - 1)


def count_values(image: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.int64]:
    """Return the number of pixels at every value of an unsigned 8- or 16-bit image."""
    size = int(np.iinfo(image.dtype).max) + 1
    return np.bincount(image.ravel(), minlength=size).astype(np.int64, copy=False)


def moments(histogram: NDArray[np.int64]) -> tuple[float, float]:
    """Return mean and standard deviation; sums in whole numbers, so nothing is rounded before.

    Parameters
    ----------
    histogram : ndarray of int64, shape (values,)
    """
    grey = np.arange(len(histogram), dtype=np.int64)
    count, first = int(histogram.sum()), int(grey @ histogram)
    if count * len(histogram) ** 2 < 2**63:
        second = int((grey * grey) @ histogram)
    else:  # too large for 64 bits: whole numbers of any size, one by one
        second = sum(value * value * int(histogram[value]) for value in range(len(histogram)))
    return first / count, ((count * second - first * first) / count**2) ** 0.5


def percentiles(histogram: NDArray[np.int64], shares: Sequence[float]) -> list[int]:
    """Return the smallest value that at least a share of all counts does not exceed.

    Parameters
    ----------
    histogram : ndarray of int64, shape (values,)
    shares : sequence of float
        In percent.

    Returns
    -------
    list of int
        As numpy's method ``inverted_cdf``.
    """
    below = np.cumsum(histogram)
    count = int(below[-1])
    # whole numbers decide, so that a share of exactly half is half
    wanted = [max(1, -(-count * round(share * 1000) // 100_000)) for share in shares]
    return [int(index) for index in np.searchsorted(below, wanted)]


def otsu_level(histogram: NDArray[np.int64]) -> int:
    """Return the level up to which counts are background, by Otsu's criterion.

    Parameters
    ----------
    histogram : ndarray of int64, shape (levels,)

    Returns
    -------
    int
        The first level that best separates darker from brighter counts; the only level present if
        there is just one.
    """
    counts = histogram.astype(np.float64)
    levels = np.arange(len(counts), dtype=np.float64)
    dark = np.cumsum(counts)
    bright = dark[-1] - dark
    sums = np.cumsum(counts * levels)
    separable = (dark > 0) & (bright > 0)
    if not separable.any():
        return int(np.flatnonzero(histogram)[0])
    dark_mean = sums[separable] / dark[separable]
    bright_mean = (sums[-1] - sums[separable]) / bright[separable]
    variance = np.full(len(counts), -1.0)
    variance[separable] = dark[separable] * bright[separable] * (dark_mean - bright_mean) ** 2
    return int(variance.argmax())


def _bands(slices: int, depth: int) -> list[tuple[int, int]]:
    """Return the slices of each layer of chunks."""
    return [(start, min(start + depth, slices)) for start in range(0, slices, depth)]


def _row_bands(volume: Volume, depth: int) -> list[tuple[int, int]]:
    """Return rows that are read at a time: whole chunks, as many as fit a batch."""
    _, rows, columns = volume.shape
    high = volume.chunks[1]
    step = max(1, BATCH_VOXELS // (depth * columns * high)) * high
    return [(top, min(top + step, rows)) for top in range(0, rows, step)]


def _slice_row(histogram: NDArray[np.int64]) -> dict[str, float]:
    mean, std = moments(histogram)
    present = np.flatnonzero(histogram)
    return {
        "mean": mean,
        "std": std,
        "minimum": int(present[0]),
        "median": percentiles(histogram, [50.0])[0],
        "maximum": int(present[-1]),
        "zero_share": int(histogram[0]) / int(histogram.sum()),
    }
