"""One SLURM for all tests of a session."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from one_node import missing, one_node


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start SLURM; return the environment variables by which its commands find it."""
    if find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip("snakemake-executor-plugin-slurm: not installed; make test-cluster installs it")
    if why := missing():
        pytest.skip(why)
    with one_node(tmp_path_factory.mktemp("slurm")) as where:
        yield where
