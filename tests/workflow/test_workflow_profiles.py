"""The profile for SLURM: each stage is sent alone or with others, and no group waits for itself."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml
from runs import ROOT

from brainarch.config.read import read_config
from brainarch.needs.stages import NODE, needs
from brainarch.needs.work import describe_work
from brainarch.pipeline.jobs import jobs, stage_names
from brainarch.pipeline.pipeline import Pipeline

#: Stages that go to a cluster alone, because they may take long or others wait for them.
ALONE = {
    "phantom", "download_stack", "download_areas", "convert", "train", "train_unlabelled",
    "write_untrained", "take_network", "name_new_brains", "plan", "extract", "factorize", "project",
    "take_basis",
}  # fmt: skip
CONFIGS = sorted((ROOT / "config").glob("*.yaml"))


def profile(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(
        (ROOT / f"workflow/profiles/{name}/config.yaml").read_text()
    )
    return content


@pytest.mark.parametrize("name", ["default", "local", "slurm", "cluster-generic"])
def test_every_key_of_a_profile_is_commented(name: str) -> None:
    lines = (ROOT / f"workflow/profiles/{name}/config.yaml").read_text().splitlines()
    before = ""
    for line in lines:
        if line.strip() and line[0] not in "# ":
            assert before.startswith("#"), line
        before = line


def test_every_stage_is_sent_alone_or_in_a_group() -> None:
    groups = profile("slurm")["groups"]
    assert set(groups) | ALONE == set(stage_names())
    assert not set(groups) & ALONE


@pytest.mark.parametrize("more", [(), range(8)], ids=["as it is", "with more slices"])
@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_no_group_waits_for_what_waits_for_it(config: Path, more: Sequence[int]) -> None:
    """Even if all jobs of a group went together: so any part of them may."""
    groups, read = profile("slurm")["groups"], read_config(config)
    slices = list(dict.fromkeys([*read.extraction.slices, *more]))
    extraction = read.extraction.model_copy(update={"slices": slices})
    found = jobs(Pipeline.of(read.model_copy(update={"extraction": extraction})))
    names = {job: groups.get(job.name, f"job {i}") for i, job in enumerate(found)}
    waits: dict[str, set[str]] = {name: set() for name in names.values()}
    for job, before in found.items():
        waits[names[job]] |= {names[other] for other in before} - {names[job]}
    TopologicalSorter(waits).prepare()  # raises at a circle


def test_the_embedded_default_is_few_jobs_of_a_minute() -> None:
    """Alone go at most 20 jobs, and those in groups are short."""
    pipeline = Pipeline.read(ROOT / "config/config.yaml")
    groups, work = profile("slurm")["groups"], describe_work(pipeline.config)
    every = list(jobs(pipeline))
    alone = [job for job in every if job.name not in groups]
    used = {groups[job.name] for job in every if job.name in groups}
    assert len(alone) + len(used) <= 20
    assert len(every) >= 60
    for job in every:
        if job.name in groups:
            need = needs(job.name, work, NODE, **dict(job.arguments))
            assert need.seconds < 120, job.name  # on a node half as fast as the one timed
