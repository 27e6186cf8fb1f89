"""Reading labels drawn by hand: files of one slice, or slices of a label volume."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from brainarch.annotations import nrrd
from brainarch.annotations.shapes import SAY_AXES, draw_shapes, read_shapes
from brainarch.errors import InputError
from brainarch.volume.foreign import nearby, not_readable
from brainarch.volume.kinds import NRRD_SUFFIX, TIFF_SUFFIXES, has_shapes, in_zarr
from brainarch.volume.store import open_image
from brainarch.volume.tiff import UPRIGHT, read_header, read_pages

#: Modes of PNG images whose pixels are single whole numbers (palette images: the index).
PNG_MODES = ("1", "L", "P", "I", "I;16", "I;16B")
#: What Pillow multiplies pixels of 2 and 4 bits by, to make a picture of them.
SPREAD = {"L;2": 85, "L;4": 17}
#: Tag of the orientation in EXIF data.
ORIENTATION = 274


@dataclass(frozen=True)
class LabelFiles:
    """How label files are to be read, and what must come out.

    Attributes
    ----------
    shape : tuple of int or None
        Slices, rows and columns of the volume that they were drawn on, its source as it is; None
        where it is not known.
    first_slice : int or None
        Number of the first slice of a label volume; None where every file holds one slice.
    stated : bool
        Whether a user said that number; else a label volume must have all slices of the volume.
    axes : str or None
        Order of the axes in the files, the one that runs fastest last, such as ``zyx``; None is
        that, and NRRD files for which sizes leave it open are refused.
    classes : mapping of str to int
        Code of each class of shapes; 0 is left out.
    """

    shape: tuple[int, int, int] | None = None
    first_slice: int | None = None
    stated: bool = False
    axes: str | None = None
    classes: Mapping[str, int] = field(default_factory=dict)


def read_label_image(
    path: Path, z: int | None = None, files: LabelFiles | None = None
) -> NDArray[np.integer]:
    """Read the labels of one slice.

    Sizes are compared with the volume's before any pixel is read.

    Parameters
    ----------
    path : Path
        A TIFF, PNG or NRRD file of one slice, or a label volume (NRRD, OME-Zarr, multi-page TIFF),
        of which nothing but the slice is read; whole numbers. The pixels of a palette image are its
        indices. Or shapes (GeoJSON) of one slice or of many.
    z : int, optional
        Number of the slice.
    files : LabelFiles, optional
        How the file is to be read; without it, it holds one slice of any size.

    Returns
    -------
    ndarray of int, shape (rows, columns)

    Raises
    ------
    InputError
        If the file is missing, unreadable, in colour, stored with loss, holds other than whole
        numbers, has no such slice, or is not of the volume's size.
    """
    path = Path(path)
    if not path.exists():
        needed = "" if z is None else f"; the labels of slice {z} are declared to be there"
        raise InputError(f"{path}: no such file{needed}{nearby(path)}")
    image = _read(path, z, files or LabelFiles())
    if image.dtype == np.bool_:
        image = image.astype(np.uint8)
    if image.dtype.kind not in "iu":
        raise InputError(f"{path}: labels are {image.dtype}; wanted whole numbers, uint8 or uint16")
    if image.dtype.kind == "i" and (lowest := int(image.min(initial=0))) < 0:
        raise InputError(
            f"{path}: has the code {lowest}; codes are 0 or more, export the labels with others"
        )
    return image


def _read(path: Path, z: int | None, files: LabelFiles) -> NDArray[Any]:
    """Read a file of one slice, or a slice of a label volume."""
    suffix = path.suffix.lower()
    if not in_zarr(path) and suffix == NRRD_SUFFIX:
        return _read_nrrd(path, z, files)
    turned = _is_turned(path, files)
    if has_shapes(path):
        return _draw(path, z, files, turned=turned)
    if in_zarr(path):
        stored = open_image(path)
        index = _index(path, stored.shape, z, files, turned=turned)
        image = stored.read_slice(index)
    elif suffix in TIFF_SUFFIXES:
        header = read_header(path, grey=False, ome=False)
        shape = (len(header.pages), *header.shape)
        page = header.pages[_index(path, shape, z, files, turned=turned)]
        image = next(read_pages([page]))
    elif files.first_slice is not None:
        raise InputError(
            f"{path}: not a label volume (NRRD, OME-Zarr, TIFF, GeoJSON); name one file a slice"
        )
    elif suffix == ".png":
        image = _read_png(path, z, files, turned=turned)
    else:
        raise InputError(
            f"{path}: not a TIFF, PNG, NRRD, GeoJSON or OME-Zarr file; export the labels as one"
        )
    return image.T if turned else image


def _draw(path: Path, z: int | None, files: LabelFiles, *, turned: bool) -> NDArray[np.uint16]:
    """Draw the shapes of a slice: those of its plane, or all of a file of one slice."""
    if files.shape is None:
        raise InputError(f"{path}: shapes say nothing of the slice's size; name the volume as well")
    shapes, first = read_shapes(path), files.first_slice
    planes = sorted({shape.plane for shape in shapes})
    if z is None or first is None:
        if len(planes) > 1:
            raise InputError(
                f"{path}: has shapes on {len(planes)} slices of its image; name it without {{z}}, "
                "and each slice takes its own"
            )
    else:
        shapes = [shape for shape in shapes if shape.plane == z - first]
        if not shapes:
            there = ", ".join(str(first + plane) for plane in planes)
            raise InputError(
                f"{path}: has shapes on slices {there}, none on slice {z}; correct "
                "annotations.slices, or the number of its first slice (annotations.first_slice)"
            )
    return draw_shapes(shapes, files.classes, files.shape[1:], path, exchanged=turned)


def _is_turned(path: Path, files: LabelFiles) -> bool:
    """Return whether slices hold columns x rows; refuse orders that only NRRD files can have."""
    axes = files.axes or "zyx"
    if files.first_slice is not None and axes[0] != "z":
        raise InputError(
            f"{path}: axes {axes} are only for NRRD files, here slices come one by one; set "
            "annotations.axes (or layers.axes) to zyx, or to zxy for columns x rows"
        )
    return axes.replace("z", "") == "xy"


def _read_nrrd(path: Path, z: int | None, files: LabelFiles) -> NDArray[Any]:
    header = nrrd.read_header(path)
    wanted = files.shape
    if wanted is not None and (files.stated or files.first_slice is None):
        wanted = (0, *wanted[1:])
    axes = nrrd.choose_axes(path, header, files.axes, wanted)
    sizes = {"z": 1, **dict(zip(axes, header.shape, strict=True))}
    shape = (sizes["z"], sizes["y"], sizes["x"])
    hint = "" if header.crop is None else f"; it is cropped and begins at {header.crop}"
    index = _index(path, shape, z, files, hint=hint)
    return nrrd.read_slice(path, header, index, axes)


def _index(
    path: Path,
    shape: tuple[int, int, int],
    z: int | None,
    files: LabelFiles,
    *,
    turned: bool = False,
    hint: str = "",
) -> int:
    """Return the index of a slice in a file of so many slices, rows and columns, as they stand."""
    slices, first = shape[0], files.first_slice
    size = shape[:0:-1] if turned else shape[1:]
    if files.shape is not None and size != files.shape[1:]:
        raise InputError(_wrong_size(path, size, files.shape[1:], z) + hint)
    if z is None or first is None:
        if slices != 1:
            raise InputError(
                f"{path}: holds {slices} slices; name it without {{z}}, and slices are taken from "
                "it"
            )
        return 0
    if files.shape is not None and not files.stated and slices != files.shape[0]:
        raise InputError(
            f"{path}: holds {slices} slices, but the volume {files.shape[0]}; say in "
            f"annotations.first_slice (or layers.first_slice) which is its first{hint}"
        )
    if not 0 <= z - first < slices:
        last = first + slices - 1
        raise InputError(
            f"{path}: holds labels of slices {first} to {last}, not of slice {z}; correct the "
            "number of its first slice (annotations.first_slice or layers.first_slice)"
        )
    return z - first


def _wrong_size(path: Path, size: tuple[int, ...], wanted: tuple[int, ...], z: int | None) -> str:
    advice = (
        f"they look transposed, {SAY_AXES} zxy"
        if size == wanted[::-1]
        else "use labels drawn on this volume"
    )
    which = "labels" if z is None else f"labels of slice {z}"
    return (
        f"{path}: {which} are {size[0]} x {size[1]} px, but the volume's slices are "
        f"{wanted[0]} x {wanted[1]} px; {advice}"
    )


@contextmanager
def _any_size() -> Iterator[None]:
    """Let Pillow open images however large; their sizes are checked before pixels are read."""
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _read_png(path: Path, z: int | None, files: LabelFiles, *, turned: bool) -> NDArray[np.generic]:
    try:
        with _any_size(), Image.open(path, formats=["PNG"]) as image:
            _index(path, (1, image.height, image.width), z, files, turned=turned)
            if image.mode not in PNG_MODES:
                raise InputError(f"{path}: is a colour image; give labels as whole numbers")
            spread = SPREAD.get(str(image.tile[0].args), 1) if image.tile else 1
            if getattr(image, "n_frames", 1) != 1:
                raise InputError(f"{path}: is an animation; give one image a slice")
            orientation = image.getexif().get(ORIENTATION, 1)
            if orientation not in UPRIGHT:
                raise InputError(
                    f"{path}: states orientation {orientation}; save it upright (orientation 1)"
                )
            pixels = np.asarray(image)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InputError(not_readable(path, "PNG", str(error))) from None
    return pixels // spread if spread > 1 else pixels
