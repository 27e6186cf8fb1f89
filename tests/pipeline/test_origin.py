"""Which config file wrote results, and whether they were made here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from brainarch.config.read import change_config, read_content
from brainarch.pipeline.origin import made_elsewhere, note_run, other_file
from brainarch.pipeline.pipeline import Pipeline

TINY = read_content(Path(__file__).parents[2] / "config/test.yaml")


def pipeline(*changes: str) -> Pipeline:
    return Pipeline.of(change_config(TINY, changes, "test"))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake").mkdir()
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).touch()
    return tmp_path


def test_another_file_is_told_and_an_edited_one_is_not(here: Path) -> None:
    assert other_file(here, pipeline(), "one.yaml") is None
    note_run(here, pipeline(), "one.yaml")
    assert other_file(here, pipeline("title=New"), str(here / "one.yaml")) is None
    said = other_file(here, pipeline(), "two.yaml")
    assert said is not None
    assert said.startswith("results/test: was last written by one.yaml, now by two.yaml; ")
    assert other_file(here, pipeline("dataset=own"), "two.yaml") is None
    (here / "one.yaml").rename(here / "renamed.yaml")
    assert other_file(here, pipeline(), "renamed.yaml") is None


def test_copied_results_are_compared_with_the_config_that_made_them(here: Path) -> None:
    assert made_elsewhere(here, pipeline()) is None
    pipeline().freeze()
    note_run(here, pipeline(), "one.yaml")
    changed = pipeline("training.steps=7", "seed=3")
    assert made_elsewhere(here, changed) is None  # Snakemake's records know
    shutil.rmtree(here / ".snakemake")
    assert made_elsewhere(here, pipeline()) is None
    said = made_elsewhere(here, changed)
    assert said is not None
    assert "results/test: made elsewhere by a config that differs in seed, training.steps," in said
    assert "--forceall" in said
