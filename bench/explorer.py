"""How quick the page to explore is: `python bench/explorer.py results/NAME/report/explore.html`.

In headless Chromium without GPU at 1600 x 900, by what a user would do: first picture, five seconds
of panning, hovering, clicks for similar places, clicks that name; and the memory of Chromium's
processes (proportional set size). Needs Playwright and an idle machine.
"""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

#: Tells, a frame after the panel changed, how long ago the pointer went up.
CLICKED = """(id) => { const view = document.getElementById('viewer'); let up = 0;
  const note = () => { up = performance.now(); };
  view.addEventListener('pointerup', note, {capture: true, once: true});
  window.taken = new Promise((done) => { const seen = new MutationObserver(() => {
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - up))); });
    seen.observe(document.getElementById(id), {childList: true, subtree: true}); }); }"""
HOVERED = """() => { window.hovered = []; const told = document.getElementById('readout');
  document.getElementById('viewer').addEventListener('pointermove', () => {
    const moved = performance.now(); const seen = new MutationObserver(() => { seen.disconnect();
      requestAnimationFrame(() => hovered.push(performance.now() - moved)); });
    seen.observe(told, {childList: true}); }, true); }"""
FRAMES = """() => { window.frames_ms = []; let last = performance.now(); window.going = true;
  const tick = (now) => { frames_ms.push(now - last); last = now;
    if (going) requestAnimationFrame(tick); }; requestAnimationFrame(tick); }"""


def told(what: str, milliseconds: Sequence[float]) -> None:
    """Print the median, the 95th percentile and the largest of some times."""
    low, high = np.quantile(milliseconds, (0.5, 0.95))
    print(f"{what}: median {low:.0f} ms, 95 % within {high:.0f}, at most {max(milliseconds):.0f}")


def memory_mb(browser: Any) -> float:
    """Return the proportional set size of all processes of a browser."""
    session = browser.new_browser_cdp_session()
    total = 0
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        lines = Path(f"/proc/{process['id']}/smaps_rollup").read_text().splitlines()
        total += int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return total / 1024


class User:
    """Somebody at the page.

    Parameters
    ----------
    page : playwright.sync_api.Page
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self.box = page.locator("#viewer").bounding_box()

    def at(self, across: float, down: float = 0.5) -> tuple[float, float]:
        """Return a place of the viewer by its shares of width and height."""
        box = self.box
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def pan(self) -> list[float]:
        """Zoom in and drag for five seconds; return the frames' times."""
        for _ in range(4):
            self.page.keyboard.press("+")
        self.page.wait_for_timeout(1500)
        self.page.evaluate(FRAMES)
        self.page.mouse.move(*self.at(0.5))
        self.page.mouse.down()
        start, step = time.monotonic(), 0
        while time.monotonic() - start < 5:
            step += 1
            self.page.mouse.move(
                *self.at(0.5 + 0.3 * math.sin(step / 25), 0.5 + 0.2 * math.sin(step / 17))
            )
            time.sleep(0.012)
        self.page.mouse.up()
        frames: list[float] = self.page.evaluate("() => { going = false; return frames_ms; }")
        self.page.keyboard.press("0")
        self.page.wait_for_timeout(1000)
        return frames[2:]

    def hover(self) -> list[float]:
        """Move over the slice; return how long the readout took, next frame included."""
        self.page.evaluate(HOVERED)
        for step in range(40):
            self.page.mouse.move(*self.at(0.1 + 0.02 * step))
            self.page.wait_for_timeout(60)
        found: list[float] = self.page.evaluate("hovered")
        return found

    def click(self, panel: str, across: float) -> float:
        """Click; return how long until a panel changed, next frame included."""
        self.page.wait_for_timeout(700)
        self.page.evaluate(CLICKED, panel)
        self.page.mouse.click(*self.at(across))
        found: float = self.page.evaluate("taken")
        return found


def main() -> None:
    """Open the page, use it, print."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # an extra

    path = Path(sys.argv[1]).resolve()
    print(f"file: {path.stat().st_size / 1e6:.1f} MB")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-settled]", state="attached", timeout=90_000)
        marks = "performance.getEntriesByType('mark').map((m) => [m.name, m.startTime])"
        for name, when in page.evaluate(marks):
            print(f"{name}: {when:.0f} ms after the page was asked for")
        page.click("#close-hint")
        user = User(page)
        told("frames of a pan", user.pan())
        told("hovering", user.hover())
        spots = (0.1, 0.25, 0.4, 0.5, 0.62, 0.8)
        told("similar places", [user.click("similar", across) for across in spots])
        page.click("#tab-names")
        named = []
        for number, across in enumerate(spots):
            page.locator(".name input").nth(number % page.locator(".name").count()).check()
            named.append(user.click("names", across))
        told("naming", named)
        print(f"memory: {memory_mb(browser):.0f} MB, all processes")
        browser.close()


if __name__ == "__main__":
    main()
