"""A small disk, a read-only one and too little memory: one line each, and it goes on later."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from comparing import content, differences, leftovers
from runs import environment
from small_run import LONG, RESULTS, write_inputs

pytestmark = pytest.mark.faults

Note = Callable[[str, str, str], None]
VERBS = {
    "convert": ["--memory-mb", "300"],
    "import-annotations": ["--kind", "areas"],
    "sample": ["--run", "main"],
    "train": ["--run", "main"],
    "train-unlabelled": [],
    "plan": [],
    "extract": ["--slice", "20"],
}
#: Sizes of the small disk in MB; a training alone needs more than 100.
SIZES = (1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256)
#: Memory above what the libraries take, in MB.
SPARE_MB = (0, 40, 120, 300)


def run_verb(verb: str, directory: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run a verb in a directory, after a line of shell."""
    code = "from brainarch.cli.main import main; main()"
    command = ["bash", "-c", f'{before}exec "$0" -c "{code}" "$@"', sys.executable, verb]
    return subprocess.run(
        [*command, "config.yaml", *VERBS[verb]],
        cwd=directory, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the line that a verb ends with when it fails as it should."""
    assert done.returncode == 2, done.stderr[-3000:]
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    (line,) = [x for x in done.stderr.splitlines() if x.startswith("brainarch: error: ")]
    return line


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("undisturbed")
    write_inputs(directory)
    for verb in VERBS:
        done = run_verb(verb, directory)
        assert done.returncode == 0, done.stderr[-3000:]
    return directory


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Mount a disk of its own for the results; what it returns mounts it anew with options."""
    results = tmp_path / "results"
    results.mkdir()
    write_inputs(tmp_path)

    def mount(options: str) -> None:
        how = f"remount,{options}" if results.is_mount() else options
        command = ["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(results)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"mounting is not possible here: {done.stderr.strip()}")

    yield mount
    if results.is_mount():
        subprocess.run(["umount", str(results)], check=True)


def test_a_small_disk(
    undisturbed: Path, tmp_path: Path, disk: Callable[[str], None], note: Note
) -> None:
    sizes = iter(SIZES)
    disk(f"size={next(sizes)}m")
    for verb in VERBS:
        refused = 0
        while (done := run_verb(verb, tmp_path)).returncode != 0:
            line = one_line(done)
            assert "results/small" in line, line
            assert "No space left" in line or "disk is full" in line or "no space left" in line
            disk(f"size={next(sizes)}m")
            refused += 1
        note(f"{verb} on a full disk", f"{refused} times", "one line each, went on")
    found = content(tmp_path / RESULTS)
    assert differences(found, content(undisturbed / RESULTS)) == []
    assert leftovers(tmp_path) == []


def test_a_read_only_disk(
    undisturbed: Path, tmp_path: Path, disk: Callable[[str], None], note: Note
) -> None:
    disk("size=256m")
    subprocess.run(
        ["cp", "-a", f"{undisturbed}/results/small", str(tmp_path / "results")], check=True
    )
    disk("ro")
    for verb in VERBS:
        line = one_line(run_verb(verb, tmp_path))
        assert "Read-only file system" in line, line
    note("results on a read-only disk", f"{len(VERBS)} verbs", "one line each")


@pytest.mark.parametrize("verb", LONG)
def test_too_little_memory(undisturbed: Path, tmp_path: Path, verb: str, note: Note) -> None:
    """A limit on addresses stops a process before the machine is in danger."""
    subprocess.run(["cp", "-a", f"{undisturbed}/.", str(tmp_path)], check=True)
    imports = "import torch, pytorch_lightning, brainarch.dense.stages, brainarch.training.stages"
    status = "print(open('/proc/self/status').read().split('VmPeak:')[1].split()[0])"
    found = subprocess.run(
        [sys.executable, "-c", f"{imports}; {status}"],
        env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    refused = 0
    for spare in SPARE_MB:
        limit = int(found.stdout) + spare * 1024
        done = run_verb(verb, tmp_path, f"ulimit -v {limit}; ")
        if done.returncode != 0:
            assert "out of memory" in one_line(done)
            refused += 1
    done = run_verb(verb, tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert differences(content(tmp_path / RESULTS), content(undisturbed / RESULTS)) == []
    note(f"{verb} with too little memory", f"{refused} of {len(SPARE_MB)} limits", "one line each")
