"""Fetching an OME-Zarr image from an object store: its metadata, and the chunks of level 0.

Objects are copied as they are, so that the writer's checksums come along. One that is there with
the size that the store lists is whole, because files are written in one step; and it is of this
image, because the copy begins anew when the store lists anything else than it did.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import zarr

from brainarch.atomic import write_bytes
from brainarch.download.cache import GB, check_room
from brainarch.errors import InputError
from brainarch.progress import progress_bar
from brainarch.records import read_record, write_record
from brainarch.remote.objects import Listed, ObjectStore, batches
from brainarch.volume.store import OmeImage, check_image
from brainarch.volume.units import Voxel

logger = logging.getLogger(__name__)

#: Names of Zarr's metadata, of version 3 and 2.
METADATA = ("zarr.json", ".zgroup", ".zattrs", ".zarray", ".zmetadata")

OBJECT_COLUMNS = {
    "object": "what was fetched, below the address of the image",
    "bytes": "its size",
    "sha256": "SHA-256 of its content",
}


def fetch_image(
    store: ObjectStore,
    image: Path,
    *,
    shape: Sequence[int],
    dtype: str,
    voxel_um: Voxel,
    first_slice: int,
) -> pd.DataFrame:
    """Fetch an image's metadata, compare it with what was declared, then fetch its level 0.

    Parameters
    ----------
    store : ObjectStore
        Of the image.
    image : Path
        Folder to copy it to; what came before is kept while the store lists the same.
    shape, dtype, voxel_um, first_slice
        As `brainarch.volume.store.check_image` takes them.

    Returns
    -------
    DataFrame
        Every object, with the columns of `OBJECT_COLUMNS`.

    Raises
    ------
    InputError
        If the store cannot be reached or refuses, has no such image, has lost a chunk that has to
        be there or changes meanwhile, or the disk has no room.
    """
    listed = store.listing()
    metadata = [key for key in listed if key.rpartition("/")[2] in METADATA and _is_inside(key)]
    if not metadata:
        raise InputError(f"{store.url}: no OME-Zarr image is there; check the address")
    _begin(store.url, image, listed)
    rows = list(_fetched(store, image, metadata, listed))
    try:
        opened = check_image(
            image, shape=shape, dtype=dtype, voxel_um=voxel_um, first_slice=first_slice
        )
    except InputError as error:  # it is the original that wants mending
        raise InputError(str(error).replace(str(image), store.url)) from None
    chunks = _chunks(store.url, opened, listed)
    rows += _fetched(store, image, chunks, listed)
    if _digest(store.listing()) != _digest(listed):
        raise InputError(f"{store.url}: changed while it was fetched; run the same command again")
    return pd.DataFrame(sorted(rows), columns=list(OBJECT_COLUMNS))


def _begin(url: str, image: Path, listed: Mapping[str, Listed]) -> None:
    """Remove what was copied from an image that the store lists otherwise."""
    record, now = image.parent / "listing.json", {"url": url, "listing_sha256": _digest(listed)}
    if record.exists() and read_record(record) == now:
        return
    if image.exists():
        logger.warning("%s: was copied from another image; it is fetched again", image)
        shutil.rmtree(image)
    write_record(record, now)


def _digest(listed: Mapping[str, Listed]) -> str:
    return hashlib.sha256(json.dumps(list(listed.items())).encode()).hexdigest()


def _chunks(url: str, image: OmeImage, listed: Mapping[str, Listed]) -> list[str]:
    """Return the keys of level 0's chunks; those of an image of ours all have to be there."""
    array: zarr.Array[Any] = image.array
    sides = array.shards or array.chunks
    counts = (-(-size // side) for size, side in zip(array.shape, sides, strict=True))
    encode = array.metadata.encode_chunk_key
    keys = [f"{array.path}/{encode(index)}" for index in product(*map(range, counts))]
    there = [key for key in keys if key in listed]
    if len(there) < len(keys):
        gone = next(key for key in keys if key not in listed)
        if image.guarded:
            raise InputError(
                f"{url}: {len(keys) - len(there)} of {len(keys)} chunks are missing, the first is "
                f"{gone}; put an undamaged copy there"
            )
        logger.warning(
            "%s: %d of %d chunks are not there, such as %s, and read as the fill value %s",
            *(url, len(keys) - len(there), len(keys), gone, array.fill_value),
        )
    return there


def _fetched(
    store: ObjectStore, image: Path, keys: Sequence[str], listed: Mapping[str, Listed]
) -> Iterator[tuple[str, int, str]]:
    """Yield key, size and SHA-256 of objects; those that are not there yet are fetched."""
    total = sum(listed[key].size for key in keys)
    missing = [key for key in keys if not _is_whole(image / key, listed[key].size)]
    needed = sum(listed[key].size for key in missing)
    logger.info("%s: %.2f of %.2f GB to fetch", store.url, needed / GB, total / GB)
    check_room(image, needed)
    absent = set(missing)
    with progress_bar(total, f"fetching {image.name}", "B") as bar:
        for key in keys:
            if key not in absent:
                content = (image / key).read_bytes()
                yield key, len(content), hashlib.sha256(content).hexdigest()
                bar.update(len(content))
        for batch in batches(missing, lambda key: listed[key].size):
            for key, content in store.get(batch):
                if len(content) != listed[key].size:
                    raise InputError(
                        f"{store.url}/{key}: {len(content)} bytes came, {listed[key].size} are "
                        "listed; run the same command again"
                    )
                write_bytes(image / key, content)
                yield key, len(content), hashlib.sha256(content).hexdigest()
                bar.update(len(content))


def _is_inside(key: str) -> bool:
    """Return whether a key, which may have any letters, is the name of a file below a folder."""
    return not {"", ".", ".."} & set(key.split("/"))


def _is_whole(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
