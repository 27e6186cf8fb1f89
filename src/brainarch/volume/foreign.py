"""What is there instead of the file that was named: another kind, or other files."""

from __future__ import annotations

from pathlib import Path

#: First bytes of what is met under the name of an image: what it is, and what to do.
BEGINNINGS = {
    b"\x89PNG": ("a PNG image", "save it in the format of its name"),
    b"\xff\xd8\xff": ("a JPEG image", "save it in the format of its name"),
    b"II*\x00": ("a TIFF image", "save it in the format of its name"),
    b"MM\x00*": ("a TIFF image", "save it in the format of its name"),
    b"\x89HDF": ("an HDF5 file", "save its slices as TIFF"),
    b"PK\x03\x04": ("a ZIP archive", "unpack it"),
    b"\x1f\x8b": ("compressed by gzip", "unpack it"),
    b"version https://git-lfs": ("a pointer of Git LFS", "fetch the file with git lfs pull"),
    b"<!DOCTYPE": ("a web page", "download the file itself"),
    b"<html": ("a web page", "download the file itself"),
}
#: Most files of a folder that are named.
NAMED = 3


def not_readable(path: Path, kind: str, error: str) -> str:
    """Return the line of a file that is not readable as TIFF or PNG.

    Parameters
    ----------
    path : Path
    kind : str
        What it should be.
    error : str
        What the reader said, for files of which nothing else is known.
    """
    with path.open("rb") as handle:
        begins = handle.read(max(map(len, BEGINNINGS)))
    what, mend = error, "copy or save it again"
    if not begins:
        what = "empty"
    for start, (content, advice) in BEGINNINGS.items():
        if begins.startswith(start) and f" {kind} " not in content:
            what, mend = content, advice
    return f"{path}: not a readable {kind} file ({what}); {mend}"


def nearby(path: Path) -> str:
    """Return where the way to a missing file ends, to follow its error: which folder, with what.

    Files of the same suffix come first; hidden ones are left out.
    """
    parents = [path, *path.parents]
    end = next(i for i, parent in enumerate(parents) if parent.exists())
    if end > 1:
        begin = "" if path.is_absolute() else f" in {Path.cwd()}"
        return f"; there is no folder {parents[end - 1]}{begin}"
    found = sorted(
        (entry.suffix != path.suffix, entry.name)
        for entry in parents[end].iterdir()
        if not entry.name.startswith(".")
    )
    if not found:
        return "; its folder is empty"
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"; its folder has {', '.join(name for _, name in found[:NAMED])}{more}"
