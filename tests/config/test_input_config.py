"""Keys that say what a user's files are like: windows, label volumes, OME-Zarr in place."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from brainarch.config.model import VolumeConfig
from brainarch.config.read import check_config
from brainarch.errors import InputError

OWN = yaml.safe_load((Path(__file__).parents[2] / "config/own_volume.yaml").read_text())


def changed(**sections: dict[str, Any]) -> dict[str, Any]:
    content = deepcopy(OWN)
    for name, keys in sections.items():
        content[name] |= keys
    return content


@pytest.mark.parametrize(
    ("path", "start"),
    [
        ("labels/z{z:04d}.tif", None),
        ("labels/z{z}.nrrd", None),
        ("labels.nrrd", 20),
        ("labels.tif", 20),
        ("brain.ome.zarr/labels/areas", 20),
    ],
)
def test_where_a_label_volume_begins(path: str, start: int | None) -> None:
    volume = {"first_slice": 20, "path": "scan/s1_z{z:04d}.tif", "window": [-1, 2.5]}
    config = check_config(changed(volume=volume, annotations={"path": path}), "mine.yaml")
    assert config.labels_start(config.annotations) == start
    assert config.volume.window == (-1, 2.5)
    if start is not None:
        content = changed(volume=volume, annotations={"path": path, "first_slice": 7})
        config = check_config(content, "mine.yaml")
        assert config.labels_start(config.annotations) == 7


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"volume": {"window": [2, 1]}}, "volume.window: [2.0, 1.0] must be the lower value and"),
        ({"volume": {"window": [1]}}, "volume.window: entry 2 is missing"),
        (
            {"volume": {"window": [0, 1], "path": "a.zarr"}},
            "only TIFF files of your own are narrowed",
        ),
        (
            {"volume": {"resample_um": 1.17, "patch_um": 150}},
            "volume: patch_um says the same as resample_um; give one of them",
        ),
        (
            {"annotations": {"path": "labels/z{z}.geojson"}},
            "].codes: 1; shapes have classes, say codes: [",
        ),
        ({"annotations": {"ignore": [0, -1]}}, "annotations.ignore[2]: must be at least 0"),
        ({"volume": {"patch_um": 150_000}}, "at most a factor of 100 apart"),
        ({"volume": {"resample_um": 2, "path": "a.zarr"}}, "volume.resample_um: an OME-Zarr"),
        ({"volume": {"patch_um": 0}}, "volume.patch_um: "),
        ({"annotations": {"first_slice": 3}}, "annotations.first_slice: only for a label volume"),
        ({"annotations": {"path": "l.png"}}, "annotations.path: l.png needs {z} where the slice"),
    ],
)
def test_keys_that_do_not_fit(sections: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputError) as caught:
        check_config(changed(**sections), "mine.yaml")
    assert "\n" not in str(caught.value)
    assert expected in str(caught.value)


def test_a_patch_in_micrometer_says_how_large_pixels_become() -> None:
    volume = {"shape": [300, 300, 411], "voxel_um": 0.65}
    near = {"min_gap_um": 30}

    def checked(**keys: float) -> VolumeConfig:
        content = changed(volume={**volume, **keys}, sampling=near)
        return check_config(content, "mine.yaml").volume

    by_patch, by_pixel = checked(patch_um=128 * 1.3), checked(resample_um=1.3)
    assert by_patch.resampling == by_pixel.resampling
    assert (by_pixel.pixel_um, by_pixel.stored_shape) == (1.3, (300, 150, 206))
    plain = checked()
    assert (plain.pixel_um, plain.stored_shape) == (0.65, (300, 300, 411))
