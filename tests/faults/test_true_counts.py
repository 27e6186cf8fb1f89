"""The counts and shares that the page shows, against counts made here from the label images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml
from numpy.typing import NDArray
from runs import ROOT
from scipy import ndimage

from brainarch.records import read_record
from brainarch.tables import read_table

CONFIG = yaml.safe_load((ROOT / "config/test.yaml").read_text())
CORTEX, SAMPLED = 1, (4, 54, 104)
Note = Callable[[str, str, str], None]
pytestmark = pytest.mark.faults


@pytest.fixture
def results(undisturbed_chain: tuple[Path, float]) -> Path:
    return undisturbed_chain[0] / "results/test"


def labels(results: Path, z: int) -> NDArray[np.uint8]:
    return np.asarray(tifffile.imread(results / f"source/areas/z{z:04d}.tif"))


def at_stride(image: NDArray[Any]) -> NDArray[Any]:
    """Return the pixels of an image that are extracted."""
    stride = CONFIG["extraction"]["stride"]
    return image[::stride, ::stride]


def without_small_holes(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill holes of at most the config's size, one by one."""
    most = CONFIG["annotations"]["hole_um2"] / CONFIG["volume"]["voxel_um"] ** 2
    parts, count = ndimage.label(~mask)
    edge = {*parts[0], *parts[-1], *parts[:, 0], *parts[:, -1]}
    filled = mask.copy()
    for part in set(range(1, count + 1)) - edge:
        if (parts == part).sum() <= most:
            filled[parts == part] = True
    return filled


def test_the_pages_pixels_are_the_labelled_ones(results: Path, note: Note) -> None:
    summary = read_record(results / "report/summary.json")
    sampled = sum((labels(results, z) > 0).sum() for z in SAMPLED)
    found = {verdict["question"]: verdict["found"] for verdict in summary["verdicts"]}
    assert found["Is every labelled pixel accounted for?"] == f"{sampled:,} labelled pixels"
    shown = {(row[0], row[1]): row[2] for row in summary["rim"]}
    for z in CONFIG["extraction"]["slices"]:
        assert shown[str(z), "all"] == f"{(at_stride(labels(results, z)) > 0).sum():,}"
    note(
        "pixels on the page",
        f"{len(CONFIG['extraction']['slices']) + 1} counts",
        "as in the labels",
    )


def test_the_share_of_the_cortex_that_was_divided_is_the_true_one(
    results: Path, note: Note
) -> None:
    px = CONFIG["discovery"]["inside_px"]
    y, x = np.mgrid[-px : px + 1, -px : px + 1]
    for z in CONFIG["extraction"]["slices"]:
        own = labels(results, z) == CORTEX
        inside = own & ndimage.binary_erosion(without_small_holes(own), y**2 + x**2 <= px**2)
        share = at_stride(inside).sum() / at_stride(own).sum()
        assert 0.2 < share < 0.98, "some of the cortex is left out"
        table = read_table(results / f"discovery/cnn/z{z:04d}_components_agreement.csv")
        assert table["area_share"].to_numpy() == pytest.approx(share, rel=1e-12)
    note("share of the cortex", f"{len(CONFIG['extraction']['slices'])} slices", "as in the labels")
