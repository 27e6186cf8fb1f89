"""Whether a run can work at all: found on labels and a few slices, before anything is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brainarch.annotations.areas import number_classes
from brainarch.errors import InputError
from brainarch.geometry import PATCH, WINDOW, patch_share
from brainarch.preflight.inputs import SliceLabels
from brainarch.statistics.packing import pack_patches
from brainarch.volume.resample import resample_labels

if TYPE_CHECKING:
    from brainarch.config.model import Config

#: Fewest blocks of the bootstrap on the test slices from which an interval says anything (ours).
LEAST_BLOCKS = 5
#: Share of the range of grey values that most of a slice has to use (ours).
LEAST_RANGE = 0.2
#: Share of pixels that may lie outside the range called used, at either end (ours).
TAIL = 0.001
#: Memory in MB with which the smallest tile fits at every stride, a slice's pixels aside.
SURE_TILE_MB = 1100.0


def check_patches(config: Config, labelled: Sequence[SliceLabels]) -> list[str]:
    """Return which areas lack the patches that the config asks for, one line each.

    Parameters
    ----------
    config : Config
    labelled : sequence of SliceLabels
        Label images of areas; splits whose slices are not all among them are not checked.
    """
    areas = {labels.z: _stored(config, labels) for labels in labelled}
    if config.splits.by == "blocks":
        z = config.splits.slice
        return _check_parts(config, z, areas[z]) if z in areas else []
    problems = []
    sampling = config.sampling
    for split in ("train", "val", "test"):
        slices = getattr(config.splits, split)
        if not set(slices) <= set(areas):
            continue
        asked = sampling.train_patches if split == "train" else sampling.eval_patches
        key = "train_patches" if split == "train" else "eval_patches"
        for index, area in enumerate(config.areas):
            masks = [areas[z] == index + 1 for z in slices]
            pixels = sum(int(mask.sum()) for mask in masks)
            where = f"splits.{split} (slice {', '.join(map(str, slices))})"
            if pixels and split == "train":
                places = sum(
                    int((mask & (patch_share(mask) >= area.share)).sum()) for mask in masks
                )
                what = (
                    f"places whose patch of {PATCH} x {PATCH} px lies inside it by {area.share:.0%}"
                )
            else:
                places, what = pixels, "pixels"
            if places >= asked:
                continue
            if not pixels:
                mend = f"choose slices that have it, or leave {area.name} out of areas"
            elif not places:
                mend = f"give {area.name} a smaller share in areas, e.g. {_share_that_fits(masks)}"
            else:
                mend = f"lower sampling.{key}, or name more slices"
            problems.append(
                f"{where}: {area.name} has {places:,} {what}, but {asked:,} patches are asked "
                f"for; {mend}"
            )
    return problems


def _check_parts(config: Config, z: int, areas: NDArray[np.uint8]) -> list[str]:
    """Check that each area has room for three parts, as the search for them will ask."""
    least = getattr(config.splits, "min_independent", 1)
    problems = []
    for index, area in enumerate(config.areas):
        mask = areas == index + 1
        room = len(pack_patches(mask & (patch_share(mask) >= area.share)))
        if room < 3 * least:
            problems.append(
                f"splits.slice: {area.name} has room for {room} patches that share no pixel on "
                f"slice {z}, but three splits need {least} each; give it a smaller share in areas, "
                "lower splits.min_independent, or split by whole slices"
            )
    return problems


def check_blocks(config: Config, labelled: Sequence[SliceLabels]) -> list[str]:
    """Return a line if the test slices have too few blocks for an interval."""
    tested = [config.splits.slice] if config.splits.by == "blocks" else list(config.splits.test)
    areas = {labels.z: labels for labels in labelled}
    if not set(tested) <= set(areas):
        return []
    asked = config.statistics.block_px
    side = WINDOW if asked == "auto" else asked  # auto is at least that
    blocks = 0
    for z in tested:
        y, x = np.nonzero(_stored(config, areas[z]))
        blocks += len(np.unique(y // side * (x.max(initial=0) // side + 1) + x // side))
    if blocks >= LEAST_BLOCKS:
        return []
    mend = f"lower it (at least {WINDOW}), or " if side > WINDOW else ""
    return [
        f"statistics.block_px: the labels of the test slices lie in {blocks} blocks of {side} px, "
        f"too few for an interval ({LEAST_BLOCKS} at least); {mend}name more test slices"
    ]


def unused_codes(config: Config, labelled: Sequence[SliceLabels]) -> list[str]:
    """Return a line for each code of an area that no annotated slice has, though the area is there.

    An area without any pixel is told elsewhere.
    """
    if {labels.z for labels in labelled} != set(config.annotations.slices):
        return []
    present = {code for labels in labelled for code in labels.codes}
    told = {area.name: area.codes for area in config.areas}
    numbered, _, classes = number_classes(told, config.annotations.ignore)
    word = "class" if classes else "code"
    return [
        f"areas: {word} {code} of {name} is on no annotated slice"
        for name, codes in numbered.items()
        for code, number in zip(told[name], codes, strict=True)
        if number not in present and present & set(codes)
    ]


def check_tile(config: Config) -> list[str]:
    """Return a line if the extraction may not use enough memory for its smallest tile."""
    keys, shape = config.extraction, config.volume.stored_shape[1:]
    if keys.memory_mb >= SURE_TILE_MB + 3 * shape[0] * shape[1] / 1e6:
        return []
    from brainarch.dense.plan import plan_trunk  # noqa: PLC0415  # torch, in doubtful cases only
    from brainarch.network.architecture import AreaNetwork  # noqa: PLC0415

    try:
        plan_trunk(
            AreaNetwork(len(config.areas)).trunk,
            shape,
            keys.stride,
            memory_mb=keys.memory_mb,
            precision=keys.precision,
            rows=keys.rows,
        )
    except InputError as error:
        return [f"extraction.memory_mb: {error}"]
    return []


def grey_range(slices: Mapping[int, NDArray[np.generic]]) -> tuple[float, float]:
    """Return between which grey values all but a few pixels of some slices lie."""
    values = np.concatenate([grey.reshape(-1)[::7] for grey in slices.values()])
    low, high = np.nanquantile(values.astype(np.float64), (TAIL, 1 - TAIL))
    return float(low), float(high)


def check_greys(slices: Mapping[int, NDArray[np.generic]], *, narrows: bool) -> tuple[str, bool]:
    """Return what is wrong with the range of grey values, and whether a window mends it.

    Parameters
    ----------
    slices : mapping of int to ndarray of uint8 or uint16
        Some slices as they would be stored.
    narrows : bool
        Whether a window can narrow them to uint8.
    """
    dtype = np.dtype(str(next(iter(slices.values())).dtype))
    low, high = grey_range(slices)
    top = float(np.iinfo(np.uint8 if dtype == np.uint8 else np.uint16).max)
    if high - low >= LEAST_RANGE * top:
        return "", False
    named = ", ".join(map(str, slices))
    text = (
        f"volume: slices {named} use grey values {low:.0f} to {high:.0f} of 0 to {top:.0f}, "
        f"{(high - low) / top:.1%} of the range"
    )
    if high <= low:
        return f"{text}; these slices show nothing", False
    if not narrows:
        return f"{text}; noise in V4 will be large beside the tissue", False
    return f"{text}; say volume.dtype: uint8 and volume.window: [{low:.0f}, {high:.0f}]", True


def _stored(config: Config, labels: SliceLabels) -> NDArray[np.uint8]:
    """Return the areas of a slice as codes 1 ... n on the converted volume's pixels."""
    resampling = config.volume.resampling
    if resampling is None or labels.shape != config.volume.shape[1:]:
        return labels.entries
    return resample_labels(labels.entries, resampling)


def _share_that_fits(masks: Sequence[NDArray[np.bool_]]) -> str:
    """Return the largest share, in steps of 0.05, that some patch of an area reaches."""
    most = max(float((patch_share(mask) * mask).max(initial=0)) for mask in masks)
    return f"share: {max(0.05, np.floor(most * 20) / 20):g}"
