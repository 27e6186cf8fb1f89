"""The gallery says what the catalogue says."""

from __future__ import annotations

from bench.gallery import DOCS, write_gallery


def test_the_gallery_is_that_of_the_catalogue() -> None:
    names = [path.stem for path in (DOCS / "images/gallery").glob("*.png")]
    assert names
    assert (DOCS / "gallery.md").read_text() == write_gallery(names), (
        "run python bench/gallery.py results/phantom"
    )
