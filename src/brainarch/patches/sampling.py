"""Which pixels may be patch centres of a split, and drawing from them.

Train patches lie inside their area (V: wholly; ours: at least by a share, for thin areas). Patches
of val and test are labelled by their centre pixel only (A). Every labelled pixel of a split is
accounted for: kept, not drawn, or left out for a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.annotations.holes import close_holes
from brainarch.errors import InputError
from brainarch.geometry import patch_share
from brainarch.seeds import generator
from brainarch.statistics.packing import pack_patches

#: The splits; a split's code in the splits image is its place here, from 1.
SPLITS = ("train", "val", "test")
#: The split whose patches must lie inside their area.
TRAIN = "train"

KEPT = "kept"
NOT_DRAWN = "not drawn"
OUTSIDE = "patch not inside the area by the asked share"
GAP = "too close to another split"
REASONS = (KEPT, NOT_DRAWN, OUTSIDE, GAP)

COUNT_COLUMNS = {
    "split": "train, val or test",
    "area": "name of the area",
    "reason": "what became of the pixels: kept, not drawn, or why they may not be a patch centre",
    "pixels": "number of labelled pixels; the reasons of a split and area add up to all of them",
}
INDEPENDENT_COLUMNS = {
    "split": "train, val or test",
    "area": "name of the area",
    "patches": "patches drawn",
    "candidates": "pixels that could be drawn",
    "independent_patches": "patches that share no pixel, centred on candidates (greedy packing)",
    "share": "asked share of the patch inside the area (0 to 1)",
    "independent_at_share": "the same, only patches inside the area by the asked share",
}


@dataclass(frozen=True)
class Ground:
    """What a split may use of one slice.

    Attributes
    ----------
    z : int
        Slice number.
    labels : ndarray of uint8, shape (rows, columns)
        Area codes.
    own : ndarray of bool, shape (rows, columns), optional
        Pixels that belong to the split; all of them when the splits are slices.
    allowed : ndarray of bool, shape (rows, columns), optional
        Pixels far enough from the other splits; all of them when the splits are slices.
    hole_px : int
        Largest hole of an area that a patch inside it may hold, in pixels.
    """

    z: int
    labels: NDArray[np.uint8]
    own: NDArray[np.bool_] | None = None
    allowed: NDArray[np.bool_] | None = None
    hole_px: int = 0


@dataclass
class SplitSample:
    """The sample of one split.

    Attributes
    ----------
    patches : pandas.DataFrame
        Patch table: z, y, x, area, share.
    counts : list of tuple
        Rows of the table of counts.
    independent : list of tuple
        Rows of the table of independent patches.
    centres : dict of int to ndarray of bool
        Pixels that may be a patch centre, by slice number.
    """

    patches: pd.DataFrame
    counts: list[tuple[str, str, str, int]] = field(default_factory=list)
    independent: list[tuple[str, str, int, int, int, float, int]] = field(default_factory=list)
    centres: dict[int, NDArray[np.bool_]] = field(default_factory=dict)


def check_gaps(splits: Mapping[str, Sequence[int]], slice_um: float, min_gap_um: float) -> None:
    """Check that slices of different splits are far enough apart (V: at least 50 um).

    Parameters
    ----------
    splits : mapping of str to sequence of int
        Slice numbers of each split.
    slice_um : float
        Distance between neighbouring slices in micrometer.
    min_gap_um : float
        Least distance in micrometer.

    Raises
    ------
    InputError
        If two are closer, or a split has no slice or one twice.
    """
    for name, slices in splits.items():
        if not slices:
            raise InputError(f"{name}: it has no slice; give at least one")
        if len(set(slices)) != len(slices):
            raise InputError(f"{name}: slices {list(slices)} name one twice")
    needed = int(np.ceil(min_gap_um / slice_um - 1e-9))
    for (one, first), (other, second) in combinations(splits.items(), 2):
        for z, w in ((z, w) for z in first for w in second):
            gap = abs(z - w) * slice_um
            if abs(z - w) < needed or z == w:
                raise InputError(
                    f"slices {z} ({one}) and {w} ({other}): {gap:.1f} um apart; splits must be at "
                    f"least {min_gap_um:g} um apart, choose slices {max(needed, 1)} or more apart"
                )


def sample_split(
    split: str,
    grounds: Iterable[Ground],
    names: Sequence[str],
    shares: Sequence[float],
    *,
    n_patches: int,
    seed: int,
) -> SplitSample:
    """Draw the patches of one split: the same number of every area, none twice.

    Parameters
    ----------
    split : str
        train, val or test.
    grounds : iterable of Ground
        What the split may use, slice by slice.
    names : sequence of str
        Area names; area i has code i + 1.
    shares : sequence of float
        Least share of a patch inside the area, for each area. Binds train patches only.
    n_patches : int
        Patches to draw of each area, all slices together.
    seed : int
        Seed; every split and area has a stream of its own.

    Returns
    -------
    SplitSample

    Raises
    ------
    InputError
        If an area has too few pixels to draw from.
    """
    pools: list[list[tuple[int, NDArray[np.int64], NDArray[np.float32]]]] = [[] for _ in names]
    lost = np.zeros((len(names), 2), dtype=np.int64)
    independent = np.zeros((len(names), 2), dtype=np.int64)
    centres: dict[int, NDArray[np.bool_]] = {}
    columns = 0
    for ground in grounds:
        columns = ground.labels.shape[1]
        centres[ground.z] = np.zeros(ground.labels.shape, dtype=bool)
        for index, share in enumerate(shares):
            area = ground.labels == index + 1
            inside_share = patch_share(close_holes(area, ground.hole_px))
            mask = area if ground.own is None else area & ground.own
            inside = mask & (inside_share >= share)
            fit = inside if split == TRAIN else mask
            good = fit if ground.allowed is None else fit & ground.allowed
            lost[index] += (int(mask.sum()) - int(fit.sum()), int(fit.sum()) - int(good.sum()))
            independent[index] += (len(pack_patches(good)), len(pack_patches(good & inside)))
            flat = np.flatnonzero(good)
            pools[index].append((ground.z, flat, inside_share.reshape(-1)[flat]))
            centres[ground.z] |= good
    sizes = [sum(len(flat) for _, flat, _ in pool) for pool in pools]
    _check_enough(split, sorted(centres), names, shares, sizes=sizes, n_patches=n_patches)
    sample = SplitSample(pd.DataFrame(), centres=centres)
    tables = []
    for index, name in enumerate(names):
        tables.append(_draw(pools[index], columns, n_patches, seed, f"sample {split} {name}"))
        tables[-1].insert(3, "area", name)
        pixels = (n_patches, sizes[index] - n_patches, *lost[index].tolist())
        sample.counts += [
            (split, name, reason, int(n)) for reason, n in zip(REASONS, pixels, strict=True)
        ]
        all_, at_share = independent[index].tolist()
        sample.independent.append(
            (split, name, n_patches, sizes[index], all_, shares[index], at_share)
        )
    sample.patches = pd.concat(tables, ignore_index=True)
    return sample


def _draw(
    pool: Sequence[tuple[int, NDArray[np.int64], NDArray[np.float32]]],
    columns: int,
    n_patches: int,
    seed: int,
    purpose: str,
) -> pd.DataFrame:
    """Draw pixels of one area without replacement, in the order of slice, row and column."""
    lengths = [len(flat) for _, flat, _ in pool]
    rng = generator(seed, purpose)
    chosen = np.sort(rng.choice(sum(lengths), size=n_patches, replace=False, shuffle=False))
    z = np.repeat([z for z, _, _ in pool], lengths)[chosen]
    flat = np.concatenate([flat for _, flat, _ in pool])[chosen]
    share = np.concatenate([share for _, _, share in pool])[chosen]
    return pd.DataFrame(
        {"z": z, "y": flat // columns, "x": flat % columns, "share": share.astype(np.float64)}
    )


def _check_enough(
    split: str,
    slices: Sequence[int],
    names: Sequence[str],
    shares: Sequence[float],
    *,
    sizes: Sequence[int],
    n_patches: int,
) -> None:
    """Raise one line that names every area with too few candidates."""
    short = [
        f"{name} has {size}" + (f" (patch inside by {share:.0%})" if split == TRAIN else "")
        for name, share, size in zip(names, shares, sizes, strict=True)
        if size < n_patches
    ]
    if short:
        where = "slice " + ", ".join(map(str, slices))
        cures = ["fewer patches"] if min(sizes) else []  # where there is none, fewer are no help
        cures += ["other slices" if not min(sizes) else "more annotated slices"]
        if split == TRAIN:
            cures.insert(0, "a smaller share of the patch inside the area")
        raise InputError(
            f"{split} ({where}): {n_patches} patches of every area were asked, but area "
            f"{', '.join(short)} candidate centres; ask for {' or '.join(cures)}"
            f"{'' if min(sizes) else ', or leave the area out'}"
        )
