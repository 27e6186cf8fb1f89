"""Extraction through snakemake, killed again and again: the bits of an undisturbed run."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
import zarr
from runs import ROOT, kill, snakemake, start

from brainarch.annotations.store import create_labels
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.network.trained import TrainedNetwork, save_network
from brainarch.volume.store import multiscale_attributes

pytestmark = pytest.mark.slow

RESULTS = Path("results/test")
CUBE = RESULTS / "dense/cnn/z0104.zarr"
SHAPE = (160, 3072, 6144)
#: At stride 16 a tile spans 1024 pixels.
TILES = 18
#: Only these rules run; what the others would make is there already.
ALLOWED = ("plan", "extract")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a config and all that the extraction reads."""
    directory = tmp_path_factory.mktemp("killed")
    content = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    content["volume"]["shape"] = list(SHAPE)
    content["extraction"] |= {"slices": [104], "stride": 16, "where": "labelled"}
    (directory / "config.yaml").write_text(yaml.safe_dump(content))
    rng = np.random.default_rng(0)
    write_volume(directory / RESULTS / "volume/volume.ome.zarr", rng)
    labels = np.ones(SHAPE[1:], dtype=np.uint8)
    areas = directory / RESULTS / "annotations/areas.ome.zarr"
    create_labels(areas, SHAPE, 1.17, [104]).write_slice(104, labels)
    torch.manual_seed(0)
    names = tuple(area["name"] for area in content["areas"])
    network = AreaNetwork(len(names)).eval()
    grey = Normalisation(0.5, 0.3)
    checkpoint = TrainedNetwork(network, names, grey, 1.17, "uint8", {})
    save_network(checkpoint, directory / RESULTS / "networks/main/network.safetensors")
    return directory


def write_volume(path: Path, rng: np.random.Generator) -> None:
    """Write a volume of which only the extracted slice is there; the others are zeros."""
    ome = multiscale_attributes("volume", [(1.17,) * 3], [(0.0,) * 3])
    group = zarr.create_group(path, zarr_format=3, attributes={"ome": ome, "brainarch": {}})
    array = group.create_array(
        "0", shape=SHAPE, dtype="uint8", chunks=(1, 1024, 1024), dimension_names=("z", "y", "x")
    )
    array[104] = rng.integers(0, 256, size=SHAPE[1:], dtype=np.uint8)


def options(*targets: str) -> list[str]:
    """Return what follows ``snakemake``: one core, the config, targets."""
    found = ["--cores", "1", "--configfile", "config.yaml"]
    return [*found, "--allowed-rules", *ALLOWED, "--", *targets]


def run(directory: Path) -> None:
    """Run the workflow undisturbed."""
    done = snakemake(*options(str(CUBE)), directory=directory, OMP_NUM_THREADS="1")
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]


def finished_tiles(directory: Path) -> int:
    """Return how many tiles are recorded as done."""
    found = list((directory / RESULTS / ".partial/extract").glob("extract-*/tiles.jsonl"))
    return sum(bool(line) for line in found[0].read_text().splitlines()) if found else 0


def content(directory: Path) -> dict[str, bytes]:
    """Return every file of the cube but the one that snakemake puts there."""
    files = (path for path in (directory / CUBE).rglob("*") if path.is_file())
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in files
        if path.name != ".snakemake_timestamp"
    }


def test_killed_at_random_moments_it_ends_with_the_same_bits(prepared: Path) -> None:
    rng = np.random.default_rng()
    kills = [0]
    while kills[-1] < TILES * 2 // 3:
        job = start(*options(str(CUBE)), directory=prepared, OMP_NUM_THREADS="1")
        deadline = time.monotonic() + 600
        while finished_tiles(prepared) == kills[-1]:
            assert job.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline, "no tile was finished in time"
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.4))
        kill(job)
        assert job.returncode == -signal.SIGKILL
        assert not (prepared / CUBE).exists(), "it was over before it could be killed"
        kills.append(finished_tiles(prepared))
    assert len(kills) > 2, kills

    run(prepared)
    interrupted = content(prepared)
    assert sum("representation/c/" in name for name in interrupted) == TILES
    assert not list((prepared / RESULTS / ".partial").rglob("extract-*"))

    shutil.rmtree(prepared / CUBE)
    run(prepared)
    assert content(prepared) == interrupted
