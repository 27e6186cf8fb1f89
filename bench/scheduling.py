"""Let Snakemake schedule a whole run on workers that only pretend, and say how busy they were.

    python bench/scheduling.py                  720 slices of config/prasad2020.yaml, 64 workers
    python bench/scheduling.py --slices 0:40    less, to see that it works

Rules, scheduler, profile, groups and retries are those of a real run. Snakemake itself decides what
runs when, through an executor whose clock goes on to the next job's end whenever Snakemake has
nothing to do; the processor time that Snakemake takes is added. Jobs last as long as `brainarch
estimate` says; some take longer, some fail on the way. A worker has one job, or group of jobs, at a
time; that it has ended is seen when the SLURM plugin would look. Needs the plugin that the profile
names: `pip install "brainarch[slurm]"`. Written to ``results/bench/``: ``scheduling.csv`` (what the
columns mean: ``scheduling.columns.json``), ``scheduling.json``.
"""

from __future__ import annotations

import argparse
import heapq
import os
import random
import sys
import tempfile
import threading
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from snakemake.cli import main as snakemake
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry
from snakemake_interface_executor_plugins.settings import CommonSettings

from brainarch.atomic import write_json
from brainarch.needs.estimate import Estimate, estimate
from brainarch.needs.machine import Machine
from brainarch.needs.work import describe_work
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stage import flat
from brainarch.reporting.runtime import duration
from brainarch.tables import write_table

ROOT = Path(__file__).parents[1]
#: Seconds between two looks of the SLURM plugin while jobs end; how much longer after each look
#: that saw none end; at most.
LOOK, LONGER, LONGEST = 10.0, 10.0, 180.0
#: A straggler takes so many times as long.
STRAGGLER = 4.0
#: Share of busy workers that counts as all of them.
BUSY = 0.95
HOUR = 3600.0

COLUMNS = {
    "stage": "stage, or group of stages that a worker does together",
    "sent": "how often a job or group was sent to a worker, retries counted",
    "failed": "how many of these failed",
    "longest_s": "longest of them (s)",
    "worker_hours": "time of workers on all of them (h)",
    "first_start_h": "start of the first (h after the run's)",
    "last_end_h": "end of the last (h after the run's start)",
}


def main() -> None:
    """Let a run be scheduled, print how it went, write it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--config", type=Path, default=ROOT / "config/prasad2020.yaml")
    parser.add_argument("--slices", default="all", help="as extraction.slices (default: all)")
    parser.add_argument("--profile", type=Path, default=ROOT / "workflow/profiles/slurm")
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--cores", type=int, default=1, help="of a worker")
    parser.add_argument("--queued", type=int, help="jobs sent at once (default: as the profile)")
    parser.add_argument("--stragglers", type=float, default=0.03, help="share of them")
    parser.add_argument("--failures", type=float, default=0.01, help="share of them")
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--output", type=Path, default=Path("results/bench"))
    options = parser.parse_args()
    output = options.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    content = yaml.safe_load(options.config.read_text(encoding="utf-8"))
    content["extraction"] |= {"slices": options.slices, "where": "tissue"}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(yaml.safe_dump(content), encoding="utf-8")
        worker = Machine(options.cores, float("inf"), float("inf"), "none")
        pipeline = Pipeline.read(config)
        run = estimate(pipeline, describe_work(pipeline.config), worker)
        cluster = Cluster(
            run, worker, options.workers, options.stragglers, options.failures, options.seed
        )
        done = schedule(cluster, config, options.profile.resolve(), options.queued, output)
    table = stages(cluster)
    asked = ("workers", "cores", "queued", "stragglers", "failures", "seed")
    summary = {"slices": len(pipeline.config.extraction.slices)}
    summary |= {name: getattr(options, name) for name in asked}
    summary |= {"finished": done, **told(cluster)}
    print(table.round(2).to_string(index=False))
    print("\n".join(f"{name:<36}{value}" for name, value in summary.items()))
    write_table(table, output / "scheduling.csv", COLUMNS)
    write_json(output / "scheduling.json", summary)


@dataclass
class Attempt:
    """A job, or group of jobs, once on its way.

    Attributes
    ----------
    executor : Executor
        Who is told of its end.
    info : SubmittedJobInfo
    name : str
        Stage or group.
    seconds : float
        How long it takes.
    ends_well : bool
    start : float
        When a worker begins it.
    """

    executor: Executor
    info: SubmittedJobInfo
    name: str
    seconds: float
    ends_well: bool
    start: float = float("nan")

    @property
    def end(self) -> float:
        """When it ends."""
        return self.start + self.seconds


class Cluster:
    """Workers that pretend, and the clock that they share with Snakemake.

    Parameters
    ----------
    run : Estimate
        How long jobs take.
    worker : Machine
    workers : int
    stragglers, failures : float
        Shares of all that is sent.
    seed : int
    """

    def __init__(
        self,
        run: Estimate,
        worker: Machine,
        workers: int,
        stragglers: float,
        failures: float,
        seed: int,
    ) -> None:
        self.run, self.worker, self.workers = run, worker, workers
        self.stragglers, self.failures, self.seed = stragglers, failures, seed
        self.attempts: list[Attempt] = []
        self.commands: list[int] = []
        self.decisions, self.deciding, self.time = 0, 0.0, 0.0
        self._spent = processor_seconds()
        self._makers = {path: job for job in run.waits for path in flat(job.stage.outputs)}
        self._number = {job: number for number, job in enumerate(run.waits)}
        self._ties = count()
        self._beside: list[tuple[float, int, Attempt]] = []  # on the machine that Snakemake runs on
        self._working: list[tuple[float, int, Attempt]] = []
        self._queue: deque[Attempt] = deque()
        self._unseen: list[Attempt] = []
        self._look, self._pause = 0.0, LOOK

    def send(self, executor: Executor, info: SubmittedJobInfo) -> None:
        """Take a job; the next free worker begins it."""
        job = info.job
        parts = list(job.jobs) if job.is_group() else [job]
        outputs = sorted(str(path) for part in parts for path in part.output)
        # one stream a job and attempt, in whatever order Snakemake sends them
        chance = random.Random(f"{self.seed} {outputs[:1]} {job.attempt}")
        strays, fails, part = (chance.random() for _ in range(3))
        seconds = self._seconds(outputs)
        name = job.groupid if job.is_group() else job.rule.name
        self.think()
        if job.is_local:
            attempt = Attempt(executor, info, name, seconds, True, self.time)
            heapq.heappush(self._beside, (attempt.end, next(self._ties), attempt))
            return
        seconds *= STRAGGLER if strays < self.stragglers else 1
        seconds *= part if fails < self.failures else 1
        attempt = Attempt(executor, info, name, seconds, fails >= self.failures)
        self.attempts.append(attempt)
        self._work_until(self.time)
        if not self._working and not self._unseen:
            self._pause, self._look = LOOK, self.time + LOOK
        if len(self._working) < self.workers:
            self._begin(attempt, self.time)
        else:
            self._queue.append(attempt)

    def go_on(self) -> bool:
        """Go on to the next end that Snakemake gets to know; false if nothing is on its way."""
        self.think()
        while self._beside or self._working or self._unseen:
            beside = self._beside[0][0] if self._beside else float("inf")
            look = self._look if self._working or self._unseen else float("inf")
            self.time = max(self.time, min(beside, look))
            self._work_until(self.time)
            if beside <= look:
                seen = [heapq.heappop(self._beside)[2]]
            else:
                seen, self._unseen = self._unseen, []
                self._pause = LOOK if seen else min(self._pause + LONGER, LONGEST)
                self._look = self.time + self._pause
            for attempt in seen:
                attempt.executor.ended(attempt)
            if seen:
                return True
        return False

    def think(self) -> None:
        """Add what Snakemake has taken since."""
        spent = processor_seconds()
        self.deciding += spent - self._spent
        self.time += spent - self._spent
        self._spent = spent

    def busy(self, start: float, end: float) -> float:
        """Return the share of workers that were busy on average between two times."""
        spans = (min(each.end, end) - max(each.start, start) for each in self.attempts)
        return sum(span for span in spans if span > 0) / self.workers / max(end - start, 1e-9)

    def last_busy(self) -> float:
        """Return the last time at which nearly all workers were busy."""
        changes = [(each.start, 1) for each in self.attempts]
        changes += [(each.end, -1) for each in self.attempts]
        working, last = 0, 0.0
        for moment, change in sorted(changes):
            if change < 0 and working >= BUSY * self.workers:
                last = moment
            working += change
        return last

    def _seconds(self, outputs: Sequence[str]) -> float:
        """Return how long a worker takes for the jobs that write some files."""
        found = {self._makers[path] for path in outputs if path in self._makers}
        waits = {
            job: [before for before in self.run.waits[job] if before in found]
            for job in sorted(found, key=self._number.__getitem__)
        }
        return Estimate(waits, self.run.needs).seconds([self.worker])

    def _begin(self, attempt: Attempt, moment: float) -> None:
        attempt.start = moment
        heapq.heappush(self._working, (attempt.end, next(self._ties), attempt))

    def _work_until(self, moment: float) -> None:
        while self._working and self._working[0][0] <= moment:
            end, _, attempt = heapq.heappop(self._working)
            self._unseen.append(attempt)
            if self._queue:
                self._begin(self._queue.popleft(), end)


class Idle(threading.Semaphore):
    """What Snakemake waits at for the end of a job: it waits no longer than the pretended time."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(0)
        self._cluster = cluster

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Take what is there, else let time go on until something is."""
        self._cluster.decisions += 1
        while not super().acquire(blocking=False):
            if not self._cluster.go_on():
                return super().acquire(blocking, timeout)
        return True


class Executor(RemoteExecutor):
    """Hands jobs to a `Cluster` in place of SLURM, and writes empty files for their outputs."""

    cluster: Cluster

    def run_job(self, job: Any) -> None:
        """Send a job."""
        scheduler = self.workflow.scheduler
        if not isinstance(scheduler._open_jobs, Idle):
            scheduler._open_jobs = Idle(self.cluster)
            # it would decide anew each second, whether or not anything has ended
            scheduler._schedule_reevalutation = lambda _seconds: None
        if not job.is_local:
            self.cluster.commands.append(len(self.format_job_exec(job)))
        info = SubmittedJobInfo(job)
        self.report_job_submission(info)
        self.cluster.send(self, info)

    def ended(self, attempt: Attempt) -> None:
        """Tell Snakemake that a job has ended."""
        if not attempt.ends_well:
            self.report_job_error(attempt.info)
            return
        job = attempt.info.job
        for part in job.jobs if job.is_group() else [job]:
            for path in [*part.output, *filter(None, [part.benchmark])]:
                file = Path(path)
                (file if path.is_directory else file.parent).mkdir(parents=True, exist_ok=True)
                if not path.is_directory:
                    file.touch()
        self.report_job_success(attempt.info)

    async def check_active_jobs(self, active_jobs: Any) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Jobs end by the clock: nobody is asked."""
        for info in active_jobs:
            yield info

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """Nothing runs."""

    def _wait_thread(self) -> None:
        """Jobs end by the clock."""


common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_envvar_declarations_to_cmd=False,
    auto_deploy_default_storage_provider=False,
)


def schedule(
    cluster: Cluster, config: Path, profile: Path, queued: int | None, output: Path
) -> bool:
    """Let Snakemake run everything on a cluster; return whether it did."""
    Executor.cluster = cluster
    registry = ExecutorPluginRegistry()
    registry.register_plugin("standin", sys.modules[__name__])
    registry.plugins["local"].executor = Executor
    arguments = [
        *("--snakefile", str(ROOT / "Snakefile"), "--directory", str(config.parent)),
        *("--configfile", str(config), "--workflow-profile", str(profile)),
        *("--executor", "standin", "--cores", str(cluster.worker.cores)),
        *(("--jobs", str(queued)) if queued else ()),
    ]
    here = Path.cwd()
    with (output / "scheduling.log").open("w", encoding="utf-8") as log:
        try:
            with redirect_stdout(log), redirect_stderr(log):
                snakemake(arguments)
        except SystemExit as stop:
            return not stop.code
        finally:
            os.chdir(here)
    return True


def stages(cluster: Cluster) -> pd.DataFrame:
    """Return what was sent of each stage or group, in the order in which they begin."""
    each = pd.DataFrame(
        [
            {
                "stage": attempt.name,
                "failed": not attempt.ends_well,
                "seconds": attempt.seconds,
                "start": attempt.start,
                "end": attempt.end,
            }
            for attempt in cluster.attempts
        ]
    )
    grouped = each.groupby("stage")
    table = pd.DataFrame(
        {
            "sent": grouped.size(),
            "failed": grouped["failed"].sum(),
            "longest_s": grouped["seconds"].max(),
            "worker_hours": grouped["seconds"].sum() / HOUR,
            "first_start_h": grouped["start"].min() / HOUR,
            "last_end_h": grouped["end"].max() / HOUR,
        }
    )
    return table.sort_values("first_start_h").reset_index()


def told(cluster: Cluster) -> dict[str, Any]:
    """Return what is said of the whole run; times of the clock as people say them."""
    attempts = cluster.attempts
    first = min(each.start for each in attempts if each.name == "extract")
    end = max(each.end for each in attempts)
    failed = [each for each in attempts if not each.ends_well]
    last = cluster.last_busy()
    late = sorted((each for each in attempts if each.end > last), key=lambda each: -each.seconds)
    return {
        "jobs": len(cluster.run.waits),
        "sent": len(attempts),
        "failed, sent again": len(failed),
        "makespan": duration(end),
        "before the first extraction": duration(first),
        "busy from there to the last hour": round(cluster.busy(first, end - HOUR), 3),
        "all busy for the last time": duration(last),
        "busy from the first to there": round(cluster.busy(first, last), 3),
        "longest of those that end later": ", ".join(dict.fromkeys(each.name for each in late)),
        "work of one worker": duration(sum(each.seconds for each in attempts)),
        "processor time of Snakemake": duration(cluster.deciding),
        "decisions what to send": cluster.decisions,
        "longest command": f"{max(cluster.commands):,} characters",
    }


def processor_seconds() -> float:
    """Return the processor time of this process and of those that it waited for, in seconds."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main()
