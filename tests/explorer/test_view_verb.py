"""`brainarch view`: leads to the page, writes one of what there is, or says what is missing."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from brainarch.cli.main import app
from brainarch.errors import InputError
from small_inputs import write_volume

CONFIG = str(Path(__file__).parents[2] / "config/test.yaml")


def test_it_writes_what_there_is_and_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: addresses.append(address) or True)
    results = tmp_path / "results"
    grey = np.zeros((51, 20, 30), dtype=np.uint8)
    write_volume(results / "test/volume/volume.ome.zarr", grey, first_slice=104)
    done = CliRunner().invoke(app, ["view", CONFIG, "--results", str(results)])
    assert done.exit_code == 0, done.output
    page = results / "test/report/explore.html"
    assert addresses == [page.resolve().as_uri()]
    written = page.stat().st_mtime_ns
    CliRunner().invoke(app, ["view", CONFIG, "--results", str(results), "--no-browser"])
    assert page.stat().st_mtime_ns == written
    assert len(addresses) == 1
    (results / "test/annotations/areas.ome.zarr").mkdir(parents=True)  # newer than the page
    done = CliRunner().invoke(app, ["view", CONFIG, "--results", str(results), "--no-browser"])
    assert isinstance(done.exception, InputError)  # it is read, and empty
    assert "areas.ome.zarr" in str(done.exception)


def test_of_many_slices_only_the_pages_that_are_old_are_written(tmp_path: Path) -> None:
    results = tmp_path / "results"
    grey = np.zeros((51, 20, 30), dtype=np.uint8)
    write_volume(results / "test/volume/volume.ome.zarr", grey, first_slice=104)
    slices = [104, 105, 106, 107, 154]
    content = yaml.safe_load(Path(CONFIG).read_text())
    content["extraction"] |= {"slices": slices, "where": "tissue"}
    config = tmp_path / "many.yaml"
    config.write_text(yaml.safe_dump(content))

    def view() -> dict[str, int]:
        arguments = ["view", str(config), "--results", str(results), "--no-browser"]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        pages = (results / "test/report").iterdir()
        return {page.stem: page.stat().st_mtime_ns for page in pages}

    first = view()
    assert set(first) == {"explore", *(f"explore_z0{z}" for z in slices)}
    (results / "test/report/explore_z0106.html").unlink()
    second = view()
    assert {name for name in first if first[name] != second[name]} == {"explore", "explore_z0106"}


def test_nothing_to_see_is_one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["view", CONFIG, "--results", str(tmp_path / "none")])
    assert isinstance(done.exception, InputError)
    assert "nothing to see yet" in str(done.exception)
