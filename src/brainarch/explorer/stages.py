"""The stages that write the pages to explore a dataset in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainarch.atomic import write_text
from brainarch.explorer.blocks import Blocks
from brainarch.explorer.layers import Entries, named
from brainarch.explorer.page import render_explorer, render_index
from brainarch.explorer.slices import SliceContent, SliceReader
from brainarch.explorer.thin import principal_components
from brainarch.figures.style import network_title
from brainarch.geometry import PATCH
from brainarch.volume.store import open_volume


def write_explorer(
    *,
    volume: Path,
    files: Mapping[str, Path],
    page: Path,
    slices: Sequence[int],
    areas: Entries,
    layer_names: Entries,
    networks: Sequence[str],
    title: str,
    lacks: Mapping[str, str],
) -> None:
    """Write a page in which slices answer back.

    Parameters
    ----------
    volume : Path
        The volume.
    files : mapping of str to Path
        What is shown where it is there: ``areas``, ``layers``, and of each slice
        ``prediction/104``, ``cube/104/cnn`` and so on; see `brainarch.explorer.slices.KINDS`.
    page : Path
        The page to write (HTML).
    slices : sequence of int
        Numbers of the slices.
    areas, layer_names : sequence of mapping
        Name, title and colour (or None) of each area and layer, in the order of their codes.
    networks : sequence of str
        Networks whose representation is asked, the main one first.
    title : str
        Of the page.
    lacks : mapping of str to str
        Kinds of files that the dataset does not have, and why.

    Raises
    ------
    InputError
        If a file is damaged or of another volume.
    """
    opened = open_volume(volume)
    reader = SliceReader(opened, files, lacks, areas, layer_names, networks, Blocks())
    write_text(page, _explorer(reader, slices, title))


def write_index(*, pages: Mapping[int, Path], page: Path, title: str) -> None:
    """Write the page that leads to the pages of many slices.

    Parameters
    ----------
    pages : mapping of int to Path
        The page of each slice, beside ``page``.
    page : Path
        The page to write (HTML).
    title : str
        Of the dataset.
    """
    write_text(page, render_index(title, {z: path.name for z, path in pages.items()}))


def _explorer(reader: SliceReader, slices: Sequence[int], title: str) -> str:
    read = [reader.read(z) for z in slices]
    content = {
        "title": title,
        "pixel_um": reader.volume.pixel_um,
        "patch": PATCH,
        "areas": named(reader.areas),
        "networks": [
            {"name": name, "title": network_title(name), "shares": shares}
            for name in reader.networks
            if (shares := _add_components(read, name, reader.blocks)) is not None
        ],
        "slices": [entry.described for entry in read],
        "missing": [
            {"slice": entry.described["z"], "what": what, "why": why}
            for entry in read
            for what, why in entry.missing
        ],
    }
    return render_explorer(title, content, reader.blocks.texts)


def _add_components(
    read: Sequence[SliceContent], network: str, blocks: Blocks
) -> list[float] | None:
    """Add a network's principal components over all slices; return the shares of variance."""
    having = [(entry.described, entry.cubes[network]) for entry in read if network in entry.cubes]
    if not having:
        return None
    found = principal_components([cube for _, cube in having])
    pooled = np.concatenate(found.scores)
    low, high = pooled.min(axis=0), pooled.max(axis=0)
    for (described, _), scores in zip(having, found.scores, strict=True):
        own = described["cubes"][network]
        name = own["units"].replace("units", "principal")
        own["principal"] = blocks.add(name, _as_words(scores, low, high))
    return [float(share) for share in found.shares]


def _as_words(
    scores: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.uint16]:
    """Return scores in steps of 1 / 65535 of their range, shape (components, n)."""
    span = np.where(high > low, high - low, 1)
    return np.rint((scores - low) / span * 65535).astype(np.uint16).T.copy()
