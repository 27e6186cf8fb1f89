"""Labels drawn as shapes, against shapely's own answer for every pixel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.affinity import affine_transform
from shapely.geometry import MultiPolygon, Polygon, mapping

from brainarch.annotations.areas import number_classes
from brainarch.annotations.images import LabelFiles, read_label_image
from brainarch.errors import InputError
from brainarch.exports.geojson import features
from brainarch.grids.grid import Place

SIZE = (90, 130)
SQUARE = Polygon([(10, 10), (40, 10), (40, 40), (10, 40)])
CLASSES = {"Cortex": 1, "White matter": 2, "Vessel": 3, "Tissue": 0}


def feature(geometry: Any, name: str | None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"objectType": "annotation"}
    if name is not None:
        found["classification"] = {"name": name, "color": [200, 16, 255]}
    shape = dict(geometry) if isinstance(geometry, dict) else dict(mapping(geometry))
    plane = more.pop("plane", None)
    if plane is not None:
        shape["plane"] = {"c": -1, "z": plane, "t": 0}
    return {"type": "Feature", "geometry": shape, "properties": found | more}


def write(path: Path, *found: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(found)}))
    return path


def read(path: Path, z: int | None = None, first: int | None = None) -> np.ndarray:
    files = LabelFiles((5, *SIZE), first, classes=CLASSES)
    return np.asarray(read_label_image(path, z, files))


def message(path: Path, *place: int) -> str:
    with pytest.raises(InputError) as caught:
        read(path, *place)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def inside(geometry: Any) -> np.ndarray:
    """Return which pixel centres shapely finds inside."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    return np.asarray(shapely.contains_xy(geometry, x, y))


@pytest.mark.parametrize("seed", range(6))
def test_pixels_are_those_whose_centre_shapely_finds_inside(tmp_path: Path, seed: int) -> None:
    """Ragged outlines with holes and several parts, corners anywhere, also beyond the slice."""
    rng = np.random.default_rng(seed)

    def blob(x: float, y: float, radius: float) -> Polygon:
        turn = np.sort(rng.uniform(0, 2 * np.pi, 40))
        r = radius * rng.uniform(0.5, 1, 40)
        ring = Polygon(np.round(np.c_[x + r * np.cos(turn), y + r * np.sin(turn)], 2))
        return ring.buffer(0)

    outer = blob(40, 45, 40).difference(blob(40, 45, 14))
    parts = [
        part
        for found in (outer, blob(110, 30, 19))
        for part in getattr(found, "geoms", [found])
        if part.geom_type == "Polygon"
    ]
    shape = MultiPolygon(parts)
    codes = read(write(tmp_path / "a.geojson", feature(shape, "White matter")))
    np.testing.assert_array_equal(codes == 2, inside(shape))
    assert codes.dtype.kind == "u"
    assert 1000 < (codes == 2).sum() < codes.size


def test_what_is_exported_reads_back_pixel_by_pixel(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    codes = np.kron(rng.integers(0, 4, (9, 13)), np.ones((10, 10), dtype=int))
    codes[20:40, 30:33] = 0
    place = Place(4, 1, 1.0, np.arange(SIZE[0]), np.arange(SIZE[1]))
    titles = [name for name, code in sorted(CLASSES.items(), key=lambda item: item[1]) if code]
    legend = [{"title": title, "colour": "#0072B2"} for title in titles]
    found = features(codes, place, legend, {})  # type: ignore[arg-type]  # a grid's place is enough
    np.testing.assert_array_equal(read(write(tmp_path / "a.geojson", *found)), codes)


def test_a_shape_inside_another_is_on_top_and_borders_that_overlap_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tissue, cortex = shapely.box(0, 0, 130, 90), shapely.box(10, 10, 62, 80)
    white, vessel = shapely.box(60, 10, 120, 80), shapely.box(50, 20, 58, 28)
    shapes = [
        feature(vessel, "Vessel"),
        feature(cortex, "Cortex"),
        feature(tissue, "Tissue"),
        feature(white, "White matter"),
    ]
    codes = read(write(tmp_path / "a.geojson", *shapes))
    expected = np.zeros(SIZE, dtype=int)
    expected[10:80, 10:60], expected[10:80, 62:120] = 1, 2
    expected[20:28, 50:58] = 3
    np.testing.assert_array_equal(codes, expected)
    assert "140 px lie in shapes of two classes and are left out" in caplog.text
    again = read(write(tmp_path / "b.geojson", *reversed(shapes)))  # the order in the file is none
    np.testing.assert_array_equal(again, expected)


def test_one_file_of_a_stack_and_one_of_a_slice(tmp_path: Path) -> None:
    box = shapely.box(0, 0, 40, 20)
    stack = write(
        tmp_path / "all.geojson", feature(box, "Cortex"), feature(box, "White matter", plane=3)
    )
    assert set(np.unique(read(stack, 100, 100))) == {0, 1}  # QuPath says nothing of the first
    assert set(np.unique(read(stack, 103, 100))) == {0, 2}
    assert "has shapes on slices 100, 103, none on slice 101" in message(stack, 101, 100)
    assert "name it without {z}" in message(stack, 100)
    one = write(tmp_path / "z.geojson", feature(box, "Cortex", plane=3))
    assert (read(one, 103) == 1).sum() == 800


def test_other_ways_to_write_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    box = shapely.box(0, 0, 40, 20)
    expected = inside(box)
    entry = feature(box, "Cortex")
    for text in (json.dumps([entry]), json.dumps(entry), "\ufeff" + json.dumps([entry], indent=1)):
        path = tmp_path / "a.json"
        path.write_text(text, encoding="utf-8")
        np.testing.assert_array_equal(read(path) == 1, expected)
    old = {"type": "Feature", "id": "PathAnnotationObject", "geometry": mapping(box)}
    old["properties"] = {"classification": {"name": "Cortex", "colorRGB": -3670016}}
    cell = {**feature(box, "Vessel"), "properties": {"objectType": "cell"}}
    np.testing.assert_array_equal(read(write(tmp_path / "b.geojson", old, cell)) == 1, expected)
    assert "1 cell objects are left out" in caplog.text


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([feature(shapely.box(0, 0, 9, 9), "Ctx")], "no area has the class 'Ctx' (1); add it to"),
        ([feature(shapely.box(0, 0, 9, 9), None)], "has no class (at x=9, y=0); give every"),
        (
            [feature(shapely.LineString([(0, 0), (9, 9)]), "Cortex")],
            "annotation 1 (class 'Cortex'): is a LineString, which encloses no pixels",
        ),
        (
            [feature(shapely.box(5, 5, 400, 60), "Cortex")],
            "reaches from x=5, y=5 to x=400, y=60, but the slice has 130 x 90 px (x, y)",
        ),
        ([], "holds no annotation"),
        ([feature({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}, "Cortex")], "no closed"),
        ([feature({"type": "Polygon", "coordinates": 7}, "Cortex")], "are no closed rings"),
        ([feature(SQUARE, "Cortex", plane=float("inf"))], "are no closed rings"),
        ([{"type": "Feature", "geometry": None}], "is JSON, but no GeoJSON features"),
    ],
)
def test_what_is_refused_is_one_line(
    tmp_path: Path, found: list[dict[str, Any]], expected: str
) -> None:
    path = write(tmp_path / "a.geojson", *found)
    assert message(path).startswith(f"{path}: ")
    assert expected in message(path)


def test_x_and_y_exchanged_is_told_and_can_be_said(tmp_path: Path) -> None:
    square, wide = shapely.box(10, 20, 40, 60), shapely.box(60, 5, 125, 80)
    expected = 1 * inside(square) + 2 * inside(wide)

    def written(*matrix: float) -> Path:
        found = (affine_transform(shape, [*matrix, 0, 0]) for shape in (square, wide))
        named = (feature(s, n) for s, n in zip(found, ("Cortex", "White matter"), strict=True))
        return write(tmp_path / "a.geojson", *named)

    def said(path: Path, axes: str | None) -> str:
        files = LabelFiles((5, *SIZE), classes=CLASSES, axes=axes)
        with pytest.raises(InputError) as caught:
            read_label_image(path, None, files)
        return str(caught.value)

    straight = written(1, 0, 0, 1)
    np.testing.assert_array_equal(read(straight), expected)
    assert "x and y are exchanged, set annotations.axes (or layers.axes) to zyx" in said(
        straight, "zxy"
    )
    exchanged = written(0, 1, 1, 0)
    assert message(exchanged).endswith(
        "has 130 x 90 px (x, y); it looks as if x and y are exchanged, set annotations.axes (or "
        "layers.axes) to zxy"
    )
    files = LabelFiles((5, *SIZE), classes=CLASSES, axes="zxy")
    np.testing.assert_array_equal(read_label_image(exchanged, None, files), expected)
    assert "as if y counts upwards" in message(written(1, 0, 0, -1))
    assert message(written(3, 0, 0, 3)).endswith("drawn on this volume, in pixels")


@pytest.mark.parametrize("content", [b"", b"{", b"\x1f\x8b\x08", b"<html>", b"7", b"[" * 100_000])
def test_no_geojson_at_all(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.geojson"
    path.write_bytes(content)
    assert message(path).startswith(f"{path}: ")


def test_a_class_or_colour_of_another_kind_is_none(tmp_path: Path) -> None:
    odd = feature(SQUARE, "Cortex")
    odd["properties"]["classification"] |= {"color": ["a", "b", "c"]}
    assert read(write(tmp_path / "a.geojson", odd)).max() == 1
    odd["properties"]["classification"] = {"names": 5}
    assert "has no class" in message(write(tmp_path / "b.geojson", odd))


def test_classes_get_codes() -> None:
    told = {"Ctx": ["Cortex", "Cortex: deep"], "WM": ["White matter"]}
    assert number_classes(told, [0, "Vessel"]) == (
        {"Ctx": [1, 2], "WM": [3]},
        [0],
        {"Vessel": 0, "Cortex": 1, "Cortex: deep": 2, "White matter": 3},
    )
    assert number_classes({"Ctx": [4]}, [7]) == ({"Ctx": [4]}, [7], {})
