"""The workflow through a real SLURM: the bytes of a local run, whatever is killed on the way."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from comparing import content, differences
from one_node import ask, queued
from runs import ROOT, TINY, command, environment, kill, pretended, snakemake, start
from test_killed import CUBE, RESULTS, finished_tiles, options, prepared

pytestmark = pytest.mark.cluster
__all__ = ["prepared"]

#: The profile as it is, and what a cluster of one processor without accounting needs beside it.
SLURM = (
    *("--workflow-profile", str(ROOT / "workflow/profiles/slurm")),
    *("--slurm-status-command", "squeue", "--slurm-no-account"),
    *("--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "2"),
    *("--latency-wait", "10", "--cores", "1", "--jobs", "8"),
)
#: Seconds that SLURM may take longer than a local run of the tiny phantom.
OVERHEAD_S = 120
#: Moments at which something is killed.
KILLS = int(os.environ.get("BRAINARCH_FAULT_KILLS", "10"))
#: How Snakemake says that a job is with SLURM.
SUBMITTED = re.compile(r"Job \S+ has been submitted with SLURM jobid (\d+)")


def one_thread(slurm: dict[str, str]) -> dict[str, str]:
    return {**slurm, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Return a directory in which the tiny phantom ran on one core, and the seconds."""
    directory = tmp_path_factory.mktemp("local")
    began = time.monotonic()
    done = snakemake(*TINY, "--cores", "1", directory=directory, OMP_NUM_THREADS="1")
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return directory, time.monotonic() - began


def test_the_tiny_phantom_has_the_bytes_of_a_local_run(
    local: tuple[Path, float], slurm: dict[str, str], tmp_path: Path
) -> None:
    began = time.monotonic()
    done = snakemake(*SLURM, *TINY[2:], directory=tmp_path, **one_thread(slurm))
    took = time.monotonic() - began
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-5000:]
    sent = {comment for _, _, comment in queued(slurm, every=True)}
    for name in ("train", "extract", "factorize", "figures"):  # the last one is a group
        assert any(re.match(f"(rule|group)_{name}", comment) for comment in sent), (name, sent)
    submitted = len(SUBMITTED.findall(said))
    assert submitted <= 23, "most of some 90 jobs are small and go together"
    expected = content(local[0] / "results/test")
    assert differences(content(tmp_path / "results/test"), expected) == []
    assert len(expected) > 100
    began = time.monotonic()
    assert snakemake(*TINY, "--list-rules", directory=local[0]).returncode == 0
    start = time.monotonic() - began
    jobs = max(int(number) for number in re.findall(r"of (\d+) steps", said))
    longer = took - local[1]
    print(f"\n{submitted} submissions, {jobs} jobs: {took:.0f} s, {longer:.0f} longer than locally")
    print(f"Snakemake starts in {start:.1f} s")
    assert longer <= OVERHEAD_S


@pytest.fixture(scope="module")
def whole(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the digests of a large cube that was extracted locally and not disturbed."""
    directory = tmp_path_factory.mktemp("whole") / "run"
    shutil.copytree(prepared, directory)
    done = snakemake(*options(str(CUBE)), directory=directory, OMP_NUM_THREADS="1")
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return content(directory / RESULTS)


@pytest.fixture
def directory(prepared: Path, tmp_path: Path) -> Path:
    """Return a directory in which that extraction can begin."""
    shutil.copytree(prepared, tmp_path / "run")
    return tmp_path / "run"


def run_on(slurm: dict[str, str], directory: Path, *more: str) -> subprocess.Popen[str]:
    """Start the extraction through SLURM."""
    arguments = [*SLURM, *more, *options(str(CUBE))[2:]]
    return start(*arguments, directory=directory, **one_thread(slurm))


def finish(slurm: dict[str, str], directory: Path, *more: str) -> str:
    """Run the extraction through SLURM to its end; return what was printed."""
    run = run_on(slurm, directory, *more)
    said, _ = run.communicate(timeout=600)
    assert run.returncode == 0, said[-5000:]
    return said


def wait_for_tiles(directory: Path, more_than: int, run: subprocess.Popen[str]) -> bool:
    """Wait until more tiles are recorded; say whether that happened before the run ended."""
    while run.poll() is None:
        if finished_tiles(directory) > more_than:
            return True
        time.sleep(0.02)
    return False


def test_a_cancelled_job_is_sent_again_and_goes_on(
    whole: dict[str, str], directory: Path, slurm: dict[str, str]
) -> None:
    run = run_on(slurm, directory)
    assert wait_for_tiles(directory, 2, run)
    (job,) = [n for n, state, text in queued(slurm) if state == "RUNNING" and "extract" in text]
    ask(["scancel", job], slurm)
    before = finished_tiles(directory)
    said, _ = run.communicate(timeout=600)
    assert run.returncode == 0, said[-5000:]
    assert before > 2
    assert len(SUBMITTED.findall(said)) >= 2
    assert differences(content(directory / RESULTS), whole) == []


def test_a_job_out_of_memory_is_sent_again_with_more(
    whole: dict[str, str], directory: Path, slurm: dict[str, str]
) -> None:
    memory = "extract:mem_mb=300 if attempt == 1 else 4000"
    said = finish(slurm, directory, "--set-resources", memory)
    job = SUBMITTED.findall(said)[-2]
    shown = ask(["scontrol", "show", "job", job], slurm)
    print(re.findall(r"JobState=\S+ Reason=\S+", shown))
    assert "COMPLETED" not in shown
    assert "mem=300M" in shown
    assert differences(content(directory / RESULTS), whole) == []


def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    whole: dict[str, str], directory: Path, slurm: dict[str, str]
) -> None:
    """The controlling process and the job in turn; the same command again each time."""
    seed = int(os.environ.get("BRAINARCH_FAULT_SEED", "0")) or random.randrange(1, 10**6)
    moments, log = random.Random(seed), []
    run = run_on(slurm, directory, "--retries", str(KILLS))
    for number in range(KILLS):
        if not wait_for_tiles(directory, finished_tiles(directory), run):
            break
        time.sleep(moments.uniform(0, 0.5))
        before = finished_tiles(directory)
        if number % 2:
            for job, _, text in queued(slurm):
                if "extract" in text:
                    ask(["scancel", "--signal=KILL", job], slurm)
            log.append(f"job killed after {before} tiles")
        else:
            kill(run)
            log.append(f"controller killed after {before} tiles")
            run = run_on(slurm, directory, "--retries", str(KILLS))
    said, _ = run.communicate(timeout=900)
    print("\n".join(["", f"seed {seed}", *log]))
    assert run.returncode == 0, f"seed {seed}: {said[-5000:]}"
    assert len(log) >= 4, log
    assert differences(content(directory / RESULTS), whole) == [], f"seed {seed}"
    assert queued(slurm) == []


def test_an_interrupted_run_leaves_no_job(directory: Path, slurm: dict[str, str]) -> None:
    # what runs in the background of a shell has it ignored, and hands that down
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run = run_on(slurm, directory)
    assert wait_for_tiles(directory, 0, run)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=120)
    assert run.returncode != 0
    deadline = time.monotonic() + 30
    while queued(slurm) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert queued(slurm) == []


def test_the_generic_profile_works(slurm: dict[str, str], tmp_path: Path) -> None:
    """With a command that only pretends."""
    pytest.importorskip("snakemake_executor_plugin_cluster_generic")
    first = pretended(tmp_path)
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    profile = str(ROOT / "workflow/profiles/cluster-generic")
    line = command(
        *("--workflow-profile", profile, "--cores", "1", "--latency-wait", "10"),
        *(*TINY[2:], "--", "results/test/annotations/legend.csv"),
        directory=tmp_path,
    )
    done = subprocess.run(
        line, cwd=tmp_path, env=environment(first, **slurm), capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert (tmp_path / "results/test/annotations/legend.csv").exists()
