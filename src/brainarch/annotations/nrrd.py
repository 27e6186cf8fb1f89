"""Reading single slices of NRRD files, as ITK-SNAP, Slicer and others write label images.

Only the slice that is wanted is held in memory, however large the file is. The format is defined
at https://teem.sourceforge.net/nrrd/format.html.
"""

from __future__ import annotations

import bz2
import gzip
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from brainarch.errors import InputError

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
    """

    shape: tuple[int, ...]
    dtype: str
    encoding: str
    offset: int


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
    return NrrdHeader(sizes[::-1], dtype, encoding, offset)


def read_slice(path: Path, header: NrrdHeader, index: int) -> NDArray[np.generic]:
    """Read one slice: shape (rows, columns), in native byte order.

    Raises
    ------
    InputError
        If the data are cut off or damaged.
    """
    rows, columns = header.shape[-2:]
    dtype = np.dtype(header.dtype)
    size = rows * columns * dtype.itemsize
    try:
        with path.open("rb") as file:
            file.seek(header.offset)
            with _decoded(file, header.encoding) as data:
                start = header.offset if header.encoding == "raw" else 0
                data.seek(start + index * size)
                content = data.read(size)
    except DAMAGE as error:
        raise InputError(f"{path}: its data are damaged ({error}); copy the file again") from None
    if len(content) < size:
        whole = math.prod(header.shape) * dtype.itemsize
        raise InputError(
            f"{path}: its data end within slice {index} of the file, though {whole} bytes are "
            "declared; copy the file again"
        )
    image = np.frombuffer(content, dtype=dtype).reshape(rows, columns)
    return image.astype(dtype.newbyteorder("="))


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
                key, sign, value = text.partition(": ")
                if sign and not text.startswith("#"):
                    fields[key.strip().lower()] = value.strip()
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
