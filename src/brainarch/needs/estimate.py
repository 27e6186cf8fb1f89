"""What a whole run takes: every job's needs added up, and how long it lasts on some machines."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from brainarch.needs.machine import Machine, gigabytes
from brainarch.needs.stages import Needs, needs
from brainarch.needs.work import Work
from brainarch.pipeline.jobs import Job, jobs
from brainarch.pipeline.pipeline import Pipeline
from brainarch.reporting.runtime import duration


@dataclass(frozen=True)
class StageTotal:
    """All jobs of a stage.

    Attributes
    ----------
    stage : str
    jobs : int
    seconds : float
        Expected duration of the longest job.
    core_seconds : float
        Of all jobs: duration times threads.
    memory_mb : float
        Of the largest job.
    disk_mb : float
        Of all jobs.
    """

    stage: str
    jobs: int
    seconds: float
    core_seconds: float
    memory_mb: float
    disk_mb: float


@dataclass(frozen=True)
class Estimate:
    """What a run takes.

    Attributes
    ----------
    waits : mapping of Job to list of Job
        What each job waits for.
    needs : mapping of Job to Needs
    """

    waits: Mapping[Job, list[Job]]
    needs: Mapping[Job, Needs]

    @property
    def stages(self) -> list[StageTotal]:
        """Return the totals of each stage, in the order in which stages come up."""
        names = dict.fromkeys(job.name for job in self.waits)
        return [
            _total(name, [n for j, n in self.needs.items() if j.name == name]) for name in names
        ]

    def seconds(self, nodes: Sequence[Machine]) -> float:
        """Return how long the run lasts where each job starts as soon as a node has room for it.

        Among jobs that could start, the one with the longest way to the end goes first.

        Parameters
        ----------
        nodes : sequence of Machine
            Alike machines: the needs were found for one of them.
        """
        ahead = self._seconds_ahead()
        waiting = {job: len(before) for job, before in self.waits.items()}
        after: dict[Job, list[Job]] = {job: [] for job in self.waits}
        for job, before in self.waits.items():
            for other in before:
                after[other].append(job)
        number = {job: index for index, job in enumerate(self.waits)}
        ready = [(-ahead[job], number[job], job) for job, count in waiting.items() if not count]
        heapq.heapify(ready)
        rooms = [[float(node.cores), node.memory_mb] for node in nodes]
        running: list[tuple[float, int, int, Job]] = []
        now = 0.0
        while ready or running:
            held = []
            while ready and any(cores >= 1 for cores, _ in rooms):
                entry = heapq.heappop(ready)
                need = self.needs[entry[2]]
                index = _room(need, rooms, nodes)
                if index is None:
                    held.append(entry)
                    continue
                _take(rooms[index], need, nodes[index])
                heapq.heappush(running, (now + need.seconds, entry[1], index, entry[2]))
            for entry in held:
                heapq.heappush(ready, entry)
            now, _, index, done = heapq.heappop(running)
            _give_back(rooms[index], self.needs[done], nodes[index])
            for job in after[done]:
                waiting[job] -= 1
                if not waiting[job]:
                    heapq.heappush(ready, (-ahead[job], number[job], job))
        return now

    def _seconds_ahead(self) -> dict[Job, float]:
        """Return the duration of the longest way from each job's start to the end."""
        ahead = {job: need.seconds for job, need in self.needs.items()}
        for job in reversed(list(self.waits)):
            for before in self.waits[job]:
                ahead[before] = max(ahead[before], self.needs[before].seconds + ahead[job])
        return ahead


def estimate(pipeline: Pipeline, work: Work, machine: Machine) -> Estimate:
    """Return what a whole run takes on machines of a kind."""
    waits = jobs(pipeline)
    found = {job: needs(job.name, work, machine, **dict(job.arguments)) for job in waits}
    return Estimate(waits, found)


def table(run: Estimate, work: Work, nodes: Sequence[Machine]) -> str:
    """Return what a run takes as text: a line for each stage, and what it comes to.

    Parameters
    ----------
    run : Estimate
    work : Work
    nodes : sequence of Machine
        The machines that it was made for.
    """
    config, node = work.config, nodes[0]
    pixels = sum(work.extracted.values())
    counted = "" if work.exact else ", every pixel counted: labels are not looked at"
    lines = [
        f"{config.dataset}: {config.title}",
        f"extracted  {len(work.extracted)} slices, {pixels:,} pixels at stride "
        f"{config.extraction.stride}{counted}",
        "",
        f"{'stage':<20}{'jobs':>6}{'longest':>16}{'core hours':>12}{'memory':>12}{'disk':>12}",
    ]
    lines += [
        f"{total.stage.replace('_', '-'):<20}{total.jobs:>6}{duration(total.seconds):>16}"
        f"{total.core_seconds / 3600:>12,.2f}{gigabytes(total.memory_mb):>12}"
        f"{gigabytes(total.disk_mb):>12}"
        for total in run.stages
    ]
    hours = sum(total.core_seconds for total in run.stages) / 3600
    disk = sum(total.disk_mb for total in run.stages)
    memory = max(total.memory_mb for total in run.stages)
    lines.append(
        f"{'all':<20}{len(run.waits):>6}{'':>16}{hours:>12,.2f}{gigabytes(memory):>12}"
        f"{gigabytes(disk):>12}"
    )
    what = "1 machine" if len(nodes) == 1 else f"{len(nodes)} machines"
    gpu = f" and a GPU worth {node.gpu_speed:.0f} of them" if node.gpu_speed else ""
    return "\n".join(
        [
            *lines,
            "",
            f"about {duration(run.seconds(nodes))} on {what} with {node.cores} cores{gpu}, "
            f"{gigabytes(node.memory_mb)} of memory each, a core {node.speed:.2f} times as fast "
            "as the one that was timed",
        ]
    )


def _total(name: str, all_needs: Sequence[Needs]) -> StageTotal:
    return StageTotal(
        name,
        len(all_needs),
        max(need.seconds for need in all_needs),
        sum(need.seconds * need.threads for need in all_needs),
        max(need.memory_mb for need in all_needs),
        sum(need.disk_mb for need in all_needs),
    )


def _room(need: Needs, rooms: Sequence[list[float]], nodes: Sequence[Machine]) -> int | None:
    """Return a node with room for a job; an empty node takes any."""
    for index, (cores, memory) in enumerate(rooms):
        empty = cores == nodes[index].cores
        if empty or (cores >= need.threads and memory >= need.memory_mb):
            return index
    return None


def _take(room: list[float], need: Needs, node: Machine) -> None:
    room[0] -= min(need.threads, node.cores)
    room[1] -= need.memory_mb


def _give_back(room: list[float], need: Needs, node: Machine) -> None:
    room[0] += min(need.threads, node.cores)
    room[1] += need.memory_mb
