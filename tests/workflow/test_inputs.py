"""Input kinds through the workflow: from a user's files to the area table and the previews."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml
import zarr
from runs import planned_jobs, snakemake

from brainarch.pipeline.pipeline import Pipeline
from brainarch.tables import read_table
from brainarch.volume.store import multiscale_attributes, open_volume

TABLE = "results/mine/annotations/areas.csv"
SHAPE = (4, 150, 200)
FIRST = 157
#: Grey values; every slice has its own.
GREY = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)
#: Area 1 left of column 80, area 2 right of it, unlabelled above row 10.
CODES = np.where(np.arange(200) < 80, 1, 2) * (np.arange(150) >= 10)[:, None]


def base_config() -> dict[str, Any]:
    return {
        "dataset": "mine",
        "title": "Mine",
        "source": "tiff",
        "volume": {"shape": list(SHAPE), "voxel_um": 60, "first_slice": FIRST},
        "areas": [
            {"name": "A", "title": "First", "codes": [1], "share": 0.3},
            {"name": "B", "title": "Second", "codes": [2], "share": 0.3},
        ],
        "annotations": {"slices": [157, 158, 160]},
        "sampling": {"train_patches": 10, "eval_patches": 10},
        "splits": {"by": "slices", "train": [157], "val": [158], "test": [160]},
        "extraction": {"slices": [160]},
    }


def float_slices_and_nrrd(folder: Path) -> dict[str, Any]:
    """Float slices by a pattern with the slice number, labels in one NRRD volume from slice 150."""
    config = base_config()
    for index, z in enumerate(range(FIRST, FIRST + 4)):
        data = (GREY[index] / 255 * 3 - 1).astype(np.float32)
        tifffile.imwrite(folder / f"s1_z{z:04d}_v{index % 2}.tif", data)
        (folder / f"s1_z{z:04d}_v{index % 2}.tif").rename(folder / f"scan z{z:04d}.tif")
    volume = np.zeros((11, *SHAPE[1:]), np.uint8)
    volume[7:] = CODES
    header = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 200 150 11\nencoding: raw\n\n"
    (folder / "labels.nrrd").write_bytes(header.encode() + volume.tobytes())
    config["volume"] |= {"path": f"{folder.name}/scan z{{z:04d}}.tif", "window": [-1, 2]}
    config["annotations"] |= {"path": f"{folder.name}/labels.nrrd", "first_slice": 150}
    return config


def ome_zarr_in_place(folder: Path) -> dict[str, Any]:
    """An OME-Zarr 0.4 image with its labels inside, one channel, sizes in nanometer."""
    config = base_config()
    ome = multiscale_attributes("v", [(60_000.0,) * 3], [(0.0,) * 3])["multiscales"][0]
    for axis in ome["axes"]:
        axis["unit"] = "nanometer"
    ome["version"] = "0.4"
    image = {**ome, "axes": [{"name": "c", "type": "channel"}, *ome["axes"]]}
    steps = [{"type": "scale", "scale": [1.0, 60_000.0, 60_000.0, 60_000.0]}]
    image["datasets"] = [{"path": "0", "coordinateTransformations": steps}]
    path = folder / "brain.ome.zarr"
    group = zarr.create_group(path, zarr_format=2, attributes={"multiscales": [image]})
    group.create_array("0", data=GREY[None], chunks=(1, 2, 64, 64))
    labels = group.create_group("labels/areas", attributes={"multiscales": [ome]})
    stored = labels.create_array("0", shape=SHAPE, dtype="uint16", chunks=(1, 64, 64))
    stored[...] = np.broadcast_to(CODES, SHAPE)
    config["volume"]["path"] = f"{folder.name}/brain.ome.zarr"
    config["annotations"]["path"] = f"{folder.name}/brain.ome.zarr/labels/areas"
    return config


def half_as_fine(folder: Path) -> dict[str, Any]:
    """Slices of 60 um pixels of which 128 px are to show 15.36 mm: 120 um."""
    config = base_config()
    tifffile.imwrite(folder / "stack.tif", GREY, photometric="minisblack")
    for z in config["annotations"]["slices"]:
        tifffile.imwrite(folder / f"areas{z}.tif", CODES.astype(np.uint8))
    config["volume"] |= {"path": f"{folder.name}/stack.tif", "patch_um": 128 * 120}
    config["annotations"] |= {"path": f"{folder.name}/areas{{z}}.tif"}
    return config


@pytest.mark.parametrize(
    ("write", "wanted"),
    [
        (float_slices_and_nrrd, {"window": [-1.0, 2.0], "source": "scan z{z:04d}.tif"}),
        (ome_zarr_in_place, {"source": "brain.ome.zarr", "first_slice": FIRST}),
        (half_as_fine, {"voxel_um": 60.0, "pixel_um": 120.0}),
    ],
)
def test_the_plan_needs_no_data(tmp_path: Path, write: Any, wanted: dict[str, Any]) -> None:
    """The files are taken away before it is made."""
    folder = tmp_path / "O'Brien's ü data"
    folder.mkdir()
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(write(folder), allow_unicode=True), encoding="utf-8")
    folder.rename(tmp_path / "gone")
    targets = ("--configfile", str(path), "--", TABLE, "previews")
    done = snakemake("-n", *targets, directory=tmp_path)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert planned_jobs(done.stdout)["preview"] == 3
    settings = Pipeline.read(path).convert().settings
    settings["source"] = Path(settings["source"]).name
    assert wanted.items() <= settings.items()


@pytest.mark.slow
@pytest.mark.parametrize("write", [float_slices_and_nrrd, ome_zarr_in_place])
def test_from_files_to_previews(tmp_path: Path, write: Any) -> None:
    folder = tmp_path / "O'Brien's ü data"
    folder.mkdir()
    config = write(folder)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    targets = ("--configfile", str(path), "--", TABLE, "previews")
    done = snakemake("--cores", "1", *targets, directory=tmp_path)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    results = tmp_path / "results/mine"
    volume = open_volume(results / "volume/volume.ome.zarr")
    assert volume.slices == range(FIRST, FIRST + 4)
    for index, z in enumerate(volume.slices):
        np.testing.assert_array_equal(volume.read_slice(z), GREY[index])
    table = read_table(tmp_path / TABLE)
    assert table["slice"].tolist() == [157, 157, 158, 158, 160, 160]
    assert table["pixels"].tolist() == [140 * 80, 140 * 120] * 3
    previews = sorted(p.name for p in (results / "annotations/previews").glob("*.png"))
    assert previews == ["areas_z0157.png", "areas_z0158.png", "areas_z0160.png"]
    again = snakemake("-n", *targets, directory=tmp_path)
    assert "Nothing to be done" in again.stdout + again.stderr
    if write is ome_zarr_in_place:  # nothing was copied
        stored = {p.name for p in (results / "volume").rglob("*") if p.is_file()}
        assert stored == {"zarr.json", ".snakemake_timestamp"}
    else:  # a slice that changes is read again
        tifffile.imwrite(folder / "scan z0159.tif", np.zeros(SHAPE[1:], np.float32))
        again = snakemake("-n", *targets, directory=tmp_path)
        assert planned_jobs(again.stdout)["convert"] == 1


@pytest.mark.slow
def test_resampled_from_files_to_previews(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(half_as_fine(folder)), encoding="utf-8")
    targets = ("--configfile", str(path), "--", TABLE, "previews")
    done = snakemake("--cores", "1", *targets, directory=tmp_path)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    volume = open_volume(tmp_path / "results/mine/volume/volume.ome.zarr")
    assert (volume.shape, volume.pixel_um, volume.slice_um) == ((4, 75, 100), 120, 60)
    table = read_table(tmp_path / TABLE)
    assert table["pixels"].tolist() == [70 * 40, 70 * 60] * 3
    assert table["um2"].tolist() == [140 * 80 * 60.0**2, 140 * 120 * 60.0**2] * 3
    log = (tmp_path / "results/mine/logs/preflight.log").read_text()
    assert "from 60 to 120 um a pixel: 4 x 75 x 100 voxels" in log
