"""Existing OME-Zarr images, 0.4 and 0.5, used where they lie."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from ome_zarr_models.v04 import Image as Image04
from ome_zarr_models.v05 import Image as Image05

from brainarch.errors import InputError
from brainarch.volume.stages import link_image, verify_volume
from brainarch.volume.store import open_volume
from brainarch.volume.units import Voxel

GREY = np.random.default_rng(0).integers(0, 60000, (4, 30, 50)).astype(np.uint16)


def write_image(
    path: Path,
    data: np.ndarray = GREY,
    *,
    version: str = "0.5",
    axes: str = "zyx",
    unit: str | None = "micrometer",
    scale: tuple[float, ...] = (2.0, 2.0, 2.0),
    whole: tuple[float, ...] | None = None,
    **options: Any,
) -> Path:
    """Write an image with zarr alone, as another program would."""
    kind = {"t": "time", "c": "channel"}
    described = [{"name": name, "type": kind.get(name, "space")} for name in axes]
    for axis in described[-3:]:
        if unit is not None:
            axis["unit"] = unit
    lead = len(axes) - 3
    steps = [{"type": "scale", "scale": [*[1.0] * lead, *scale]}]
    multiscale: dict[str, Any] = {
        "name": "brain",
        "axes": described,
        "datasets": [{"path": "s0", "coordinateTransformations": steps}],
    }
    if whole is not None:
        multiscale["coordinateTransformations"] = [
            {"type": "scale", "scale": [*[1.0] * lead, *whole]}
        ]
    if version == "0.5":
        attributes: dict[str, Any] = {"ome": {"version": version, "multiscales": [multiscale]}}
        options |= {"dimension_names": list(axes)}
    else:
        attributes = {"multiscales": [multiscale | {"version": version}]}
        options |= {"chunk_key_encoding": {"name": "v2", "separator": "/"}}
    group = zarr.create_group(path, zarr_format=3 if version == "0.5" else 2, attributes=attributes)
    data = data.reshape((*[1] * lead, *data.shape[-3:])) if data.ndim == 3 else data
    chunks = (*[1] * lead, 3, 16, 16)
    group.create_array("s0", data=data, chunks=chunks, **options)
    return path


def link(source: Path, output: Path, first_slice: int = 0, voxel_um: Voxel = 2.0) -> None:
    link_image(
        source=str(source),
        shape=[4, 30, 50],
        dtype="uint16",
        voxel_um=voxel_um,
        first_slice=first_slice,
        volume=output,
    )


def refusal(source: Path, first_slice: int = 0) -> str:
    with pytest.raises(InputError) as caught:
        link(source, source.parent / "link.ome.zarr", first_slice)
    assert "\n" not in str(caught.value)
    assert not (source.parent / "link.ome.zarr").exists()
    return str(caught.value)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("axes", ["zyx", "czyx", "tczyx"])
def test_image_is_read_where_it_lies(tmp_path, version, axes):
    source = write_image(tmp_path / "brain ü's.ome.zarr", version=version, axes=axes)
    model = {"0.4": Image04, "0.5": Image05}[version]
    model.from_zarr(zarr.open_group(source, mode="r"))  # the source is what it should be
    before = {path: path.stat().st_mtime_ns for path in source.rglob("*")}
    output = tmp_path / "results" / "volume" / "volume.ome.zarr"
    link(source, output, first_slice=100)
    assert [path.name for path in output.rglob("*")] == ["zarr.json"]  # nothing was copied
    volume = open_volume(output)
    assert (volume.shape, volume.dtype, volume.pixel_um) == ((4, 30, 50), np.uint16, 2.0)
    assert volume.slices == range(100, 104)
    for index, z in enumerate(volume.slices):
        np.testing.assert_array_equal(volume.read_slice(z), GREY[index])
    np.testing.assert_array_equal(
        volume.read_block((101, 103), (3, 20), (7, 50)), GREY[1:3, 3:20, 7:50]
    )
    assert volume.chunks == (3, 16, 16)
    assert {path: path.stat().st_mtime_ns for path in source.rglob("*")} == before


def test_big_endian_values(tmp_path):
    path = tmp_path / "v.zarr"
    write_image(path, GREY.astype(">u2"), version="0.4")
    assert json.loads((path / "s0" / ".zarray").read_text())["dtype"] == ">u2"
    link(path, tmp_path / "l.zarr")
    volume = open_volume(tmp_path / "l.zarr")
    assert volume.dtype.isnative
    assert volume.read_slice(3).dtype.isnative
    np.testing.assert_array_equal(volume.read_slice(3), GREY[3])


@pytest.mark.parametrize(
    ("unit", "scale"),
    [
        ("micrometer", 2.0), ("micrometre", 2.0), ("µm", 2.0), ("um", 2.0), ("nanometer", 2000.0),
        ("nm", 2000.0), ("millimeter", 0.002), ("angstrom", 20000.0), ("meter", 2e-6),
    ],
)  # fmt: skip
def test_units(tmp_path, unit, scale):
    source = write_image(tmp_path / "v.zarr", unit=unit, scale=(scale,) * 3)
    link(source, tmp_path / "l.zarr")
    assert open_volume(tmp_path / "l.zarr").pixel_um == pytest.approx(2)
    assert open_volume(source).pixel_um == pytest.approx(2)  # any verb takes the image itself


def test_scale_of_the_whole_image_counts_too(tmp_path):
    source = write_image(tmp_path / "v.zarr", scale=(4.0, 2.0, 2.0), whole=(0.5, 1.0, 1.0))
    assert open_volume(source).pixel_um == 2.0


def test_wrong_units(tmp_path):
    source = write_image(tmp_path / "a.zarr", unit="nanometer")
    assert refusal(source) == (
        f"{source}: its voxels are 0.002 um, but 2 um was declared; correct the declaration "
        "(volume.voxel_um) or the store's metadata"
    )
    source = write_image(tmp_path / "b.zarr", unit="pixel")
    assert refusal(source) == (
        f"{source}: axis z is in 'pixel', no unit of length; write micrometer into the store's "
        "metadata"
    )


def test_no_unit(tmp_path, caplog):
    source = write_image(tmp_path / "a.zarr", unit=None)
    link(source, tmp_path / "l.zarr")
    assert [record.getMessage() for record in caplog.records] == [
        f"{source}: its axes name no unit; micrometer is taken"
    ]
    assert open_volume(tmp_path / "l.zarr").pixel_um == 2
    source = write_image(tmp_path / "b.zarr", unit=None, scale=(1.0, 1.0, 1.0))
    assert refusal(source) == (
        f"{source}: its axes name no unit and its voxels are 1, but 2 um was declared; "
        "write scale and unit into the store's metadata"
    )
    with pytest.raises(InputError, match="axis z states no unit"):
        open_volume(source)


def test_voxels_that_are_no_cubes(tmp_path):
    source = write_image(tmp_path / "v.zarr", scale=(4.0, 2.0, 2.0))
    assert refusal(source) == (
        f"{source}: its voxels are 4 x 2 x 2 um, but 2 um was declared; say volume.voxel_um: "
        "[4, 2, 2] (z, y, x) or correct the store's metadata"
    )
    link(source, tmp_path / "l.zarr", voxel_um=[4.0, 2.0, 2.0])
    volume = open_volume(tmp_path / "l.zarr")
    assert (volume.slice_um, volume.pixel_um) == (4, 2)
    wide = write_image(tmp_path / "w.zarr", scale=(4.0, 2.0, 3.0))
    assert "pixels must be square" in refusal(wide)


def test_other_axes(tmp_path):
    source = write_image(tmp_path / "a.zarr", np.stack([GREY, GREY]), axes="czyx")
    assert refusal(source) == f"{source}: axis c has 2 entries; make a store of one of them"
    source = write_image(tmp_path / "b.zarr", axes="xyz")
    assert refusal(source) == f"{source}: its axes are x, y, z; wanted z, y, x"


def test_data_unlike_the_declaration(tmp_path):
    source = write_image(tmp_path / "a.zarr", GREY[:, :29])
    assert refusal(source) == (
        f"{source}: the data are 4 x 29 x 50 uint16, but 4 x 30 x 50 uint16 was declared; correct "
        "the declaration or the data"
    )
    source = write_image(tmp_path / "b.zarr", GREY.astype(np.float32))
    assert refusal(source) == f"{source}: grey values are float32; wanted uint8 or uint16"
    source = write_image(tmp_path / "c.zarr")
    zarr.open_group(source, mode="r+").attrs["brainarch"] = {"first_slice": 7}
    assert refusal(source, first_slice=3) == (
        f"{source}: its first slice is 7, but 3 was declared; correct the declaration"
    )


def test_stores_that_are_no_image(tmp_path):
    assert refusal(tmp_path / "no.zarr").startswith(f"{tmp_path / 'no.zarr'}: no such store")
    plain = tmp_path / "plain.zarr"
    zarr.create_array(plain, data=GREY)
    assert "not an OME-Zarr 0.4 or 0.5 image" in refusal(plain)
    old = write_image(tmp_path / "old.zarr", version="0.3")
    assert refusal(old) == f"{old}: is OME-Zarr 0.3; wanted 0.4 or 0.5"
    several = tmp_path / "s.zarr"
    zarr.create_group(several, attributes={"ome": {"bioformats2raw.layout": 3, "version": "0.5"}})
    assert refusal(several) == f"{several}: holds images; name one, for example {several / '0'}"
    named = tmp_path / "l.zarr"
    zarr.create_group(named, attributes={"labels": ["areas", "layers"]}, zarr_format=2)
    assert refusal(named) == (
        f"{named}: holds label images; name one: {named / 'areas'}, {named / 'layers'}"
    )


@pytest.fixture
def linked(tmp_path) -> tuple[Path, Path]:
    source = write_image(tmp_path / "in" / "v.zarr")
    output = tmp_path / "out" / "volume.ome.zarr"
    link(source, output)
    return source, output


def test_source_that_has_vanished(linked):
    source, output = linked
    source.rename(source.with_name("elsewhere.zarr"))
    with pytest.raises(InputError) as caught:
        open_volume(output)
    assert str(caught.value) == (
        f"{output}: the linked volume {source} is gone; put it back or link the one that is meant"
    )
    source.with_name("elsewhere.zarr").rename(source)
    assert open_volume(output).shape == (4, 30, 50)


def test_source_that_has_changed(linked):
    source, output = linked
    group = zarr.open_group(source, mode="r+")
    group.attrs["omero"] = {"channels": []}  # how a viewer shows it changes nothing
    assert open_volume(output).pixel_um == 2
    shutil.rmtree(source)
    write_image(source, scale=(3.0, 3.0, 3.0))
    with pytest.raises(InputError) as caught:
        open_volume(output)
    assert str(caught.value) == (
        f"{output}: the linked volume {source} has changed since it was linked; remove {output} "
        "and link it again"
    )
    shutil.rmtree(source)
    write_image(source, GREY[:, :20])
    with pytest.raises(InputError, match="has changed since it was linked"):
        open_volume(output)


def test_a_link_cannot_be_verified(linked):
    table = linked[1].parent / "slices.csv"
    with pytest.raises(InputError) as caught:
        verify_volume(volume=linked[1], slices=table, source=None, sample=None, seed=0)
    assert str(caught.value) == (
        f"{linked[1]}: leads to an OME-Zarr image that was not converted here, so no checksums of "
        "its slices were recorded; nothing can be verified"
    )


def test_relative_paths_survive_a_move(tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    write_image(Path("data/v.zarr"))
    link(Path("data/v.zarr"), Path("results/d/volume.ome.zarr"))
    monkeypatch.chdir(tmp_path)
    Path("project").rename("moved")
    volume = open_volume(Path("moved/results/d/volume.ome.zarr"))
    np.testing.assert_array_equal(volume.read_slice(2), GREY[2])
