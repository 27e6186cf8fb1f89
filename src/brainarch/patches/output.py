"""Running the samplers: label store in, a folder of patch tables out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from brainarch.annotations.legend import Legend
from brainarch.annotations.store import Labels, create_labels
from brainarch.atomic import replacing
from brainarch.errors import InputError
from brainarch.patches.blocks import least_distance, split_blocks
from brainarch.patches.sampling import (
    COUNT_COLUMNS,
    INDEPENDENT_COLUMNS,
    SPLITS,
    TRAIN,
    Ground,
    SplitSample,
    block_ids,
    check_gaps,
    sample_split,
)
from brainarch.patches.table import write_patches
from brainarch.tables import write_table


@dataclass(frozen=True)
class SamplingRules:
    """How patches are drawn.

    Attributes
    ----------
    train_patches, eval_patches : int
        Patches of each area in train, and in each of val and test.
    share : float
        Least share of a train patch inside its area.
    area_shares : mapping of str to float
        The same for single areas.
    min_gap_um : float
        Least distance between splits in micrometer.
    block_px : int
        Side of the blocks of the bootstrap in pixels.
    seed : int
        The seed.
    """

    train_patches: int
    eval_patches: int
    share: float
    area_shares: Mapping[str, float]
    min_gap_um: float
    block_px: int
    seed: int

    def shares(self, legend: Legend) -> list[float]:
        """Return every area's share, in code order.

        Raises
        ------
        InputError
            If a share is given for no area of the legend.
        """
        for name in self.area_shares:
            legend.code_of(name)
        return [self.area_shares.get(name, self.share) for name in legend.names]

    def n_patches(self, split: str) -> int:
        """Return how many patches of each area a split gets."""
        return self.train_patches if split == TRAIN else self.eval_patches


def sample_slices(
    labels: Labels,
    legend: Legend,
    splits: Mapping[str, Sequence[int]],
    rules: SamplingRules,
    output: Path,
) -> None:
    """Sample patches where every split is one or more slices (M), and write them.

    Parameters
    ----------
    labels : Labels
        Area labels.
    legend : Legend
        The areas.
    splits : mapping of str to sequence of int
        Slice numbers of train, val and test.
    rules : SamplingRules
        How patches are drawn.
    output : Path
        Folder to make.

    Raises
    ------
    InputError
        If slices are not annotated, splits are too close, or an area has too few candidates.
    """
    shares = rules.shares(legend)
    check_gaps(splits, labels.slice_um, rules.min_gap_um)
    slices = [z for split in SPLITS for z in splits[split]]
    for z in slices:
        labels.index_of(z)

    def grounds(split: str) -> Iterator[Ground]:
        for z in splits[split]:
            area_codes = labels.read_slice(z)
            _check_legend(labels, legend, z, int(area_codes.max()))
            yield Ground(z, area_codes)

    samples = {
        split: sample_split(
            split,
            grounds(split),
            legend.names,
            shares,
            n_patches=rules.n_patches(split),
            seed=rules.seed,
        )
        for split in SPLITS
    }
    _write(labels, samples, slices, rules.block_px, output)


def sample_blocks(
    labels: Labels,
    legend: Legend,
    z: int,
    rules: SamplingRules,
    output: Path,
    *,
    assignment: int,
    min_independent: int,
) -> float:
    """Sample patches where the splits are parts of one slice, and write them.

    Parameters
    ----------
    labels : Labels
        Area labels.
    legend : Legend
        The areas.
    z : int
        Slice number.
    rules : SamplingRules
        How patches are drawn.
    output : Path
        Folder to make.
    assignment : int
        Which assignment of parts to splits, from 0.
    min_independent : int
        Least number of patches at the asked share that share no pixel, for each area and split.

    Returns
    -------
    float
        How much the assignment differs from any earlier one, see `BlockSplit`.

    Raises
    ------
    InputError
        If the slice is not annotated, no assignment was found, or an area has too few candidates.
    """
    shares = rules.shares(legend)
    area_codes = labels.read_slice(z)
    _check_legend(labels, legend, z, int(area_codes.max()))
    division = split_blocks(
        area_codes,
        legend.names,
        shares,
        assignment=assignment,
        distance=least_distance(labels.voxel_um, rules.min_gap_um),
        min_independent=min_independent,
        seed=rules.seed,
    )
    samples = {}
    for code, split in enumerate(SPLITS, start=1):
        samples[split] = sample_split(
            split,
            [Ground(z, area_codes, division.own == code, division.allowed)],
            legend.names,
            shares,
            n_patches=rules.n_patches(split),
            seed=rules.seed,
        )
    _write(labels, samples, [z], rules.block_px, output)
    return division.difference


def _check_legend(labels: Labels, legend: Legend, z: int, largest: int) -> None:
    if largest > len(legend):
        raise InputError(
            f"{labels.path}: slice {z} has code {largest}, but the legend has {len(legend)} areas; "
            "give the legend that was imported with it"
        )


def _write(
    labels: Labels,
    samples: Mapping[str, SplitSample],
    slices: Sequence[int],
    block_px: int,
    output: Path,
) -> None:
    """Write the files of one run; whatever else lies in the folder stays."""
    shape = labels.shape[1:]
    codes = {z: np.zeros(shape, dtype=np.uint8) for z in slices}
    for code, (split, sample) in enumerate(samples.items(), start=1):
        blocks = block_ids(sample.patches, slices, shape, block_px)
        write_patches(sample.patches.assign(block=blocks), output / f"{split}.csv")
        for z, centres in sample.centres.items():
            codes[z][centres] = code
    counts = [row for sample in samples.values() for row in sample.counts]
    frame = pd.DataFrame(counts, columns=list(COUNT_COLUMNS))
    write_table(frame, output / "counts.csv", COUNT_COLUMNS)
    independent = [row for sample in samples.values() for row in sample.independent]
    frame = pd.DataFrame(independent, columns=list(INDEPENDENT_COLUMNS))
    write_table(frame, output / "independent.csv", INDEPENDENT_COLUMNS)
    with replacing(output / "splits.ome.zarr") as temporary:
        store = create_labels(
            temporary,
            labels.shape,
            labels.voxel_um,
            list(codes),
            first_slice=labels.first_slice,
            extra={"codes": {split: code for code, split in enumerate(SPLITS, start=1)}},
            slice_um=labels.slice_um,
            shift_um=labels.shift_um,
        )
        for z, image in codes.items():
            store.write_slice(z, image)
