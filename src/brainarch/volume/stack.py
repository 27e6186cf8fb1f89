"""Reading TIFF stacks: a folder or pattern of single-slice files, or one multi-page file.

Headers are read and checked first; pixels are read slice by slice, and narrowed on the way when an
intensity window is given.
"""

from __future__ import annotations

import logging
import os
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tifffile
from numpy.typing import NDArray

from brainarch.errors import InputError
from brainarch.progress import progress
from brainarch.volume.kinds import SLICE_FIELD, TIFF_SUFFIXES, is_slice_pattern
from brainarch.volume.ome_tiff import OmeDescription, read_description
from brainarch.volume.pixel_size import Resampling
from brainarch.volume.resample import resample_image
from brainarch.volume.store import DTYPES
from brainarch.volume.units import agree
from brainarch.volume.window import can_narrow, narrow

#: What tifffile and its codecs raise on damaged files.
DAMAGE = (
    tifffile.TiffFileError,
    ValueError,
    RuntimeError,
    IndexError,
    KeyError,
    TypeError,
    EOFError,
    OSError,
    struct.error,
    zlib.error,
)
#: More files than this get a progress bar while their headers are read.
MANY_FILES = 200

# A damaged file becomes one error line of ours; tifffile's own log lines would only precede it.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Page:
    """Where one slice is: page ``index`` of a file."""

    path: Path
    index: int


class Slab(NamedTuple):
    """Some slices of a stack, and how many of their pixels a window clipped.

    Attributes
    ----------
    values : ndarray, shape (slices, rows, columns)
    below, above : ndarray of int, shape (slices,)
        Pixels of each slice below and above the intensity window; 0 without one.
    """

    values: NDArray[np.generic]
    below: NDArray[np.int64]
    above: NDArray[np.int64]


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
    voxel_um : float or None
        Side of the cubic voxel in micrometer, where the files' metadata state it (OME-TIFF).
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
    voxel_um: float | None = None
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
        slab = Slab(values, np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64))
        parts = np.array_split(np.arange(start, stop), max(1, min(threads, count)))

        def read_part(indices: NDArray[np.integer]) -> None:
            pages = [self.pages[index] for index in indices]
            for index, image in zip(indices, _read_pages(pages), strict=True):
                page = self.pages[index]
                if image.shape != self.file_shape[1:] or image.dtype != self.source_dtype:
                    raise InputError(f"{page.path}: changed while it was read; convert again")
                place = index - start
                values[place], slab.below[place], slab.above[place] = self._as_stored(image, page)

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

    def _as_stored(
        self, image: NDArray[np.generic], page: Page
    ) -> tuple[NDArray[np.generic], int, int]:
        """Return a slice narrowed and resampled, and its pixels below and above the window."""
        below = above = 0
        if self.window is not None:
            found = narrow(image, self.window, self.dtype)
            if found.not_a_number or found.infinite:
                raise InputError(
                    f"{page.path}: page {page.index} has {found.not_a_number} pixels that are "
                    f"NaN and {found.infinite} that are infinite; give every pixel a number"
                )
            image, below, above = found.values, found.below, found.above
        if self.resampling is not None:
            image = resample_image(image, self.resampling)
        return image, below, above


def describe(shape: Sequence[int], dtype: np.dtype[Any] | str) -> str:
    """Return a shape and a type as words, for example ``720 x 1420 x 5805 uint8``."""
    return f"{' x '.join(str(size) for size in shape)} {dtype}"


def find_files(source: str | Path) -> list[Path]:
    """Return the TIFF files that a folder, a pattern or a path stands for, not yet in order.

    Raises
    ------
    InputError
        If there is none.
    """
    path = Path(source)
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [entry for entry in path.iterdir() if entry.suffix.lower() in TIFF_SUFFIXES]
        found = [entry for entry in found if entry.is_file() and not entry.name.startswith(".")]
        if not found:
            raise InputError(f"{source}: no TIFF file (*.tif, *.tiff) in this folder")
        return found
    base, rest = Path(), list(path.parts)
    while rest and (base / rest[0]).exists():  # what exists is a name, even with brackets in it
        base /= rest.pop(0)
    if not any(sign in part for part in rest for sign in "*?["):
        raise InputError(f"{source}: no such file or folder")
    found = [entry for entry in base.glob(str(Path(*rest))) if entry.is_file()]
    if not found:
        raise InputError(f"{source}: no file matches this pattern")
    return found


def find_numbered(source: str | Path) -> dict[int, Path]:
    """Return the files that a pattern such as ``folder/z{z:04d}.tif`` stands for, by slice number.

    Raises
    ------
    InputError
        If there is none, or the pattern has its field elsewhere than once in the file's name.
    """
    pattern = Path(source)
    fields = list(SLICE_FIELD.finditer(pattern.name))
    if len(fields) != 1 or SLICE_FIELD.search(str(pattern.parent)):
        raise InputError(f"{source}: wanted {{z}} or {{z:04d}} once, in the file's name")
    field = fields[0]
    before, after = pattern.name[: field.start()], pattern.name[field.end() :]
    matching = re.compile(f"{re.escape(before)}([0-9]+){re.escape(after)}")
    found = {}
    for entry in pattern.parent.iterdir() if pattern.parent.is_dir() else ():
        match = matching.fullmatch(entry.name)
        # Slice 7 is z7.tif in z{z}.tif and z0007.tif in z{z:04d}.tif, never both.
        if match and field[0].format(z=int(match[1])) == match[1] and entry.is_file():
            found[int(match[1])] = entry
    if not found:
        raise InputError(f"{source}: no file matches this pattern")
    return found


def order_files(
    files: Sequence[Path], first_slice: int, numbers: Sequence[int] | None = None
) -> list[Path]:
    """Sort single-slice files by number and check that no slice is missing.

    Where no numbers are given, the slice number is the one group of digits that differs between
    names which are otherwise the same. Names without such a group are taken in natural order
    (``a2`` before ``a10``).

    Parameters
    ----------
    files : sequence of Path
        Single-slice files.
    first_slice : int
        Number that the first slice should have.
    numbers : sequence of int, optional
        Slice number of every file.

    Raises
    ------
    InputError
        If two files have the same number, one is missing in between, or the first number is not
        ``first_slice``.
    """
    if numbers is None:
        files = sorted(files, key=lambda path: (_natural(path.name), str(path)))
        numbers = _slice_numbers(files)
    if numbers is None:
        return list(files)
    order = np.argsort(numbers, kind="stable")
    files = [files[i] for i in order]
    numbers = [numbers[i] for i in order]
    for before, after, left, right in zip(files, files[1:], numbers, numbers[1:], strict=False):
        if left == right:
            raise InputError(
                f"{after}: slice {right} is also in {before.name}; keep one file a slice"
            )
        if right > left + 1:
            raise InputError(
                f"{before.parent}: slice {left + 1} is missing between {before.name} and "
                f"{after.name}; add its file"
            )
    if numbers[0] != first_slice:
        raise InputError(
            f"{files[0]}: the file numbers begin at {numbers[0]}, but slice {first_slice} was "
            f"declared the first; set volume.first_slice to {numbers[0]} or add the missing files"
        )
    return files


def open_stack(
    source: str | Path,
    first_slice: int = 0,
    *,
    window: tuple[float, float] | None = None,
    dtype: str = "uint8",
) -> Stack:
    """Find the files of a stack and read their headers.

    Parameters
    ----------
    source : str or Path
        A folder of single-slice TIFF files, a pattern such as ``folder/z*.tif`` or
        ``folder/z{z:04d}.tif``, or one TIFF, BigTIFF or OME-TIFF file, whose pages are the slices.
    first_slice : int
        Number of the first slice, checked where file names carry numbers.
    window : tuple of float, optional
        Grey values that become 0 and the largest value of ``dtype``; needed for anything but uint8
        and uint16, and to make uint8 of uint16.
    dtype : str
        uint8 or uint16, what a window narrows to.

    Raises
    ------
    InputError
        If files are missing, unreadable, in colour, or of different shapes or types, or the window
        makes no sense.
    """
    if is_slice_pattern(source):
        numbered = find_numbered(source)
        files = order_files(list(numbered.values()), first_slice, list(numbered))
    else:
        files = find_files(source)
        if len(files) > 1:
            files = order_files(files, first_slice)
    first = _header(files[0])
    all_pages = list(first.pages)
    rest = files[1:]
    if rest and len(first.pages) != 1:
        raise InputError(_many_slices(files[0], len(first.pages)))
    bar = progress(rest, "reading TIFF headers", unit="file") if len(rest) > MANY_FILES else rest
    for path in bar:
        header = _header(path, ome=False)
        if len(header.pages) != 1:
            raise InputError(_many_slices(path, len(header.pages)))
        if (header.shape, header.dtype) != (first.shape, first.dtype):
            raise InputError(
                f"{path}: is {describe(header.shape, header.dtype)}, but {files[0].name} is "
                f"{describe(first.shape, first.dtype)}; all slices must agree"
            )
        all_pages += header.pages
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
        voxel_um=first.ome.voxel_um if first.ome is not None else None,
    )


def check_voxel(stack: Stack, voxel_um: float) -> None:
    """Check that a declared voxel size is what the files' own metadata say.

    Raises
    ------
    InputError
        If they disagree.
    """
    if stack.voxel_um is not None and not agree(stack.voxel_um, voxel_um):
        raise InputError(
            f"{stack.name}: its OME metadata state a voxel of {stack.voxel_um:g} um, but "
            f"{voxel_um:g} um was declared; correct the declaration or the metadata"
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


def open_pages(path: Path) -> tuple[Page, ...]:
    """Return the label slices that a TIFF file holds, whatever their number type.

    Raises
    ------
    InputError
        If the file is missing, unreadable, in colour, or its slices disagree.
    """
    return _header(path, grey=False, ome=False).pages


def read_page(page: Page) -> NDArray[np.generic]:
    """Return one slice, shape (rows, columns); the pixels of a palette image are its indices.

    Raises
    ------
    InputError
        If it cannot be decoded.
    """
    return next(_read_pages([page]))


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key in which runs of digits count as numbers."""
    parts = re.split(r"(\d+)", name)
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts]


def _slice_numbers(files: Sequence[Path]) -> list[int] | None:
    """Return the slice numbers in the file names, or None where the names do not tell."""
    split = [re.split(r"([0-9]+)", path.stem) for path in files]
    if len({tuple(parts[::2]) for parts in split}) != 1:
        return None
    groups = zip(*(parts[1::2] for parts in split), strict=True)
    varying = [group for group in groups if len(set(map(int, group))) > 1]
    return [int(text) for text in varying[0]] if len(varying) == 1 else None


class _Header(NamedTuple):
    """What a file says before any pixel is read; ``ome`` where it is an OME-TIFF."""

    pages: tuple[Page, ...]
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    ome: OmeDescription | None


def _header(path: Path, *, grey: bool = True, ome: bool = True) -> _Header:
    """Return the slices of a file, their common shape and type, checking everything but pixels."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with tifffile.TiffFile(path) as tiff:
            first = tiff.pages.first
            shape = tuple(int(size) for size in first.shape)
            dtype = np.dtype(first.dtype).newbyteorder("=") if first.dtype is not None else None
            palette = first.photometric == tifffile.PHOTOMETRIC.PALETTE
            colour = first.samplesperpixel > 1 or (grey and palette)
            depth = _hidden_depth(tiff)
            frames = list(tiff.pages) if depth is None else [first]
            other = [
                index
                for index, frame in enumerate(frames)
                if (tuple(frame.shape), frame.dtype) != (tuple(first.shape), first.dtype)
            ]
            cut = _cut_page(tiff, frames)
            description = None
            if ome and tiff.ome_metadata:
                description = read_description(tiff.ome_metadata, len(frames), str(path))
    except DAMAGE as error:
        raise InputError(f"{path}: not a readable TIFF file ({one_line(error)})") from None
    if colour:
        wanted = "greyscale slices" if grey else "labels as whole numbers"
        raise InputError(f"{path}: is a colour image; give {wanted}")
    if len(shape) != 2 or dtype is None:
        raise InputError(f"{path}: a slice has shape {shape}; wanted rows x columns")
    if 0 in shape:
        raise InputError(f"{path}: is empty ({shape[0]} x {shape[1]} pixels); save it again")
    if other:
        raise InputError(
            f"{path}: page {other[0]} differs from page 0 in shape or type; all slices must agree"
        )
    if cut is not None:
        raise InputError(f"{path}: truncated: page {cut} is not whole; copy the file again")
    order: Sequence[int] = range(depth or len(frames))
    if description is not None and description.order is not None:
        order = description.order
    pages = tuple(Page(path, index) for index in order)
    return _Header(pages, (shape[0], shape[1]), dtype, description)


def _cut_page(tiff: Any, frames: Sequence[Any]) -> int | None:
    """Return the first page whose pixels or whose header the file's end cuts off, if any."""
    size = int(tiff.filehandle.size)
    for index, frame in enumerate(frames):
        ends = map(sum, zip(frame.dataoffsets, frame.databytecounts, strict=True))
        if max(ends, default=0) > size:
            return index
    # tifffile stops silently where the chain of pages leads out of the file.
    tiff.filehandle.seek(tiff.pages.next_page_offset)
    following = tiff.filehandle.read(tiff.tiff.offsetsize)
    whole = len(following) == tiff.tiff.offsetsize and not any(following)
    return None if whole else len(tiff.pages)


def _hidden_depth(tiff: Any) -> int | None:
    """Return the number of slices of an ImageJ file that describes only its first page."""
    if tiff.is_ome or len(tiff.pages) != 1:
        return None
    series = tiff.series[0]
    if len(series.shape) != 3 or series.dataoffset is None:
        return None
    same_page = tuple(series.shape[1:]) == tuple(tiff.pages.first.shape)
    return int(series.shape[0]) if same_page else None


def _read_pages(pages: Sequence[Page]) -> Iterator[NDArray[np.generic]]:
    """Yield slices, opening a file once while consecutive slices come from it."""
    for path, group in groupby(pages, key=lambda page: page.path):
        with _open(path) as handle:
            for page in group:
                yield _decode(handle, page)


def _open(path: Path) -> Any:
    try:
        return tifffile.TiffFile(path)
    except DAMAGE as error:
        raise InputError(f"{path}: not a readable TIFF file ({one_line(error)})") from None


def _decode(handle: Any, page: Page) -> NDArray[np.generic]:
    try:
        if _hidden_depth(handle) is None:
            image = handle.pages[page.index].asarray(maxworkers=1)
        else:
            first = handle.pages.first
            image = np.memmap(
                page.path,
                dtype=np.dtype(handle.byteorder + first.dtype.char),
                mode="r",
                offset=int(first.dataoffsets[0]) + page.index * first.nbytes,
                shape=tuple(first.shape),
            )
    except DAMAGE as error:
        raise InputError(
            f"{page.path}: page {page.index} cannot be decoded "
            f"({one_line(error)}); copy the file again"
        ) from None
    return np.ascontiguousarray(image, dtype=image.dtype.newbyteorder("="))


def one_line(error: Exception) -> str:
    """Return the first line of an exception's message."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
