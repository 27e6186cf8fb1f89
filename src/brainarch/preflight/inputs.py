"""What the input files hold against what was declared; every problem is one line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainarch.annotations.areas import number_classes
from brainarch.annotations.images import LabelFiles, read_label_image
from brainarch.annotations.rims import describe_rims, find_rims
from brainarch.errors import InputError
from brainarch.volume.convert import check_declared
from brainarch.volume.kinds import in_zarr
from brainarch.volume.samples import check_samples
from brainarch.volume.stack import Stack, check_voxel, describe, open_stack
from brainarch.volume.store import check_image
from brainarch.volume.units import Voxel

#: Slices named in one line; the rest are counted.
NAMED_SLICES = 6


@dataclass(frozen=True)
class VolumeFound:
    """What the volume's files hold.

    Attributes
    ----------
    text : str
        Shape, type and slices as words.
    shape : tuple of int or None
        Slices, rows, columns; None if nothing could be read.
    problems : tuple of str
    greys : mapping of int to ndarray of uint8 or uint16, shape (rows, columns)
        A few slices as they would be stored.
    """

    text: str
    shape: tuple[int, int, int] | None
    problems: tuple[str, ...]
    greys: Mapping[int, NDArray[np.generic]] = field(default_factory=dict)


@dataclass(frozen=True)
class SliceLabels:
    """What the label image of one slice holds.

    Attributes
    ----------
    z : int
        The slice.
    path : Path
        Its image.
    shape : tuple of int
        Rows and columns.
    counts : mapping of str to int
        Pixels by area (or layer), those without a pixel included.
    ignored, unknown : mapping of int to int
        Pixels by code that is left out, and by code that the legend does not know.
    codes : frozenset of int
        Every code of the image.
    entries : ndarray of uint8, shape (rows, columns)
        Which entry of the legend each pixel belongs to, from 1; 0 for none.
    rims : str
        Thin rims of one code between two others, as words; empty without.
    """

    z: int
    path: Path
    shape: tuple[int, int]
    counts: Mapping[str, int]
    ignored: Mapping[int, int]
    unknown: Mapping[int, int]
    codes: frozenset[int]
    entries: NDArray[np.uint8]
    rims: str = ""

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """The pixels of any entry."""
        return self.entries > 0

    @property
    def text(self) -> str:
        """What there is, as one line."""
        parts = [f"{name} {count:,} px" for name, count in self.counts.items() if count]
        absent = [name for name, count in self.counts.items() if not count]
        if absent:
            parts.append(f"no {', '.join(absent)}")
        if self.ignored:
            parts.append("left out: code " + _counted(self.ignored))
        if self.unknown:
            parts.append("NOT IN THE LEGEND: code " + _counted(self.unknown))
        if self.rims:
            parts.append(f"EDGES LOOK SMOOTHED: {self.rims}")
        return f"slice {self.z}: " + "; ".join(parts)


def check_volume(
    source: str,
    shape: tuple[int, int, int],
    dtype: str,
    first_slice: int,
    *,
    voxel_um: Voxel,
    window: tuple[float, float] | None = None,
    nan: float | None = None,
    file_step: int = 1,
) -> VolumeFound:
    """Read the headers of a volume's files and compare them with what was declared.

    With a window a few slices are read as well, see `brainarch.volume.samples.check_samples`.

    Parameters
    ----------
    source : str
        Folder, pattern or file of a TIFF stack, or an OME-Zarr image.
    shape : tuple of int
        Declared slices, rows and columns.
    dtype : str
        Declared type of the grey values.
    first_slice : int
        Declared number of the first slice.
    voxel_um : float or sequence of float
        Declared side of the voxel in micrometer, or its sides along z, y and x.
    window : tuple of float, optional
        Intensity window of a TIFF stack.
    nan : float, optional
        Grey value that NaN pixels take.
    file_step : int
        By how much the numbers of the files go up from slice to slice.
    """
    if in_zarr(source):
        return _check_image(source, shape, dtype, first_slice, voxel_um)
    try:
        stack = open_stack(
            source, first_slice, window=window, dtype=dtype, nan=nan, file_step=file_step
        )
    except InputError as error:
        return VolumeFound("not readable", None, (str(error),))
    problems = []
    for check in (
        partial(check_declared, stack, shape, dtype),
        partial(check_voxel, stack, voxel_um),
    ):
        try:
            check()
        except InputError as error:
            problems.append(str(error))
    text, greys = _describe_stack(stack, first_slice), {}
    if not problems:
        try:
            check_samples(stack)
            greys = {first_slice + i: stack.read(i, i + 1)[0] for i in _some(stack.shape[0])}
        except InputError as error:
            problems.append(str(error))
    return VolumeFound(text, stack.shape, tuple(problems), greys)


def _check_image(
    source: str, shape: tuple[int, int, int], dtype: str, first_slice: int, voxel_um: Voxel
) -> VolumeFound:
    """Compare an OME-Zarr image, which will be used where it lies, with what was declared."""
    try:
        image = check_image(
            Path(source), shape=shape, dtype=dtype, voxel_um=voxel_um, first_slice=first_slice
        )
    except InputError as error:
        return VolumeFound("not usable", None, (str(error),))
    last = first_slice + image.shape[0] - 1
    where = f"slices {first_slice} to {last} (OME-Zarr, used where it lies)"
    text = f"{describe(image.shape, image.dtype)}, {where}"
    try:
        greys = {first_slice + i: image.read_slice(i) for i in _some(image.shape[0])}
    except InputError as error:
        return VolumeFound(text, image.shape, (str(error),))
    return VolumeFound(text, image.shape, (), greys)


def read_labels(
    images: Mapping[int, Path],
    codes: Mapping[str, Collection[int | str]],
    ignored: Collection[int | str],
    files: LabelFiles | None = None,
) -> tuple[list[SliceLabels], list[str]]:
    """Read the label images of some slices.

    Parameters
    ----------
    images : mapping of int to Path
        Label image by slice.
    codes : mapping of str to collection of int or str
        Codes of every area, or classes of its shapes.
    ignored : collection of int or str
        Codes or classes that are left out.
    files : LabelFiles, optional
        How the files are to be read; without it every one holds one slice of any size.

    Returns
    -------
    found : list of SliceLabels
        One a slice whose image can be read.
    problems : list of str
        Images that cannot be read, alike ones in one line.
    """
    found = []
    broken: dict[str, list[tuple[int, Path]]] = {}
    numbered, left_out, classes = number_classes(codes, ignored)
    files = replace(files or LabelFiles(), classes=classes)
    for z, path in sorted(images.items()):
        try:
            image = read_label_image(path, z, files)
        except InputError as error:
            reason = str(error).removeprefix(f"{path}: ")
            reason = reason.replace(f"; the labels of slice {z} are declared to be there", "")
            reason = reason.replace(f"labels of slice {z} are", "labels are")
            broken.setdefault(reason, []).append((z, path))
            continue
        found.append(_count_codes(z, path, image, numbered, left_out))
    problems = [
        f"{entries[0][1]}: {reason}{_likewise([z for z, _ in entries[1:]])}"
        for reason, entries in broken.items()
    ]
    return found, problems


def check_labels(
    found: Sequence[SliceLabels],
    key: str,
    advice: str,
    splits: Mapping[str, Collection[int]] | None,
) -> list[str]:
    """Compare label images with the legend, and with what is learnt from them.

    Parameters
    ----------
    found : sequence of SliceLabels
    key : str
        Config key of the legend.
    advice : str
        Config key that lists the codes to leave out.
    splits : mapping of str to collection of int, or None
        Slices by split, each of which needs every area; None where some images were not read, so
        that nothing can be said of what is absent.

    Returns
    -------
    list of str
        One line a kind of problem.
    """
    problems = []
    for code in sorted({code for labels in found for code in labels.unknown}):
        at = [labels for labels in found if code in labels.unknown]
        problems.append(
            f"{at[0].path}: code {code} ({at[0].unknown[code]:,} px) is not in the legend; add it "
            f"to an entry of {key} or to {advice}{_likewise([labels.z for labels in at[1:]])}"
        )
    # An area that is absent and a code that is unknown are mostly one mistake, told once.
    if splits is None or not found or any(labels.unknown for labels in found):
        return problems
    nowhere = [name for name in found[0].counts if not any(one.counts[name] for one in found)]
    problems += [
        f"{key}: {name} has no pixel on any annotated slice; correct its codes or leave it out"
        for name in nowhere
    ]
    for split, slices in splits.items():
        there = [labels for labels in found if labels.z in slices]
        absent = [
            name
            for name in found[0].counts
            if name not in nowhere and not any(labels.counts[name] for labels in there)
        ]
        if absent and len(there) == len(slices):
            problems.append(
                f"slice {', '.join(map(str, sorted(slices)))} ({split}): area {', '.join(absent)} "
                "has no pixel there, but train, val and test need every area; choose a slice that "
                "has it, or leave the area out"
            )
    return problems


def _some(slices: int) -> list[int]:
    """Return the first, the middle and the last index, each once."""
    return sorted({0, slices // 2, slices - 1})


def _describe_stack(stack: Stack, first_slice: int) -> str:
    files = stack.files
    where = files[0].name if len(files) == 1 else f"{files[0].name} to {files[-1].name}"
    last = first_slice + stack.shape[0] - 1
    return f"{describe(stack.shape, stack.dtype)}, slices {first_slice} to {last} ({where})"


def _count_codes(
    z: int,
    path: Path,
    image: NDArray[np.integer],
    codes: Mapping[str, Collection[int]],
    ignored: Collection[int],
) -> SliceLabels:
    present, numbers = np.unique(image, return_counts=True)
    pixels = {int(c): int(n) for c, n in zip(present, numbers, strict=True)}
    known = {code for own in codes.values() for code in own}
    return SliceLabels(
        z=z,
        path=path,
        shape=(int(image.shape[0]), int(image.shape[1])),
        counts={name: sum(pixels.get(code, 0) for code in own) for name, own in codes.items()},
        ignored={code: n for code, n in pixels.items() if code in ignored},
        unknown={c: n for c, n in pixels.items() if c not in known and c not in ignored},
        codes=frozenset(pixels),
        entries=_entries(image, present, codes),
        rims=describe_rims(
            find_rims(image), {code: name for name, own in codes.items() for code in own}
        ),
    )


def _entries(
    image: NDArray[np.integer], present: NDArray[np.integer], codes: Mapping[str, Collection[int]]
) -> NDArray[np.uint8]:
    entry = {code: index for index, own in enumerate(codes.values(), 1) for code in own}
    table = np.array([entry.get(int(code), 0) for code in present], dtype=np.uint8)
    found: NDArray[np.uint8] = table[np.searchsorted(present, image)]
    return found


def _counted(codes: Mapping[int, int]) -> str:
    return ", ".join(f"{code} ({count:,} px)" for code, count in codes.items())


def _likewise(slices: Iterable[int]) -> str:
    numbers = [str(z) for z in slices]
    if not numbers:
        return ""
    named = ", ".join(numbers[:NAMED_SLICES])
    rest = len(numbers) - NAMED_SLICES
    more = f" and {rest} more" if rest > 0 else ""
    return f" (likewise slice{'s' if len(numbers) > 1 else ''} {named}{more})"
