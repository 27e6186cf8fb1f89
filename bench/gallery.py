"""Make docs/gallery.md of a finished run: `python bench/gallery.py results/phantom`."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

from brainarch.figures.catalogue import FIGURES
from brainarch.reporting.pictures import shrink_picture

DOCS = Path(__file__).parents[1] / "docs"
#: Width of a picture in pixels.
WIDTH = 800
HEAD = """# Gallery

Every figure of the embedded synthetic volume, as `make` draws them. Nothing in them is real tissue.
Each comes as PDF with text that can be edited, as PNG of 300 dpi, and with the table that it plots.
"""


def write_gallery(names: Collection[str]) -> str:
    """Return the page: the figures that are there, in the order of the catalogue."""
    parts = [HEAD]
    for figure in FIGURES:
        if figure.name in names:
            title = figure.title[0].upper() + figure.title[1:]
            picture = f"![{title}](images/gallery/{figure.name}.png)"
            parts.append(f"## {figure.name}: {figure.title}\n\n{picture}\n\n{figure.caption}\n")
    return "\n".join(parts)


def main() -> None:
    """Write the page and its pictures."""
    figures = Path(sys.argv[1]) / "figures"
    images = DOCS / "images/gallery"
    images.mkdir(parents=True, exist_ok=True)
    drawn = [figure.name for figure in FIGURES if (figures / f"{figure.name}.png").exists()]
    for name in drawn:
        content = shrink_picture(figures / f"{name}.png", WIDTH)
        (images / f"{name}.png").write_bytes(content)
    (DOCS / "gallery.md").write_text(write_gallery(drawn), encoding="utf-8")


if __name__ == "__main__":
    main()
