"""How long a run takes: against schedules worked out by hand, and bounds that none can beat."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from brainarch.cli.main import app
from brainarch.needs.ahead import Ahead
from brainarch.needs.estimate import Estimate, estimate
from brainarch.needs.machine import Machine
from brainarch.needs.speed import measure_speed
from brainarch.needs.stages import Needs
from brainarch.needs.work import describe_work
from brainarch.pipeline.jobs import Job
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stage import Stage

ROOT = Path(__file__).parents[2]


def run_of(*parts: tuple[str, int, float, float, str]) -> Estimate:
    """Return a run of jobs: name, threads, memory, seconds, names of those before it."""
    jobs = {name: Job(name, (), Stage("", {}, {})) for name, *_ in parts}
    return Estimate(
        {jobs[name]: [jobs[b] for b in before.split()] for name, *_, before in parts},
        {jobs[n]: Needs(threads, mb, s, 1.0) for n, threads, mb, s, _ in parts},
    )


def nodes(count: int, cores: int, memory_mb: float = 1000) -> list[Machine]:
    return [Machine(cores, memory_mb, memory_mb, "none")] * count


def test_jobs_run_beside_each_other_as_far_as_cores_go() -> None:
    four = run_of(*((name, 1, 10, 5, "") for name in "abcd"))
    assert [four.seconds(nodes(1, cores)) for cores in (1, 2, 3, 4)] == [20, 10, 10, 5]
    assert four.seconds(nodes(2, 2)) == 5


def test_jobs_wait_for_those_before_them_and_the_longest_way_goes_first() -> None:
    run = run_of(
        ("short", 1, 10, 1, ""),
        ("long", 1, 10, 4, ""),
        ("after", 1, 10, 5, "long"),
        ("end", 1, 10, 1, "after short"),
    )
    assert run.seconds(nodes(1, 1)) == 11
    assert run.seconds(nodes(1, 2)) == 10


def test_memory_keeps_jobs_apart_and_a_node_too_small_still_takes_one() -> None:
    run = run_of(*((name, 1, 600, 5, "") for name in "ab"))
    assert run.seconds(nodes(1, 2)) == 10
    assert run.seconds(nodes(1, 2, 1200)) == 5
    assert run.seconds(nodes(1, 2, 100)) == 10


def test_a_job_takes_at_most_the_cores_there_are() -> None:
    run = run_of(("wide", 8, 10, 5, ""), ("narrow", 1, 10, 5, ""))
    assert run.seconds(nodes(1, 4)) == 10
    assert run.seconds(nodes(1, 9)) == 5


@pytest.mark.parametrize("count", [1, 4, 64])
def test_no_schedule_beats_its_bounds_or_one_core_after_the_other(count: int) -> None:
    """720 slices: no shorter than the work shared by all cores, or than the longest way."""
    pipeline = Pipeline.read(ROOT / "config/prasad2020.yaml")
    machines = nodes(count, 8, 64e3)
    run = estimate(pipeline, describe_work(pipeline.config), machines[0])
    seconds = run.seconds(machines)
    cores = sum(need.seconds * need.threads for need in run.needs.values())
    longest = max(run._seconds_ahead().values())
    assert (
        max(longest, cores / (8 * count)) <= seconds <= sum(n.seconds for n in run.needs.values())
    )
    assert sum(total.jobs for total in run.stages) == len(run.waits)


def test_what_is_ahead_goes_by_what_was_expected_then_by_what_was_seen() -> None:
    jobs = [Job("sample", (("run", run),), Stage("", {}, {})) for run in "abcd"]
    four = Estimate({job: [] for job in jobs}, {job: Needs(1, 10, 10, 1.0) for job in jobs})
    ahead = Ahead(four, nodes(1, 1)[0], {"sample": 4, "all": 1})
    assert ahead.seconds(0) == 40
    assert ahead.seconds(15) == 25
    ahead.finish("sample")
    assert ahead.seconds(20) == 60  # a quarter took twice as long as expected
    half = Ahead(four, nodes(1, 1)[0], {"sample": 2})
    assert half.seconds(0) == 20
    for _ in range(2):
        half.finish("sample")
    half.finish("all")
    assert half.seconds(33) == 0


def test_the_verb_needs_no_data_and_more_machines_are_quicker() -> None:
    def ask(*more: str) -> str:
        arguments = ["estimate", str(ROOT / "config/prasad2020.yaml"), "--core-speed=1", *more]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        return result.output

    text = ask("--cores=2", "--memory-gb=16")
    assert "16,486,200 pixels at stride 1, every pixel counted: labels are not looked at" in text
    assert "on 1 machine with 2 cores" in text
    assert "4 machines with 16 cores and a GPU worth 9 of them" in ask(
        "--nodes=4", "--cores=16", "--gpu-us=2"
    )


def test_speed_is_a_plausible_number() -> None:
    assert 0.01 < measure_speed() < 100
