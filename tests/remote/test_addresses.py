"""Addresses of object stores where paths are expected, and what never opens a socket."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainarch.config.read import check_config
from brainarch.errors import InputError
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.results import Results
from brainarch.preflight.examine import examine
from brainarch.proposal.files import look_at_stack
from brainarch.verification.stages import verify_dataset
from brainarch.volume.kinds import is_url
from brainarch.volume.stages import link_image
from small_inputs import write_volume

URL = "s3://bucket/brain.ome.zarr"


def config(volume: str = URL, labels: str = "labels/z{z}.tif") -> Any:
    content = {
        "dataset": "tiny",
        "title": "Tiny",
        "source": "tiff",
        "volume": {"path": volume, "shape": [3, 100, 120], "voxel_um": 1.17, "first_slice": 3},
        "areas": [
            {"name": "A", "title": "One", "codes": [1]},
            {"name": "B", "title": "Two", "codes": [2]},
        ],
        "annotations": {"path": labels, "slices": [3, 4, 5]},
        "sampling": {"min_gap_um": 0.5},
        "splits": {"by": "slices", "train": [3], "val": [4], "test": [5]},
        "extraction": {"slices": [5]},
    }
    return check_config(content, "config.yaml")


@pytest.mark.parametrize(
    ("path", "address"),
    [(URL, True), ("S3://b/k", True), ("gs://b/k", True), ("/a//b", False), ("c:/a", False)],
)
def test_what_an_address_is(path: str, address: bool) -> None:
    assert is_url(path) is address


def test_addresses_of_anything_else_are_refused() -> None:
    with pytest.raises(InputError, match=r"volume\.path: s3://b/stack must be an OME-Zarr image"):
        config(volume="s3://b/stack")
    with pytest.raises(InputError, match=r"annotations\.path: s3://b/l.zarr is an address; labels"):
        config(labels="s3://b/l.zarr")
    with pytest.raises(InputError, match="files are looked at here, not addresses"):
        look_at_stack(URL)
    with pytest.raises(InputError, match="no file; a run fetches it where a config names it"):
        link_image(
            source=URL,
            shape=(3, 100, 120),
            dtype="uint8",
            voxel_um=1.17,
            first_slice=3,
            volume=Path("absent"),
        )


def test_the_plan_and_the_check_before_a_run_ask_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    pipeline = Pipeline.of(config(), str(tmp_path))
    fetched, made = pipeline.download_stack(), pipeline.convert()
    assert fetched.settings["url"] == URL
    assert made.settings["source"] == pipeline.results.fetched == str(fetched.places["image"])
    assert made.after[-1] == fetched.outputs["table"]
    assert "volume" not in pipeline.source_states
    found = dict(examine(pipeline.config, tmp_path, check_memory=False).found)
    assert found["volume"] == f"{URL}: fetched by the run"


def test_what_was_fetched_is_verified_through_its_link(tmp_path: Path) -> None:
    pipeline = Pipeline(config(), Results(str(tmp_path / "tiny")))
    image, grey = Path(pipeline.results.fetched), np.ones((3, 100, 120), dtype=np.uint8)
    write_volume(image, grey, first_slice=3)
    settings = pipeline.convert().settings
    link_image(**settings, volume=Path(pipeline.results.volume))
    verdicts = list(verify_dataset(pipeline))
    assert [verdict.line.split(": ")[1] for verdict in verdicts] == [
        "link to a volume, sound, of this config"
    ]
    next(image.glob("0/c/0/*/*")).write_bytes(b"short")
    assert "damaged" in next(verify_dataset(pipeline)).line
