"""Results that an earlier config asked for and this one does not: moved aside, never deleted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from brainarch.atomic import move
from brainarch.errors import InputError
from brainarch.pipeline.jobs import possible_jobs
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stage import flat
from brainarch.tables import sidecar_path

#: Results that a message names.
NAMED = 3


def stale_results(pipeline: Pipeline) -> list[Path]:
    """Return the results of earlier runs that no target of this config makes or reads.

    What earlier runs could make is known from the copies of their configs, as far as this version
    can read them; files of any other origin are the user's own.
    """
    here = {path.resolve() for path in _needed(pipeline)}
    above = {parent for path in here for parent in path.parents}
    earlier: set[Path] = set()
    for copy in Path(pipeline.results.folder).glob("configs/*.json"):
        with suppress(InputError):
            then = Pipeline(Pipeline.read(copy).config, pipeline.results)
            earlier |= {Path(p) for job in possible_jobs(then) for p in flat(job.stage.outputs)}
    there = {path: path.resolve() for path in earlier if path.exists()}
    return sorted(
        path
        for path, place in there.items()
        if place not in above and here.isdisjoint([place, *place.parents])
    )


def tell_stale(pipeline: Pipeline) -> str | None:
    """Return a line about such results that says what a run will do with them."""
    if not (found := stale_results(pipeline)):
        return None
    return (
        f"{_named(pipeline, found)}: the config does not ask for this any more; a whole run moves "
        f"it to {pipeline.results.stale}/"
    )


def move_stale(pipeline: Pipeline) -> str | None:
    """Move such results, with what belongs to them, into a folder of this moment.

    Returns
    -------
    str or None
        A line that says what is where now; None if there are none.
    """
    if not (found := stale_results(pipeline)):
        return None
    folder = Path(pipeline.results.folder)
    aside = Path(pipeline.results.stale, f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}")
    what = f"{_named(pipeline, found)}: the config does not ask for this any more"
    try:
        for path in (part for result in found for part in _parts(result)):
            move(path, aside / path.relative_to(folder))
            with suppress(OSError):  # another result lies there
                path.parent.rmdir()
    except OSError as error:  # a folder that is a link to another disk, say
        return f"{what}, and it could not all be moved to {aside}: {error.strerror}"
    return f"{what}, and nothing reads it; moved to {aside}, from where it can be taken back"


def _needed(pipeline: Pipeline) -> Iterator[Path]:
    """Yield everything that a target of this config makes or reads, the user's own files too."""
    for job in possible_jobs(pipeline):
        stage = job.stage
        for path in (*flat(stage.outputs), *flat(stage.inputs), *stage.after):
            yield Path(path)
    for paths in pipeline.own_files.values():
        yield from map(Path, paths)


def _parts(result: Path) -> Iterator[Path]:
    """Yield a result, a table's sidecar and the panels that were drawn apart from a figure."""
    yield result
    if result.suffix == ".csv" and sidecar_path(result).exists():
        yield sidecar_path(result)
    if result.suffix == ".png":
        yield from sorted(result.parent.glob(f"panels/{result.stem}_[a-z].pdf"))


def _named(pipeline: Pipeline, found: list[Path]) -> str:
    names = [str(path.relative_to(pipeline.results.folder)) for path in found]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{pipeline.results.folder}: {', '.join(names[:NAMED])}{more}"
