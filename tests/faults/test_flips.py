"""Changed bytes and lost chunks of all kinds of results: refused in one line, or without effect."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from flips import READERS, Bench
from runs import ROOT

from brainarch.annotations.store import create_labels
from brainarch.config.read import read_config
from brainarch.dense.cube import Cube
from brainarch.embedding import representations
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.grids.grid import Place
from brainarch.grids.maps import write_maps
from brainarch.network.trained import save_network
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.results import Results
from brainarch.readout.gram_excerpt import GramExcerpt, save_excerpt
from brainarch.records import write_record
from brainarch.verification.sound import checked_in
from brainarch.volume.convert import convert, plan_conversion
from brainarch.volume.stack import open_stack
from small_inputs import small_network, write_plain

RNG = np.random.default_rng(8)
CONFIG = ROOT / "config/test.yaml"


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return one store of every kind, none of them filled everywhere."""
    folder = tmp_path_factory.mktemp("stores")
    place = Place(1, 2, 1.17, np.arange(9) * 2, np.arange(7) * 2, "abc")
    done = RNG.random(place.shape) < 0.7
    done[:, 4:] = False  # chunks without values
    iy, ix = np.nonzero(done)
    cube = Cube.create(folder / "cube.zarr", place, 3, {"where": "labelled"}, chunk=4)
    for row in (0, 4, 8):
        block = RNG.random((len(done[row : row + 4]), 7, 3), dtype=np.float32)
        cube.write(row, 0, block, done[row : row + 4])
    maps = CoefficientMaps.create(folder / "coefficients.zarr", place, 2)
    maps.write_rows(0, iy, ix, RNG.random((len(iy), 2)))
    areas = np.where(done, 2, 0).astype(np.uint8)
    write_maps(folder / "maps.zarr", {"area": areas, "share": RNG.random(done.shape)}, place, {})
    integers = {name: np.arange(5, dtype=np.int32) for name in ("z", "y", "x")}
    patches = representations.Representations(
        values=RNG.random((5, 4), dtype=np.float32),
        area=np.array([0, 0, 1, 1, 1], dtype=np.int32),
        **integers,
        areas=("Ctx", "WM"),
        network="cnn",
        unit_names=("a", "b", "c", "d"),
        commensurate=True,
        network_digest="abc",
        seed=5,
    )
    representations.save_representations(patches, folder / "patches.zarr")
    noisy = representations.NoisyRepresentations(np.array([0.0, 0.1]), (patches, patches))
    representations.save_noisy(noisy, folder / "noisy.zarr")
    gram = RNG.random((6, 6), dtype=np.float32)
    excerpt = GramExcerpt(gram, np.arange(6, dtype=np.int32), ("Ctx", "WM"), "cnn")
    save_excerpt(excerpt, folder / "gram.zarr")
    labels = create_labels(folder / "areas.ome.zarr", (20, 40, 50), 1.17, [3, 5])
    labels.write_slice(3, RNG.integers(0, 3, (40, 50)))
    labels.write_slice(5, np.zeros((40, 50), dtype=np.uint8))  # annotated, and empty
    image = RNG.integers(0, 256, (20, 40, 50), dtype=np.uint8)
    image[8:16] = 0  # a shard of nothing but background
    tifffile.imwrite(folder / "stack.tif", image)
    plan = plan_conversion(image.shape, "uint8", 1.17, slab=8)
    volume = folder / "volume.ome.zarr"
    convert(
        open_stack(folder / "stack.tif", 0), plan, volume, folder / "s.csv", folder / ".partial"
    )
    save_network(small_network(), folder / "network.safetensors")
    write_plain(pd.DataFrame({"area": ["Ctx", "WM"], "share": [0.25, 1.0]}), folder / "t.csv")
    write_record(folder / "fit.json", {"relative_error": 0.25, "slices": [3, 5]})
    Pipeline(read_config(CONFIG), Results(str(folder))).freeze()
    return list(checked_in(folder))


def test_every_change_is_refused_or_without_effect(stores: list[Path]) -> None:
    bench = Bench(stores)
    bench.flip(150, seed=11)
    bench.remove_chunks()
    assert bench.outcome.wrong == []
    kinds = {kind for kind, _, _ in bench.outcome.counts}
    assert kinds == set(READERS)
    refused = {kind for kind, _, effect in bench.outcome.counts if effect == "refused"}
    assert refused == kinds


@pytest.mark.faults
def test_changes_of_a_whole_run(undisturbed_chain: tuple[Path, float], seed: int, note) -> None:
    bench = Bench(list(checked_in(undisturbed_chain[0] / "results/test")))
    bench.flip(1000, seed)
    bench.remove_chunks()
    for (kind, change, effect), count in sorted(bench.outcome.counts.items()):
        note(f"{change} in {kind}", str(count), effect)
    assert bench.outcome.wrong == [], f"seed {seed}"


def test_a_change_that_is_read_is_seen_by_the_bench(stores: list[Path]) -> None:
    """Control: without the digest and the checksums this would be found to be wrong."""
    maps = next(path for path in stores if path.name == "maps.zarr")
    bench = Bench([maps])
    file = maps / "zarr.json"
    sound = json.loads(file.read_text())
    other = {**sound["attributes"], "pixel_um": 9.0}
    from brainarch.stores.metadata import write_attributes

    write_attributes(maps, other)
    bench._judge(maps, "flip", "another pixel size")
    file.write_text(json.dumps(sound))
    assert bench.outcome.wrong == ["another pixel size: read as another"]
