"""Reading TIFF stacks: a folder or pattern of single-slice files, or one multi-page file."""

from __future__ import annotations

import logging
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from brainarch.errors import InputError
from brainarch.progress import progress
from brainarch.volume.store import DTYPES

#: File name endings of TIFF files, in lower case.
SUFFIXES = (".tif", ".tiff")
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
        Size of every slice in pixels.
    dtype : numpy.dtype
        uint8 or uint16, in native byte order.
    """

    name: str
    pages: tuple[Page, ...]
    rows: int
    columns: int
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of slices, rows and columns."""
        return len(self.pages), self.rows, self.columns

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, each once, in order."""
        return tuple(dict.fromkeys(page.path for page in self.pages))

    def read(self, start: int, stop: int, threads: int = 1) -> NDArray[np.generic]:
        """Read the slices with indices ``start`` ... ``stop - 1``.

        Returns
        -------
        ndarray, shape (stop - start, rows, columns)

        Raises
        ------
        InputError
            If a file cannot be read any more or has changed since its header was read.
        """
        slab = np.empty((stop - start, self.rows, self.columns), dtype=self.dtype)
        parts = np.array_split(np.arange(start, stop), max(1, min(threads, stop - start)))

        def read_part(indices: NDArray[np.integer]) -> None:
            pages = [self.pages[index] for index in indices]
            for index, image in zip(indices, _read_pages(pages), strict=True):
                if image.shape != slab.shape[1:] or image.dtype != slab.dtype:
                    page = self.pages[index]
                    raise InputError(f"{page.path}: changed while it was read; convert again")
                slab[index - start] = image

        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(read_part, parts))
        return slab


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
        found = [entry for entry in path.iterdir() if entry.suffix.lower() in SUFFIXES]
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


def order_files(files: Sequence[Path], first_slice: int) -> list[Path]:
    """Sort single-slice files by number and check that no slice is missing.

    The slice number is the one group of digits that differs between names which are otherwise the
    same. Names without such a group are taken in natural order (``a2`` before ``a10``).

    Parameters
    ----------
    files : sequence of Path
        Single-slice files.
    first_slice : int
        Number that the first slice should have.

    Raises
    ------
    InputError
        If two files have the same number, one is missing in between, or the first number is not
        ``first_slice``.
    """
    files = sorted(files, key=lambda path: (_natural(path.name), str(path)))
    numbers = _slice_numbers(files)
    if numbers is None:
        return files
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
            f"declared the first; give --first-slice {numbers[0]} or add the missing files"
        )
    return files


def open_stack(source: str | Path, first_slice: int = 0) -> Stack:
    """Find the files of a stack and read their headers.

    Parameters
    ----------
    source : str or Path
        A folder of single-slice TIFF files, a pattern such as ``folder/z*.tif``, or one TIFF or
        BigTIFF file, whose pages are the slices.
    first_slice : int
        Number of the first slice, checked where file names carry numbers.

    Raises
    ------
    InputError
        If files are missing, unreadable, in colour, or of different shapes or types.
    """
    files = find_files(source)
    if len(files) == 1:
        pages, shape, dtype = _header(files[0])
        return Stack(str(source), pages, shape[0], shape[1], dtype)
    files = order_files(files, first_slice)
    first: tuple[tuple[int, int], np.dtype[Any]] | None = None
    all_pages: list[Page] = []
    bar = progress(files, "reading TIFF headers", unit="file") if len(files) > MANY_FILES else files
    for path in bar:
        pages, shape, dtype = _header(path)
        if len(pages) != 1:
            raise InputError(
                f"{path}: holds {len(pages)} slices; a folder's files must hold one each, or give "
                "a multi-page file on its own"
            )
        if first is None:
            first = (shape, dtype)
        if (shape, dtype) != first:
            raise InputError(
                f"{path}: is {describe(shape, dtype)}, but {files[0].name} is "
                f"{describe(*first)}; all slices must agree"
            )
        all_pages += pages
    return Stack(str(source), tuple(all_pages), shape[0], shape[1], dtype)


def read_image(path: Path) -> NDArray[np.generic]:
    """Read a TIFF file of one label slice, whatever its number type.

    The pixels of a palette image are its indices.

    Returns
    -------
    ndarray, shape (rows, columns)

    Raises
    ------
    InputError
        If the file is missing, unreadable, in colour or holds several slices.
    """
    pages, _, _ = _header(path, grey=False)
    if len(pages) != 1:
        raise InputError(f"{path}: holds {len(pages)} slices; give a file of one slice")
    return next(_read_pages(pages))


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


def _header(
    path: Path, grey: bool = True
) -> tuple[tuple[Page, ...], tuple[int, int], np.dtype[Any]]:
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
            shapes = {(tuple(frame.shape), frame.dtype) for frame in frames}
            end = max(
                offset + count
                for frame in frames
                for offset, count in zip(frame.dataoffsets, frame.databytecounts, strict=True)
            )
            size = int(tiff.filehandle.size)
    except DAMAGE as error:
        raise InputError(f"{path}: not a readable TIFF file ({_one_line(error)})") from None
    if colour:
        wanted = "greyscale slices" if grey else "labels as whole numbers"
        raise InputError(f"{path}: is a colour image; give {wanted}")
    if len(shape) != 2 or dtype is None:
        raise InputError(f"{path}: a slice has shape {shape}; wanted rows x columns")
    if len(shapes) > 1:
        raise InputError(f"{path}: its pages differ in shape or type; all slices must agree")
    if end > size:
        raise InputError(f"{path}: truncated: {size} bytes of {end}; copy the file again")
    if grey and str(dtype) not in DTYPES:
        raise InputError(
            f"{path}: grey values are {dtype}; wanted uint8 or uint16, convert them first"
        )
    pages = tuple(Page(path, index) for index in range(depth or len(frames)))
    return pages, (shape[0], shape[1]), dtype


def _hidden_depth(tiff: Any) -> int | None:
    """Return the number of slices of an ImageJ file that describes only its first page."""
    series = tiff.series[0]
    if len(tiff.pages) != 1 or len(series.shape) != 3 or series.dataoffset is None:
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
        raise InputError(f"{path}: not a readable TIFF file ({_one_line(error)})") from None


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
            f"{page.path}: slice {page.index} of the file cannot be decoded "
            f"({_one_line(error)}); copy the file again"
        ) from None
    return np.ascontiguousarray(image, dtype=image.dtype.newbyteorder("="))


def _one_line(error: Exception) -> str:
    """Return the first line of an exception's message."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
