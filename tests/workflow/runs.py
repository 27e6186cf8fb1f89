"""Running snakemake from tests."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: How the chain is run on the tiny phantom.
TINY = ("--cores", "2", "--configfile", str(ROOT / "config/test.yaml"))


def command(*arguments: str, directory: Path) -> list[str]:
    """Return the command line that runs the workflow in a directory."""
    return [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
        *("--directory", str(directory), *arguments),
    ]


def environment(first: Path | None = None, **more: str) -> dict[str, str]:
    """Return the environment in which ``brainarch`` is found; ``first`` heads the PATH."""
    folders = [*([first] if first else []), Path(sys.executable).parent, os.environ["PATH"]]
    return {**os.environ, "PATH": os.pathsep.join(map(str, folders)), **more}


def snakemake(
    *arguments: str, directory: Path = ROOT, first: Path | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the workflow in a directory and return what it printed; ``first`` heads the PATH."""
    return subprocess.run(
        command(*arguments, directory=directory),
        cwd=directory,
        env=environment(first, **more),
        capture_output=True,
        text=True,
        check=False,
    )


def start(
    *arguments: str, directory: Path, first: Path | None = None, **more: str
) -> subprocess.Popen[str]:
    """Start the workflow in a session of its own, so that `kill` ends all of it."""
    return subprocess.Popen(
        command(*arguments, directory=directory),
        cwd=directory,
        env=environment(first, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[str]) -> str:
    """Kill a process and all that it started, without a warning; return what it had printed."""
    os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[0]


def pretended(directory: Path, before: str = "") -> Path:
    """Return a new folder with a ``brainarch`` that makes the outputs and computes nothing.

    A line of shell may come before: there ``$1`` is the verb.
    """
    command = directory / "bin/brainarch"
    command.parent.mkdir(parents=True)
    stand_in = ROOT / "tests/workflow/stand_in.py"
    command.write_text(f'#!/bin/sh\n{before}\nexec "{sys.executable}" "{stand_in}" "$@"\n')
    command.chmod(0o755)
    return command.parent


def planned_jobs(output: str) -> dict[str, int]:
    """Return the jobs of each rule from the table that a run or dry run prints."""
    table = output[output.index("job ") :]
    rows = re.findall(r"^(\w+) +(\d+)$", table[: table.index("total ")], flags=re.MULTILINE)
    return {name: int(count) for name, count in rows}
