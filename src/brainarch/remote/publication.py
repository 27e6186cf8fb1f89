"""Files copied to an object store or a folder, and a manifest that says which and comes last.

``manifest.json`` names every file with size and SHA-256: where it is, all of them are there. It is
removed before anything that it names is written anew. Until it is back, ``unfinished.json`` says
what has come so far, so that a killed copy goes on.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from brainarch import __version__
from brainarch.errors import InputError
from brainarch.progress import progress_bar
from brainarch.records import seal, unseal
from brainarch.remote.objects import Listed, ObjectStore, batches

MANIFEST, JOURNAL = "manifest.json", "unfinished.json"
FORMAT = "brainarch publication 1"
#: Seconds between notes of what has come.
NOTE_S = 20.0
REMEDY = "remove it there and publish again"


class Entry(NamedTuple):
    """Size in bytes and SHA-256 of a file."""

    size: int
    sha256: str


class Published(NamedTuple):
    """How many files were sent, and how many were there already."""

    sent: int
    kept: int


def publish(folder: Path, files: Sequence[Path], store: ObjectStore, dataset: str) -> Published:
    """Copy files that are not there yet, or are there otherwise; the manifest comes last.

    Parameters
    ----------
    folder : Path
        What the files' names there are relative to.
    files : sequence of Path
    store : ObjectStore
        Where they go. What was published there before and is not among the files stays.
    dataset : str
        Whose files they are.

    Raises
    ------
    InputError
        If another dataset is published there, or the store cannot be reached or refuses.
    """
    listed = store.listing()
    known = _known(store, listed, dataset)
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
    notes = _Notes(store, dataset, known, listed)
    published = Published(0, 0)
    with progress_bar(sum(sizes.values()), f"publishing {dataset}", "B") as bar:
        for batch in batches(sizes, sizes.__getitem__):
            contents = {key: (folder / key).read_bytes() for key in batch}
            new = {key: _entry(content) for key, content in contents.items()}
            send = {key: contents[key] for key in batch if known.get(key) != new[key]}
            if send:
                notes.before(send)
                store.put(send)
            notes.after(new)
            published = Published(
                published.sent + len(send), published.kept + len(batch) - len(send)
            )
            bar.update(sum(map(len, contents.values())))
    notes.finish()
    return published


def check(store: ObjectStore, warn: Callable[[str], None]) -> int:
    """Compare every object with the manifest, byte for byte.

    Parameters
    ----------
    store : ObjectStore
    warn : function of str
        Is told of each that is lost or another, one line each.

    Returns
    -------
    int
        How many are as they were published.

    Raises
    ------
    InputError
        If there is no manifest, or the store cannot be reached or refuses.
    """
    listed = store.listing()
    if MANIFEST not in listed:
        more = "an unfinished publication" if JOURNAL in listed else "nothing"
        raise InputError(
            f"{store.url}: {more} is there, without {MANIFEST}; run `brainarch publish` again"
        )
    entries = _entries(store, MANIFEST)[1]
    there = {key: entry for key, entry in entries.items() if key in listed}
    for key in entries.keys() - there.keys():
        warn(f"{key}: lost")
    sound = 0
    with progress_bar(sum(listed[key].size for key in there), "reading", "B") as bar:
        for batch in batches(there, lambda key: listed[key].size):
            for key, content in store.get(batch):
                same = _entry(content) == there[key]
                sound += same
                if not same:
                    warn(f"{key}: not what was published")
                bar.update(len(content))
    return sound


class _Notes:
    """What is at the other side, and what says so there: journal, then manifest."""

    def __init__(
        self,
        store: ObjectStore,
        dataset: str,
        known: dict[str, Entry],
        listed: Mapping[str, Listed],
    ) -> None:
        self._store, self._dataset, self._known = store, dataset, known
        self._manifest = _entries(store, MANIFEST)[1] if MANIFEST in listed else None
        self._noted = JOURNAL in listed
        self._at = -NOTE_S

    def before(self, keys: Mapping[str, bytes]) -> None:
        """Take back what was said of objects that are written next."""
        said = [key for key in keys if self._known.pop(key, None) is not None]
        if said or not self._noted or time.monotonic() > self._at + NOTE_S:
            self._write(JOURNAL)
            self._noted, self._at = True, time.monotonic()
        if self._manifest is not None:
            self._store.remove(MANIFEST)
            self._manifest = None

    def after(self, entries: Mapping[str, Entry]) -> None:
        """Take down what is there now."""
        self._known.update(entries)

    def finish(self) -> None:
        """Write the manifest, if it is not there as it was; the journal has done its work."""
        if self._known != self._manifest:
            self._write(MANIFEST)
        if self._noted:
            self._store.remove(JOURNAL)

    def _write(self, name: str) -> None:
        files = [{"path": key, **entry._asdict()} for key, entry in sorted(self._known.items())]
        content = {
            "format": FORMAT,
            "version": __version__,
            "dataset": self._dataset,
            "files": files,
        }
        self._store.put({name: json.dumps(seal(content), indent=1).encode()})


def _known(store: ObjectStore, listed: Mapping[str, Listed], dataset: str) -> dict[str, Entry]:
    """Return what manifest or journal say of objects that are there in that size."""
    known: dict[str, Entry] = {}
    for name in (MANIFEST, JOURNAL):
        if name in listed:
            owner, entries = _entries(store, name)
            if owner != dataset:
                raise InputError(
                    f"{store.url}: the dataset {owner} is published there, not {dataset}; choose "
                    "another place"
                )
            known |= entries
    return {key: e for key, e in known.items() if key in listed and listed[key].size == e.size}


def _entries(store: ObjectStore, name: str) -> tuple[str, dict[str, Entry]]:
    """Return the dataset that a manifest or a journal is of, and what it says of files."""
    place = f"{store.url}/{name}"
    content = unseal(dict(store.get([name]))[name], place, REMEDY)
    if content.get("format") != FORMAT:
        raise InputError(f"{place}: no manifest of `brainarch publish`; choose another place")
    files = {entry["path"]: Entry(entry["size"], entry["sha256"]) for entry in content["files"]}
    return content["dataset"], files


def _entry(content: bytes) -> Entry:
    return Entry(len(content), hashlib.sha256(content).hexdigest())
