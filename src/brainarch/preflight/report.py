"""The preflight table, and the problems: one line each, with how to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brainarch.needs.machine import Machine, gigabytes
from brainarch.reporting.runtime import duration

#: Versions shown; the summary of a run lists more.
SHOWN = ("brainarch", "python", "numpy", "zarr", "torch", "snakemake")


@dataclass(frozen=True)
class Need:
    """What one stage needs, all its jobs together.

    Attributes
    ----------
    stage : str
    jobs : int
    disk_mb, there_mb : float
        Most that it leaves on disk, and what its results, finished or not, take already.
    memory_mb, seconds : float
        Most that one of its jobs holds in memory, and the time that it is expected to take here.
    """

    stage: str
    jobs: int
    disk_mb: float
    there_mb: float
    memory_mb: float
    seconds: float

    @property
    def missing_mb(self) -> float:
        """How much more disk it needs at most."""
        return max(0.0, self.disk_mb - self.there_mb)


@dataclass(frozen=True)
class Supply:
    """What there is for a run.

    Attributes
    ----------
    results : Path
        Folder of the dataset's results.
    disk_mb : float
        Free disk there.
    machine : Machine
    check_memory : bool
        Whether the stages will run on this machine.
    """

    results: Path
    disk_mb: float
    machine: Machine
    check_memory: bool = True


@dataclass(frozen=True)
class Preflight:
    """What was found, needed and had.

    Attributes
    ----------
    title : str
        What was checked.
    versions : mapping of str to str
        Version by package.
    found : sequence of (str, str)
        What was found of the input: kind and one line.
    needs : sequence of Need
    supply : Supply
    seconds : float
        How long the whole run is expected to take here.
    problems : sequence of str
        One line each; empty if ready.
    warnings : sequence of str
        What may be meant otherwise, one line each.
    """

    title: str
    versions: Mapping[str, str]
    found: Sequence[tuple[str, str]]
    needs: Sequence[Need]
    supply: Supply
    seconds: float
    problems: Sequence[str] = field(default_factory=tuple)
    warnings: Sequence[str] = field(default_factory=tuple)


def supply_problems(needs: Sequence[Need], supply: Supply) -> list[str]:
    """Return what disk and memory do not suffice for, one line each."""
    problems = []
    missing = sum(need.missing_mb for need in needs)
    if missing > supply.disk_mb:
        largest = sorted(needs, key=lambda need: -need.missing_mb)[:3]
        named = ", ".join(f"{need.stage} {gigabytes(need.missing_mb)}" for need in largest)
        problems.append(
            f"{supply.results}: the run needs up to {gigabytes(missing)} of disk ({named}), "
            f"but {gigabytes(supply.disk_mb)} are free; free some, extract fewer pixels "
            "(extraction.stride, extraction.rows), or work on another disk"
        )
    if supply.check_memory:
        free = supply.machine.free_memory_mb
        problems += [
            f"{need.stage}: needs about {gigabytes(need.memory_mb)} of memory, but "
            f"{gigabytes(free)} are free; end other programs"
            + (", " + MEMORY_ADVICE[need.stage] if need.stage in MEMORY_ADVICE else "")
            + ", or use a larger machine"
            for need in needs
            if need.memory_mb > free
        ]
    return problems


#: What makes a stage need less memory.
MEMORY_ADVICE = {
    "extract": "lower extraction.memory_mb",
    "factorize": "extract fewer pixels (extraction.stride, extraction.rows)",
    "cluster_area": "extract fewer pixels (extraction.stride, extraction.rows)",
}


def text(preflight: Preflight) -> str:
    """Return the table, problems left out."""
    machine, supply = preflight.supply.machine, preflight.supply
    shown = ", ".join(f"{name} {preflight.versions[name]}" for name in SHOWN)
    memory = f"{gigabytes(machine.memory_mb)} of memory, {gigabytes(machine.free_memory_mb)} free"
    lines = [
        preflight.title,
        f"versions   {shown}",
        f"machine    {machine.cores} cores, {memory}",
        f"GPU        {machine.device}",
        *(f"{kind:<10} {line}" for kind, line in preflight.found),
        "",
        f"{'stage':<20}{'jobs':>5}{'time here':>14}{'memory':>10}{'disk at most':>15}"
        f"{'already there':>16}",
    ]
    for need in preflight.needs:
        there = gigabytes(need.there_mb) if need.there_mb else ""
        lines.append(
            f"{need.stage.replace('_', '-'):<20}{need.jobs:>5}{duration(need.seconds):>14}"
            f"{gigabytes(need.memory_mb):>10}{gigabytes(need.disk_mb):>15}{there:>16}".rstrip()
        )
    jobs, total = (sum(getattr(n, key) for n in preflight.needs) for key in ("jobs", "disk_mb"))
    more = sum(need.missing_mb for need in preflight.needs)
    lines.append(
        f"{'all':<20}{jobs:>5}{duration(preflight.seconds):>14}{'':>10}{gigabytes(total):>15}"
    )
    lines.append(
        f"about {duration(preflight.seconds)} in all on these {machine.cores} cores; "
        f"{gigabytes(more)} more disk at most, {gigabytes(supply.disk_mb)} free where "
        f"{supply.results} is"
    )
    return "\n".join(lines)


def content(preflight: Preflight) -> dict[str, Any]:
    """Return the same as JSON values, for ``preflight.json``."""
    machine, supply = preflight.supply.machine, preflight.supply
    return {
        "title": preflight.title,
        "versions": dict(preflight.versions),
        "machine": {
            "cores": machine.cores,
            "memory_mb": round(machine.memory_mb),
            "free_memory_mb": round(machine.free_memory_mb),
            "gpu": machine.device,
        },
        "found": [{"what": kind, "text": line} for kind, line in preflight.found],
        "needs": [
            {
                "stage": need.stage,
                "jobs": need.jobs,
                "disk_mb": round(need.disk_mb, 1),
                "missing_mb": round(need.missing_mb, 1),
                "memory_mb": round(need.memory_mb),
                "seconds": round(need.seconds),
            }
            for need in preflight.needs
        ],
        "seconds": round(preflight.seconds),
        "disk_needed_mb": round(sum(need.missing_mb for need in preflight.needs)),
        "disk_free_mb": round(supply.disk_mb),
        "problems": list(preflight.problems),
        "warnings": list(preflight.warnings),
    }
