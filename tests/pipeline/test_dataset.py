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
from brainarch.records import write_record

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


def test_a_changed_copy_of_the_config_is_refused_and_written_anew(tmp_path: Path) -> None:
    pipeline = Pipeline.read(ROOT / "config/test.yaml", str(tmp_path))
    pipeline.freeze()
    frozen, other = Path(pipeline.frozen), tmp_path / "test.json"
    sound = frozen.read_text()
    assert Pipeline.read(frozen).config == pipeline.config
    frozen.write_text(sound.replace('"seed": 2020', '"seed": 2021'))
    with pytest.raises(InputError, match=r"json: changed since it was written; run the same"):
        brainarch.open(tmp_path / "test")
    other.write_text(frozen.read_text())  # a config of one's own may be anything
    assert Pipeline.read(other).config.seed == 2021
    pipeline.freeze()
    assert frozen.read_text() == sound


def test_what_gone_input_files_were_like_is_known_or_refused(tmp_path: Path) -> None:
    config = Pipeline.read(ROOT / "config/own_volume.yaml").config
    pipeline = Pipeline.of(config, str(tmp_path))
    assert pipeline.source_states == {}
    write_record(Path(pipeline.results.sources), {"volume": "as it was"})
    assert Pipeline.of(config, str(tmp_path)).source_states == {"volume": "as it was"}
    sources = Path(pipeline.results.sources)
    sources.write_text(sources.read_text().replace("was", "wos"))
    with pytest.raises(InputError, match=r"changed since it was written; put the input files back"):
        _ = Pipeline.of(config, str(tmp_path)).source_states


def test_nothing_heavy_is_imported_until_used() -> None:
    code = "import sys, brainarch; print(sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "zarr", "numpy", "pandas", "pydantic"} & set(eval(done.stdout))
