"""Reading every byte again of what says how it was written: stores, networks, tables, JSON."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import zarr

from brainarch.annotations.store import Labels, open_labels
from brainarch.config.frozen import is_frozen
from brainarch.config.read import read_config
from brainarch.dense.cube import Cube
from brainarch.embedding import representations
from brainarch.errors import InputError
from brainarch.evaluation.novelty import Usual, read_usual
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.grids.maps import SliceMaps
from brainarch.network.trained import TrainedNetwork, load_network
from brainarch.pipeline.results import DOWNLOAD, STALE
from brainarch.readout import gram_excerpt
from brainarch.records import read_record
from brainarch.stores.arrays import ArrayStore
from brainarch.stores.files import CheckedFiles, damaged_chunks
from brainarch.stores.metadata import FILE, is_guarded, read_metadata
from brainarch.tables import SIDECAR, read_bytes
from brainarch.volume.store import ATTRIBUTE, LINK, Volume, open_volume

#: Endings of a trained network's file and of JSON.
NETWORK, JSON = ".safetensors", ".json"
#: JSON that is no result: what the machine, the inputs and the results were like.
OF_THE_RUN = ("preflight.json", "input_files.json", "verified.json")
_GRIDS = {grid.LAYOUT.format: grid for grid in (Cube, CoefficientMaps, SliceMaps)}
_ARRAYS = {
    layout.format: layout
    for layout in (representations.CLEAN, representations.NOISY, gram_excerpt.LAYOUT)
}

#: What a store or a file holds, opened.
Content = Cube | CoefficientMaps | SliceMaps | ArrayStore | Volume | Labels | TrainedNetwork | Usual


@dataclass(frozen=True)
class Examined:
    """What was found of a store or a file.

    Attributes
    ----------
    path : Path
    title : str
        What it is called.
    faults : tuple of str
        What is damaged or missing; none if it is sound.
    content : Content or None
        It, opened; None if it cannot be, or says nothing of where it belongs.
    """

    path: Path
    title: str
    faults: tuple[str, ...]
    content: Content | None = None


def checked_in(folder: Path) -> Iterator[Path]:
    """Yield what of a dataset's folder can be checked, without unfinished work and stale results.

    A table is named by its CSV file.
    """
    for place, folders, files in os.walk(folder):
        if FILE in files:
            folders.clear()
            yield Path(place)
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if Path(place) == folder:
            folders[:] = [name for name in folders if name != STALE]
        if Path(place) == folder / DOWNLOAD:
            folders.clear()  # what came from elsewhere is read through the link to it
        for path in (Path(place, name) for name in sorted(files)):
            if path.name.endswith(SIDECAR):
                yield path.with_name(path.name.removesuffix(SIDECAR)).with_suffix(".csv")
            elif path.suffix in (NETWORK, JSON) and path.name not in OF_THE_RUN:
                yield path


def examine(path: Path, threads: int = 1) -> Examined:
    """Read a store or a file, every byte of it.

    Parameters
    ----------
    path : Path
    threads : int
        Chunks that are read at a time.
    """
    try:
        if path.suffix == NETWORK:
            return Examined(path, "network", (), load_network(path))
        if path.suffix == ".csv":
            read_bytes(path)
            return Examined(path, "table", ())
        if path.suffix == JSON:
            return Examined(path, "file", (), _read_json(path))
        attributes = read_metadata(path)[""].get("attributes", {})
        form, own = attributes.get("format"), attributes.get(ATTRIBUTE, {})
        if form in _GRIDS:
            grid = _GRIDS[form].open(path)
            return Examined(path, grid.LAYOUT.title, tuple(grid.faults(threads)), grid)
        if form in _ARRAYS:
            store = ArrayStore.open(path, _ARRAYS[form])
            return Examined(path, store.layout.title, tuple(store.faults(threads)), store)
        if "annotated_slices" in own:
            labels = open_labels(path)
            return Examined(path, "labels", tuple(_label_faults(labels, threads)), labels)
        volume = open_volume(path)
        title = "link to a volume" if LINK in own else "volume"
        return Examined(path, title, tuple(_volume_faults(volume, title, threads)), volume)
    except InputError as error:
        said = str(error).removeprefix(f"{path}: ")
    except (OSError, ValueError) as error:
        said = f"its metadata cannot be read ({' '.join(str(error).split())})"
    return Examined(path, "store", (said,))


def _read_json(path: Path) -> Usual | None:
    if path.name == "novelty.json":
        return read_usual(path)
    if is_frozen(path):
        read_config(path)
    else:
        read_record(path)
    return None


def _label_faults(labels: Labels, threads: int) -> Iterator[str]:
    for z in labels.annotated_slices:
        yield from _named(labels.array, labels.index_of(z), threads)


def _volume_faults(volume: Volume, title: str, threads: int) -> Iterator[str]:
    """Yield what is wrong with every level of a volume, or with level 0 of a linked one."""
    if title != "volume":
        yield from _named(volume.array, ..., threads)
        return
    if not is_guarded(volume.path):
        yield "no digest of its metadata is there, so that lost chunks cannot be told"
    group = zarr.open_group(CheckedFiles(volume.path), mode="r", zarr_format=3)
    for name in filter(None, sorted(read_metadata(volume.path))):
        array = group[name]
        if isinstance(array, zarr.Array):
            yield from _named(array, ..., threads)


def _named(array: zarr.Array[Any], part: Any, threads: int) -> Iterator[str]:
    read = partial(damaged_chunks, array, part, threads)
    yield from (f"{array.name.strip('/')}/{chunk}: {why}" for chunk, why in read())
