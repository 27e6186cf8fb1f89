"""Figures inside the page: smaller, and within a budget of bytes."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from brainarch.errors import InputError

#: Width in pixels that is tried first, and the smallest one.
WIDTH, LEAST_WIDTH = 1600, 200
#: Colours of an embedded picture.
COLOURS = 256


def embed_pictures(paths: Mapping[str, Path], budget: int) -> dict[str, str]:
    """Return pictures as ``data:`` addresses that together stay within a budget.

    All pictures get the same width, `WIDTH` or as much less as the budget asks for; none is
    enlarged.

    Parameters
    ----------
    paths : mapping of str to Path
        PNG files.
    budget : int
        Bytes that all of them may take in the page.

    Raises
    ------
    InputError
        If a file is no picture, or even small pictures do not fit.
    """
    opened = {name: _opened(path) for name, path in paths.items()}
    width = WIDTH
    while width >= LEAST_WIDTH:
        encoded = {
            name: "data:image/png;base64,"
            + base64.b64encode(_shrunk(picture, width)).decode("ascii")
            for name, picture in opened.items()
        }
        size = sum(map(len, encoded.values()))
        if size <= budget:
            return encoded
        # Bytes grow about as the width to the power of 1.4, measured on our figures.
        width = min(width - 20, int(0.98 * width * (budget / size) ** 0.7))
    raise InputError(f"{len(paths)} figures do not fit into {budget:,} bytes; name fewer")


def shrink_picture(path: Path, width: int) -> bytes:
    """Return a picture as PNG of at most a width in pixels and `COLOURS` colours.

    Raises
    ------
    InputError
        If the file is no picture.
    """
    return _shrunk(_opened(path), width)


def _opened(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            picture.verify()  # its checksums; it has to be opened again
        with Image.open(path) as picture:
            colours = picture.convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise InputError(f"{path}: not a readable picture ({error}); plot it again") from None
    return _narrowed(colours, WIDTH)


def _narrowed(picture: Image.Image, width: int) -> Image.Image:
    if picture.width <= width:
        return picture
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _shrunk(picture: Image.Image, width: int) -> bytes:
    stream = io.BytesIO()
    small = _narrowed(picture, width)
    reduced = small.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    reduced.save(stream, format="PNG", compress_level=9)
    return stream.getvalue()
