"""The front door for notebooks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import brainarch
from brainarch.errors import InputError
from brainarch.pipeline.pipeline import Pipeline

ROOT = Path(__file__).parents[2]


def test_the_last_run_is_opened(tmp_path: Path) -> None:
    for name, seconds in (("test", 200), ("config", 100)):
        pipeline = Pipeline.read(ROOT / f"config/{name}.yaml")
        moved = Pipeline.of(pipeline.config.model_copy(update={"dataset": "d"}), str(tmp_path))
        moved.freeze()
        os.utime(moved.frozen, (seconds, seconds))
    (tmp_path / "d").rename(tmp_path / "renamed")
    opened = brainarch.open(tmp_path / "renamed")
    assert repr(opened) == "<d: Tiny synthetic volume (phantom)>"
    assert opened.tables() == []
    assert opened.pipeline.results.folder == str(tmp_path / "renamed")


def test_a_folder_without_a_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run has left its config here"):
        brainarch.open(tmp_path)


def test_nothing_heavy_is_imported_until_used() -> None:
    code = "import sys, brainarch; print(sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "zarr", "numpy", "pandas", "pydantic"} & set(eval(done.stdout))
