"""Make README's picture of the page to explore: `python bench/explore_picture.py results/phantom`.

Needs Chromium and Playwright, as `make test-browser` does. The place that is asked is one of the
embedded synthetic volume; another volume needs another fragment, as the page's address shows it.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from brainarch.reporting.pictures import shrink_picture

OUTPUT = Path(__file__).parents[1] / "docs/images/explore.png"
FRAGMENT = "#z=104&layers=similar:85,outlines:90,extracted:90&like=104.768.1318"
SIZE = {"width": 1440, "height": 700}


def main() -> None:
    """Open the page at the fragment, hover the asked place, keep what is seen."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # an extra

    page = Path(sys.argv[1], "report/explore.html").resolve()
    fragment = sys.argv[2] if len(sys.argv) > 2 else FRAGMENT
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as started, tempfile.TemporaryDirectory() as folder:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport=SIZE, color_scheme="light")
        tab.goto(page.as_uri() + fragment)
        tab.wait_for_selector("body[data-settled]", state="attached", timeout=60_000)
        tab.click("#close-hint")
        tab.click("#tab-similar")
        box = tab.locator("#viewer").bounding_box()
        tab.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.615 * box["height"])
        tab.wait_for_timeout(1500)
        picture = Path(folder, "page.png")
        tab.screenshot(path=str(picture))
        browser.close()
        OUTPUT.write_bytes(shrink_picture(picture, SIZE["width"]))


if __name__ == "__main__":
    main()
