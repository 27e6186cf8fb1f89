"""The undisturbed chain that others are compared with, and the table of faults at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from runs import TINY, snakemake

#: What was done, how often, and what came of it.
ROWS: list[tuple[str, str, str]] = []


@pytest.fixture
def note() -> Callable[[str, str, str], None]:
    """Return what adds a row: the fault, how often or with which seed, what came of it."""
    return lambda fault, how, outcome: ROWS.append((fault, how, outcome))


@pytest.fixture(scope="session")
def undisturbed_chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Return a directory in which the whole chain has run on the tiny phantom, and its seconds."""
    directory = tmp_path_factory.mktemp("undisturbed_chain")
    began = time.monotonic()
    done = snakemake(*TINY, directory=directory)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return directory, time.monotonic() - began


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the rows."""
    if ROWS:
        terminalreporter.section("faults")
        widths = [max(len(row[i]) for row in ROWS) for i in range(3)]
        for row in ROWS:
            terminalreporter.write_line("  ".join(map(str.ljust, row, widths)).rstrip())
