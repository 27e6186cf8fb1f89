from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from bench.realism import comparison, files
from bench.realism.__main__ import main

from brainarch.errors import InputError
from brainarch.phantom.model import PhantomSpec
from brainarch.phantom.stages import make_phantom
from brainarch.tables import read_columns, read_table
from phantom.rendering import render


def write_phantom(folder, shape, seed, z):
    """Write a phantom with one annotated slice."""
    make_phantom(
        shape=shape,
        voxel_um=1.17,
        seed=seed,
        stack=folder / "stack",
        areas={z: folder / f"areas/z{z:04d}.tif"},
        layers={z: folder / f"layers/z{z:04d}.tif"},
        truth=folder / "truth",
        description=folder / "phantom.json",
    )


def test_images_must_be_single_bytes(tmp_path):
    tifffile.imwrite(tmp_path / "deep.tif", np.zeros((4, 4), np.uint16))
    (tmp_path / "text.tif").write_text("no image")
    for name in ("deep.tif", "text.tif", "missing.tif"):
        with pytest.raises(InputError, match=name):
            files.read_image(tmp_path / name)


def test_the_two_sides_must_fit(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 5), np.uint8))
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((4, 6), np.uint8))
    with pytest.raises(InputError, match="shape"):
        files.read_real(tmp_path / "a.tif", tmp_path / "b.tif", 1.17)
    with pytest.raises(InputError, match="no pixel of Ctx"):
        files.read_real(tmp_path / "a.tif", tmp_path / "a.tif", 1.17)


def test_only_annotated_slices_of_a_phantom_are_read(tmp_path):
    with pytest.raises(InputError, match=r"phantom\.json"):
        files.read_phantom(tmp_path, [0])
    write_phantom(tmp_path / "out", (2, 300, 1200), 3, 1)
    with pytest.raises(InputError, match="not annotated"):
        files.read_phantom(tmp_path / "out", [0])
    slices, structures = files.read_phantom(tmp_path / "out", [1])
    assert slices.voxel_um == 1.17
    assert structures[0].shape == slices.images[0].shape == (300, 1200)


def test_annotated_masks_are_counted(tmp_path):
    masks = np.zeros((2, 100, 100), np.uint8)
    masks[0, 10:14, 10:14] = 3
    masks[1, 50:53, 50:53] = 2
    for name in files.MASK_FILES.values():
        np.savez(tmp_path / name, masks)
    found = files.read_annotated_densities(tmp_path, 1.0)
    assert set(found) == {"Ctx", "Str", "VP", "ZI"}
    assert found["Ctx"]["cells per mm2"] == pytest.approx(50.0)
    assert found["Ctx"]["vessels per mm2"] == pytest.approx(50.0)
    (tmp_path / "masks_zi.npz").unlink()
    with pytest.raises(InputError, match="masks_zi"):
        files.read_annotated_densities(tmp_path, 1.0)


@pytest.mark.slow
def test_the_script_compares_one_phantom_with_another(tmp_path):
    # A phantom of another seed in the place of the real slice: alike in everything.
    block = render(PhantomSpec((209, 1024, 3500), seed=1), 4, 5)
    labels = np.where(block.areas[0] == 7, 0, block.areas[0]).astype(np.uint8)
    tifffile.imwrite(tmp_path / "real.tif", block.grey[0])
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    write_phantom(tmp_path / "out", (3, 1024, 3500), 2, 1)
    arguments = ["--slice", str(tmp_path / "real.tif")]
    arguments += ["--labels", str(tmp_path / "labels.tif"), "--phantom", str(tmp_path / "out")]
    main([*arguments, "--z", "1", "--output", str(tmp_path / "realism")])
    table = read_table(tmp_path / "realism" / "realism.csv")
    assert read_columns(tmp_path / "realism" / "realism.csv") == comparison.COLUMNS
    asked = table[table.within.isin(["yes", "no"])]
    assert (asked.within == "yes").mean() > 0.9
    report = json.loads((tmp_path / "realism" / "realism.json").read_text())
    # Two phantoms are nearly indistinguishable, so the classifier is no oracle.
    assert np.mean(list(report["texture_classifier_auroc"].values())) < 0.85
    assert abs(report["mean_std_classifier"]["difference"]) < 0.2
    for ending in ("png", "pdf"):
        assert (tmp_path / "realism" / f"realism.{ending}").stat().st_size > 10_000


def test_a_mistake_is_one_line(tmp_path, capsys):
    arguments = ["--slice", str(tmp_path / "no.tif"), "--labels", str(tmp_path / "no.tif")]
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "--phantom", str(tmp_path), "--z", "1", "--output", str(tmp_path / "r")])
    assert caught.value.code == 2
    assert capsys.readouterr().err == f"realism: error: {tmp_path / 'no.tif'}: no such image\n"
