"""What a stack and its label images say of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from brainarch.annotations.images import LabelFiles, read_label_image
from brainarch.annotations.shapes import read_shapes
from brainarch.errors import InputError
from brainarch.volume.kinds import (
    SLICE_FIELD,
    TIFF_SUFFIXES,
    has_shapes,
    in_zarr,
    is_label_volume,
    is_url,
    slice_file,
)
from brainarch.volume.stack import Stack, open_stack
from brainarch.volume.store import open_image
from brainarch.volume.units import Sides

#: Endings of files that hold the labels of one slice.
LABEL_SUFFIXES = (*TIFF_SUFFIXES, ".png", ".nrrd", ".geojson")
#: Codes that label images may have; more are grey values, or objects that were counted.
MOST_CODES = 60
#: What the stack says where its file names begin.
BEGINS = re.compile(r"begin at (\d+)")


@dataclass(frozen=True)
class StackFound:
    """A stack as its files have it.

    Attributes
    ----------
    shape : tuple of int
        Slices, rows, columns.
    dtype : numpy.dtype
        Type of the grey values in the files.
    first_slice : int
        Number of the first slice, as file names count.
    sides_um : Sides
        Sides of the voxel along z, y and x in micrometer, as far as the metadata state them.
    greys : mapping of int to ndarray, shape (rows, columns)
        The first, the middle and the last slice.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[np.generic]
    first_slice: int
    sides_um: Sides
    greys: Mapping[int, NDArray[np.generic]]


@dataclass(frozen=True)
class LabelsFound:
    """Label images as their files have them.

    Attributes
    ----------
    path : str
        Where the config says they are: a pattern with ``{z}``, or a label volume.
    images : mapping of int to ndarray of int, shape (rows, columns)
        By slice, those without a labelled pixel left out.
    classes : mapping of int to (str, str or None)
        Of drawn shapes, the class that each code of ``images`` stands for, and its colour.
    """

    path: str
    images: Mapping[int, NDArray[np.integer]]
    classes: Mapping[int, tuple[str, str | None]] = field(default_factory=dict)


def look_at_stack(source: str) -> StackFound:
    """Read headers and three slices of a TIFF stack or an OME-Zarr image.

    Raises
    ------
    InputError
        If it is not readable.
    """
    if is_url(source):
        raise InputError(
            f"{source}: files are looked at here, not addresses; copy a config by hand and name it "
            "as volume.path"
        )
    if in_zarr(source):
        image = open_image(Path(source))
        sides: Sides = (None, None, None)
        with suppress(InputError):  # no unit: a person has to say it
            sides = image.sides_um()
        first = int(image.own.get("first_slice", 0))
        greys = {first + i: image.read_slice(i) for i in _some(image.shape[0])}
        return StackFound(image.shape, image.dtype, first, sides, greys)
    stack, first = _open(source)
    pages = {first + i: stack.pages[i] for i in _some(stack.file_shape[0])}
    greys = {z: tifffile.imread(page.path, key=page.index) for z, page in pages.items()}
    return StackFound(stack.file_shape, stack.source_dtype, first, stack.sides_um, greys)


def look_at_labels(source: str, stack: StackFound) -> LabelsFound:
    """Find and read the label images of a folder, a pattern with ``{z}`` or a label volume.

    Raises
    ------
    InputError
        If there are none, their names do not tell the slice, or they hold no labels of this stack.
    """
    if not SLICE_FIELD.search(source) and Path(source).is_file() and not is_label_volume(source):
        raise InputError(
            f"{source}: one label image; write {{z}} in its name where the slice number stands"
        )
    path, files = source, LabelFiles()
    if SLICE_FIELD.search(source) or (Path(source).is_dir() and not in_zarr(source)):
        path = source if SLICE_FIELD.search(source) else _pattern(Path(source))
        slices: Iterable[int] = _numbers(path)
    else:
        files = LabelFiles(stack.shape, stack.first_slice)
        slices = range(stack.first_slice, stack.first_slice + stack.shape[0])
    classes = {}
    if has_shapes(path):
        shapes = {z: read_shapes(Path(slice_file(path, z))) for z in slices}
        drawn = {shape.name: shape.colour for found in shapes.values() for shape in found}
        classes = {code: (name, drawn[name]) for code, name in enumerate(sorted(drawn), start=1)}
        files = replace(files, shape=stack.shape, classes={n: c for c, (n, _) in classes.items()})
        if files.first_slice is not None:  # one file: only slices with shapes can be read
            planes = {shape.plane for shape in next(iter(shapes.values()))}
            slices = sorted(files.first_slice + plane for plane in planes)
    found = {z: read_label_image(Path(slice_file(path, z)), z, files) for z in slices}
    for z, image in found.items():
        if image.shape != stack.shape[1:]:
            raise InputError(
                f"{path}: labels of slice {z} are {image.shape[0]} x {image.shape[1]} px, but the "
                f"stack's slices are {stack.shape[1]} x {stack.shape[2]} px; use labels drawn on "
                "this stack"
            )
    labelled = {z: image for z, image in found.items() if image.any()}
    if not labelled:
        raise InputError(f"{path}: no slice has a labelled pixel")
    codes = {int(code) for image in labelled.values() for code in np.unique(image)}
    if len(codes) > MOST_CODES:
        raise InputError(f"{path}: holds {len(codes)} codes; are these grey values?")
    return LabelsFound(path, labelled, classes)


def _some(slices: int) -> list[int]:
    return sorted({0, slices // 2, slices - 1})


def _open(source: str) -> tuple[Stack, int]:
    """Open a stack whatever its first number and type; grey values are not read through it."""
    first = 0
    for window in (None, (0.0, 1.0)):
        for _ in range(2):
            try:
                return open_stack(source, first, window=window), first
            except InputError as error:
                begins = BEGINS.search(str(error))
                if begins is None or int(begins[1]) == first:
                    refusal = error
                    break
                first = int(begins[1])
    raise refusal


def _pattern(folder: Path) -> str:
    """Return the one pattern with ``{z}`` that the label images of a folder follow."""
    names = sorted(
        path.name
        for path in folder.iterdir()
        if path.suffix.lower() in LABEL_SUFFIXES and not path.name.startswith(".")
    )
    if not names:
        raise InputError(
            f"{folder}: no label image (TIFF, PNG, NRRD) or shapes (GeoJSON) in this folder"
        )
    split = [re.split(r"([0-9]+)", name) for name in names]
    varying = [
        index
        for index in range(1, len(split[0]), 2)
        if len({parts[index] for parts in split if len(parts) > index}) > 1
    ]
    if len(names) == 1:
        varying = list(range(1, len(split[0]), 2))[-1:]
    texts = {tuple(parts[::2]) for parts in split}
    if len(texts) > 1 or len(varying) != 1:
        raise InputError(
            f"{folder}: the names of its label images do not tell the slice ({names[0]}, "
            f"{names[-1]}); give a pattern with {{z}} or {{z:04d}} instead"
        )
    digits = [parts[varying[0]] for parts in split]
    widths = {len(text) for text in digits}
    padded = len(widths) == 1 and any(text.startswith("0") for text in digits)
    field = f"{{z:0{widths.pop()}d}}" if padded else "{z}"
    parts = list(split[0])
    parts[varying[0]] = field
    return str(folder / "".join(parts))


def _numbers(pattern: str) -> list[int]:
    numbers = sorted(_matching(Path(pattern)))
    if not numbers:
        raise InputError(f"{pattern}: no file matches this pattern")
    return numbers


def _matching(pattern: Path) -> Iterator[int]:
    field = SLICE_FIELD.search(pattern.name)
    if field is None or not pattern.parent.is_dir():
        return
    before, after = pattern.name[: field.start()], pattern.name[field.end() :]
    name = re.compile(f"{re.escape(before)}([0-9]+){re.escape(after)}")
    for entry in pattern.parent.iterdir():
        match = name.fullmatch(entry.name)
        if match and field[0].format(z=int(match[1])) == match[1]:
            yield int(match[1])
