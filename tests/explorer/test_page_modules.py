"""What the page computes, run under node with its own modules, against other implementations."""

from __future__ import annotations

import base64
import csv
import io
import json
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml
from explorer_inputs import run_modules
from scipy import ndimage
from sklearn.linear_model import RidgeClassifier

ROWS, COLUMNS, UNITS, STEP = 40, 60, 64, 4
GRID = {"y0": 3, "x0": 1, "step": STEP, "rows": ROWS, "columns": COLUMNS}
OPEN_CUBE = """
const { Cube, greyLevels, meanDirection } = await import(modules + 'cube.js');
const bytes = (text) => Uint8Array.from(Buffer.from(text, 'base64'));
const cube = new Cube(given.grid, bytes(given.extracted), bytes(given.units), given.scale);
"""


def text_of(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()


@pytest.fixture(scope="module")
def rounded() -> dict[str, np.ndarray]:
    """A rounded cube with silent units, a silent place and places that were not extracted."""
    rng = np.random.default_rng(3)
    extracted = (rng.random((ROWS, COLUMNS)) < 0.8).astype(np.uint8)
    n = int(extracted.sum())
    smooth = ndimage.gaussian_filter(rng.random((UNITS, ROWS, COLUMNS)), (0, 3, 3))
    planes = smooth[:, extracted > 0]
    planes = (planes - planes.min()) / np.ptp(planes)
    units = np.rint(255 * planes).astype(np.uint8)
    units[:4] = 0
    units[:, n // 2] = 0
    scale = rng.random(UNITS) / 50
    scale[:4] = 0
    iy, ix = np.nonzero(extracted)
    X = units.T * scale
    lengths = np.linalg.norm(X, axis=1, keepdims=True)
    unit = np.divide(X, lengths, out=np.zeros_like(X), where=lengths > 0)
    return {
        "extracted": extracted, "units": units, "scale": scale, "unit": unit,
        "y": 3 + iy * STEP, "x": 1 + ix * STEP,
    }  # fmt: skip


def given(rounded: dict[str, np.ndarray], **more: Any) -> dict[str, Any]:
    return {
        "grid": GRID,
        "extracted": text_of(rounded["extracted"]),
        "units": text_of(rounded["units"]),
        "scale": rounded["scale"].tolist(),
        **more,
    }


def nearest_by_brute_force(
    cosines: np.ndarray, y: np.ndarray, x: np.ndarray, asked: list[int], patch: int, count: int
) -> list[int]:
    """Go through all places from the most similar on; keep those that touch none kept."""
    kept = list(asked)
    for i in np.argsort(-cosines, kind="stable"):
        apart = (max(abs(y[i] - y[j]), abs(x[i] - x[j])) >= patch for j in kept)
        if len(kept) < count + len(asked) and all(apart):
            kept.append(int(i))
    return kept[len(asked) :]


@pytest.mark.parametrize("asked", [[100], [7, 900, 1500]])
def test_similarity_and_nearest_places_are_numpys(
    rounded: dict[str, np.ndarray], asked: list[int]
) -> None:
    found = run_modules(
        OPEN_CUBE
        + """
        const { nearestPlaces } = await import(modules + 'nearest.js');
        const places = given.asked.map(([y, x]) => cube.placeAt(y, x));
        const cosines = cube.project(meanDirection(places.map((place) => cube.direction(place))));
        const spots = given.asked.map(([y, x]) => ({ y, x }));
        return {
          places,
          cosines: [...cosines],
          levels: [...greyLevels(cosines)],
          nearest: nearestPlaces(cube, cosines, spots, given.patch, 12).map((s) => [s.y, s.x]),
        };
        """,
        given(
            rounded,
            asked=[[int(rounded["y"][i]), int(rounded["x"][i])] for i in asked],
            patch=20,
        ),
    )
    assert found["places"] == asked
    mean = rounded["unit"][asked].mean(axis=0)
    cosines = rounded["unit"] @ (mean / np.linalg.norm(mean))
    np.testing.assert_allclose(found["cosines"], cosines, atol=1e-12)
    levels = np.rint(255 * np.clip(cosines, 0, 1))
    assert np.abs(np.array(found["levels"]) - levels).max() <= 1
    y, x = rounded["y"], rounded["x"]
    wanted = nearest_by_brute_force(cosines, y, x, asked, 20, 12)
    assert found["nearest"] == [[y[i], x[i]] for i in wanted]


def test_a_place_is_the_one_whose_square_holds_the_pixel(rounded: dict[str, np.ndarray]) -> None:
    rng = np.random.default_rng(0)
    pixels = np.stack([rng.integers(-9, 180, 400), rng.integers(-9, 260, 400)], axis=1)
    places = run_modules(
        OPEN_CUBE + "return given.pixels.map(([y, x]) => cube.placeAt(y, x));",
        given(rounded, pixels=pixels.tolist()),
    )
    for (py, px), place in zip(pixels, places, strict=True):
        dy, dx = py - rounded["y"], px - rounded["x"]
        half = STEP / 2
        own = np.flatnonzero((dy >= -half) & (dy < half) & (dx >= -half) & (dx < half))
        assert place == (own[0] if len(own) else -1)


@pytest.mark.parametrize("clicks", [2, 5, 40])
def test_names_are_those_of_scikit_learns_ridge(
    rounded: dict[str, np.ndarray], clicks: int
) -> None:
    rng = np.random.default_rng(clicks)
    places = rng.choice(len(rounded["unit"]), 3 * clicks, replace=False)
    names = np.repeat([0, 1, 2], clicks)
    found = run_modules(
        OPEN_CUBE
        + """
        const { fitRidge, decide, ALPHA } = await import(modules + 'ridge.js');
        const rows = given.places.map((place) => cube.direction(place));
        const fitted = fitRidge(rows, given.names, 3);
        const scores = fitted.weights.map((weights, name) =>
          cube.project(weights).map((sum) => sum + fitted.intercepts[name]));
        const { names, margins } = decide(scores);
        return { alpha: ALPHA, names: [...names], margins: [...margins],
                 scores: scores.map((own) => [...own]) };
        """,
        given(rounded, places=places.tolist(), names=names.tolist()),
    )
    X = rounded["unit"]
    theirs = RidgeClassifier(alpha=found["alpha"], solver="cholesky").fit(X[places], names)
    scores = theirs.decision_function(X)
    np.testing.assert_allclose(np.transpose(found["scores"]), scores, atol=1e-9)
    np.testing.assert_array_equal(found["names"], theirs.predict(X))
    best = np.sort(scores, axis=1)
    np.testing.assert_allclose(found["margins"], (best[:, -1] - best[:, -2]) / 2, atol=1e-9)


def codes_to_trace() -> np.ndarray:
    """Noise of three codes: holes, single elements, elements that touch at corners."""
    noise = np.random.default_rng(5).random((30, 44))
    codes = np.digitize(ndimage.gaussian_filter(noise, 1.0), (0.46, 0.5, 0.54)).astype(np.uint8)
    codes[2:9, 2:9] = 1
    codes[4:7, 4:7] = 0
    codes[5, 5] = 2
    return codes


def test_outlines_are_valid_and_hold_exactly_their_elements() -> None:
    shapely = pytest.importorskip("shapely")
    codes = codes_to_trace()
    legend = [{"name": f"A{c}", "title": f'"{c}", <b>', "colour": "#0072B2"} for c in (1, 2, 3)]
    text = run_modules(
        """
        const { areasAsGeoJson } = await import(modules + 'exports.js');
        const { Grid } = await import(modules + 'grid.js');
        const codes = Uint8Array.from(given.codes.flat());
        return areasAsGeoJson(codes, new Grid(given.grid), given.legend, { slice: 5 });
        """,
        {
            "codes": codes.tolist(),
            "grid": {**GRID, "rows": codes.shape[0], "columns": codes.shape[1]},
            "legend": legend,
        },
    )
    features = json.loads(text)["features"]
    assert [f["properties"]["classification"]["name"] for f in features] == [
        entry["title"]
        for entry, code in zip(legend, (1, 2, 3), strict=True)
        if (codes == code).any()
    ]
    y, x = np.mgrid[: codes.shape[0], : codes.shape[1]]
    points = shapely.points(1 + x * STEP + 0.5, 3 + y * STEP + 0.5)
    for code, feature in enumerate(features, start=1):
        geometry = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert geometry.is_valid, shapely.is_valid_reason(geometry)
        assert geometry.geom_type == "Polygon" or len(geometry.geoms) > 1
        assert geometry.area == (codes == code).sum() * STEP**2
        np.testing.assert_array_equal(shapely.contains(geometry, points), codes == code)
        parts = [geometry] if geometry.geom_type == "Polygon" else geometry.geoms
        four = ndimage.label(codes == code)[1]
        assert len(parts) == four


def test_a_simpler_outline_stays_within_its_tolerance() -> None:
    shapely = pytest.importorskip("shapely")
    angle = np.linspace(0, 2 * np.pi, 400)
    ring = np.stack([30 + 20 * np.cos(angle), 30 + 9 * np.sin(3 * angle)], axis=1)
    ring[-1] = ring[0]
    simple = run_modules(
        "const { simplify } = await import(modules + 'rings.js');return simplify(given.ring, 0.5);",
        {"ring": ring.tolist()},
    )
    assert 3 < len(simple) < 80
    assert simple[0] == simple[-1]
    far = shapely.hausdorff_distance(shapely.LineString(ring), shapely.LineString(simple))
    assert far <= 0.75


def test_the_label_image_is_a_tiff_that_others_read() -> None:
    codes = codes_to_trace()
    grid = {"y0": 0, "x0": 0, "step": 2, "rows": codes.shape[0], "columns": codes.shape[1]}
    rows, columns = 2 * codes.shape[0] + 3, 2 * codes.shape[1] - 5
    text = run_modules(
        """
        const { atEveryPixel } = await import(modules + 'exports.js');
        const { Grid } = await import(modules + 'grid.js');
        const { writeTiff } = await import(modules + 'tiff.js');
        const codes = Uint8Array.from(given.codes.flat());
        const whole = atEveryPixel(codes, new Grid(given.grid), given.rows, given.columns);
        return Buffer.from(writeTiff(whole, given.rows, given.columns)).toString('base64');
        """,
        {"codes": codes.tolist(), "grid": grid, "rows": rows, "columns": columns},
    )
    image = tifffile.imread(io.BytesIO(base64.b64decode(text)))
    assert image.shape == (rows, columns)
    assert image.dtype == np.uint8
    y, x = np.mgrid[:rows, :columns]
    iy, ix = (y + 1) // 2, (x + 1) // 2
    inside = (iy < codes.shape[0]) & (ix < codes.shape[1])
    wanted = np.where(
        inside, codes[np.minimum(iy, len(codes) - 1), np.minimum(ix, codes.shape[1] - 1)], 0
    )
    np.testing.assert_array_equal(image, wanted)


def test_tables_and_lines_of_config_hold_any_name() -> None:
    title = 'Zona "incerta", <b>: #1'
    found = run_modules(
        """
        const { csv, configLines } = await import(modules + 'exports.js');
        const entry = { name: 'ZI', title: given.title, colour: '#CC79A7' };
        return [csv(['slice', 'title'], [[5, given.title]]), configLines([entry], [5, 6])];
        """,
        {"title": title},
    )
    assert list(csv.reader(io.StringIO(found[0]))) == [["slice", "title"], ["5", title]]
    config = yaml.safe_load(found[1])
    assert config["areas"] == [{"name": "ZI", "title": title, "codes": [1], "colour": "#CC79A7"}]
    assert config["annotations"]["slices"] == [5, 6]


def test_a_link_leads_back_to_its_view_and_rubbish_to_none() -> None:
    view = {
        "z": 104, "at": [1200.5, 300, 0.25], "layers": [["predicted", 45], ["outlines", 100]],
        "beside": "z204", "rgb": [3, 1, 15], "like": [[104, 12, 40], [204, 9, 7]],
    }  # fmt: skip
    script = (
        "const { toFragment, fromFragment } = await import(modules + 'state.js');"
        "return [fromFragment(toFragment(given.view)), fromFragment(given.rubbish)];"
    )
    there, rubbish = run_modules(
        script, {"view": view, "rubbish": "#z=x&at=1,2&layers=<b>:1,ok:900&beside=a b&like=1.2,x"}
    )
    assert there == view
    assert rubbish == {"layers": [["ok", 100]], "like": []}


def test_colours_of_values_are_in_order() -> None:
    table = run_modules(
        "const { valueTable, packed } = await import(modules + 'colours.js');"
        "return [...valueTable(['#000000', '#FF8000'], 10, 210)];",
        {},
    )
    red = np.array(table) & 0xFF
    opacity = np.array(table) >> 24
    assert table[0] == 0
    assert (np.diff(red[1:]) >= 0).all()
    assert (red[10], red[210], red[110]) == (0, 255, 128)
    assert (opacity[10], opacity[210]) == (0, 255)
