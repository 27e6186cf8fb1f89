"""A small volume of one's own, whose stages are run in processes that can be killed.

The processes are forked from one that has imported all that stages need, so that a kill hits the
work and not the imports before it.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import yaml

from brainarch.cli import main as command
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stage import Stage

SHAPE = (24, 300, 420)
SLICES = {"train": 2, "val": 10, "test": 20}
RESULTS = Path("results/small")
#: Where a stage's standard error goes.
SAID = "said.txt"
STAGES: dict[str, Callable[[Pipeline], Stage]] = {
    "convert": lambda pipeline: pipeline.convert(),
    "import-areas": lambda pipeline: pipeline.import_areas(),
    "sample": lambda pipeline: pipeline.sample("main"),
    "train": lambda pipeline: pipeline.train("main"),
    "train-unlabelled": lambda pipeline: pipeline.train_unlabelled(),
    "plan": lambda pipeline: pipeline.plan(),
    "extract": lambda pipeline: pipeline.extract(SLICES["test"]),
}
#: Stages of long work, in their order.
LONG = ("convert", "train", "train-unlabelled", "extract")
MODULES = [
    "brainarch.annotations.stages",
    "brainarch.dense.stages",
    "brainarch.patches.stages",
    "brainarch.training.stages",
    "brainarch.volume.stages",
    "pytorch_lightning.callbacks",
]
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(MODULES)


def write_inputs(directory: Path) -> None:
    """Write slices of two textures with their labels, and a config."""
    generator = np.random.default_rng(0)
    (directory / "stack").mkdir(parents=True)
    for z in range(SHAPE[0]):
        grey = generator.integers(0, 256, SHAPE[1:], dtype=np.uint8)
        grey[:, 210:] //= 2
        tifffile.imwrite(directory / f"stack/z{z:04d}.tif", grey)
        os.utime(directory / f"stack/z{z:04d}.tif", (z, z))  # the same in every directory
    labels = np.repeat([[1, 2]], 210, axis=1).repeat(SHAPE[1], axis=0).astype(np.uint8)
    for z in SLICES.values():
        tifffile.imwrite(directory / f"areas{z}.tif", labels)
        os.utime(directory / f"areas{z}.tif", (z, z))
    config: dict[str, Any] = {
        "dataset": "small",
        "title": "Small",
        "source": "tiff",
        "volume": {"path": "stack", "shape": list(SHAPE), "voxel_um": 20},
        "areas": [
            {"name": "A", "title": "A", "codes": [1]},
            {"name": "B", "title": "B", "codes": [2]},
        ],
        "annotations": {"path": "areas{z}.tif", "slices": list(SLICES.values())},
        "splits": {"by": "slices", **{split: [z] for split, z in SLICES.items()}},
        "sampling": {"train_patches": 8, "eval_patches": 8},
        "training": {"steps": 10, "crops": 1},
        "unlabelled": {"steps": 10, "places": 2, "side": 1},
        "extraction": {"slices": [SLICES["test"]], "stride": 4},
        "discovery": None,
    }
    (directory / "config.yaml").write_text(yaml.safe_dump(config))


def run_stage(
    name: str, directory: Path, after_s: float | None = None, spare_mb: int | None = None
) -> int:
    """Run a stage as its verb does.

    Parameters
    ----------
    name : str
    directory : Path
    after_s : float, optional
        Seconds after which it is killed.
    spare_mb : int, optional
        Memory that it may take in MB; all by default.

    Returns
    -------
    int
        The exit status, negative if it was killed.
    """
    process = CONTEXT.Process(target=_run, args=(name, directory, spare_mb))
    process.start()
    process.join(after_s)
    if process.is_alive():
        process.kill()
        process.join()
    assert process.exitcode is not None
    return process.exitcode


def said(directory: Path) -> str:
    """Return what the last stage in a directory wrote on its standard error."""
    return (directory / SAID).read_text()


def run_until(last: str, directory: Path) -> float:
    """Run a stage undisturbed; return the seconds that it took."""
    began = time.monotonic()
    assert run_stage(last, directory) == 0
    return time.monotonic() - began


def warm_up() -> None:
    """Import what stages need, once, in the process that the others are forked from."""
    process = CONTEXT.Process(target=time.monotonic)
    process.start()
    process.join()


def temporary_folder(directory: Path) -> Path:
    """Return the system's temporary folder of the stages of a directory."""
    return directory / "temporary"


def _run(name: str, directory: Path, spare_mb: int | None) -> None:
    os.chdir(directory)
    os.dup2(os.open(SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    temporary_folder(directory).mkdir(exist_ok=True)
    tempfile.tempdir = str(temporary_folder(directory))
    if spare_mb is not None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + spare_mb * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    command.app = lambda: _stage(name)  # type: ignore[assignment]
    command.main()


def _stage(name: str) -> None:
    memory = {"memory_mb": 300} if name == "convert" else {}
    STAGES[name](Pipeline.read(Path("config.yaml"))).run(threads=1, device="cpu", **memory)
