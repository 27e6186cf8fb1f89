"""The typed config, what its stages read and write, and what every rule has in common."""

import math
import os
import sys
from collections.abc import Mapping

from snakemake.exceptions import WorkflowError

from brainarch.config.read import check_config, read_content
from brainarch.errors import InputError
from brainarch.figures.catalogue import FIGURES
from brainarch.needs import stages
from brainarch.needs.stages import NODE, needs
from brainarch.needs.work import describe_work
from brainarch.pipeline.lock import DirectoryLock, keep_temporary
from brainarch.pipeline.origin import made_elsewhere, note_run, other_file
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stale import move_stale

files = [str(path) for path in workflow.overwrite_configfiles] or ["config/config.yaml"]
try:
    if len(files) > 1:
        raise InputError(
            f"{', '.join(files)}: a run has one config file; put targets before --configfile, or "
            "after --"
        )
    if workflow.is_main_process:
        for path in workflow.overwrite_configfiles:  # what YAML reads otherwise than it looks
            read_content(Path(path))
    PIPELINE = Pipeline.of(check_config(config, files[0]))
    if workflow.is_main_process and not getattr(workflow.dag_settings, "forceall", True):
        problem = made_elsewhere(Path.cwd(), PIPELINE)
        if problem is not None:
            raise InputError(problem)
except InputError as error:
    raise WorkflowError(f"config error: {error}") from None

# held until the process ends; a job that runs in a process of its own is part of a run that has it
if workflow.is_main_process:
    LOCK = DirectoryLock(Path.cwd(), PIPELINE.results.folder, workflow.snakemake_tmp_dir)
    if LOCK.cleared:
        ended = f", {LOCK.cancelled} jobs left in SLURM are cancelled" if LOCK.cancelled else ""
        print(
            f"A run was killed here: its lock is cleared{ended}, this one goes on.", file=sys.stderr
        )
    warning = other_file(Path.cwd(), PIPELINE, files[0])
    if warning is not None:
        print(f"brainarch: warning: {warning}", file=sys.stderr)

CONFIG = PIPELINE.config
#: Folders of this dataset's results, logs and run times.
RESULTS = PIPELINE.results.folder
LOGS = f"{RESULTS}/logs"
TIMES = PIPELINE.results.benchmarks


#: What there is to do, which decides what every rule asks for.
WORK = describe_work(CONFIG)


#: A pattern that nothing fits: where a trained network is taken, no run trains.
NOTHING = "(?!)"


wildcard_constraints:
    z=r"\d+",
    run="|".join(PIPELINE.runs) or NOTHING,
    split="train|val|test",
    network="|".join([*PIPELINE.networks, *PIPELINE.extracted]),
    figure="|".join(figure.name for figure in FIGURES),


def read(stage):
    """Return what a stage reads, for a rule: several files by name are a list."""
    found = {"after": stage.after, **stage.inputs}
    return {k: list(v.values()) if isinstance(v, Mapping) else v for k, v in found.items() if v}


def written(stage):
    """Return what a stage writes, for a rule: folders are marked, files by name are a list."""
    marked = {}
    for name, file in stage.outputs.items():
        paths = [file] if isinstance(file, str) else list(file.values())
        paths = [p if Path(p).suffix not in ("", ".zarr") else directory(p) for p in paths]
        marked[name] = paths[0] if isinstance(file, str) else paths
    return marked


def most_threads(stage):
    """Return how many threads a stage can use; Snakemake gives it no more than there are.

    Where SLURM does not bind jobs to processors, a job sees all of its node: it takes what it was
    given.
    """
    most = stages.most_threads(stage, NODE)
    given = None if workflow.is_main_process else os.environ.get("SLURM_CPUS_PER_TASK")
    return min(most, int(given)) if given else most


#: Memory of the Snakemake that runs a job, in MB: a cluster counts it as the job's (measured: 160).
SNAKEMAKE_MB = 200


def asked(stage):
    """Return the resources that a rule asks for; each retry asks for as much memory again."""

    def need(wildcards):
        values = {"name" if k == "figure" else k: v for k, v in wildcards.items()}
        return needs(stage, WORK, NODE, **{k: int(v) if k == "z" else v for k, v in values.items()})

    return {
        "mem_mb": lambda wildcards, attempt: attempt
        * math.ceil(need(wildcards).memory_mb + SNAKEMAKE_MB),
        "runtime": lambda wildcards: need(wildcards).runtime_min,
        "disk_mb": lambda wildcards: math.ceil(need(wildcards).disk_mb),
    }


def frozen(wildcards, output):
    """Return the run's own copy of the config; being derived, it is no reason to run again."""
    return PIPELINE.frozen


def at_slices(pattern, slices):
    """Return a pattern's files of some slices."""
    return expand(pattern, z=[f"{z:04d}" for z in slices])


#: What is said of each figure in the report.
SHOWN = {figure.name: figure for figure in FIGURES}


def drawn(*categories):
    """Return the files of the figures of some categories, as far as this dataset has them."""
    names = [name for name in PIPELINE.figures if SHOWN[name].category in categories]
    return expand(rules.figure.output, figure=names)


def one(name):
    """Return a figure's files, or say why this dataset does not have it."""

    def find(wildcards):
        gone = [PIPELINE.lacks[need] for need in SHOWN[name].needs if need in PIPELINE.lacks]
        if gone:
            raise WorkflowError(f"{name} is no part of this run: {'; '.join(gone)}")
        return expand(rules.figure.output, figure=name)

    return find
