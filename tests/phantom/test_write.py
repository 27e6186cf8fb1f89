from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from brainarch.cli.main import app
from brainarch.errors import InputError
from brainarch.phantom import write
from brainarch.phantom.model import PhantomSpec, render

SPEC = PhantomSpec((9, 300, 1200), seed=3)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantom") / "out"
    arguments = ["phantom", "--output", str(folder), "--shape", "9,300,1200"]
    arguments += ["--annotated", "2,7", "--seed", "3", "--threads", "1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
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
    write.write_phantom(folder, PhantomSpec((2, 300, 1200), seed=3), [0])
    assert (folder / "phantom.json").exists()
    write.write_phantom(folder, PhantomSpec((1, 300, 1200), seed=3), [0])
    assert len(list((folder / "stack").iterdir())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("annotated", [[], [0, 9], [-1]])
def test_annotated_slices_must_exist(tmp_path, annotated):
    with pytest.raises(InputError, match="annotated slices"):
        write.write_phantom(tmp_path / "out", SPEC, annotated)
    assert list(tmp_path.iterdir()) == []


def test_someone_elses_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match=r"thesis\.txt"):
        write.write_phantom(tmp_path, SPEC, [0])
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("disk full")

    monkeypatch.setattr(write, "_write_truth", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        write.write_phantom(tmp_path / "out", PhantomSpec((1, 300, 1200), seed=3), [0])
    assert list(tmp_path.iterdir()) == []


def test_slabs_keep_within_the_memory_bound():
    for shape in ((209, 1024, 3500), (720, 1420, 5805)):
        depth = write.slab_depth(shape)
        assert 4 <= depth <= 64
        assert depth * shape[1] * shape[2] <= write.SLAB_VOXELS
    assert write.slab_depth((3, 300, 1200)) == 3


@pytest.mark.parametrize("shape", ["1,2", "a,b,c", "5,100,100"])
def test_bad_shapes_are_one_line(tmp_path, shape):
    arguments = ["phantom", "--output", str(tmp_path / "x"), "--shape", shape, "--annotated", "0"]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, InputError)
    assert "\n" not in str(result.exception)
