"""Maps for other programs: what comes back is what was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import zarr
from ome_zarr_models.v05.image_label import ImageLabel
from scipy import ndimage

from brainarch.annotations.legend import make_legend
from brainarch.annotations.store import create_labels, open_labels
from brainarch.errors import InputError
from brainarch.exports.polygons import trace_polygons
from brainarch.exports.stages import export_slice
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.grids.grid import Place
from brainarch.grids.maps import write_maps
from small_inputs import write_volume

STRIDE, SHAPE = 4, (131, 170)
Y, X = np.arange(2, SHAPE[0], STRIDE), np.arange(1, SHAPE[1], STRIDE)
AREAS = [
    {"name": "Ctx", "title": 'Cortex "1", <b>', "colour": "#0072B2"},
    {"name": "Str", "title": "Striatum", "colour": None},
    {"name": "WM", "title": "White matter", "colour": None},
]


def speckled() -> np.ndarray:
    """Three codes with holes, islands in holes and elements that touch at corners only."""
    noise = np.random.default_rng(5).random((len(Y), len(X)))
    codes = np.digitize(ndimage.gaussian_filter(noise, 1.0), (0.46, 0.5, 0.54)).astype(np.uint8)
    codes[2:9, 2:9] = 1
    codes[4:7, 4:7] = 0
    codes[5, 5] = 2
    return codes


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    write_volume(folder / "volume.zarr", np.zeros((2, *SHAPE), dtype=np.uint8), 5)
    place = Place(5, STRIDE, 1.17, Y, X)
    codes = speckled()
    write_maps(folder / "areas.zarr", {"area": codes}, place, {"areas": ["Ctx", "Str", "WM"]})
    subdivisions = np.where(codes == 1, 2, 0).astype(np.uint8)
    about = {"area": "Ctx", "subdivisions": 2}
    write_maps(folder / "clusters.zarr", {"subdivision": subdivisions}, place, about)
    legend = make_legend(["Ctx", "Str", "WM"])
    labels = create_labels(
        folder / "labels.zarr", (2, *SHAPE), 1.17, [5], first_slice=5, legend=legend
    )
    labels.write_slice(5, np.ones(SHAPE, dtype=np.uint8))
    maps = CoefficientMaps.create(folder / "coefficients.zarr", place, 2)
    iy, ix = np.nonzero(np.ones_like(codes))
    C = np.stack([np.where(codes[iy, ix] == 3, 5.0, 0.1), np.zeros(len(iy))], axis=1)
    maps.write_rows(0, iy, ix, C)
    export_slice(
        volume=folder / "volume.zarr", prediction=folder / "areas.zarr",
        coefficients=folder / "coefficients.zarr", labels=folder / "labels.zarr",
        clusters=folder / "clusters.zarr", folder=folder / "out", areas=AREAS,
    )  # fmt: skip
    return folder / "out"


def read(path: Path) -> list[dict[str, Any]]:
    content = json.loads(path.read_text())
    assert content["type"] == "FeatureCollection"
    found: list[dict[str, Any]] = content["features"]
    return found


def test_polygons_are_valid_and_hold_exactly_their_pixels(exported: Path) -> None:
    codes = speckled()
    points = shapely.points(*np.meshgrid(X + 0.5, Y + 0.5))
    found = read(exported / "predicted.geojson")
    assert len(found) == 3
    for code, feature in enumerate(found, start=1):
        assert feature["properties"]["objectType"] == "annotation"
        classification = feature["properties"]["classification"]
        assert classification["name"] == AREAS[code - 1]["title"]
        assert all(0 <= part <= 255 for part in classification["color"])
        geometry = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert geometry.is_valid, shapely.is_valid_reason(geometry)
        np.testing.assert_array_equal(shapely.contains(geometry, points), codes == code)
        pixels = (codes == code).sum() * STRIDE**2
        assert geometry.area == feature["properties"]["area_px"] == pixels
        assert feature["properties"]["area_um2"] == pytest.approx(pixels * 1.17**2)
    assert found[0]["properties"]["classification"]["color"] == [0, 0x72, 0xB2]


def test_rings_follow_rfc_7946(exported: Path) -> None:
    """Closed, outer rings against holes, and no MultiPolygon of one part."""
    kinds = set()
    for path in exported.glob("*.geojson"):
        for feature in read(path):
            geometry = feature["geometry"]
            kinds.add(geometry["type"])
            many = geometry["type"] == "MultiPolygon"
            polygons = geometry["coordinates"] if many else [geometry["coordinates"]]
            assert many == (len(polygons) > 1)
            for outer, *holes in polygons:
                assert all(ring[0] == ring[-1] and len(ring) >= 5 for ring in (outer, *holes))
                assert shapely.LinearRing(outer).is_ccw
                assert not any(shapely.LinearRing(ring).is_ccw for ring in holes)
    assert kinds == {"Polygon", "MultiPolygon"}


def test_a_factor_is_cut_between_its_two_levels(exported: Path) -> None:
    (feature,) = read(exported / "factors.geojson")  # the other factor has one value alone
    assert feature["properties"]["factor"] == 1
    assert 0.1 <= feature["properties"]["above"] < 5
    assert feature["properties"]["area_px"] == (speckled() == 3).sum() * STRIDE**2


def test_labels_open_as_ome_zarr_with_names_and_colours(exported: Path) -> None:
    for path in exported.glob("*.ome.zarr"):
        ImageLabel.from_zarr(zarr.open_group(path, mode="r"))
    own: dict[str, Any] = dict(zarr.open_group(exported / "predicted.ome.zarr").attrs["ome"])
    entries = own["image-label"]["properties"]
    assert [entry["name"] for entry in entries] == [area["title"] for area in AREAS]
    assert own["image-label"]["colors"][0] == {"label-value": 1, "rgba": [0, 0x72, 0xB2, 255]}
    whole = open_labels(exported / "predicted.ome.zarr").read_slice(5)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    iy, ix = (y - 2 + 2) // STRIDE, (x - 1 + 2) // STRIDE
    inside = (iy < len(Y)) & (ix < len(X))
    codes = speckled()
    wanted = codes[np.minimum(iy, len(Y) - 1), np.minimum(ix, len(X) - 1)] * inside
    np.testing.assert_array_equal(whole, wanted)


def test_a_ring_of_pixels_has_one_hole() -> None:
    codes = np.ones((5, 6), dtype=np.uint8)
    codes[2, 2:4] = 0
    ((outer, hole),) = trace_polygons(codes)[1]
    assert set(outer) == {(0, 0), (6, 0), (6, 5), (0, 5)}
    assert set(hole) == {(2, 2), (4, 2), (4, 3), (2, 3)}


def test_a_missing_map_is_one_line_and_leaves_what_was(exported: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "kept").write_text("")
    with pytest.raises(InputError, match="no map here"):
        export_slice(
            volume=exported.parent / "volume.zarr", prediction=tmp_path / "none.zarr",
            coefficients=exported.parent / "coefficients.zarr", folder=out, areas=AREAS,
        )  # fmt: skip
    assert (out / "kept").exists()
