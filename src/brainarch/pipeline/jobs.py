"""The jobs of a whole run and how they hang together, found without Snakemake."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from typing import Any

from brainarch.errors import InputError
from brainarch.pipeline.facts import CLUSTERS, COMPONENTS, SPLITS
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stage import Stage, flat


@dataclass(frozen=True, eq=False)
class Job:
    """One stage for one slice, run or network.

    Attributes
    ----------
    name : str
        The method of `Pipeline`.
    arguments : tuple of (str, value)
        The method's arguments, such as ``("z", 104)``.
    stage : Stage
    """

    name: str
    arguments: tuple[tuple[str, Any], ...]
    stage: Stage


def stage_names() -> list[str]:
    """Return the methods of `Pipeline` that are stages, in their order."""
    methods = inspect.getmembers(Pipeline, inspect.isfunction)
    found = [name for name, method in methods if method.__annotations__.get("return") == "Stage"]
    public = [name for name in found if not name.startswith("_")]
    return sorted(public, key=lambda name: getattr(Pipeline, name).__code__.co_firstlineno)


def jobs(pipeline: Pipeline, goals: Sequence[str] | None = None) -> dict[Job, list[Job]]:
    """Return the jobs that lead to some files, each after those that it waits for.

    Parameters
    ----------
    pipeline : Pipeline
    goals : sequence of str, optional
        Files; by default those of a whole run.

    Returns
    -------
    dict of Job to list of Job
        What each job waits for; files that no job makes are given.
    """
    makers = {path: job for job in possible_jobs(pipeline) for path in flat(job.stage.outputs)}
    found: dict[Job, list[Job]] = {}

    def visit(job: Job) -> None:
        if job in found:
            return
        needed = [*flat(job.stage.inputs), *job.stage.after]
        before = list(dict.fromkeys(makers[path] for path in needed if path in makers))
        for other in before:
            visit(other)
        found[job] = before

    for path in pipeline.goals if goals is None else goals:
        visit(makers[path])
    return found


def possible_jobs(pipeline: Pipeline) -> Iterator[Job]:
    """Yield every job that the config allows; the pipeline itself refuses the others."""
    config = pipeline.config
    layers = [] if config.layers is None else config.layers.slices
    values: dict[str, Sequence[Any]] = {
        "z": sorted({*config.extraction.slices, *config.annotations.slices, *layers}),
        "run": pipeline.runs,
        "split": SPLITS,
        "network": list(dict.fromkeys([*pipeline.networks, *pipeline.extracted])),
        "kind": ("areas", "layers", CLUSTERS, COMPONENTS),
        "name": pipeline.figures,
    }
    for name in stage_names():
        method = getattr(pipeline, name)
        parts = list(inspect.signature(method).parameters)
        for combination in product(*(values[part] for part in parts)):
            arguments = dict(zip(parts, combination, strict=True))
            with suppress(InputError):
                yield Job(name, tuple(arguments.items()), method(**arguments))
