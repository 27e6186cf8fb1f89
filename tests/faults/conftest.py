"""The undisturbed chain that others are compared with, and the table of faults at the end."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from runs import TINY, snakemake
from small_run import STAGES, run_until, warm_up, write_inputs

from brainarch.reporting.runtime import read_benchmarks

#: What was done, how often, and what came of it.
ROWS: list[tuple[str, str, str]] = []
Note = Callable[[str, str, str], None]


@pytest.fixture
def note() -> Note:
    """Return what adds a row: the fault, how often or with which seed, what came of it."""
    return lambda fault, how, outcome: ROWS.append((fault, how, outcome))


@pytest.fixture(scope="session")
def seed() -> int:
    """Return the seed of all moments and places; say the one of a failure to see it again."""
    return int(os.environ.get("BRAINARCH_FAULT_SEED", "0")) or random.randrange(1, 10**6)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    """Return a directory in which every stage has run on a small volume, and their seconds."""
    directory = tmp_path_factory.mktemp("undisturbed")
    write_inputs(directory)
    warm_up()
    return directory, {name: run_until(name, directory) for name in STAGES}


@pytest.fixture(scope="session")
def undisturbed_chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Return a directory in which the whole chain has run on the tiny phantom, and its seconds.

    ``BRAINARCH_FAULT_CHAIN`` names one that is kept, so that parts of this tier can be run alone.
    """
    kept = os.environ.get("BRAINARCH_FAULT_CHAIN")
    directory = Path(kept) if kept else tmp_path_factory.mktemp("undisturbed_chain")
    directory.mkdir(parents=True, exist_ok=True)
    done = snakemake(*TINY, directory=directory)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    jobs = read_benchmarks(directory / "results/test/benchmarks")
    return directory, sum(job.seconds for job in jobs) / 2  # two cores


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the rows."""
    if ROWS:
        terminalreporter.section("faults")
        widths = [max(len(row[i]) for row in ROWS) for i in range(3)]
        for row in ROWS:
            terminalreporter.write_line("  ".join(map(str.ljust, row, widths)).rstrip())
