"""The stage that writes the page to explore a dataset in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainarch.atomic import write_text
from brainarch.explorer.blocks import Blocks
from brainarch.explorer.layers import Entries, named
from brainarch.explorer.page import render_explorer, render_index
from brainarch.explorer.slices import SliceContent, SliceReader
from brainarch.explorer.thin import principal_components
from brainarch.geometry import PATCH
from brainarch.volume.store import Volume, open_volume


def write_explorer(
    *,
    volume: Path,
    files: Mapping[str, Path],
    page: Path,
    pages: Mapping[int, Path],
    slices: Sequence[int],
    areas: Entries,
    layer_names: Entries,
    title: str,
    lacks: Mapping[str, str],
) -> None:
    """Write one page in which slices answer back, or one a slice and an index of them.

    Parameters
    ----------
    volume : Path
        The volume.
    files : mapping of str to Path
        What is shown where it is there: ``areas``, ``layers``, and of each slice ``cube/104``,
        ``prediction/104`` and so on; see `brainarch.explorer.slices.KINDS`.
    page : Path
        The page to write (HTML).
    pages : mapping of int to Path
        Where there are any, each slice has a page of its own, and ``page`` is the index.
    slices : sequence of int
        Numbers of the slices.
    areas, layer_names : sequence of mapping
        Name, title and colour (or None) of each area and layer, in the order of their codes.
    title : str
        Of the dataset.
    lacks : mapping of str to str
        Kinds of files that the dataset does not have, and why.

    Raises
    ------
    InputError
        If a file is damaged or of another volume.
    """
    opened = open_volume(volume)
    shown = {"areas": areas, "layers": layer_names}
    if not pages:
        write_text(page, _explorer(opened, files, lacks, slices, shown, title))
        return
    for z, path in pages.items():
        write_text(path, _explorer(opened, files, lacks, [z], shown, f"{title}: slice {z}"))
    write_text(page, render_index(title, {z: path.name for z, path in pages.items()}))


def _explorer(
    volume: Volume,
    files: Mapping[str, Path],
    lacks: Mapping[str, str],
    slices: Sequence[int],
    shown: Mapping[str, Entries],
    title: str,
) -> str:
    blocks = Blocks()
    reader = SliceReader(volume, files, lacks, shown["areas"], shown["layers"], blocks)
    read = [reader.read(z) for z in slices]
    content = {
        "title": title,
        "pixel_um": volume.pixel_um,
        "patch": PATCH,
        "areas": named(shown["areas"]),
        "components": _add_components(read, blocks),
        "slices": [entry.described for entry in read],
        "missing": [
            {"slice": entry.described["z"], "what": what, "why": why}
            for entry in read
            for what, why in entry.missing
        ],
    }
    return render_explorer(title, content, blocks.texts)


def _add_components(read: Sequence[SliceContent], blocks: Blocks) -> dict[str, Any] | None:
    """Add the principal components of every slice with a cube; return what they explain."""
    having = [(entry.described, entry.cube) for entry in read if entry.cube is not None]
    if not having:
        return None
    found = principal_components([cube for _, cube in having])
    pooled = np.concatenate(found.scores)
    low, high = pooled.min(axis=0), pooled.max(axis=0)
    for (described, _), scores in zip(having, found.scores, strict=True):
        name = f"{described['z']}-principal"
        described["cube"]["principal"] = blocks.add(name, _as_words(scores, low, high))
    return {
        "low": low.tolist(),
        "high": high.tolist(),
        "shares": [float(share) for share in found.shares],
    }


def _as_words(
    scores: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.uint16]:
    """Return scores in steps of 1 / 65535 of their range, shape (components, n)."""
    span = np.where(high > low, high - low, 1)
    return np.rint((scores - low) / span * 65535).astype(np.uint16).T.copy()
