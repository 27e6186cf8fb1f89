"""From somebody's files to a config that is ready once its marked lines are decided."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml
from PIL import Image
from typer.testing import CliRunner, Result

from brainarch.cli.main import app
from brainarch.config.read import check_config
from brainarch.errors import InputError

SHAPE = (160, 320)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A stack of 12 bits in 16, slices 100 to 111, and PNG labels on four of them."""
    (tmp_path / "my scan").mkdir()
    (tmp_path / "labels").mkdir()
    generator = np.random.default_rng(0)
    for z in range(100, 112):
        grey = generator.integers(200, 4096, SHAPE).astype(np.uint16)
        tifffile.imwrite(tmp_path / "my scan" / f"scan_{z}.tif", grey)
    labels = np.zeros(SHAPE, dtype=np.uint8)
    labels[5:155, 5:155], labels[5:155, 160:310] = 3, 7
    for z in (101, 104, 107, 110):
        drawn = np.where(labels == 7, 0, labels) if z == 107 else labels
        Image.fromarray(drawn).save(tmp_path / "labels" / f"brain2_z{z:04d}.png")
    return tmp_path


def init(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["init", *arguments, "-o", str(folder / "mine.yaml")])


def test_from_files_to_ready(files: Path) -> None:
    result = init(files, str(files / "my scan"), str(files / "labels"))
    assert result.exit_code == 0, result.exception
    path = files / "mine.yaml"
    text = path.read_text()
    content = yaml.safe_load(text)
    assert content["volume"]["shape"] == [12, *SHAPE]
    assert content["volume"]["first_slice"] == 100
    assert content["volume"]["dtype"] == "uint8"
    low, high = content["volume"]["window"]
    assert 200 <= low < 215
    assert 4080 < high < 4096
    assert content["annotations"]["path"] == str(files / "labels/brain2_z{z:04d}.png")
    assert content["annotations"]["slices"] == [101, 104, 107, 110]
    assert [area["codes"] for area in content["areas"]] == [[3], [7]]
    # slice 107 lacks an area: it may train beside another slice, and never tests
    assert (content["splits"]["train"], content["splits"]["val"]) == ([101, 107], [104])
    assert content["splits"]["test"] == [110]
    marked = dict(re.findall(r"^ *([a-z_]+|- .*?):? .*# DECIDE: (.*)$", text, flags=re.MULTILINE))
    assert {"title", "window", "voxel_um", "train", "val", "test", "slices"} <= set(marked)
    assert "code 7 has 67,500 px on slices 101, 104, 110" in text
    assert str(text.count("# DECIDE: ")) in result.output
    with pytest.raises(InputError, match=r"volume\.voxel_um"):
        check_config(content, "mine.yaml")

    decided = text.replace("voxel_um: null", "voxel_um: 20")
    path.write_text(decided)
    ready = CliRunner().invoke(app, ["doctor", str(path), f"--results={files / 'results'}"])
    assert ready.exit_code == 0, ready.output
    assert ready.output.splitlines()[-1] == "ready"


def test_what_the_files_state_needs_no_decision(files: Path) -> None:
    stack = files / "stack.ome.tif"
    grey = np.random.default_rng(1).integers(0, 256, (3, *SHAPE), dtype=np.uint8)
    um = {f"PhysicalSize{axis}": 2.5 for axis in "XYZ"}
    units = {f"PhysicalSize{axis}Unit": "µm" for axis in "XYZ"}
    tifffile.imwrite(stack, grey, ome=True, metadata={"axes": "ZYX", **um, **units})
    assert init(files, str(stack)).exit_code == 0
    text = (files / "mine.yaml").read_text()
    content = yaml.safe_load(text)
    assert content["volume"]["voxel_um"] == 2.5
    assert content["volume"]["window"] is None
    assert content["annotations"]["path"] is None
    assert not re.search(r"voxel_um.*DECIDE", text)
    assert re.search(r"path: null  # DECIDE: label images with \{z\}", text)


@pytest.mark.parametrize(
    ("sides", "expected", "said"),
    [
        ((25.0, 2.5, 2.5), "voxel_um: [25.0, 2.5, 2.5]", None),
        ((None, 2.5, 2.5), "voxel_um: 2.5", "not how far slices are apart"),
        ((25.0, 2.5, 3.0), "voxel_um: null", "pixels must be square"),
    ],
)
def test_voxels_that_are_no_cubes(
    files: Path, sides: tuple[float | None, ...], expected: str, said: str | None
) -> None:
    grey = np.random.default_rng(1).integers(0, 256, (3, *SHAPE), dtype=np.uint8)
    um = {f"PhysicalSize{a}": s for a, s in zip("ZYX", sides, strict=True) if s is not None}
    tifffile.imwrite(files / "s.ome.tif", grey, ome=True, metadata={"axes": "ZYX", **um})
    assert init(files, str(files / "s.ome.tif")).exit_code == 0
    line = next(
        line for line in (files / "mine.yaml").read_text().splitlines() if "  voxel_um:" in line
    )
    assert line.strip().startswith(expected)
    assert ("DECIDE" in line) == (said is not None)
    assert said is None or said in line


def test_shapes_name_areas_and_colours(files: Path) -> None:
    def feature(name: str, left: int, right: int, plane: int) -> dict[str, object]:
        ring = [(left, 5), (right, 5), (right, 155), (left, 155), (left, 5)]
        return {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [ring], "plane": {"z": plane}},
            "properties": {"classification": {"name": name, "color": [0, 114, 178]}},
        }

    drawn = [
        feature(name, left, left + 150, plane)
        for plane in (1, 4, 7)
        for name, left in (("White matter", 5), ("NO", 160))
    ]
    shapes = files / "all.geojson"
    shapes.write_text(json.dumps({"type": "FeatureCollection", "features": drawn}))
    result = init(files, str(files / "my scan"), str(shapes))
    assert result.exit_code == 0, result.exception
    content = yaml.safe_load((files / "mine.yaml").read_text())
    assert content["annotations"]["slices"] == [101, 104, 107]
    assert [(a["name"], a["title"], a["codes"], a["colour"]) for a in content["areas"]] == [
        ("NO", "NO", ["NO"], "#0072B2"),
        ("White_matter", "White matter", ["White matter"], "#0072B2"),
    ]
    path = files / "mine.yaml"
    path.write_text(path.read_text().replace("voxel_um: null", "voxel_um: 20"))
    ready = CliRunner().invoke(app, ["doctor", str(path), f"--results={files / 'results'}"])
    assert ready.exit_code == 0, ready.output
    assert "White_matter 22,500 px" in ready.output


def test_a_slice_alone_is_split_in_parts_and_a_thin_area_gets_a_share(files: Path) -> None:
    for z in (101, 104, 107):
        (files / f"labels/brain2_z{z:04d}.png").unlink()
    thin = np.zeros(SHAPE, dtype=np.uint8)
    thin[5:155, 5:255], thin[5:155, 255:300] = 1, 2
    Image.fromarray(thin).save(files / "labels/brain2_z0110.png")
    assert init(files, str(files / "my scan"), str(files / "labels")).exit_code == 0
    content = yaml.safe_load((files / "mine.yaml").read_text())
    assert content["splits"]["by"] == "blocks"
    assert content["splits"]["slice"] == 110
    assert content["areas"][1]["share"] == pytest.approx(0.35)
    assert "share" not in content["areas"][0]


@pytest.mark.parametrize(
    ("break_it", "expected"),
    [
        (lambda f: (f / "mine.yaml").write_text(""), "mine.yaml: is there already"),
        (
            lambda f: (f / "labels/notes9.png").write_bytes(b""),
            "do not tell the slice (brain2_z0101.png, notes9.png); give a pattern with {z}",
        ),
        (
            lambda f: Image.new("L", (5, 5), 1).save(f / "labels/brain2_z0101.png"),
            "labels of slice 101 are 5 x 5 px, but the stack's slices are 160 x 320 px",
        ),
        (lambda f: [p.unlink() for p in (f / "labels").iterdir()], "no label image"),
    ],
)
def test_what_it_refuses_is_one_line(files: Path, break_it: object, expected: str) -> None:
    assert callable(break_it)
    break_it(files)
    result = init(files, str(files / "my scan"), str(files / "labels"))
    assert isinstance(result.exception, InputError)
    assert expected in str(result.exception)
    assert "\n" not in str(result.exception)


def test_the_only_slice_is_numbered_as_its_label_image_is(files: Path) -> None:
    one = files / "slice_z7.tif"
    tifffile.imwrite(one, tifffile.imread(files / "my scan/scan_101.tif"))
    pattern = str(files / "labels/brain2_z{z:04d}.png")
    for z in (104, 107, 110):
        (files / f"labels/brain2_z{z:04d}.png").unlink()
    assert init(files, str(one), pattern).exit_code == 0
    text = (files / "mine.yaml").read_text()
    assert "first_slice: 101  # DECIDE: number of the only slice" in text


def test_labels_of_slices_that_the_stack_lacks_are_one_line(files: Path) -> None:
    (files / "labels/brain2_z0110.png").rename(files / "labels/brain2_z0112.png")
    result = init(files, str(files / "my scan"), str(files / "labels"))
    assert isinstance(result.exception, InputError)
    assert "labels of slice 112, but the stack's slices are 100 to 111" in str(result.exception)
