"""The table of faults at the end of a run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

#: What was done, how often, and what came of it.
ROWS: list[tuple[str, str, str]] = []


@pytest.fixture
def note() -> Callable[[str, str, str], None]:
    """Return what adds a row: the fault, how often or with which seed, what came of it."""
    return lambda fault, how, outcome: ROWS.append((fault, how, outcome))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the rows."""
    if ROWS:
        terminalreporter.section("faults")
        widths = [max(len(row[i]) for row in ROWS) for i in range(3)]
        for row in ROWS:
            terminalreporter.write_line("  ".join(map(str.ljust, row, widths)).rstrip())
