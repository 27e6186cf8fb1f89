"""A volume that is fetched from a bucket: the same voxels, whatever the line does."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
import zarr
from s3_server import BUCKET, Line

from brainarch.download import image as fetching
from brainarch.download.stages import fetch_volume
from brainarch.errors import InputError
from brainarch.remote import objects
from brainarch.stores.metadata import write_attributes
from brainarch.tables import read_table
from brainarch.volume.stages import link_image
from brainarch.volume.store import open_volume
from small_inputs import write_volume

ROOT = Path(__file__).parents[2]
SHAPE = (3, 100, 120)
TARGET = "results/tiny/volume/statistics.csv"
URL = f"s3://{BUCKET}/mouse 1/brain.ome.zarr"
DECLARED = {"shape": SHAPE, "dtype": "uint8", "voxel_um": 1.17, "first_slice": 3}


@pytest.fixture(scope="session")
def grey() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, SHAPE, dtype=np.uint8)


@pytest.fixture(scope="session")
def ours(grey: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an image of 12 chunks with the digest of ours: every chunk has to be there."""
    image = tmp_path_factory.mktemp("made") / "brain.ome.zarr"
    write_volume(image, grey, first_slice=3)
    zarr.open_group(image).create_array("1", data=grey[:, ::2, ::2], chunks=(1, 64, 64))
    write_attributes(image, {})
    return image


@pytest.fixture
def there(ours: Path, line: Line, files: Any) -> Line:
    files.put(str(ours), URL, recursive=True)
    return line


def fetch(folder: Path, **changes: object) -> Path:
    image = folder / "download/volume.ome.zarr"
    table = folder / "download/stack.csv"
    fetch_volume(**{"url": URL, **DECLARED, **changes}, image=image, table=table)
    return image


def refused(folder: Path, **changes: object) -> str:
    with pytest.raises(InputError) as caught:
        fetch(folder, **changes)
    said = str(caught.value)
    assert "\n" not in said
    assert not (folder / "download/stack.csv").exists()
    return said


def gets(line: Line, part: str) -> list[str]:
    """Return the objects that were asked for whose key has a part, from brain.ome.zarr on."""
    paths = [path.partition("brain.ome.zarr/")[2] for m, path in line.asked if m == "GET"]
    return [path for path in paths if part in path]


def test_the_same_slices_as_from_disk(
    there: Line, ours: Path, grey: np.ndarray, tmp_path: Path
) -> None:
    image = fetch(tmp_path)
    link = tmp_path / "volume/volume.ome.zarr"
    link_image(source=str(image), **DECLARED, volume=link)
    volume, original = open_volume(link), open_volume(ours)
    for z, plane in enumerate(grey, start=3):
        np.testing.assert_array_equal(volume.read_slice(z), plane)
        np.testing.assert_array_equal(volume.read_slice(z), original.read_slice(z))
    chunks = gets(there, "/c/")
    assert {key[0] for key in chunks} == {"0"}  # nothing of the pyramid
    assert len(chunks) == len(set(chunks)) == len(list((ours / "0/c").rglob("*/*/*")))
    table = read_table(tmp_path / "download/stack.csv")
    for key, size, sha256 in table.itertuples(index=False):
        content = (ours / key).read_bytes()
        assert (size, sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert sum(table["object"].str.contains("/c/")) == len(chunks)


def test_what_is_there_is_not_fetched_again_and_another_image_is(
    there: Line, files: Any, ours: Path, tmp_path: Path
) -> None:
    image = fetch(tmp_path)
    lost = next(path for path in sorted((image / "0/c").rglob("*")) if path.is_file())
    lost.unlink()
    there.asked.clear()
    fetch(tmp_path)
    assert gets(there, "/c/") == [str(lost.relative_to(image))]
    key = f"{BUCKET}/mouse 1/brain.ome.zarr/{lost.relative_to(image)}"
    files.pipe_file(key, bytes(lost.stat().st_size))  # as large, and another
    there.asked.clear()
    fetch(tmp_path)
    assert len(gets(there, "/c/")) == len(list((ours / "0/c").rglob("*/*/*")))
    assert lost.read_bytes() == bytes(lost.stat().st_size)


@pytest.mark.parametrize("fault", ["cut", "busy", "gone"])
def test_each_chunk_fails_once(fault: str, there: Line, ours: Path, tmp_path: Path) -> None:
    there.fault = lambda method, path, before: fault if "/c/" in path and not before else ""
    image = fetch(tmp_path)
    chunks = gets(there, "/c/")
    assert len(chunks) == 2 * len(set(chunks))
    for file in (ours / "0/c").rglob("*/*/*"):
        assert (image / file.relative_to(ours)).read_bytes() == file.read_bytes()


def test_a_bit_that_changes_on_the_way(there: Line, ours: Path, tmp_path: Path) -> None:
    bad = str(sorted((ours / "0/c").rglob("*/*/*"))[1].relative_to(ours))
    there.fault = lambda method, path, before: "flip" if path.endswith(bad) else ""
    said = refused(tmp_path)
    assert said.startswith(f"{URL}/{bad}: Expected checksum")
    assert not (tmp_path / "download/volume.ome.zarr" / bad).exists()


def test_what_came_is_kept_where_the_line_stays_broken(
    there: Line, ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "BATCH", 2)
    files = sorted((ours / "0/c").rglob("*/*/*"))
    bad = str(files[-1].relative_to(ours))
    there.fault = lambda method, path, before: "refused" if path.endswith(bad) else ""
    said = refused(tmp_path)
    assert said.startswith(f"{URL}/{bad}: not allowed (Access Denied)")
    assert "AWS_PROFILE" in said
    there.fault = lambda method, path, before: ""
    there.asked.clear()
    fetch(tmp_path)
    assert gets(there, "/c/") == [bad]


def test_a_lost_chunk_is_named(there: Line, files: Any, ours: Path, tmp_path: Path) -> None:
    lost = str(sorted((ours / "0/c").rglob("*/*/*"))[1].relative_to(ours))
    files.rm_file(f"{BUCKET}/mouse 1/brain.ome.zarr/{lost}")
    said = refused(tmp_path)
    assert f"chunks are missing, the first is {lost}; put an undamaged copy there" in said
    assert gets(there, "/c/") == []  # known before anything large is fetched


def test_chunks_that_others_never_wrote_are_told(
    line: Line, files: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from brainarch.volume.store import multiscale_attributes

    grey = np.zeros((5, 128, 128), dtype=np.uint8)
    grey[2] = 7
    attributes = {"ome": multiscale_attributes("v", [(1.17,) * 3], [(0.0,) * 3])}
    group = zarr.create_group(tmp_path / "other.ome.zarr", attributes=attributes)
    array = group.create_array("0", shape=grey.shape, chunks=(1, 64, 128), dtype="uint8")
    array[2] = grey[2]
    files.put(str(tmp_path / "other.ome.zarr"), URL, recursive=True)
    image = fetch(tmp_path, shape=grey.shape)
    link = tmp_path / "volume/volume.ome.zarr"
    link_image(source=str(image), **{**DECLARED, "shape": grey.shape}, volume=link)
    np.testing.assert_array_equal(open_volume(link).read_slice(5), grey[2])
    assert not open_volume(link).read_slice(4).any()
    assert "8 of 10 chunks are not there, such as 0/c/0/0/0, and read as the fill value 0" in (
        caplog.text
    )


def test_what_was_declared_is_compared_before_chunks_are_fetched(
    there: Line, tmp_path: Path
) -> None:
    said = refused(tmp_path, shape=(2, 100, 120))
    assert said.startswith(f"{URL}: the data are 3 x 100 x 120 uint8, but 2 x 100 x 120")
    assert gets(there, "/c/") == []


def test_no_bucket_no_key_no_image(there: Line, files: Any, tmp_path: Path) -> None:
    said = refused(tmp_path, url="s3://nobodys/brain.ome.zarr")
    assert said == (
        "s3://nobodys/brain.ome.zarr: not there (The specified bucket does not exist); check the "
        "address"
    )
    said = refused(tmp_path, url=f"s3://{BUCKET}/mouse 2/brain.ome.zarr")
    assert said.endswith("mouse 2/brain.ome.zarr: no OME-Zarr image is there; check the address")
    files.pipe_file(f"{BUCKET}/plain.zarr/zarr.json", b'{"zarr_format": 3, "node_type": "group"}')
    said = refused(tmp_path, url=f"s3://{BUCKET}/plain.zarr")
    assert said.startswith(f"s3://{BUCKET}/plain.zarr: not an OME-Zarr 0.4 or 0.5 image")


def test_not_allowed_no_credentials_and_no_server(
    there: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.fault = lambda *_: "refused"
    assert f"{URL}: not allowed (Access Denied); credentials come from" in refused(tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    said = refused(tmp_path)
    assert "Could not connect to the endpoint URL" in said
    assert said.endswith("check the network and AWS_ENDPOINT_URL, and run the same command again")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert "Unable to locate credentials; credentials come from the environment" in refused(
        tmp_path
    )


def test_a_public_bucket_without_credentials(
    there: Line, files: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    import fsspec.config

    for key in files.find(URL):
        files.chmod(key, "public-read")
    monkeypatch.setenv("FSSPEC_S3_ANON", "true")
    settings: dict = {}
    fsspec.config.set_conf_env(settings)  # as a new process reads its environment
    monkeypatch.setattr(fsspec.config, "conf", settings)
    monkeypatch.setattr("fsspec.spec.conf", settings, raising=False)
    fetch(tmp_path)


def test_an_image_that_changes_meanwhile(
    there: Line, files: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check: Callable = fetching.check_image

    def change(*args: object, **kwargs: object):
        files.pipe_file(f"{BUCKET}/mouse 1/brain.ome.zarr/1/new", b"1")
        return check(*args, **kwargs)

    monkeypatch.setattr(fetching, "check_image", change)
    assert refused(tmp_path) == f"{URL}: changed while it was fetched; run the same command again"


@pytest.mark.slow
def test_a_run_from_an_address_to_the_volume(
    there: Line, ours: Path, grey: np.ndarray, tmp_path: Path
) -> None:
    content = {
        "dataset": "tiny",
        "title": "Tiny",
        "source": "tiff",
        "volume": {**DECLARED, "shape": list(SHAPE), "path": URL},
        "areas": [
            {"name": "A", "title": "One", "codes": [1]},
            {"name": "B", "title": "Two", "codes": [2]},
        ],
        "annotations": {"path": "labels/z{z}.tif", "slices": [3, 4, 5]},
        "sampling": {"min_gap_um": 0.5},
        "splits": {"by": "slices", "train": [3], "val": [4], "test": [5]},
        "extraction": {"slices": [5]},
    }
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(content))
    # the check before the run wants labels; this one is about the volume
    (tmp_path / "results/tiny").mkdir(parents=True)
    (tmp_path / "results/tiny/preflight.json").write_text("{}")

    def run(*options: str) -> str:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
                *("--directory", str(tmp_path), "--cores", "1", "--configfile", str(config)),
                *(
                    *options,
                    "--rerun-triggers",
                    "mtime",
                    "--",
                    "results/tiny/volume/statistics.csv",
                ),
            ],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
        return done.stdout + done.stderr

    run("--dry-run")
    assert there.asked == []
    run()
    volume = open_volume(tmp_path / "results/tiny/volume/volume.ome.zarr")
    np.testing.assert_array_equal(volume.read_slice(4), grey[1])
    there.asked.clear()
    assert "Nothing to be done" in run("--dry-run")
    assert there.asked == []
