"""The whole chain twice, in two folders: the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from comparing import content, differences
from runs import TINY, snakemake

RESULTS = Path("results/test")


@pytest.mark.faults
def test_two_runs_are_equal(
    undisturbed_chain: tuple[Path, float], tmp_path: Path, note: Callable[[str, str, str], None]
) -> None:
    done = snakemake(*TINY, directory=tmp_path)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    found = content(tmp_path / RESULTS)
    assert {Path(name).suffix for name in found} >= {".safetensors", ".csv", ".png", ".json"}
    assert differences(found, content(undisturbed_chain[0] / RESULTS)) == []
    note("two chains: files compared", str(len(found)), "same bytes")
