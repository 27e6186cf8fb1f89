"""Which file is which slice, as far as the names tell; where they do not, a line asks.

Files that begin with a dot (``._z0001.tif``, as macOS leaves them) are no slices on any way in.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from brainarch.errors import InputError
from brainarch.volume.foreign import nearby
from brainarch.volume.kinds import SLICE_FIELD, TIFF_SUFFIXES

#: Fewest files whose even steps are no accident: two numbers always go up evenly.
EVEN = 3
#: Signs as keyboards and programs write them: hyphen, en dash, minus, and plus.
MINUS, SIGNS = "-\u2013\u2212", "-\u2013\u2212+"
#: A minus sign that is no hyphen: it follows neither a letter nor a digit.
SIGN = re.compile(rf"(?<![^\W_])[{MINUS}]$")
#: A number with a sign or a fraction, for the eye.
POSITION = re.compile(r"(?<![^\W_])-[0-9]|[\u2013\u2212+][0-9]|[0-9][.,][0-9]")


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
        found = [entry for entry in _visible(path, "*") if entry.suffix.lower() in TIFF_SUFFIXES]
        if not found:
            raise InputError(
                f"{source}: no TIFF file (*.tif, *.tiff) in this folder{_instead(path)}"
            )
        return found
    base, rest = Path(), list(path.parts)
    while rest and (base / rest[0]).exists():  # what exists is a name, even with brackets in it
        base /= rest.pop(0)
    if not any(sign in part for part in rest for sign in "*?["):
        braces = "; the field for the slice number is {z} or {z:04d}" if "{" in str(source) else ""
        raise InputError(f"{source}: no such file or folder{braces or nearby(path)}")
    found = _visible(base, str(Path(*rest)))
    if not found:
        raise InputError(f"{source}: no file matches this pattern")
    return [entry for entry in found if entry.suffix.lower() in TIFF_SUFFIXES] or found


def find_numbered(source: str | Path) -> tuple[list[Path], list[int]]:
    """Return the files that a pattern such as ``folder/*_z{z:04d}.tif`` stands for.

    Parameters
    ----------
    source : str or Path
        A path with one field ``{z}`` or ``{z:04d}``; ``*`` and ``?`` stand for what differs beside
        the number.

    Returns
    -------
    files : list of Path
    numbers : list of int
        The number of each.

    Raises
    ------
    InputError
        If there is none, or the pattern has its field elsewhere than once.
    """
    base, rest = Path(), list(Path(source).parts)
    while rest and (base / rest[0]).exists():  # what exists is a name, even with braces in it
        base /= rest.pop(0)
    text = Path(*rest).as_posix()
    fields = list(SLICE_FIELD.finditer(text))
    if len(fields) != 1:
        raise InputError(f"{source}: wanted {{z}} or {{z:04d}} once")
    before, after = SLICE_FIELD.split(text)
    matching = re.compile(
        _wild(before)
        + ("(?<![0-9])" if before.endswith(("*", "?")) else "")
        + "([0-9]+)"
        + ("(?![0-9])" if after.startswith(("*", "?")) else "")
        + _wild(after)
    )
    files, numbers = [], []
    anywhere = SLICE_FIELD.sub("*", text).replace("[", "[[]")
    for entry in _visible(base, anywhere) if base.is_dir() else ():
        match = matching.fullmatch(entry.relative_to(base).as_posix())
        # Slice 7 is z7.tif in z{z}.tif and z0007.tif in z{z:04d}.tif, never both.
        if match and fields[0][0].format(z=int(match[1])) == match[1]:
            files.append(entry)
            numbers.append(int(match[1]))
    if not files:
        raise InputError(f"{source}: no file matches this pattern")
    return files, numbers


def order_files(
    files: Sequence[Path], first_slice: int, numbers: Sequence[int] | None = None, step: int = 1
) -> list[Path]:
    """Sort single-slice files by number and check that no slice is missing.

    Parameters
    ----------
    files : sequence of Path
        Single-slice files.
    first_slice : int
        Number that the first slice should have.
    numbers : sequence of int, optional
        Number of every file; without them they are read from the names, see `read_numbers`.
    step : int
        By how much the numbers go up from slice to slice: a slice's number is its file's, divided
        by the step and rounded down.

    Raises
    ------
    InputError
        If the names do not tell, two files have the same number, one is missing in between, the
        numbers go up by another step, or the first slice is not ``first_slice``.
    """
    numbers = read_numbers(files) if numbers is None else numbers
    pairs = sorted(zip(numbers, files, strict=True), key=lambda pair: (pair[0], str(pair[1])))
    numbers, files = [number for number, _ in pairs], [path for _, path in pairs]
    folder = files[0].parent
    for (left, before), (right, after) in pairwise(pairs):
        if left == right:
            raise InputError(
                f"{after}: slice {right // step} is also in {before.name}; keep one file a slice"
            )
    gaps = [right - left for left, right in pairwise(numbers)]
    if len(files) >= EVEN and set(gaps) != {step} and len(set(gaps)) == 1 and gaps[0] > 1:
        raise InputError(
            f"{folder}: the numbers of its files go up by {gaps[0]} ({files[0].name}, "
            f"{files[1].name} ...); set volume.file_step to {gaps[0]} if they count so, or add the "
            "missing files"
        )
    for before, after, gap, left in zip(files, files[1:], gaps, numbers, strict=False):
        if gap % step:
            raise InputError(
                f"{after}: its number is {gap} more than that of {before.name}, which is no "
                f"multiple of volume.file_step, {step}; correct the step or the file's name"
            )
        if gap > step:
            number = "" if step == 1 else f" (file number {left + step})"
            raise InputError(
                f"{folder}: slice {left // step + 1}{number} is missing between {before.name} and "
                f"{after.name}; add its file"
            )
    first = numbers[0] // step
    if first != first_slice:
        raise InputError(
            f"{files[0]}: the file numbers begin at {first}, but slice {first_slice} was "
            f"declared the first; set volume.first_slice to {first} or add the missing files"
        )
    return files


def read_numbers(files: Sequence[Path]) -> list[int]:
    """Return the numbers in the names of files, if only one reading of the names is possible.

    It is the one group of digits that differs between names which are otherwise the same; capital
    and small letters are alike.

    Raises
    ------
    InputError
        If a few names do not fit the others, or the names tell no order.
    """
    base = Path(os.path.commonpath([path.parent for path in files]))
    names = [path.relative_to(base).with_suffix("").as_posix() for path in files]
    split = [re.split(r"([0-9]+)", name.casefold()) for name in names]
    shapes = [tuple(parts[::2]) for parts in split]
    usual, count = Counter(shapes).most_common(1)[0]
    if count < len(files):
        if _has_positions(names):
            raise _positions(files)
        if count > len(files) - count:
            raise _stray(files, [shape == usual for shape in shapes])
        raise _unknown(base, files, names, "their names differ in more than one number")
    groups = list(zip(*(parts[1::2] for parts in split), strict=True))
    varying = [i for i, group in enumerate(groups) if len(set(map(int, group))) > 1]
    if not groups:
        raise _unknown(base, files, names, "their names hold no number")
    if len(varying) > 1:
        raise _unknown(base, files, names, f"{len(varying)} numbers differ between their names")
    place = varying[0] if varying else len(groups) - 1
    before, texts = usual[place], groups[place]
    fraction = place > 0 and before == "." and len(set(map(len, texts))) > 1
    if fraction or SIGN.search(before):
        raise _positions(files)
    return [int(text) for text in texts]


def _visible(folder: Path, pattern: str) -> list[Path]:
    """Return the files that a glob pattern finds, in the order of their paths, hidden ones not."""
    found = sorted(folder.glob(pattern))
    return [
        path
        for path in found
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    ]


def _instead(folder: Path) -> str:
    """Return what a folder without TIFF files holds, and how to go on."""
    inside = (path for path in _visible(folder, "*/*") if path.suffix.lower() in TIFF_SUFFIXES)
    if (deeper := next(inside, None)) is not None:
        pattern = folder / "*" / f"*{deeper.suffix}"
        return f"; its folders hold some, name one of them or all by a pattern: {pattern}"
    suffixes = Counter(path.suffix.lower() for path in _visible(folder, "*"))
    if not suffixes:
        return ", which is empty"
    suffix, count = suffixes.most_common(1)[0]
    return f"; it holds {count} {suffix or 'other'} files, save them as TIFF"


def _wild(text: str) -> str:
    """Return a regular expression for a part of a path in which ``*`` and ``?`` are wildcards."""
    signs = {"*": "[^/]*", "?": "[^/]"}
    return "".join(signs.get(sign, re.escape(sign)) for sign in text)


def _has_positions(names: Sequence[str]) -> bool:
    """Return whether names are alike once a sign or a fraction of their numbers is left out."""
    alike = set()
    for name in names:
        whole = re.sub(
            rf"[{SIGNS}](?=[0-9])", "", re.sub(r"(?<=[0-9])\.[0-9]+", "", name.casefold())
        )
        alike.add(tuple(re.split(r"[0-9]+", whole)))
    return len(alike) == 1


def _positions(files: Sequence[Path]) -> InputError:
    shown = next((path for path in files if POSITION.search(path.stem)), files[0])
    return InputError(
        f"{files[0].parent}: the order of its files is not known: their numbers ({shown.name}) "
        "have a sign or a fraction; rename the files by whole numbers, one a slice"
    )


def _stray(files: Sequence[Path], fits: Sequence[bool]) -> InputError:
    """Return the line that names the files which do not fit the others."""
    usual = [path for path, fit in zip(files, fits, strict=True) if fit]
    stray = [path for path, fit in zip(files, fits, strict=True) if not fit]
    more = f" (and {len(stray) - 1} more)" if len(stray) > 1 else ""
    pattern = _pattern(usual, [path.stem for path in usual]) or "{z}"
    return InputError(
        f"{stray[0]}{more}: is no slice by its name, the others are called like {usual[0].name}; "
        f"move it away, or say which files are meant: {usual[0].parent / pattern}"
    )


def _unknown(base: Path, files: Sequence[Path], names: Sequence[str], why: str) -> InputError:
    pattern = None if any("/" in name for name in names) else _pattern(files, names)
    like = "" if pattern is None else f", perhaps {base / pattern}"
    return InputError(
        f"{base}: the order of its files is not known: {why} ({files[0].name}, {files[1].name} "
        f"...); write the path with {{z}} where the slice's number stands{like}"
    )


def _pattern(files: Sequence[Path], names: Sequence[str]) -> str | None:
    """Return the pattern by which the last number of each name is the slice's, if one fits all."""
    matches = [re.fullmatch(r"(.*?)([0-9]+)([^0-9]*)", name) for name in names]
    found = [match.groups() for match in matches if match]
    ends = {tail + path.suffix for (*_, tail), path in zip(found, files, strict=False)}
    if len(found) < len(names) or len(ends) > 1:
        return None
    heads, numbers, tails = zip(*found, strict=True)
    if len(set(map(int, numbers))) < len(numbers):
        return None
    head = heads[0]
    while not all(text.endswith(head) for text in heads):
        head = head[1:]
    if len(set(heads)) > 1:
        head = "*" + head.lstrip("0123456789")
    widths = set(map(len, numbers))
    padded = len(widths) == 1 and widths != {1}
    field = f"{{z:0{widths.pop()}d}}" if padded else "{z}"
    return f"{head}{field}{tails[0]}{files[0].suffix}"
