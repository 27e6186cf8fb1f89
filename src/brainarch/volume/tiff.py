"""One TIFF file: what its header says of its slices, obeyed or refused, and their pixels."""

from __future__ import annotations

import logging
import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from brainarch.errors import InputError
from brainarch.volume.foreign import not_readable
from brainarch.volume.ome_tiff import OmeDescription, read_description
from brainarch.volume.units import MICROMETER, UNMEASURED, Sides, micrometer_in

logger = logging.getLogger(__name__)

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
#: Compressions that change values, or may; labels are not read from them.
LOSSY = {
    6: "JPEG",
    7: "JPEG",
    22610: "JPEG XR",
    33003: "JPEG 2000",
    33004: "JPEG 2000",
    33005: "JPEG 2000",
    33007: "JPEG",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "JPEG",
    34927: "WebP",
    34934: "JPEG XR",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
#: Axes of a file's own description along which slices may stand: z, or nobody has said.
SLICE_AXES = "ZIQ"
#: Most channels that a picture of one slice has (ImageJ).
MOST_CHANNELS = 7
#: What the other axes are called.
AXIS_NAMES = {"C": "channels", "T": "times", "R": "tiles", "S": "samples", "P": "positions"}
#: Smallest pixel in micrometer that printers and scanners state, some 2,500 an inch.
FINEST_PRINT_UM = 10.0
BLACK_IS_ZERO, WHITE_IS_ZERO, PALETTE = (1, 0, 3)
#: Orientations in which the first row is the upper and the first column the left one.
UPRIGHT = (0, 1)

# A damaged file becomes one error line of ours; tifffile's own log lines would only precede it.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Page:
    """Where one slice is: page ``index`` of a file."""

    path: Path
    index: int


@dataclass(frozen=True)
class Header:
    """What a file says before any pixel is read.

    Attributes
    ----------
    pages : tuple of Page
        Its slices, in order; reduced images and masks are none.
    shape : tuple of int
        Rows and columns of each.
    dtype : numpy.dtype
        Type of the pixels, in native byte order.
    white : int or None
        The value that means black where the file stores white as zero, else None.
    sides_um : Sides
        Sides of a voxel along z, y and x in micrometer, None where they are not stated.
    ome : OmeDescription or None
        What else an OME-TIFF says.
    resolution_um : float or None
        Side of a pixel in micrometer by the tags that printers use, where no microscope's metadata
        state one and it is as small as a microscope's.
    """

    pages: tuple[Page, ...]
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    white: int | None
    sides_um: Sides
    ome: OmeDescription | None
    resolution_um: float | None = None


def read_header(path: Path, *, grey: bool = True, ome: bool = True) -> Header:
    """Read a file's header and check everything but pixels.

    Parameters
    ----------
    path : Path
    grey : bool
        Whether the pixels are grey values, else labels.
    ome : bool
        Whether OME metadata are read.

    Raises
    ------
    InputError
        If the file is missing or unreadable, or says that it is something else than slices as they
        are to be looked at, stored row by row from the top.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with tifffile.TiffFile(path) as tiff:
            return _header(path, tiff, grey=grey, ome=ome)
    except DAMAGE as error:
        raise InputError(not_readable(path, "TIFF", one_line(error))) from None


def _header(path: Path, tiff: Any, *, grey: bool, ome: bool) -> Header:
    depth = hidden_depth(tiff)
    every = list(tiff.pages) if depth is None else [tiff.pages.first]
    indices = [i for i, frame in enumerate(every) if not (frame.is_reduced or frame.is_mask)]
    if not indices:
        raise InputError(f"{path}: holds nothing but reduced images (thumbnails); give the slices")
    frames = [every[i] for i in indices]
    shape, dtype, white = _check_pictures(path, frames, indices, grey=grey)
    _check_whole(path, tiff, frames, indices)
    order: Sequence[int] = indices if depth is None else range(depth)
    sides: Sides = (None, None, None)
    description = None
    if tiff.is_ome and tiff.ome_metadata:
        if ome:
            description = read_description(tiff.ome_metadata, len(frames), path)
            sides = description.sides_um
            if description.order is not None:
                order = [indices[page] for page in description.order]
    else:
        _check_axes(path, tiff, len(frames))
        sides = _calibration(path, tiff, frames[0])
    pages = tuple(Page(path, index) for index in order)
    resolution = _resolution(frames[0]) if sides[2] is None else None
    return Header(pages, shape, dtype, white, sides, description, resolution)


def _check_pictures(
    path: Path, frames: Sequence[Any], indices: Sequence[int], *, grey: bool
) -> tuple[tuple[int, int], np.dtype[Any], int | None]:
    """Return shape, type and the white value that all pictures of a file have in common."""
    first = frames[0]
    shape = tuple(int(size) for size in first.shape)
    wanted = "greyscale slices" if grey else "labels as whole numbers"
    planes = int(first.samplesperpixel)
    if planes > 1 and int(first.planarconfig or 1) != 1:
        raise InputError(
            f"{path}: page {indices[0]} holds {planes} planes (planar configuration 2); if they "
            "are slices, save each as a page of its own"
        )
    kind = BLACK_IS_ZERO if first.photometric is None else int(first.photometric)
    kinds = (BLACK_IS_ZERO, WHITE_IS_ZERO) if grey else (BLACK_IS_ZERO, WHITE_IS_ZERO, PALETTE)
    if planes > 1 or kind not in kinds:
        raise InputError(f"{path}: is a colour image; give {wanted}")
    if first.dtype is None:
        raise InputError(
            f"{path}: its pixels have {first.bitspersample} bits of a kind that is not read; save "
            "it with 8 or 16 bits a pixel"
        )
    if len(shape) != 2:
        raise InputError(f"{path}: a slice has shape {shape}; wanted rows x columns")
    if 0 in shape:
        raise InputError(f"{path}: is empty ({shape[0]} x {shape[1]} pixels); save it again")
    for index, frame in zip(indices, frames, strict=True):
        if (tuple(frame.shape), frame.dtype) != (tuple(first.shape), first.dtype):
            raise InputError(
                f"{path}: page {index} differs from page {indices[0]} in shape or type; all slices "
                "must agree"
            )
        if frame.photometric != first.photometric:
            raise InputError(
                f"{path}: page {index} differs from page {indices[0]} in what is black "
                "(photometric interpretation); all slices must agree"
            )
        _check_page(path, index, frame, grey=grey)
    dtype = np.dtype(first.dtype).newbyteorder("=")
    white = None
    if kind == WHITE_IS_ZERO:
        if not grey or dtype.kind != "u":
            raise InputError(
                f"{path}: says that 0 is white (photometric interpretation 0), which readers take "
                "in different ways; save it with 0 as black"
            )
        white = 2 ** int(first.bitspersample) - 1
    return (shape[0], shape[1]), dtype, white


def _check_page(path: Path, index: int, frame: Any, *, grey: bool) -> None:
    """Check how one page is turned and compressed."""
    turned = frame.tags.valueof(274, 1)
    if turned not in UPRIGHT:
        raise InputError(
            f"{path}: page {index} states orientation {turned}, which readers take in different "
            "ways; save it upright (orientation 1), rows from the top, columns from the left"
        )
    codec = int(frame.compression)
    if not grey and codec in LOSSY:
        raise InputError(
            f"{path}: labels are stored with loss ({LOSSY[codec]}), which makes new codes at every "
            "border; export them again without loss, as LZW, deflate or uncompressed"
        )
    try:
        _ = tifffile.TIFF.DECOMPRESSORS[codec] if codec != 1 else None
        _ = tifffile.TIFF.UNPREDICTORS[int(frame.predictor)] if frame.predictor != 1 else None
    except (KeyError, ValueError, NotImplementedError):
        raise InputError(
            f"{path}: its compression ({_codec_name(codec)}, predictor {int(frame.predictor)}) "
            "cannot be decoded here; save it uncompressed or as LZW, deflate or zstd"
        ) from None


def _codec_name(codec: int) -> str:
    try:
        return str(tifffile.COMPRESSION(codec).name)
    except ValueError:
        return f"code {codec}"


def _check_whole(path: Path, tiff: Any, frames: Sequence[Any], indices: Sequence[int]) -> None:
    """Check that every strip or tile is there, and the chain of pages ends inside the file."""
    size = int(tiff.filehandle.size)
    for index, frame in zip(indices, frames, strict=True):
        parts = list(zip(frame.dataoffsets, frame.databytecounts, strict=True))
        if max((start + count for start, count in parts), default=0) > size:
            raise _truncated(path, index)
        stored = sum(count for _, count in parts)
        needed = math.prod(frame.shape) * int(frame.bitspersample) // 8
        if (
            len(parts) < math.prod(frame.chunked)
            or not all(count and start for start, count in parts)
            or (frame.compression == 1 and stored < needed)
        ):
            raise InputError(
                f"{path}: page {index} lacks pixels: a strip or tile of it is empty, the file was "
                "not written to its end; save or copy it again"
            )
    # tifffile stops silently where the chain of pages leads out of the file.
    tiff.filehandle.seek(tiff.pages.next_page_offset)
    following = tiff.filehandle.read(tiff.tiff.offsetsize)
    if len(following) != tiff.tiff.offsetsize or any(following):
        raise _truncated(path, len(tiff.pages))


def _truncated(path: Path, index: int) -> InputError:
    return InputError(f"{path}: truncated: page {index} is not whole; copy the file again")


def _check_axes(path: Path, tiff: Any, pages: int) -> None:
    """Check that a file's own description (ImageJ's, tifffile's, a vendor's) knows slices only."""
    lead: list[tuple[str, int]] = []
    if tiff.is_imagej:
        found = tiff.imagej_metadata or {}
        keys = {"C": "channels", "Z": "slices", "T": "frames"}
        lead = [(axis, int(found.get(key, 1))) for axis, key in keys.items()]
    elif pages > 1:
        series = tiff.series[0]
        lead = list(zip(series.axes, series.shape, strict=True))[:-2]
    lead = [(axis, size) for axis, size in lead if size > 1]
    if len(lead) == 1 and (lead[0][0] == "T" or (lead[0][0] == "C" and lead[0][1] > MOST_CHANNELS)):
        # what many programs say of any stack of pages
        many = AXIS_NAMES[lead[0][0]]
        logger.warning("%s: calls its %d pages %s; they are taken as slices", path, pages, many)
        return
    for axis, size in lead:
        if axis not in SLICE_AXES:
            many = AXIS_NAMES.get(axis, f"entries along axis {axis}")
            raise InputError(f"{path}: holds {size} {many}; save one of them as its own file")
    if len(lead) > 1:
        sizes = " x ".join(str(size) for _, size in lead)
        raise InputError(
            f"{path}: says that it holds {sizes} pages; save one stack as its own file"
        )


def _calibration(path: Path, tiff: Any, page: Any) -> Sides:
    """Return the sides of a voxel as ImageJ states them."""
    found = (tiff.imagej_metadata if tiff.is_imagej else None) or {}
    unit = str(found.get("unit", "")).replace("\\u00B5", "µ").replace("\\u00b5", "µ").strip()
    if not unit or unit in UNMEASURED:
        return (None, None, None)
    factor = micrometer_in(unit)
    if factor is None:
        logger.warning("%s: states its voxel size in %r, which is no known unit", path, unit)
        return (None, None, None)
    y, x = (_side(page.tags.valueof(code), factor) for code in (283, 282))
    spacing = found.get("spacing")
    z = float(spacing) * factor if isinstance(spacing, (int, float)) and spacing > 0 else None
    return z, y, x


def _resolution(page: Any) -> float | None:
    """Return the side of a pixel by the resolution tags, unless it is one of a printer."""
    unit = {2: "inch", 3: "cm"}.get(int(page.tags.valueof(296, 2)))
    side = None if unit is None else _side(page.tags.valueof(282), MICROMETER[unit])
    return side if side is not None and side < FINEST_PRINT_UM else None


def _side(resolution: Any, factor: float) -> float | None:
    """Return the side of a pixel from a resolution, pixels in one unit as a fraction."""
    try:
        pixels, units = resolution
        return factor * units / pixels if pixels > 0 < units else None
    except (TypeError, ValueError):
        return None


def hidden_depth(tiff: Any) -> int | None:
    """Return the number of slices of an ImageJ file that describes only its first page."""
    if tiff.is_ome or len(tiff.pages) != 1:
        return None
    series = tiff.series[0]
    if len(series.shape) != 3 or series.dataoffset is None:
        return None
    same_page = tuple(series.shape[1:]) == tuple(tiff.pages.first.shape)
    return int(series.shape[0]) if same_page else None


def read_pages(pages: Sequence[Page]) -> Iterator[NDArray[np.generic]]:
    """Yield slices as stored, opening a file once while consecutive slices come from it.

    The pixels of a palette image are its indices.

    Raises
    ------
    InputError
        If one cannot be decoded.
    """
    for path, group in groupby(pages, key=lambda page: page.path):
        with _open(path) as handle:
            for page in group:
                yield _decode(handle, page)


def _open(path: Path) -> Any:
    try:
        return tifffile.TiffFile(path)
    except DAMAGE as error:
        raise InputError(not_readable(path, "TIFF", one_line(error))) from None


def _decode(handle: Any, page: Page) -> NDArray[np.generic]:
    try:
        if hidden_depth(handle) is None:
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
    except (*DAMAGE, ImportError) as error:
        raise InputError(
            f"{page.path}: page {page.index} cannot be decoded ({one_line(error)}); {_mend(error)}"
        ) from None
    return np.ascontiguousarray(image, dtype=image.dtype.newbyteorder("="))


def _mend(error: Exception) -> str:
    """Return what helps against an error of decoding."""
    unable = isinstance(error, (ImportError, NotImplementedError, TypeError))
    if unable or any(word in str(error) for word in ("support", "requires", "not available")):
        return "save it uncompressed or as LZW, deflate or zstd"
    return "copy the file again"


def one_line(error: Exception) -> str:
    """Return the first line of an exception's message."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
