"""The stages that sample patches: they read labels and write patch tables."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.annotations.legend import Legend, read_legend
from brainarch.annotations.store import Labels, create_labels, open_labels
from brainarch.atomic import replacing
from brainarch.errors import InputError
from brainarch.patches.blocks import least_distance, split_blocks
from brainarch.patches.sampling import (
    COUNT_COLUMNS,
    INDEPENDENT_COLUMNS,
    SPLITS,
    Ground,
    SplitSample,
    check_gaps,
    sample_split,
)
from brainarch.patches.table import write_patches
from brainarch.stores.arrays import MADE_BY
from brainarch.tables import write_table

logger = logging.getLogger(__name__)

#: Least share of a train patch inside its area, unless the area asks for less (V).
SHARE = 1.0


def sample_slices(
    *,
    labels: Path,
    legend: Path,
    splits: Path,
    train: Path,
    val: Path,
    test: Path,
    counts: Path,
    independent: Path,
    slices: Mapping[str, Sequence[int]],
    train_patches: int,
    eval_patches: int,
    min_gap_um: float,
    area_shares: Mapping[str, float],
    seed: int,
) -> None:
    """Sample patches where every split is one or more slices (M).

    Parameters
    ----------
    labels, legend : Path
        Area labels and what their codes mean.
    splits : Path
        Label image to write: pixels that may be a patch centre, by split.
    train, val, test : Path
        Patch tables to write.
    counts, independent : Path
        Tables to write: what became of every labelled pixel, and how many patches share no pixel.
    slices : mapping of str to sequence of int
        Slice numbers of train, val and test.
    train_patches, eval_patches : int
        Patches per area in train, and in each of val and test.
    min_gap_um : float
        Least distance between splits in micrometer.
    area_shares : mapping of str to float
        Least share of a train patch inside its area, where it is not the whole patch.
    seed : int

    Raises
    ------
    InputError
        If slices are not annotated, splits are too close, or an area has too few candidates.
    """
    stack, areas = open_labels(labels), read_legend(legend)
    shares = _shares(areas, area_shares)
    check_gaps(slices, stack.slice_um, min_gap_um)
    used = [z for split in SPLITS for z in slices[split]]
    for z in used:
        stack.index_of(z)

    def grounds(split: str) -> Iterator[Ground]:
        for z in slices[split]:
            yield Ground(z, _read_slice(stack, areas, z), hole_px=stack.hole_px)

    samples = {
        split: sample_split(split, grounds(split), areas.names, shares, n_patches=n, seed=seed)
        for split, n in zip(SPLITS, (train_patches, eval_patches, eval_patches), strict=True)
    }
    _write_tables(samples, {"train": train, "val": val, "test": test})
    _write_counts(samples, counts, independent)
    _write_splits(samples, used, stack, splits)


def sample_blocks(
    *,
    labels: Path,
    legend: Path,
    splits: Path,
    train: Path,
    val: Path,
    test: Path,
    counts: Path,
    independent: Path,
    z: int,
    assignment: int,
    min_independent: int,
    train_patches: int,
    eval_patches: int,
    min_gap_um: float,
    area_shares: Mapping[str, float],
    seed: int,
) -> None:
    """Sample patches where the splits are parts of one slice.

    Parameters
    ----------
    labels, legend, splits, train, val, test, counts, independent : Path
        As in `sample_slices`.
    z : int
        Slice number.
    assignment : int
        Which assignment of parts to splits, from 0.
    min_independent : int
        Least number of patches at the asked share that share no pixel, for each area and split.
    train_patches, eval_patches, min_gap_um, area_shares, seed
        As in `sample_slices`.

    Raises
    ------
    InputError
        If the slice is not annotated, no assignment was found, or an area has too few candidates.
    """
    stack, areas = open_labels(labels), read_legend(legend)
    shares = _shares(areas, area_shares)
    codes = _read_slice(stack, areas, z)
    division = split_blocks(
        codes,
        areas.names,
        shares,
        assignment=assignment,
        distance=least_distance(stack.pixel_um, min_gap_um),
        min_independent=min_independent,
        hole_px=stack.hole_px,
        seed=seed,
    )
    if assignment:
        logger.info(
            "train and test differ from those of any earlier assignment by a Jaccard distance of "
            "at least %.2f",
            division.difference,
        )
    samples = {}
    for code, split in enumerate(SPLITS, start=1):
        ground = Ground(z, codes, division.own == code, division.allowed, stack.hole_px)
        n = train_patches if split == "train" else eval_patches
        samples[split] = sample_split(split, [ground], areas.names, shares, n_patches=n, seed=seed)
    _write_tables(samples, {"train": train, "val": val, "test": test})
    _write_counts(samples, counts, independent)
    _write_splits(samples, [z], stack, splits)


def _shares(legend: Legend, area_shares: Mapping[str, float]) -> list[float]:
    """Return every area's share, in code order; `InputError` for an area that is not there."""
    for name in area_shares:
        legend.code_of(name)
    return [area_shares.get(name, SHARE) for name in legend.names]


def _read_slice(labels: Labels, legend: Legend, z: int) -> NDArray[np.uint8]:
    codes = labels.read_slice(z)
    if codes.max() > len(legend):
        raise InputError(
            f"{labels.path}: slice {z} has code {codes.max()}, but the legend has {len(legend)} "
            "areas; give the legend that was imported with it"
        )
    return codes


def _write_tables(samples: Mapping[str, SplitSample], paths: Mapping[str, Path]) -> None:
    for split, sample in samples.items():
        write_patches(sample.patches, paths[split])


def _write_counts(samples: Mapping[str, SplitSample], counts: Path, independent: Path) -> None:
    rows = [row for sample in samples.values() for row in sample.counts]
    write_table(pd.DataFrame(rows, columns=list(COUNT_COLUMNS)), counts, COUNT_COLUMNS)
    found = [row for sample in samples.values() for row in sample.independent]
    frame = pd.DataFrame(found, columns=list(INDEPENDENT_COLUMNS))
    write_table(frame, independent, INDEPENDENT_COLUMNS)


def _write_splits(
    samples: Mapping[str, SplitSample], slices: Sequence[int], labels: Labels, path: Path
) -> None:
    """Write the pixels that may be a patch centre, with the code of their split."""
    codes = {z: np.zeros(labels.shape[1:], dtype=np.uint8) for z in slices}
    for code, sample in enumerate(samples.values(), start=1):
        for z, centres in sample.centres.items():
            codes[z][centres] = code
    with replacing(path) as temporary:
        store = create_labels(
            temporary,
            labels.shape,
            labels.pixel_um,
            list(codes),
            first_slice=labels.first_slice,
            extra={
                "codes": {split: code for code, split in enumerate(SPLITS, start=1)},
                MADE_BY: "`brainarch sample`",
            },
            slice_um=labels.slice_um,
            shift_um=labels.shift_um,
        )
        for z, image in codes.items():
            store.write_slice(z, image)
