"""The class for what is no tissue: a dark rim round the tissue is no area any more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml
from numpy.typing import NDArray

from brainarch.dense.cube import Cube
from brainarch.evaluation.area_map import map_probabilities
from brainarch.network.trained import load_network
from brainarch.pipeline.pipeline import Pipeline

SHAPE, STRIDE = (24, 400, 560), 16
SLICES = {"train": 2, "val": 10, "test": 20}
#: Rows and columns of the tissue; the border of its two areas lies at a column.
TISSUE, BORDER = (slice(90, 310), slice(90, 470)), 280
CONFIG: Mapping[str, Any] = {
    "title": "Rim",
    "source": "tiff",
    "volume": {"path": "stack", "shape": list(SHAPE), "voxel_um": 20},
    "areas": [{"name": name, "title": name, "codes": [i]} for i, name in enumerate("AB", 1)],
    "annotations": {"path": "areas{z}.tif", "slices": list(SLICES.values())},
    "splits": {"by": "slices", **{split: [z] for split, z in SLICES.items()}},
    "sampling": {"train_patches": 16, "eval_patches": 16},
    "extraction": {"slices": [SLICES["test"]], "stride": STRIDE, "where": "all"},
    "discovery": None,
}
TRAINING = {
    "steps": 24,
    "crops": 4,
    "learning_rate": 1e-3,
    "changes": False,
    "orientation": "fixed",
}


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Slices of fine noise beside coarse noise, and dark noise round both."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stack").mkdir()
    generator = np.random.default_rng(0)
    labels = np.zeros(SHAPE[1:], dtype=np.uint8)
    labels[TISSUE] = 1
    labels[TISSUE[0], BORDER : TISSUE[1].stop] = 2
    for z in range(SHAPE[0]):
        grey = generator.integers(0, 12, SHAPE[1:], dtype=np.uint8)
        if z in SLICES.values():
            fine = generator.integers(100, 256, SHAPE[1:])
            coarse = np.kron(generator.integers(100, 256, (50, 70)), np.ones((8, 8)))
            grey = np.choose(labels, [grey, fine, coarse]).astype(np.uint8)
            tifffile.imwrite(tmp_path / f"areas{z}.tif", labels)
        tifffile.imwrite(tmp_path / f"stack/z{z:04d}.tif", grey)
    return tmp_path


def mapped(outside: bool) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, Cube]:
    """Return the probabilities of the areas and of no tissue at the test slice's pixels."""
    dataset = f"outside_{outside}".lower()
    config = {**CONFIG, "dataset": dataset, "training": {**TRAINING, "outside": outside}}
    Path("config.yaml").write_text(yaml.safe_dump(config))
    pipeline, z = Pipeline.read(Path("config.yaml")), SLICES["test"]
    pipeline.convert().run(threads=1, memory_mb=300)
    for stage in (
        pipeline.import_areas(),
        pipeline.sample("main"),
        pipeline.train("main"),
        pipeline.plan(),
        pipeline.extract(z),
    ):
        stage.run(threads=1, device="cpu")
    cube = Cube.open(Path(pipeline.results.cube(z)))
    trained = load_network(Path(pipeline.results.network("main")))
    assert trained.areas == ("A", "B")
    return (*map_probabilities(cube, trained.network.head, outside=trained.outside), cube)


@pytest.mark.slow
def test_a_dark_rim_is_an_area_without_the_class_and_none_with_it(directory: Path) -> None:
    for outside in (False, True):
        areas, none, cube = mapped(outside)
        y, x = np.meshgrid(cube.y, cube.x, indexing="ij")
        beyond = np.maximum(
            np.maximum(TISSUE[0].start - y, y - TISSUE[0].stop + 1),
            np.maximum(TISSUE[1].start - x, x - TISSUE[1].stop + 1),
        )
        # windows see half of each at the edge, where either answer is right
        tissue, rim = beyond <= -STRIDE, (beyond > STRIDE) & (beyond <= 64)
        assert rim.sum() > 200
        right = areas.argmax(axis=0) == (x >= BORDER)
        assert right[tissue].mean() > 0.9  # named rightly with and without
        if none is None:
            assert not outside
            assert (areas.max(axis=0)[rim] > 0.5).all()  # an area, and no doubtful one
            assert areas.max(axis=0)[rim].mean() > 0.7
        else:
            assert outside
            assert (none[rim] > 0.5).mean() > 0.95
            assert (none[tissue] > 0.5).mean() < 0.05
