"""Results copied to a folder or a bucket: whole, not twice, and compared again."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
import xarray
from fsspec.registry import _registry
from s3_server import BUCKET, Line
from typer.testing import CliRunner, Result

import brainarch
from brainarch.cli import publish as publishing
from brainarch.cli import verify as verifying
from brainarch.config.read import read_config
from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.grids.grid import Place
from brainarch.grids.maps import write_maps
from brainarch.network.trained import save_network
from brainarch.pipeline.pipeline import Pipeline
from brainarch.remote import objects, publication
from brainarch.remote.objects import ObjectStore
from brainarch.remote.publication import JOURNAL, MANIFEST
from small_inputs import small_network

CONFIG = Path(__file__).parents[2] / "config/test.yaml"


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    """Return a dataset with a network, two cubes, a map and a page."""
    pipeline = Pipeline(read_config(CONFIG), Pipeline.read(CONFIG, str(tmp_path / "r")).results)
    pipeline.freeze()
    results = pipeline.results
    for z in pipeline.config.extraction.slices:
        place = Place(z, 1, 1.17, np.arange(4), np.arange(5), "key")
        cube = Cube.create(Path(results.cube(z)), place, 2, {}, storage="float32")
        cube.write(0, 0, np.full((4, 5, 2), z, dtype=np.float32), np.ones((4, 5), dtype=bool))
    areas = {"area": np.ones((4, 5), dtype=np.uint8)}
    write_maps(Path(results.prediction(z, "areas.zarr")), areas, place, {}, "`brainarch predict`")
    Path(results.prediction(z, "areas.zarr"), "area/.snakemake_timestamp").touch()
    save_network(small_network(), Path(results.network("main")))
    Path(results.report("explore.html")).parent.mkdir()
    Path(results.report("explore.html")).write_text("<html>maps</html>")
    Path(results.folder, "mine.txt").write_text("no result")
    return pipeline


def verb(function: Any, *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(function)
    return CliRunner().invoke(app, list(arguments))


def publish(pipeline: Pipeline, place: str | Path, *options: str) -> Result:
    folder = Path(pipeline.results.folder).parent
    return verb(publishing.publish, str(CONFIG), str(place), f"--results={folder}", *options)


def last(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()[-1]


def finished(pipeline: Pipeline) -> dict[str, bytes]:
    """Return what is to be published, found without the code under test."""
    folder, found = Path(pipeline.results.folder), {}
    for part in ("configs", "dense", "networks", "prediction", "report"):
        for path in (folder / part).rglob("*"):
            if path.is_file() and path.name != ".snakemake_timestamp":
                found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def copied(place: Path) -> dict[str, bytes]:
    files = (path for path in place.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in files}


def test_the_same_bytes_in_a_folder_and_a_manifest_of_them(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    wanted = finished(pipeline)
    result = publish(pipeline, tmp_path / "there")
    assert last(result).startswith(f"publish: {len(wanted)} files sent, 0 were there")
    assert "not finished yet, left out: " in result.output
    assert copied(tmp_path / "there") == wanted
    manifest = json.loads((tmp_path / "there" / MANIFEST).read_text())
    assert (manifest["dataset"], manifest["version"]) == ("test", brainarch.__version__)
    assert {entry["path"]: (entry["size"], entry["sha256"]) for entry in manifest["files"]} == {
        path: (len(content), hashlib.sha256(content).hexdigest())
        for path, content in wanted.items()
    }
    again = publish(pipeline, tmp_path / "there")
    assert last(again).startswith(f"publish: 0 files sent, {len(wanted)} were there")
    assert last(verb(verifying.verify, str(tmp_path / "there"))) == (
        f"verify: {len(wanted)} of {len(wanted)} as they were published"
    )
    opened = brainarch.open(tmp_path / "there")  # what was published is a dataset
    assert opened.pipeline.config == pipeline.config


def test_the_same_bytes_in_a_bucket(pipeline: Pipeline, line: Line, files: Any) -> None:
    wanted, place = finished(pipeline), f"s3://{BUCKET}/published/test"
    assert last(publish(pipeline, place)).startswith(f"publish: {len(wanted)} files sent")
    there = files.cat(files.find(place))
    start = len(f"{BUCKET}/published/test/")
    assert {k[start:]: v for k, v in there.items() if k[start:] != MANIFEST} == wanted
    puts = [path.rpartition("/test/")[2] for method, path in line.asked if method == "PUT"]
    assert puts[0] == JOURNAL
    assert puts[-1] == MANIFEST
    line.asked.clear()
    assert last(publish(pipeline, place)).startswith(f"publish: 0 files sent, {len(wanted)}")
    assert not [method for method, _ in line.asked if method in ("PUT", "DELETE")]
    assert last(verb(verifying.verify, place)).endswith("as they were published")
    z = pipeline.config.extraction.slices[0]
    cube = xarray.open_zarr(f"{place}/dense/cnn/z{z:04d}.zarr", consolidated=False)
    np.testing.assert_array_equal(cube["representation"], np.full((4, 5, 2), z))  # where it lies


def test_a_changed_and_a_lost_object_are_found_and_sent_again(
    pipeline: Pipeline, line: Line, files: Any
) -> None:
    place = f"s3://{BUCKET}/p"
    last(publish(pipeline, place))
    page = f"{BUCKET}/p/report/explore.html"
    files.pipe_file(page, b"<html>MAPS</html>")
    files.rm_file(f"{BUCKET}/p/networks/main/network.safetensors")
    result = verb(verifying.verify, place)
    count = len(finished(pipeline))
    assert str(result.exception) == (
        f"{place}: 2 of {count} files are not what was published; remove those there and publish "
        "again"
    )
    assert "verify: report/explore.html: not what was published" in result.output
    assert "verify: networks/main/network.safetensors: lost" in result.output
    files.rm_file(page)
    assert last(publish(pipeline, place)).startswith(f"publish: 2 files sent, {count - 2} were")
    assert last(verb(verifying.verify, place)).endswith("as they were published")


def test_a_killed_publication_goes_on(
    pipeline: Pipeline, line: Line, files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "BATCH", 3)
    monkeypatch.setattr(publication, "NOTE_S", 0.0)
    place, sent = f"s3://{BUCKET}/p", []
    original = ObjectStore.put

    def put(store: ObjectStore, contents: Any) -> None:
        if len(sent) == 12:
            raise KeyboardInterrupt
        original(store, contents)
        sent.extend(key for key in contents if key != JOURNAL)

    monkeypatch.setattr(ObjectStore, "put", put)
    killed = publish(pipeline, place)
    assert killed.exit_code != 0
    there = files.find(f"{BUCKET}/p")
    assert f"{BUCKET}/p/{JOURNAL}" in there
    assert f"{BUCKET}/p/{MANIFEST}" not in there
    refused = verb(verifying.verify, place)
    assert "an unfinished publication is there, without manifest.json" in str(refused.exception)

    monkeypatch.setattr(ObjectStore, "put", original)
    count = len(finished(pipeline))
    # what came last may have come after the last note
    assert last(publish(pipeline, place)).startswith(f"publish: {count - 9} files sent, 9 were")
    assert f"{BUCKET}/p/{JOURNAL}" not in files.find(f"{BUCKET}/p")
    assert last(verb(verifying.verify, place)).endswith("as they were published")


def test_the_manifest_is_gone_while_what_it_names_is_written_anew(
    pipeline: Pipeline, line: Line, files: Any
) -> None:
    place, page = f"s3://{BUCKET}/p", Path(pipeline.results.report("explore.html"))
    last(publish(pipeline, place))
    before = page.read_text()
    page.write_text("<html>MAPS</html>")  # as large
    line.fault = lambda method, path, _: (
        "refused" if method == "PUT" and path.endswith("explore.html") else ""
    )
    said = str(publish(pipeline, place).exception)
    assert said.startswith(f"{place}: not allowed (Access Denied); credentials")
    assert f"{BUCKET}/p/{MANIFEST}" not in files.find(f"{BUCKET}/p")
    line.fault = lambda *_: ""
    assert last(publish(pipeline, place)).startswith("publish: 1 files sent")
    page.write_text(before)
    assert last(publish(pipeline, place)).startswith("publish: 1 files sent")
    assert files.cat_file(f"{BUCKET}/p/report/explore.html") == before.encode()


@pytest.mark.parametrize("fault", ["busy", "gone"])
def test_each_object_fails_once(fault: str, pipeline: Pipeline, line: Line) -> None:
    line.fault = lambda method, path, before: fault if method == "PUT" and not before else ""
    place = f"s3://{BUCKET}/p"
    last(publish(pipeline, place))
    line.fault = lambda *_: ""
    assert last(verb(verifying.verify, place)).endswith("as they were published")


def test_a_bucket_that_is_not_there(pipeline: Pipeline, line: Line) -> None:
    said = str(publish(pipeline, "s3://nobodys/p").exception)
    assert said.startswith("s3://nobodys/p: not there (The specified bucket does not exist)")


def test_nothing_damaged_and_nothing_of_another_dataset(pipeline: Pipeline, tmp_path: Path) -> None:
    place = tmp_path / "there"
    z = pipeline.config.extraction.slices[0]
    chunk = Path(pipeline.results.cube(z)) / "representation/c/0/0/0"
    raw = bytearray(chunk.read_bytes())
    raw[20] ^= 1
    chunk.write_bytes(raw)
    said = str(publish(pipeline, place).exception)
    assert said.startswith(f"{pipeline.results.cube(z)}: dense cube, damaged: representation/c/0")
    assert not place.exists()
    shutil.rmtree(pipeline.results.cube(z))
    mine = Path(pipeline.results.folder, "mine.txt")
    publication.publish(mine.parent, [mine], ObjectStore(str(place)), "another")
    assert str(publish(pipeline, place).exception) == (
        f"{place}: the dataset another is published there, not test; choose another place"
    )


def test_networks_one_after_another(pipeline: Pipeline, tmp_path: Path) -> None:
    said = publish(pipeline, tmp_path / "there", "--network", "untrained").exception
    assert isinstance(said, InputError)
    assert str(said) == "--network untrained: this config has cnn"
    last(publish(pipeline, tmp_path / "there", "--network", "cnn"))
    mine = Path(pipeline.results.folder, "mine.txt")
    publication.publish(mine.parent, [mine], ObjectStore(str(tmp_path / "there")), "test")
    count = len(finished(pipeline)) + 1  # what was published before stays
    assert last(verb(verifying.verify, str(tmp_path / "there"))).startswith(f"verify: {count} of")


def test_nothing_to_publish_and_no_library(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(Path(pipeline.results.folder, "dense"))
    shutil.rmtree(Path(pipeline.results.folder, "prediction"))
    assert str(publish(pipeline, tmp_path / "there").exception).endswith(
        "nothing is finished yet; run the pipeline first"
    )
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(_registry, "s3", raising=False)
    assert str(publish(pipeline, "s3://bucket/p").exception) == (
        "s3://bucket/p: needs a library that is not installed; pip install 'brainarch[s3]'"
    )
    assert "no address of an object store" in str(publish(pipeline, "nowhere://p").exception)
    said = str(verb(verifying.verify, f"file://{tmp_path}/absent").exception)
    assert said.endswith("nothing is there, without manifest.json; run `brainarch publish` again")
