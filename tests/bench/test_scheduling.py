"""The workers that pretend: against times worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from bench.scheduling import Attempt, Cluster

from brainarch.needs.estimate import Estimate
from brainarch.needs.machine import Machine
from brainarch.needs.stages import Needs
from brainarch.pipeline.jobs import Job
from brainarch.pipeline.stage import Stage

#: Seconds that each job takes, and that Snakemake may add by thinking.
SECONDS, THINKING = 95, 2.0


def cluster(*, cores: int = 1, stragglers: float = 0, failures: float = 0) -> Cluster:
    """Return two workers for jobs a, b and c."""
    jobs = [Job(name, (), Stage("", {}, {"file": name})) for name in "abc"]
    run = Estimate({job: [] for job in jobs}, {job: Needs(1, 1, SECONDS, 1) for job in jobs})
    return Cluster(run, Machine(cores, 1e9, 1e9, "none"), 2, stragglers, failures, seed=1)


def send(workers: Cluster, *names: str) -> list[Attempt]:
    """Send each of some jobs, ``ab`` being a group of two, and let all end; return them."""
    ended: list[Attempt] = []
    executor: Any = SimpleNamespace(ended=ended.append)
    for name in names:
        parts = [
            SimpleNamespace(output=[part], rule=SimpleNamespace(name=part), attempt=1)
            for part in name
        ]
        job = SimpleNamespace(
            **{**vars(parts[0]), "jobs": parts, "groupid": name, "is_local": False},
            is_group=lambda parts=parts: len(parts) > 1,
        )
        workers.send(executor, SimpleNamespace(job=job))
    while workers.go_on():
        pass
    assert len(ended) == len(workers.attempts)
    return workers.attempts


def test_a_job_that_waits_begins_at_once_and_ends_are_seen_at_looks() -> None:
    workers = cluster()
    a, b, c = send(workers, "a", "b", "c")
    assert [a.start, b.start, c.start] == pytest.approx([0, 0, SECONDS], abs=THINKING)
    # looks after 10, 20, 30, 40 s without an end, which is seen at the last; then again from 10 on
    assert workers.time == pytest.approx(100 + 10 + 20 + 30 + 40, abs=THINKING)
    assert workers.busy(0, 2 * SECONDS) == pytest.approx(3 / 4, abs=0.02)
    assert workers.last_busy() == pytest.approx(SECONDS, abs=THINKING)


@pytest.mark.parametrize(("cores", "seconds"), [(1, 2 * SECONDS), (2, SECONDS)])
def test_a_group_takes_what_its_jobs_take_on_the_workers_cores(cores: int, seconds: float) -> None:
    (group,) = send(cluster(cores=cores), "ab")
    assert (group.name, group.seconds) == ("ab", seconds)


def test_stragglers_take_four_times_as_long_and_failures_end_on_the_way() -> None:
    assert [each.seconds for each in send(cluster(stragglers=1), "a", "b")] == [4 * SECONDS] * 2
    failed = send(cluster(failures=1), "a", "b")
    assert not any(each.ends_well for each in failed)
    assert all(0 < each.seconds < SECONDS for each in failed)
