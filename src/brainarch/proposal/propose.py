"""From what files say of themselves to a config, each line that a person must decide marked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainarch.config.document import commented_yaml
from brainarch.config.model import Config, SamplingConfig
from brainarch.config.read import check_config
from brainarch.errors import InputError
from brainarch.geometry import PATCH, patch_share
from brainarch.preflight.feasible import check_greys, grey_range
from brainarch.proposal.files import LabelsFound, StackFound
from brainarch.volume.units import SQUARE, Sides, are_equal, sides_text, voxel_sides

#: What stands behind a line that a person must decide.
DECIDE = "  # DECIDE: "
#: Stands for a voxel size that the files do not state, until the text is written: slices of such
#: voxels are as far apart as splits must be.
UNKNOWN_UM = 100.0
#: Places that an area should have for patches before a smaller share of them is proposed.
ENOUGH = 200
HEADING = """A config for {stack}.
Decide every line marked DECIDE, then: brainarch doctor {path}
Every key is explained above it; config/README.md has them all in one table."""


@dataclass(frozen=True)
class Proposal:
    """A config and what is to be decided in it.

    Attributes
    ----------
    config : Config
    marks : mapping of str to str
        By key, such as ``splits.train`` or ``areas[0]``: what to decide.
    unknown : frozenset of str
        Keys that stand as null until they are decided.
    """

    config: Config
    marks: Mapping[str, str]
    unknown: frozenset[str]


def propose(source: str, stack: StackFound, labels: LabelsFound | None) -> Proposal:
    """Propose a config.

    Parameters
    ----------
    source : str
        The stack as it was named.
    stack : StackFound
    labels : LabelsFound or None

    Raises
    ------
    InputError
        If labels are of slices that the stack does not have.
    """
    marks: dict[str, str] = {}
    unknown = set()
    if labels is not None:
        stack = _numbered(stack, labels, marks)
    volume: dict[str, Any] = {
        "path": source,
        "shape": list(stack.shape),
        "first_slice": stack.first_slice,
        "voxel_um": _voxel(stack.sides_um, marks),
        **_greys(stack, marks, in_place=".zarr" in source.lower()),
    }
    if volume["voxel_um"] == UNKNOWN_UM:
        unknown.add("volume.voxel_um")
    content: dict[str, Any] = {
        "dataset": _name(Path(source).stem if Path(source).is_file() else Path(source).name),
        "title": "My volume",
        "source": "tiff",
        "volume": volume,
    }
    marks["title"] = "the name shown in the report"
    if labels is None:
        content |= _without_labels(stack, marks)
        unknown.add("annotations.path")
    else:
        slice_um, _, _ = voxel_sides(volume["voxel_um"])
        content |= _with_labels(labels, slice_um, marks)
    return Proposal(check_config(content, "proposal"), marks, frozenset(unknown))


def write(proposal: Proposal, source: str, path: str) -> str:
    """Return the config as YAML, the lines to decide marked."""
    text = commented_yaml(proposal.config, HEADING.format(stack=source, path=path))
    lines: list[str] = []
    keys: list[str] = []
    item = -1
    for line in text.splitlines():
        found = re.match(r"( *)(- )?([a-z_0-9]+)?(:?)", line)
        assert found is not None  # everything matches
        if "$schema=" in line:  # it names a file of the repository
            continue
        if found[2]:
            item += 1
            key = f"{keys[0]}[{item}]"
        elif found[3] and found[4]:
            keys = [*keys[: len(found[1]) // 2], found[3]]
            item, key = -1, ".".join(keys)
        else:
            key = ""
        said = f"{line.partition(':')[0]}: null" if key in proposal.unknown else line
        lines.append(said + (DECIDE + proposal.marks[key] if key in proposal.marks else ""))
    return "\n".join(lines) + "\n"


def _numbered(stack: StackFound, labels: LabelsFound, marks: dict[str, str]) -> StackFound:
    """Return the stack, its only slice numbered as the only label image is."""
    last = stack.first_slice + stack.shape[0] - 1
    outside = [z for z in labels.images if not stack.first_slice <= z <= last]
    if not outside:
        return stack
    if stack.shape[0] == len(labels.images) == 1:
        (z,) = labels.images
        marks["volume.first_slice"] = "number of the only slice, taken from its label image"
        return replace(stack, first_slice=z, greys={z: next(iter(stack.greys.values()))})
    raise InputError(
        f"{labels.path}: labels of slice {outside[0]}, but the stack's slices are "
        f"{stack.first_slice} to {last}; name both by the same numbers"
    )


def _voxel(sides_um: Sides, marks: dict[str, str]) -> float | list[float]:
    """Return the voxel as the config has it: a number for a cube, else z, y and x."""
    z, y, x = sides_um
    if x is None or y is None:
        marks["volume.voxel_um"] = (
            "edge of a voxel in micrometres, or [z, y, x]; the files do not state it"
        )
        return UNKNOWN_UM
    if not are_equal(y, x):
        marks["volume.voxel_um"] = f"the files state {sides_text(sides_um)} um (z, y, x); {SQUARE}"
        return UNKNOWN_UM
    if z is None:
        marks["volume.voxel_um"] = (
            f"the files state pixels of {x:g} um, but not how far slices are apart; say [z, y, x]"
        )
        return x
    return x if are_equal(z, x) else [z, y, x]


def _greys(stack: StackFound, marks: dict[str, str], *, in_place: bool) -> dict[str, Any]:
    """Return the type, and a window where grey values use little of their range."""
    if stack.dtype == np.uint8:
        return {"dtype": "uint8"}
    low, high = grey_range(stack.greys)
    if stack.dtype == np.uint16:
        if in_place or not check_greys(stack.greys, narrows=True)[1]:
            return {"dtype": "uint16"}
        low, high = round(low), round(high)
    share = "" if stack.dtype.kind == "f" else f", {(high - low) / 65535:.0%} of the range"
    marks["volume.window"] = (
        f"grey values that become black and white; most lie within {low:g} to {high:g}{share}"
    )
    return {"dtype": "uint8", "window": [float(f"{low:.6g}"), float(f"{high:.6g}")]}


def _without_labels(stack: StackFound, marks: dict[str, str]) -> dict[str, Any]:
    middle = stack.first_slice + stack.shape[0] // 2
    marks |= {
        "annotations.path": "label images with {z} for the slice; draw at least one slice",
        "annotations.slices": "the slices that you annotated",
        "areas[0]": "an area: its name, title and codes",
        "areas[1]": "another area; add a line for each",
        "splits.slice": "the annotated slice; by: slices where three or more are annotated",
        "extraction.slices": "the slices to map",
    }
    return {
        "areas": [
            {"name": f"area{code}", "title": f"Area {code}", "codes": [code]} for code in (1, 2)
        ],
        "annotations": {"path": "labels/z{z:04d}.tif", "slices": [middle]},
        "splits": {"by": "blocks", "slice": middle},
        "extraction": {"slices": [middle], "where": "tissue"},
    }


def _with_labels(labels: LabelsFound, slice_um: float, marks: dict[str, str]) -> dict[str, Any]:
    counts = {z: _counts(image) for z, image in labels.images.items()}
    codes = sorted({code for found in counts.values() for code in found} - {0})
    if len(codes) == 1 and not labels.classes:
        codes, ignored = [0, *codes], []  # the rest of the slice is the other area
    else:
        ignored = [0]
    present = {z: frozenset(found) & set(codes) for z, found in counts.items()}
    splits = _splits(present, slice_um)
    train = splits.get("train", [splits.get("slice")])
    tested = splits.get("test", [splits.get("slice")])
    areas, places = [], []
    for index, code in enumerate(codes):
        share, count = _share([labels.images[z] == code for z in train])
        places.append(count)
        area = _area(code, labels.classes)
        areas.append(area if share == 1 else area | {"share": share})
        where = ", ".join(str(z) for z in sorted(counts) if code in counts[z])
        thin = "" if share == 1 else f", too thin for whole patches of {PATCH} px"
        marks[f"areas[{index}]"] = (
            f"name and title; {_told(code, labels.classes)} has "
            f"{sum(c.get(code, 0) for c in counts.values()):,} px on slices {where}{thin}; or move "
            "it to annotations.ignore"
        )
    least = min(counts[z].get(code, 0) for z in tested for code in codes)
    sampling = {
        key: max(1, min(int(_default(key)), count))
        for key, count in (("train_patches", min(places)), ("eval_patches", least))
    }
    for key in splits.keys() - {"by"}:
        marks[f"splits.{key}"] = "proposed by distance and by the areas that are there"
    marks["extraction.slices"] = "the slices to map; the first is analysed"
    return {
        "areas": areas,
        "annotations": {"path": labels.path, "slices": sorted(counts), "ignore": ignored},
        "splits": splits,
        "sampling": sampling,
        "extraction": {"slices": list(tested)},
    }


def _area(code: int, classes: Mapping[int, tuple[str, str | None]]) -> dict[str, Any]:
    """Return an area as its label files call it."""
    if code not in classes:
        return {"name": f"area{code}", "title": f"Area {code}", "codes": [code]}
    name, colour = classes[code]
    area = {"name": _name(name), "title": name, "codes": [name]}
    return area if colour is None else area | {"colour": colour}


def _told(code: int, classes: Mapping[int, tuple[str, str | None]]) -> str:
    return f"class {classes[code][0]}" if code in classes else f"code {code}"


def _splits(present: Mapping[int, frozenset[int]], slice_um: float) -> dict[str, Any]:
    """Return slices for the splits that are far apart and hold all areas, else parts of one."""
    every = frozenset().union(*present.values())
    complete = sorted(z for z, codes in present.items() if codes == every)
    least = SamplingConfig().min_gap_um
    far = [
        (min(b - a, c - b), a, b, c)
        for a, b, c in combinations(complete, 3)
        if min(b - a, c - b) * slice_um >= least
    ]
    if far:
        _, first, val, test = max(far, key=lambda found: (found[0], -found[1]))
        held = (val, test)
        train = [z for z in present if all(abs(z - other) * slice_um >= least for other in held)]
        return {"by": "slices", "train": sorted({first, *train}), "val": [val], "test": [test]}
    fullest = max(present, key=lambda z: (len(present[z]), -z))
    return {"by": "blocks", "slice": fullest}


def _counts(image: NDArray[np.integer]) -> dict[int, int]:
    codes, numbers = np.unique(image, return_counts=True)
    return {int(code): int(count) for code, count in zip(codes, numbers, strict=True)}


def _share(masks: Sequence[NDArray[np.bool_]]) -> tuple[float, int]:
    """Return the largest share with which an area has enough places for patches, and how many."""
    shares = np.concatenate([patch_share(mask)[mask] for mask in masks])
    for share in np.arange(20, 0, -1) / 20:
        places = int((shares >= share).sum())
        if places >= ENOUGH:
            break
    return float(share), places


def _default(key: str) -> int:
    default: int = SamplingConfig.model_fields[key].default
    return default


def _name(text: str) -> str:
    """Return a text as the name of a dataset may be."""
    plain = re.sub(r"\{.*?\}|[^A-Za-z0-9_-]+", "_", text).strip("_") or "my_volume"
    return plain[:64]
