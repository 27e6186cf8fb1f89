from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile

from brainarch.errors import InputError
from brainarch.phantom import stages
from brainarch.phantom.model import PhantomSpec

from .rendering import render

SPEC = PhantomSpec((9, 300, 1200), seed=3)


def write(folder, annotated, spec=SPEC):
    stages.make_phantom(
        shape=spec.shape,
        voxel_um=spec.voxel_um,
        seed=spec.seed,
        stack=folder / "stack",
        areas={z: folder / f"areas/z{z:04d}.tif" for z in annotated},
        layers={z: folder / f"layers/z{z:04d}.tif" for z in annotated},
        truth=folder / "truth",
        description=folder / "phantom.json",
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantom") / "out"
    write(folder, [2, 7])
    return folder


def test_stack_is_the_rendered_volume(written):
    names = sorted(path.name for path in (written / "stack").iterdir())
    assert names == [f"z{z:04d}.tif" for z in range(9)]
    block = render(SPEC, 0, 9)
    for z, name in enumerate(names):
        with tifffile.TiffFile(written / "stack" / name) as tiff:
            assert tiff.pages[0].compression == 1
            np.testing.assert_array_equal(tiff.asarray(), block.grey[z])


def test_labels_and_truth_are_those_of_the_annotated_slices(written):
    for folder in ("areas", "layers"):
        names = sorted(path.name for path in (written / folder).iterdir())
        assert names == ["z0002.tif", "z0007.tif"]
    block = render(SPEC, 7, 8)
    areas = tifffile.imread(written / "areas" / "z0007.tif")
    truth = tifffile.imread(written / "truth" / "areas_z0007.tif")
    np.testing.assert_array_equal(truth, block.areas[0])
    assert np.all(areas[truth == 7] == 0)
    np.testing.assert_array_equal(areas[truth != 7], truth[truth != 7])
    for kind in ("barrels", "microstructure"):
        image = tifffile.imread(written / "truth" / f"{kind}_z0007.tif")
        np.testing.assert_array_equal(image, getattr(block, kind)[0])
    layers = tifffile.imread(written / "layers" / "z0007.tif")
    np.testing.assert_array_equal(layers, block.layers[0])


def test_description_says_what_is_planted(written):
    content = json.loads((written / "phantom.json").read_text())
    assert content["shape_zyx"] == [9, 300, 1200]
    assert content["annotated_slices"] == [2, 7]
    assert content["seed"] == 3
    assert content["areas"]["WM"] == 6
    assert content["layer_scale"] < 1
    assert content["layer_thickness_um"]["L4"] == 170.0
    assert content["tissue"]["Str"]["cells"]["density"] > 10_000
    column = content["imaging"]["dead_column_x"]
    areas = tifffile.imread(written / "areas" / "z0007.tif")
    assert np.mean(areas[40:-40, column] == content["areas"]["Str"]) > 0.5
    assert np.all(tifffile.imread(written / "stack" / "z0007.tif")[:, column] == 6)
    assert all("(" in source for source in content["sources"].values())


def test_an_older_phantom_is_replaced_and_empty_folders_are_welcome(tmp_path):
    folder = tmp_path / "source"
    (folder / "areas").mkdir(parents=True)
    write(folder, [0], PhantomSpec((2, 300, 1200), seed=3))
    assert (folder / "phantom.json").exists()
    write(folder, [0], PhantomSpec((1, 300, 1200), seed=3))
    assert len(list((folder / "stack").iterdir())) == 1
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["areas", "layers", "phantom.json", "stack", "truth"]


@pytest.mark.parametrize("annotated", [[], [0, 9], [-1]])
def test_annotated_slices_must_exist(tmp_path, annotated):
    with pytest.raises(InputError, match="annotated slices"):
        write(tmp_path / "out", annotated)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("disk full")

    monkeypatch.setattr(stages, "_write_truth", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        write(tmp_path, [0], PhantomSpec((1, 300, 1200), seed=3))
    assert list(tmp_path.iterdir()) == []


def test_slabs_keep_within_the_memory_bound():
    for shape in ((209, 1024, 3500), (720, 1420, 5805)):
        depth = stages.slab_depth(shape)
        assert 4 <= depth <= 64
        assert depth * shape[1] * shape[2] <= stages.SLAB_VOXELS
    assert stages.slab_depth((3, 300, 1200)) == 3
