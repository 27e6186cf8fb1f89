"""How much there is to do: the sizes that follow from a config, and from labels where at hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from brainarch.config.model import Config
from brainarch.volume.kinds import in_zarr


@dataclass(frozen=True)
class Work:
    """What a run is to do.

    Attributes
    ----------
    config : Config
    extracted : mapping of int to int
        Pixels to extract, by slice.
    exact : bool
        Whether these were counted on labels; else all pixels count where labels decide.
    """

    config: Config
    extracted: Mapping[int, int]
    exact: bool = True

    @cached_property
    def slice_px(self) -> int:
        """Pixels of a slice of the converted volume."""
        return math.prod(self.config.volume.stored_shape[1:])

    @cached_property
    def voxels(self) -> int:
        """Voxels of the converted volume."""
        return math.prod(self.config.volume.stored_shape)

    @cached_property
    def itemsize(self) -> int:
        """Bytes of a grey value."""
        return np.dtype(self.config.volume.dtype).itemsize

    @cached_property
    def links(self) -> bool:
        """Whether the volume is used where it lies, without a copy."""
        return in_zarr(self.config.volume.path or "")

    @cached_property
    def areas(self) -> int:
        """Number of areas."""
        return len(self.config.areas)

    def patches(self, split: str) -> int:
        """Return the patches of a split, all areas together."""
        sampling = self.config.sampling
        each = sampling.train_patches if split == "train" else sampling.eval_patches
        return self.areas * each

    @cached_property
    def all_patches(self) -> int:
        """Patches of all splits."""
        return sum(map(self.patches, ("train", "val", "test")))

    @cached_property
    def noisy_patches(self) -> int:
        """Representations of patches under noise, of one network."""
        readout = self.config.readout
        each = min(readout.noise_patches, self.config.sampling.eval_patches)
        return self.areas * each * len(readout.noise_variances)

    @cached_property
    def split_slices(self) -> int:
        """Annotated slices that patches come from."""
        splits = self.config.splits
        if splits.by == "blocks":
            return 1
        return len([*splits.train, *splits.val, *splits.test])

    def pixels(self, z: int | str | None = None) -> int:
        """Return the extracted pixels of a slice; of the largest one if it is none of them."""
        largest = max(self.extracted.values(), default=0)
        return self.extracted.get(z, largest) if isinstance(z, int) else largest


def describe_work(config: Config, labelled: Mapping[int, NDArray[np.bool_]] | None = None) -> Work:
    """Return the sizes that decide what a run needs.

    Parameters
    ----------
    config : Config
    labelled : mapping of int to ndarray of bool, optional
        Labelled pixels by slice, as drawn; where a slice's are not at hand, or of another shape
        than the volume's, all its pixels count.
    """
    volume, extraction = config.volume, config.extraction
    masks = {z: m for z, m in (labelled or {}).items() if m.shape == volume.shape[1:]}
    if volume.resampling is not None:
        from brainarch.volume.resample import resample_labels  # noqa: PLC0415  # SciPy

        masks = {
            z: resample_labels(mask.astype(np.uint8), volume.resampling) > 0
            for z, mask in masks.items()
        }
    if extraction.where != "labelled":
        masks = {}
    grid = extraction.stride, extraction.rows
    band, columns = _band(volume.stored_shape[1], *grid), volume.stored_shape[2]
    whole = len(range(band.start, band.stop, band.step)) * len(range(0, columns, band.step))
    counted = {z: grid_pixels(masks[z], *grid) for z in extraction.slices if z in masks}
    exact = extraction.where != "labelled" or len(counted) == len(extraction.slices)
    return Work(config, {z: counted.get(z, whole) for z in extraction.slices}, exact)


def grid_pixels(labelled: NDArray[np.bool_], stride: int, rows: tuple[int, int] | None) -> int:
    """Return how many labelled pixels lie on a grid, in a band of rows if given.

    Parameters
    ----------
    labelled : ndarray of bool, shape (rows, columns)
    stride : int
        Distance of the grid's pixels.
    rows : tuple of int, optional
        First and one past the last row.
    """
    return int(labelled[_band(labelled.shape[0], stride, rows), ::stride].sum())


def _band(height: int, stride: int, rows: tuple[int, int] | None) -> slice:
    """Return the rows of a grid, in a band if given, of a slice so high."""
    first, stop = rows if rows is not None else (0, height)
    return slice(-(-first // stride) * stride, stop, stride)
