"""TIFF stacks: a folder or pattern of single-slice files, or one multi-page file.

Headers are read and checked first; pixels are read slice by slice, and narrowed on the way when an
intensity window is given.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from brainarch.errors import InputError
from brainarch.progress import progress
from brainarch.volume.kinds import is_slice_pattern
from brainarch.volume.names import find_files, find_numbered, order_files
from brainarch.volume.ome_tiff import check_set
from brainarch.volume.pixel_size import Resampling
from brainarch.volume.resample import resample_image
from brainarch.volume.store import DTYPES
from brainarch.volume.tiff import Header, Page, read_header, read_pages
from brainarch.volume.units import SQUARE, Sides, Voxel, agree, are_equal, sides_text, voxel_sides
from brainarch.volume.window import can_narrow, narrow

logger = logging.getLogger(__name__)

#: More files than this get a progress bar while their headers are read.
MANY_FILES = 200


class Slab(NamedTuple):
    """Some slices of a stack, and how many of their pixels a window clipped or NaN left empty.

    Attributes
    ----------
    values : ndarray, shape (slices, rows, columns)
    below, above : ndarray of int, shape (slices,)
        Pixels of each slice below and above the intensity window; 0 without one.
    filled : ndarray of int, shape (slices,)
        Pixels that were NaN and took the value declared for them.
    """

    values: NDArray[np.generic]
    below: NDArray[np.int64]
    above: NDArray[np.int64]
    filled: NDArray[np.int64]


@dataclass(frozen=True)
class Stack:
    """A TIFF stack whose headers have been read and agree.

    Attributes
    ----------
    name : str
        What the user called it.
    pages : tuple of Page
        One a slice, in order.
    rows, columns : int
        Size of every slice in the files, in pixels.
    dtype : numpy.dtype
        Type of the slices as they are read: uint8 or uint16, in native byte order.
    source_dtype : numpy.dtype
        Type of the slices in the files; another one only with a window.
    window : tuple of float or None
        Grey values of the files that become 0 and the type's largest value.
    nan : float or None
        Grey value that NaN pixels take before the window; without one they are refused.
    white : int or None
        The value that means black where the files store white as zero; values are turned round.
    file_step : int
        By how much the numbers of the files go up from slice to slice.
    sides_um : Sides
        Sides of the voxel in micrometer, as far as the files' metadata state them.
    resolution_um : float or None
        Side of a pixel by the first file's resolution tags, where nothing better states one.
    resampling : Resampling or None
        How slices are resampled as they are read, after a window has narrowed them.
    """

    name: str
    pages: tuple[Page, ...]
    rows: int
    columns: int
    dtype: np.dtype[Any]
    source_dtype: np.dtype[Any]
    window: tuple[float, float] | None = None
    nan: float | None = None
    white: int | None = None
    file_step: int = 1
    sides_um: Sides = (None, None, None)
    resolution_um: float | None = None
    resampling: Resampling | None = None

    @property
    def file_shape(self) -> tuple[int, int, int]:
        """Number of slices, rows and columns in the files."""
        return len(self.pages), self.rows, self.columns

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of slices, rows and columns as they are read."""
        if self.resampling is None:
            return self.file_shape
        return len(self.pages), *self.resampling.shape

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, each once, in order."""
        return tuple(dict.fromkeys(page.path for page in self.pages))

    def resampled(self, resampling: Resampling | None) -> Stack:
        """Return the same stack, resampled as it is read."""
        return replace(self, resampling=resampling)

    def read(self, start: int, stop: int) -> NDArray[np.generic]:
        """Return the slices with indices ``start`` ... ``stop - 1``; see `read_slab`."""
        return self.read_slab(start, stop).values

    def read_slab(
        self,
        start: int,
        stop: int,
        threads: int = 1,
        room: NDArray[np.generic] | None = None,
    ) -> Slab:
        """Read the slices with indices ``start`` ... ``stop - 1``.

        Parameters
        ----------
        start, stop : int
            First and one past the last index.
        threads : int
            Slices read at a time.
        room : ndarray, optional
            What was read before: its place is taken where it is large enough, because fresh memory
            costs as much as reading into it.

        Raises
        ------
        InputError
            If a file cannot be read any more, has changed since its header was read, or holds
            values that are no numbers.
        """
        count = stop - start
        if room is None or len(room) < count or room.shape[1:] != self.shape[1:]:
            room = np.empty((count, *self.shape[1:]), dtype=self.dtype)
        values = room[:count]
        slab = Slab(values, *np.zeros((3, count), dtype=np.int64))
        parts = np.array_split(np.arange(start, stop), max(1, min(threads, count)))

        def read_part(indices: NDArray[np.integer]) -> None:
            pages = [self.pages[index] for index in indices]
            for index, image in zip(indices, read_pages(pages), strict=True):
                page = self.pages[index]
                if image.shape != self.file_shape[1:] or image.dtype != self.source_dtype:
                    raise InputError(f"{page.path}: changed while it was read; convert again")
                place = index - start
                values[place], *counts = self.as_stored(image, page)
                slab.below[place], slab.above[place], slab.filled[place] = counts

        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(read_part, parts))
        return slab

    def prefetch(self, start: int, stop: int) -> None:
        """Let the system read single-slice files ahead, while something else is computed."""
        if len(self.files) < len(self.pages) or not hasattr(os, "posix_fadvise"):
            return
        for page in self.pages[start:stop]:
            with suppress(OSError), page.path.open("rb") as handle:
                os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)

    def as_stored(
        self, image: NDArray[np.generic], page: Page
    ) -> tuple[NDArray[np.generic], int, int, int]:
        """Return a slice as it is stored, and its pixels below and above the window and filled."""
        below = above = filled = 0
        if self.white is not None:
            image = np.subtract(self.white, image, dtype=image.dtype)
        if self.nan is not None and image.dtype.kind == "f":
            missing = np.isnan(image)
            filled = int(missing.sum())
            image = np.where(missing, image.dtype.type(self.nan), image) if filled else image
        if self.window is not None:
            found = narrow(image, self.window, self.dtype)
            if found.not_a_number or found.infinite:
                advice = (
                    "say in volume.nan which grey value they take"
                    if not found.infinite
                    else "give every pixel a number"
                )
                raise InputError(
                    f"{page.path}: page {page.index} has {found.not_a_number} pixels that are "
                    f"NaN and {found.infinite} that are infinite; {advice}"
                )
            image, below, above = found.values, found.below, found.above
        if self.resampling is not None:
            image = resample_image(image, self.resampling)
        return image, below, above, filled


def describe(shape: Sequence[int], dtype: np.dtype[Any] | str) -> str:
    """Return a shape and a type as words, for example ``720 x 1420 x 5805 uint8``."""
    return f"{' x '.join(str(size) for size in shape)} {dtype}"


def open_stack(
    source: str | Path,
    first_slice: int = 0,
    *,
    window: tuple[float, float] | None = None,
    dtype: str = "uint8",
    nan: float | None = None,
    file_step: int = 1,
) -> Stack:
    """Find the files of a stack and read their headers.

    Parameters
    ----------
    source : str or Path
        A folder of single-slice TIFF files, a pattern such as ``folder/z*.tif`` or
        ``folder/*_z{z:04d}.tif``, or one TIFF, BigTIFF or OME-TIFF file, whose pages are the
        slices.
    first_slice : int
        Number of the first slice, checked where file names carry numbers.
    window : tuple of float, optional
        Grey values that become 0 and the largest value of ``dtype``; needed for anything but uint8
        and uint16, and to make uint8 of uint16.
    dtype : str
        uint8 or uint16, what a window narrows to.
    nan : float, optional
        Grey value that NaN pixels take before the window.
    file_step : int
        By how much the numbers of the files go up from slice to slice.

    Raises
    ------
    InputError
        If files are missing, unreadable, in colour, of different shapes or types, or say anything
        else of themselves that the others do not, or the window makes no sense.
    """
    if is_slice_pattern(source):
        files, numbers = find_numbered(source)
        files = order_files(files, first_slice, numbers, file_step)
    else:
        files = find_files(source)
        if len(files) > 1:
            files = order_files(files, first_slice, step=file_step)
    first = read_header(files[0])
    all_pages = list(first.pages)
    rest = files[1:]
    if rest and len(first.pages) != 1:
        raise InputError(_many_slices(files[0], len(first.pages)))
    bar = progress(rest, "reading TIFF headers", unit="file") if len(rest) > MANY_FILES else rest
    for path in bar:
        header = read_header(path, ome=False)
        if len(header.pages) != 1:
            raise InputError(_many_slices(path, len(header.pages)))
        _check_alike(path, header, files[0], first)
        all_pages += header.pages
    if first.ome is not None and len(first.pages) == 1:
        check_set(first.ome, [path.name for path in files], str(source))
    target = np.dtype(dtype) if window is not None else first.dtype
    _check_range(files[0], first.dtype, target, window)
    return Stack(
        name=str(source),
        pages=tuple(all_pages),
        rows=first.shape[0],
        columns=first.shape[1],
        dtype=target,
        source_dtype=first.dtype,
        window=window,
        nan=nan,
        white=first.white,
        file_step=file_step,
        sides_um=first.sides_um,
        resolution_um=first.resolution_um,
    )


def check_voxel(stack: Stack, voxel_um: Voxel) -> None:
    """Check that a declared voxel size is what the files' own metadata say.

    Resolution tags are often left as some program filled them, so that they are but warned of.

    Raises
    ------
    InputError
        If they disagree.
    """
    declared = voxel_sides(voxel_um)
    said = stack.resolution_um
    if said is not None and not agree(said, declared[2]):
        logger.warning(
            "%s: its resolution tags state pixels of %.4g um, but volume.voxel_um is %s; make sure "
            "which is right",
            stack.name,
            said,
            sides_text(declared),
        )
    stated = stack.sides_um
    if all(side is None or agree(side, own) for side, own in zip(stated, declared, strict=True)):
        return
    z, y, x = stated
    if y is not None and x is not None and not are_equal(y, x):
        advice = SQUARE
    elif z is not None and x is not None and not agree(z, x):
        advice = f"say volume.voxel_um: [{z:g}, {x:g}, {x:g}] (z, y, x) or correct the metadata"
    else:
        advice = "correct the declaration (volume.voxel_um) or the metadata"
    raise InputError(
        f"{stack.name}: its metadata state a voxel of {sides_text(stated)} um, but "
        f"{sides_text(declared)} um was declared; {advice}"
    )


def _check_alike(path: Path, header: Header, first_path: Path, first: Header) -> None:
    """Check that a file says the same of itself as the first one."""
    if (header.shape, header.dtype) != (first.shape, first.dtype):
        raise InputError(
            f"{path}: is {describe(header.shape, header.dtype)}, but {first_path.name} is "
            f"{describe(first.shape, first.dtype)}; all slices must agree"
        )
    if header.white != first.white:
        black, white = (path, first_path) if header.white is None else (first_path, path)
        raise InputError(
            f"{path}: {white.name} says that 0 is white, {black.name} that 0 is black (photometric "
            "interpretation); all slices must agree, save them alike"
        )
    for one, other in zip(header.sides_um, first.sides_um, strict=True):
        if one is not None and other is not None and not agree(one, other):
            raise InputError(
                f"{path}: states a voxel of {sides_text(header.sides_um)} um, but "
                f"{first_path.name} of {sides_text(first.sides_um)} um; all slices must agree"
            )


def _many_slices(path: Path, count: int) -> str:
    return (
        f"{path}: holds {count} slices; a folder's files must hold one each, or give a multi-page "
        "file on its own"
    )


def _check_range(
    path: Path,
    source: np.dtype[Any],
    target: np.dtype[Any],
    window: tuple[float, float] | None,
) -> None:
    """Check that grey values are of a type that is stored, or that a window makes it of them."""
    if window is None:
        if str(source) not in DTYPES:
            raise InputError(
                f"{path}: grey values are {source}; wanted uint8 or uint16, or an intensity window "
                "that says which values become black and white (volume.window)"
            )
        return
    if str(target) not in DTYPES:
        raise InputError(f"{target}: a window narrows to uint8 or uint16; declare one of them")
    low, high = window
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InputError(f"window {low:g},{high:g}: wanted two numbers, the lower one first")
    if not can_narrow(source, target):
        raise InputError(
            f"{path}: grey values are {source}, which a window does not narrow to {target}; leave "
            "the window out"
        )
