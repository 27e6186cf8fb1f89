"""Publishing a dataset's finished results, and comparing them with their manifest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from brainarch.errors import InputError
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stage import known
from brainarch.progress import progress
from brainarch.remote.objects import ObjectStore
from brainarch.remote.publication import Published, publish
from brainarch.tables import sidecar_path
from brainarch.verification.sound import examine

#: Endings of what says itself whether it is whole.
EXAMINED = (".zarr", ".safetensors", ".csv", ".json")


class Publication(NamedTuple):
    """What was published, and the results that are not there yet."""

    files: Published
    lacking: list[Path]


def publish_dataset(
    pipeline: Pipeline, url: str, networks: Sequence[str] = (), threads: int = 1
) -> Publication:
    """Copy finished cubes, maps, coefficients, networks and pages of a dataset to an object store.

    Every store, table and network is read first: nothing damaged is published.

    Parameters
    ----------
    pipeline : Pipeline
    url : str
        ``s3://bucket/prefix``, or a folder.
    networks : sequence of str
        Extracted networks whose results are published; none means all.
    threads : int
        Chunks that are read at a time.

    Raises
    ------
    InputError
        If nothing is finished, something is damaged, or what
        `brainarch.remote.publication.publish` raises.
    """
    chosen = [known("--network", name, pipeline.extracted) for name in networks]
    store, folder = ObjectStore(url), Path(pipeline.results.folder)
    wanted = [Path(path) for path in pipeline.published(chosen or pipeline.extracted)]
    there = [path for path in wanted if path.exists()]
    if not any(path.suffix == ".zarr" for path in there):
        raise InputError(f"{folder}: nothing is finished yet; run the pipeline first")
    for path in progress(there, "reading results", unit="file"):
        found = examine(path, threads) if path.suffix in EXAMINED else None
        if found is not None and found.faults:
            raise InputError(
                f"{path}: {found.title}, damaged: {found.faults[0]}; nothing is published until "
                "the stage that makes it has run again"
            )
    files = sorted({file for path in there for file in _files(path)})
    lacking = [path for path in wanted if not path.exists()]
    return Publication(publish(folder, files, store, pipeline.config.dataset), lacking)


def _files(path: Path) -> Iterator[Path]:
    """Yield the files of a result, a table's sidecar too; what is hidden is no part of it."""
    if path.is_dir():
        inner = (file for file in path.rglob("*") if file.is_file())
        yield from (f for f in inner if not f.relative_to(path).name.startswith("."))
        return
    yield path
    if path.suffix == ".csv" and sidecar_path(path).exists():
        yield sidecar_path(path)
