"""The page in a real browser, from a file: every tool works, and no request leaves it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from explorer_inputs import HOSTILE, SHAPE, block_of, content_of, truth, write_dataset, write_page

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: A pixel of each area by the area's code; all of them are places of the cube.
PLACES = {1: (82, 61), 2: (82, 149), 3: (82, 241)}


class Opened:
    """A page that is open, with what it said and asked for."""

    def __init__(self, page: Any, path: Path) -> None:
        self.page, self.path = page, path
        self.wrong: list[str] = []
        page.on("console", lambda m: m.type == "error" and self.wrong.append(m.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self._note(request.url))

    def _note(self, address: str) -> None:
        if not address.startswith(("data:", "blob:", self.path.as_uri())):
            self.wrong.append(f"a request to {address[:100]}")

    def load(self, fragment: str = "") -> None:
        self.page.goto(self.path.as_uri() + fragment)
        self.page.wait_for_selector("body[data-settled]", timeout=60_000, state="attached")

    def position(self, y: float, x: float) -> tuple[float, float]:
        """Return where a pixel of the slice is on the screen, by the link's own numbers."""
        self.page.wait_for_timeout(900)
        parts = dict(p.split("=") for p in self.page.evaluate("location.hash")[1:].split("&"))
        at_x, at_y, scale = map(float, parts["at"].split(","))
        box = self.page.locator("#viewer").bounding_box()
        return (
            box["x"] + box["width"] / 2 + (x + 0.5 - at_x) * scale,
            box["y"] + box["height"] / 2 + (y + 0.5 - at_y) * scale,
        )

    def click(self, y: float, x: float, **options: Any) -> None:
        self.page.mouse.click(*self.position(y, x), **options)
        self.page.wait_for_timeout(700)

    def saved(self, act: Any) -> bytes:
        with self.page.expect_download() as waiting:
            act()
        content: bytes = Path(waiting.value.path()).read_bytes()
        return content


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Path]]:
    folder = tmp_path_factory.mktemp("browser")
    made = write_dataset(folder)
    return write_page(folder, made), made


@pytest.fixture
def opened(browser: Any, files: tuple[Path, dict[str, Path]]) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    one = Opened(context.new_page(), files[0])
    one.load()
    if one.page.locator("#hint").is_visible():
        one.page.click("#close-hint")
    yield one
    context.close()
    assert one.wrong == []


def test_hostile_titles_are_text(opened: Opened) -> None:
    assert "broken" not in opened.page.title().split("<")[0]
    assert opened.page.locator("h1").inner_text().endswith(HOSTILE)
    assert HOSTILE in opened.page.locator("#legend").inner_text()
    assert opened.page.locator("#legend b").count() == 0


def test_every_layer_is_drawn(opened: Opened) -> None:
    page = opened.page
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    picture = "document.querySelector('.overlay').toDataURL()"
    page.wait_for_timeout(600)
    for name in page.eval_on_selector_all("#layers [type=checkbox]", "all => all.map(e => e.id)"):
        for box in page.eval_on_selector_all(
            "#layers :checked[type=checkbox]", "a => a.map(e => e.id)"
        ):
            page.locator(f"[id='{box}']").uncheck()
        page.wait_for_timeout(150)
        without = page.evaluate(picture)
        page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        page.locator(f"[id='{name}']").check()
        page.wait_for_timeout(250)
        has_errors = name == "layer-errors"  # the small prediction is right everywhere
        assert (page.evaluate(picture) != without) != has_errors, name


def test_hovering_tells_area_and_place(opened: Opened) -> None:
    opened.page.mouse.move(*opened.position(81, 150))
    opened.page.wait_for_timeout(300)
    text = opened.page.locator("#readout").inner_text()
    for part in ("x 150 y 81 px", "176, 95 µm", "Striatum (0.9", "F"):
        assert part in text


def test_a_click_shows_numpys_similarity_and_leads_to_the_nearest(opened: Opened) -> None:
    opened.click(*PLACES[1])
    page = opened.page
    scores = [float(t) for t in page.locator("#similar ol").first.locator("b").all_inner_texts()]
    described = content_of(opened.path)["slices"][0]["cubes"]["cnn"]
    grid = described["grid"]
    extracted = block_of(opened.path, described["extracted"]).reshape(grid["rows"], grid["columns"])
    iy, ix = np.nonzero(extracted)
    y, x = grid["y0"] + iy * grid["step"], grid["x0"] + ix * grid["step"]
    units = block_of(opened.path, described["units"]).reshape(-1, len(y))
    X = units.T * np.array(described["scale"])
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    own = int(np.argmin((y - PLACES[1][0]) ** 2 + (x - PLACES[1][1]) ** 2))
    cosines = X @ X[own]
    far = np.maximum(abs(y - PLACES[1][0]), abs(x - PLACES[1][1])) >= 128
    assert scores[0] == pytest.approx(cosines[far].max(), abs=5e-4)
    assert scores == sorted(scores, reverse=True)
    before = page.evaluate("location.hash")
    page.locator("#similar ol button").first.click()
    page.wait_for_timeout(1200)
    assert page.evaluate("location.hash") != before
    assert page.locator("#similar h3").count() == 2


def test_a_link_leads_to_the_same_view(opened: Opened, browser: Any) -> None:
    opened.click(*PLACES[2])
    opened.page.mouse.wheel(0, -400)
    opened.page.wait_for_timeout(1500)
    link = opened.page.evaluate("location.hash")
    other = Opened(browser.new_page(viewport={"width": 1280, "height": 800}), opened.path)
    other.load(link)
    other.page.wait_for_timeout(900)
    assert "like=5.82.149" in link
    first, second = (
        dict(p.split("=") for p in h[1:].split("&"))
        for h in (link, other.page.evaluate("location.hash"))
    )
    assert {k: v for k, v in first.items() if k != "at"} == {
        k: v for k, v in second.items() if k != "at"
    }
    np.testing.assert_allclose(
        *(np.array(v["at"].split(","), float) for v in (first, second)), rtol=0.01
    )
    assert other.wrong == []
    other.page.close()


def test_named_places_paint_the_slice_and_leave_as_labels(opened: Opened) -> None:
    page = opened.page
    page.click("#tab-names")
    for code, (y, x) in PLACES.items():
        page.locator(f"[data-focus=name-{code - 1}]").check()
        for shift in (0, 20):
            opened.click(y + shift, x)
    assert "Your names" in page.locator("#legend").inner_text()
    assert "annotated places named as the annotation does" in page.locator("#names").inner_text()
    image = tifffile.imread(io.BytesIO(opened.saved(page.get_by_text("Label TIFF").click)))
    assert image.shape == SHAPE
    there = (image > 0) & (truth() > 0)
    assert (image == truth())[there].mean() > 0.97
    content = json.loads(opened.saved(page.get_by_text("GeoJSON").first.click))
    assert {f["properties"]["classification"]["name"] for f in content["features"]} >= {HOSTILE}
    table = opened.saved(lambda: page.get_by_text("Places (CSV)").click()).decode()
    assert [row["name"] for row in csv.DictReader(io.StringIO(table))] == [
        name for name in ("Ctx", "Str", "WM") for _ in range(2)
    ]
    assert b"annotations:" in opened.saved(page.get_by_text("Config lines").click)
    page.click("text=Clear all")
    page.wait_for_timeout(300)
    assert "Your names" not in page.locator("#legend").inner_text()


def test_brushing_and_marking_are_linked(opened: Opened) -> None:
    page = opened.page
    page.click("#tab-scatter")
    page.wait_for_timeout(300)
    box = page.locator("canvas.scatter").bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] - 3, steps=4)
    page.mouse.up()
    page.wait_for_timeout(400)
    n = content_of(opened.path)["slices"][0]["cubes"]["cnn"]["pixels"]
    assert f"{n:,} places, {n:,} marked" in page.locator("#scatter").inner_text()
    (left, top), (right, bottom) = opened.position(40, 40), opened.position(100, 100)
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(right, bottom, steps=4)
    page.mouse.up()
    page.wait_for_timeout(500)
    rows = list(
        csv.DictReader(io.StringIO(opened.saved(page.get_by_text("Marked as CSV").click).decode()))
    )
    assert len(rows) == pytest.approx((60 / 4) ** 2, abs=32)
    assert all(38 <= float(row["y"]) <= 102 and row["areas"] == HOSTILE for row in rows)
    assert json.loads(opened.saved(page.get_by_text("Marked as GeoJSON").click))["features"]


def test_two_layers_and_two_slices_are_compared(opened: Opened) -> None:
    page = opened.page
    picture = "document.querySelector('.overlay').toDataURL()"
    alone = page.evaluate(picture)
    for beside in ("confidence", "z6"):
        page.select_option("#beside", beside)
        page.wait_for_timeout(600)
        assert page.evaluate(picture) != alone
    before = page.evaluate(picture)
    page.locator("#divider").press("ArrowRight")
    page.wait_for_timeout(200)
    assert page.evaluate(picture) != before


def test_two_representations_answer_the_same_click(opened: Opened) -> None:
    page = opened.page
    opened.click(*PLACES[1])
    first = page.locator("#similar ol b").all_inner_texts()
    page.select_option("#network", "untrained")
    page.wait_for_timeout(700)
    second = page.locator("#similar ol b").all_inner_texts()
    assert first
    assert second
    assert first != second
    assert "by=untrained" in page.evaluate("location.hash")
    page.click("#tab-layers")
    alone = page.evaluate("document.querySelector('.overlay').toDataURL()")
    page.select_option("#beside", "n0")
    page.wait_for_timeout(700)
    assert page.evaluate("document.querySelector('.overlay').toDataURL()") != alone
    assert "Trained CNN" in page.locator("#legend-beside").inner_text()


def test_the_keyboard_alone_does_it(opened: Opened) -> None:
    page = opened.page
    page.keyboard.press("f")
    page.keyboard.press("+")
    page.wait_for_timeout(500)
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(500)
    assert page.locator("#readout").is_visible()
    page.keyboard.press("Enter")
    page.wait_for_timeout(700)
    assert page.locator("#similar ol").count() == 2
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    assert page.locator("#similar ol").count() == 0
    page.keyboard.press("]")
    page.wait_for_timeout(1000)
    assert page.locator("#slices [aria-pressed=true]").inner_text() == "Slice 6"
    picture = opened.saved(lambda: page.keyboard.press("p"))
    assert picture[:4] == b"\x89PNG"


def test_half_finished_results_open_and_say_what_is_missing(
    browser: Any, files: tuple[Path, dict[str, Path]], tmp_path: Path
) -> None:
    page = write_page(files[0].parent, {}, page=tmp_path / "bare.html")
    bare = Opened(browser.new_page(), page)
    bare.load()
    bare.page.click("#tab-about")
    assert "annotated areas" in bare.page.locator("#about .missing").inner_text()
    bare.page.mouse.click(400, 400)
    bare.page.click("#tab-scatter")
    assert "no representation yet" in bare.page.locator("#scatter").inner_text()
    assert bare.wrong == []
    bare.page.close()
