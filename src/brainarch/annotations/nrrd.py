"""Reading single slices of NRRD files, as ITK-SNAP, Slicer and others write label images.

Only the slice that is wanted is held in memory, and one of the file where its axes stand in another
order. The format is defined at https://teem.sourceforge.net/nrrd/format.html.
"""

from __future__ import annotations

import bz2
import gzip
import logging
import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from brainarch.errors import InputError

logger = logging.getLogger(__name__)

#: What the first line begins with; the format's version follows.
MAGIC = b"NRRD000"
#: Type codes of numpy by the format's names, all spellings that the definition allows.
TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int"), "i2"),
    **dict.fromkeys(("int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int"), "u2"),
    **dict.fromkeys(("uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long"), "i8"),
    **dict.fromkeys(("signed long long int", "int64", "int64_t"), "i8"),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int"), "u8"),
    **dict.fromkeys(("uint64", "uint64_t"), "u8"),
    "float": "f4",
    "double": "f8",
}
#: Longest header that is read, in lines.
MAX_LINES = 10_000
#: What a damaged or cut-off file raises.
DAMAGE = (OSError, EOFError, ValueError, zlib.error)
#: Orders of axes that are told apart by sizes, the one that runs fastest last.
ORDERS = ("zyx", "zxy", "xyz")
#: Kinds of axes along which pixels lie.
PLACES = ("domain", "space", "none", "???")
#: Where the key of a cropped segmentation says where it begins (Slicer).
CROPPED = "segmentation_referenceimageextentoffset"
#: Parts of a direction that count as none, against its longest part.
STRAIGHT = 1e-3


@dataclass(frozen=True)
class NrrdHeader:
    """What a header says of the data behind it.

    Attributes
    ----------
    shape : tuple of int
        Slowest axis first: (rows, columns) or (slices, rows, columns).
    dtype : str
        Type code of numpy with byte order.
    encoding : {"raw", "gzip", "bzip2"}
    offset : int
        Where the data begin, in bytes.
    directions : str or None
        ``space directions`` as they stand there, where the file has any.
    straight : bool
        Whether they run along x, y and z, towards the left, the back and the top (LPS), the way in
        which pixels of an image without directions run.
    origin : str or None
        ``space origin``, unless it is 0.
    crop : str or None
        First pixel of a cropped segmentation in the image that it was drawn on, unless it is 0.
    """

    shape: tuple[int, ...]
    dtype: str
    encoding: str
    offset: int
    directions: str | None = None
    straight: bool = True
    origin: str | None = None
    crop: str | None = None


def read_header(path: Path) -> NrrdHeader:
    """Read the header of a file with attached data.

    Raises
    ------
    InputError
        If the file is missing or no NRRD file, its data stand elsewhere or in an encoding that is
        not read.
    """
    fields, offset = _read_fields(path)
    for key in ("data file", "datafile", "line skip", "lineskip", "byte skip", "byteskip"):
        if fields.get(key, "0") != "0":
            raise InputError(
                f"{path}: its data stand elsewhere ({key}); save it with data attached"
            )
    encoding = {"gz": "gzip", "bz2": "bzip2"}.get(fields["encoding"], fields["encoding"])
    if encoding not in ("raw", "gzip", "bzip2"):
        raise InputError(f"{path}: its encoding is {encoding}; save it as raw or gzip")
    code = TYPES.get(fields["type"])
    if code is None:
        raise InputError(f"{path}: labels are of type {fields['type']}; wanted whole numbers")
    order = {"little": "<", "big": ">"}.get(fields.get("endian", "little").lower(), "?")
    try:
        sizes = tuple(int(size) for size in fields["sizes"].split())
        dtype = np.dtype(order + code).str
    except (ValueError, TypeError):
        sizes, dtype = (), ""
    if len(sizes) not in (2, 3) or min(sizes) < 1 or str(len(sizes)) != fields["dimension"]:
        raise InputError(f"{path}: its sizes are {fields['sizes']!r}; wanted 2 or 3 of at least 1")
    kinds = fields.get("kinds", "").split()
    if any(kind.lower() not in PLACES for kind in kinds):
        raise InputError(
            f"{path}: its axes are of kind {fields['kinds']}; wanted pixels with one number each"
        )
    directions = fields.get("space directions")
    return NrrdHeader(
        sizes[::-1],
        dtype,
        encoding,
        offset,
        directions,
        directions is None or _is_straight(directions, fields.get("space", "")),
        _unless_zero(fields.get("space origin")),
        _unless_zero(fields.get(CROPPED)),
    )


def choose_axes(
    path: Path, header: NrrdHeader, stated: str | None, shape: tuple[int, int, int] | None
) -> str:
    """Return the order of a file's axes, the one that runs fastest last.

    Parameters
    ----------
    path : Path
    header : NrrdHeader
    stated : str or None
        What the user says; it is taken whatever the header tells of directions.
    shape : tuple of int or None
        Slices, rows and columns of the volume, where known; slices 0 where any number is good.

    Returns
    -------
    str
        For example ``zyx`` or, of a file of one slice, ``yx``.

    Raises
    ------
    InputError
        If nothing is stated and the header tells of turned axes, or sizes fit other orders.
    """
    flat = len(header.shape) == 2
    if stated is not None:
        if not header.straight:
            logger.warning(
                "%s: its space directions %s are not obeyed, its axes are taken as %s",
                path,
                header.directions,
                stated,
            )
        return stated.replace("z", "") if flat else stated
    if not header.straight:
        raise InputError(
            f"{path}: its space directions {header.directions} turn or mirror it; export it with "
            "directions along x, y and z, or, if it is stored as the volume's files are, set "
            "annotations.axes (or layers.axes) to zyx"
        )
    if header.origin is not None:
        logger.warning("%s: its space origin %s is not obeyed", path, header.origin)
    usual = "yx" if flat else ORDERS[0]
    if header.directions is not None or shape is None:
        return usual
    sizes = dict(zip("zyx", shape, strict=True))
    orders = dict.fromkeys(order.replace("z", "") if flat else order for order in ORDERS)
    fitting = [
        order
        for order in orders
        if all(sizes[a] in (0, n) for a, n in zip(order, header.shape, strict=True))
    ]
    if fitting in ([], [usual]):
        return usual
    named = {"xy": "zxy"}
    found = " x ".join(map(str, header.shape))
    raise InputError(
        f"{path}: nothing but its sizes ({found}, the last runs fastest) tells the order of its "
        f"axes, and they fit {' and '.join(named.get(order, order) for order in fitting)}; set "
        "annotations.axes (or layers.axes) to zyx if x runs fastest, as ITK-SNAP and Slicer write, "
        f"to {'zxy' if flat else 'xyz'} for what nrrd.write(name, array) makes of "
        f"{'rows and columns' if flat else 'slices, rows and columns'}"
    )


def read_slice(
    path: Path, header: NrrdHeader, index: int, axes: str = "zyx"
) -> NDArray[np.generic]:
    """Read one slice: shape (rows, columns), in native byte order.

    Parameters
    ----------
    path : Path
    header : NrrdHeader
    index : int
        Which slice.
    axes : str
        Order of the axes, see `choose_axes`.

    Raises
    ------
    InputError
        If the data are cut off or damaged.
    """
    dtype = np.dtype(header.dtype)
    place = axes.find("z")
    shape = header.shape if place >= 0 else (1, *header.shape)
    size = math.prod(shape[1:]) * dtype.itemsize
    # Where slices are no blocks of the file, each block gives a line of the slice.
    blocks = [index] if place <= 0 else range(shape[0])
    parts: list[NDArray[np.generic]] = []
    try:
        with path.open("rb") as file:
            file.seek(header.offset)
            with _decoded(file, header.encoding) as data:
                start = header.offset if header.encoding == "raw" else 0
                for block in blocks:
                    data.seek(start + block * size)
                    content = data.read(size)
                    if len(content) < size:
                        raise _cut(path, header, dtype, index)
                    values = np.frombuffer(content, dtype=dtype).reshape(shape[1:])
                    parts.append(values if place <= 0 else values.take(index, axis=place - 1))
    except DAMAGE as error:
        raise InputError(f"{path}: its data are damaged ({error}); copy the file again") from None
    image = parts[0] if place <= 0 else np.stack(parts)
    image = image.astype(dtype.newbyteorder("="))
    return image if axes.replace("z", "") == "yx" else image.T


def _cut(path: Path, header: NrrdHeader, dtype: np.dtype[np.generic], index: int) -> InputError:
    whole = math.prod(header.shape) * dtype.itemsize
    return InputError(
        f"{path}: its data end within slice {index} of the file, though {whole} bytes are "
        "declared; copy the file again"
    )


def _is_straight(directions: str, space: str) -> bool:
    """Return whether every axis of a file runs along its own axis of space, forwards (LPS)."""
    initials = "".join(word[:1] for word in space.split("-")) if "-" in space else space
    signs = [-1.0 if letter in "RAI" else 1.0 for letter in initials.upper()[:3]]
    vectors = re.findall(r"\(([^)]*)\)|none", directions)
    for axis, text in enumerate(vectors):
        try:
            parts = [float(part) for part in text.split(",")]
        except ValueError:
            return False
        along = parts.pop(axis) if axis < len(parts) else 0.0
        along *= signs[axis] if axis < len(signs) else 1.0
        # Not so for NaN either.
        if not (along > 0 and all(abs(part) <= STRAIGHT * along for part in parts)):
            return False
    return True


def _unless_zero(text: str | None) -> str | None:
    """Return a header's numbers as they stand, or None where all are 0."""
    numbers = re.findall(r"[-+]?[0-9.]+(?:e[-+]?[0-9]+)?", text or "", re.IGNORECASE)
    return text if any(float(number) for number in numbers) else None


def _read_fields(path: Path) -> tuple[Mapping[str, str], int]:
    """Return the fields of a header, by name in lower case, and where the data begin."""
    fields: dict[str, str] = {}
    try:
        with path.open("rb") as file:
            good = file.readline(64).startswith(MAGIC)
            for _ in range(MAX_LINES if good else 0):
                line = file.readline(1 << 20)
                text = line.decode("latin-1").rstrip("\r\n")
                if not text:  # an empty line ends the header, or the file does
                    break
                # "key: value" is the format's, "key:=value" a program's own
                match = re.match(r"(.+?)(?:: |:=)(.*)", text)
                if match and not text.startswith("#"):
                    fields.setdefault(match[1].strip().lower(), match[2].strip())
            offset = file.tell()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    missing = [key for key in ("type", "dimension", "sizes", "encoding") if key not in fields]
    if not good or missing:
        what = f"its header has no {missing[0]}" if good else "it does not begin with NRRD"
        raise InputError(f"{path}: not a readable NRRD file ({what})")
    return fields, offset


def _decoded(file: IO[bytes], encoding: str) -> IO[bytes] | gzip.GzipFile | bz2.BZ2File:
    """Return a stream of the data behind a header; the compressed ones begin at 0."""
    if encoding == "gzip":
        return gzip.GzipFile(fileobj=file)
    if encoding == "bzip2":
        return bz2.BZ2File(file)
    return file
