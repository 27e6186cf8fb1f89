"""Results that the config does not ask for any more: found by earlier configs, moved, kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from brainarch.config.read import change_config, read_content
from brainarch.pipeline.dataset import Dataset
from brainarch.pipeline.jobs import possible_jobs
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stage import flat
from brainarch.pipeline.stale import move_stale, stale_results, tell_stale
from brainarch.verification.sound import checked_in

TINY = read_content(Path(__file__).parents[2] / "config/test.yaml")
FIRST, SECOND = TINY["extraction"]["slices"]
ONE_SLICE = f"extraction.slices=[{FIRST}]"


def pipeline(*changes: str) -> Pipeline:
    return Pipeline.of(change_config(TINY, changes, "test"))


def run(of: Pipeline) -> None:
    """Leave what a run leaves, empty."""
    of.freeze()
    for path in (Path(p) for job in possible_jobs(of) for p in flat(job.stage.outputs)):
        if path.suffix in ("", ".zarr"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_a_config_asks_for_is_never_stale() -> None:
    assert stale_results(pipeline()) == []  # no run yet
    run(pipeline())
    assert stale_results(pipeline()) == []
    assert stale_results(pipeline("seed=3", "title=New")) == []
    assert move_stale(pipeline("training.steps=7")) is None


def test_a_slice_taken_out_goes_aside_whole_with_its_belongings(here: Path) -> None:
    before = pipeline()
    run(before)
    folder = Path(before.results.folder)
    cube = Path(before.results.cube(SECOND))
    (cube / "chunk").write_text("hours of work")
    table = Path(before.results.discovery(SECOND, "clusters_profiles.csv"))
    table.with_suffix(".columns.json").touch()
    own = folder / f"dense/cnn/z{SECOND:04d}_my_notes.txt"
    own.write_text("mine")

    now = pipeline(ONE_SLICE)
    now.freeze()
    told = tell_stale(now)
    assert told is not None
    assert told.startswith("results/test: dense/cnn/z")
    assert cube.exists()  # looking moves nothing
    gone = stale_results(now)
    assert {cube, Path(before.results.figure(f"maps_z{SECOND:04d}", ".png"))} <= {*gone}
    assert not [path for path in gone if f"z{FIRST:04d}" in path.name]
    kept = {path for job in possible_jobs(now) for path in flat(job.stage.outputs)}

    said = move_stale(now)
    assert said is not None
    assert "\n" not in said
    (moment,) = (folder / "stale").iterdir()
    assert str(moment) in said
    assert (moment / cube.relative_to(folder) / "chunk").read_text() == "hours of work"
    assert (moment / table.relative_to(folder)).with_suffix(".columns.json").exists()
    assert own.read_text() == "mine"  # no run made it
    assert all(Path(path).exists() for path in kept)
    assert not any(path.exists() for path in gone)
    assert stale_results(now) == []

    # what lies there is no part of the dataset, and is as it was when taken back
    assert not [name for name in Dataset(now).tables() if "stale" in name]
    assert not [path for path in checked_in(folder) if moment in path.parents]
    shutil.copytree(moment, folder, dirs_exist_ok=True)
    assert stale_results(before) == []
    assert all(path.exists() for path in gone)


def test_networks_and_figures_that_are_asked_for_no_more() -> None:
    more = ("extraction.networks=[cnn, untrained]", "evaluation.calibration=true")
    before = pipeline(*more)
    run(before)
    panel = Path(before.results.figure("panels/calibration_a", ".pdf"))
    panel.parent.mkdir()
    panel.touch()
    other = panel.with_name("V3_scale_a.pdf")
    other.touch()
    now = pipeline("extraction.networks=[cnn]", "evaluation.calibration=false")
    names = {str(path.relative_to(now.results.folder)) for path in stale_results(now)}
    assert f"dense/untrained/z{FIRST:04d}.zarr" in names
    assert {f"figures/calibration{ending}" for ending in (".png", ".pdf", ".csv")} <= names
    assert not [name for name in names if "/cnn/" in name and "networks" not in name]
    move_stale(now)
    assert not Path(now.results.folder, "dense/untrained").exists()
    assert not panel.exists()
    assert other.exists()


def test_what_the_config_reads_stays_whoever_made_it() -> None:
    """A map that was exported, mended by hand and is now read as annotation."""
    run(pipeline())
    exported = "results/test/exports/z{z:04d}"
    content = {
        **{key: part for key, part in TINY.items() if key not in ("layers", "discovery")},
        "source": "tiff",
        "volume": {**TINY["volume"], "path": "stack", "voxel_um": 1.17},
    }

    def stale(labels: str) -> set[str]:
        own = content | {"annotations": {**TINY["annotations"], "path": labels}}
        now = Pipeline.of(change_config(own, [ONE_SLICE], "test"))
        return {str(path) for path in stale_results(now)}

    gone = exported.format(z=SECOND)
    assert gone in stale("labels/z{z:04d}.tif")
    assert gone not in stale(f"{exported}/areas.tif")


def test_a_copy_that_cannot_be_read_moves_nothing() -> None:
    run(pipeline())
    (copy,) = Path("results/test/configs").iterdir()
    copy.write_text("{")
    assert stale_results(pipeline(ONE_SLICE)) == []


def test_a_disk_that_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    run(pipeline())

    def refuse(source: Path, path: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("brainarch.pipeline.stale.move", refuse)
    now = pipeline(ONE_SLICE)
    said = move_stale(now)
    assert said is not None
    assert said.endswith("Invalid cross-device link")
    assert Path(now.results.cube(SECOND)).exists()
