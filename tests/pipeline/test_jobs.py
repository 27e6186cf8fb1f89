"""The jobs of a run, found without Snakemake, are those that Snakemake plans."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from brainarch.pipeline.jobs import jobs
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stage import flat

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["test", "prasad2020", "full"])
def test_jobs_are_those_of_a_dry_run(name: str, tmp_path: Path) -> None:
    config = ROOT / f"config/{name}.yaml"
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "-n",
        "-s",
        str(ROOT / "Snakefile"),
        "-q",
        "rules",
    ]
    done = subprocess.run(
        [*command, "--configfile", str(config), "--directory", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split() for line in (done.stdout + done.stderr).splitlines()]
    planned = {a: int(n) for a, n in (x for x in lines if len(x) == 2) if n.isdigit()}
    found_jobs = jobs(Pipeline.read(config))
    found = Counter(job.name for job in found_jobs)
    # the look before the run is a rule, but no stage of the data
    assert Counter(planned) == found + Counter(preflight=1, all=1, total=len(found_jobs) + 2)


def test_each_job_waits_for_those_that_make_what_it_reads() -> None:
    waits = jobs(Pipeline.read(ROOT / "config/test.yaml"))
    done: set[str] = set()
    made = {path for job in waits for path in flat(job.stage.outputs)}
    for job in waits:
        assert {path for path in flat(job.stage.inputs) if path in made} <= done, job.name
        done |= set(flat(job.stage.outputs))


def test_a_goal_brings_only_what_leads_to_it() -> None:
    pipeline = Pipeline.read(ROOT / "config/test.yaml")
    found = [job.name for job in jobs(pipeline, [pipeline.results.legend])]
    assert found == ["phantom", "convert", "import_areas"]
