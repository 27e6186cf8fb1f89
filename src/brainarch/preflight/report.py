"""The preflight table, and the problems: one line each, with how to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brainarch.preflight.machine import Machine, size_mb
from brainarch.preflight.needs import Need

#: Versions shown; the summary of a run lists more.
SHOWN = ("brainarch", "python", "numpy", "zarr", "torch", "snakemake")
GB = 1e3


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
    problems : sequence of str
        One line each; empty if ready.
    """

    title: str
    versions: Mapping[str, str]
    found: Sequence[tuple[str, str]]
    needs: Sequence[Need]
    supply: Supply
    problems: Sequence[str] = field(default_factory=tuple)


def present_mb(need: Need, results: Path) -> float:
    """Return how much disk a stage's results, finished or not, take already, in MB."""
    return sum(size_mb(path) for pattern in need.outputs for path in results.glob(pattern))


def missing_mb(needs: Sequence[Need], results: Path) -> list[float]:
    """Return how much more disk every stage needs, in MB, beyond what its results take already."""
    return [max(0.0, need.disk_mb - present_mb(need, results)) for need in needs]


def supply_problems(needs: Sequence[Need], supply: Supply) -> list[str]:
    """Return what disk and memory do not suffice for, one line each."""
    problems = []
    missing = missing_mb(needs, supply.results)
    if sum(missing) > supply.disk_mb:
        largest = sorted(zip(missing, needs, strict=True), key=lambda pair: -pair[0])[:3]
        named = ", ".join(f"{need.stage} {gigabytes(size)}" for size, need in largest)
        problems.append(
            f"{supply.results}: the run needs up to {gigabytes(sum(missing))} of disk ({named}), "
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
    "cubes": "lower extraction.memory_mb",
    "factors": "extract fewer pixels (extraction.stride, extraction.rows)",
    "discovery": "extract fewer pixels (extraction.stride, extraction.rows)",
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
        f"{'stage':<16}{'disk at most':>14}{'already there':>16}{'memory':>12}",
    ]
    for need in preflight.needs:
        there = present_mb(need, supply.results)
        lines.append(
            f"{need.stage:<16}{gigabytes(need.disk_mb):>14}"
            f"{gigabytes(there) if there else '':>16}{gigabytes(need.memory_mb):>12}"
        )
    total = sum(need.disk_mb for need in preflight.needs)
    more = sum(missing_mb(preflight.needs, supply.results))
    lines.append(f"{'all':<16}{gigabytes(total):>14}")
    lines.append(
        f"{gigabytes(more)} more disk at most, {gigabytes(supply.disk_mb)} free where "
        f"{supply.results} is"
    )
    return "\n".join(lines)


def content(preflight: Preflight) -> dict[str, Any]:
    """Return the same as JSON values, for ``preflight.json``."""
    machine, supply = preflight.supply.machine, preflight.supply
    missing = missing_mb(preflight.needs, supply.results)
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
                "disk_mb": round(need.disk_mb, 1),
                "missing_mb": round(more, 1),
                "memory_mb": round(need.memory_mb),
            }
            for need, more in zip(preflight.needs, missing, strict=True)
        ],
        "disk_needed_mb": round(sum(missing)),
        "disk_free_mb": round(supply.disk_mb),
        "problems": list(preflight.problems),
    }


def gigabytes(megabytes: float) -> str:
    """Return a size as people say it: 320 MB, 5.9 GB."""
    if megabytes < 1:
        return "0 MB" if megabytes == 0 else "< 1 MB"
    return f"{megabytes:,.0f} MB" if megabytes < GB else f"{megabytes / GB:,.1f} GB"
