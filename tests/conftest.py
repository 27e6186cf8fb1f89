"""Settings of every test."""

from __future__ import annotations

import pytest
from hypothesis import settings

# the same examples everywhere: a change breaks a test, not the luck of a draw
settings.register_profile("same_examples", derandomize=True, deadline=None)
settings.load_profile("same_examples")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the chain, which takes longest, so that other workers do the rest beside it."""
    items.sort(key=lambda item: item.path.name != "test_chain.py")
