"""The page as one HTML file: data, styles and scripts inside, nothing loaded from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

#: Scripts in the order in which the page runs them.
SCRIPTS = ("vendor/openseadragon/openseadragon.min.js", "explorer.js")


def render_explorer(title: str, content: Mapping[str, Any], blocks: Mapping[str, str]) -> str:
    """Return the page.

    Parameters
    ----------
    title : str
        Of the window.
    content : mapping
        JSON values: slices, layers, legends; see ``page/types.js``.
    blocks : mapping of str to str
        Binary parts by name, base 64.
    """
    return _render(
        "explorer.html",
        title=title,
        content=_script_safe(json.dumps(content, ensure_ascii=False, allow_nan=False)),
        blocks=blocks,
        scripts=[_script_file(name) for name in SCRIPTS],
    )


def render_index(title: str, pages: Mapping[int, str]) -> str:
    """Return the page that leads to the page of every slice, by file names beside it."""
    return _render("index.html", title=title, pages=pages)


def _render(template: str, **values: Any) -> str:
    environment = Environment(
        loader=PackageLoader("brainarch.explorer", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)


def _script_file(name: str) -> str:
    text = resources.files("brainarch.explorer").joinpath(name).read_text(encoding="utf-8")
    if "</script" in text.lower():
        raise ValueError(f"{name}: would end its script early")
    return text


def _script_safe(text: str) -> str:
    """Return JSON that no HTML parser ends early or reads as a comment."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
