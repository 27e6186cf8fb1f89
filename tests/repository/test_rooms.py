"""The rooms of the package: no circle of imports between them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src/brainarch"


def imported(path: Path) -> Iterator[str]:
    """Yield the package's modules that a file imports when it runs."""
    tree = ast.parse(path.read_text())
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        if module.startswith("brainarch.") and id(node) not in for_types:
            yield module


def test_no_circle_of_rooms() -> None:
    """A room is a folder; single modules beside the rooms are at the bottom."""
    graph: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0]
        if room.endswith(".py"):
            continue
        others = {module.split(".")[1] for module in imported(path)}
        graph.setdefault(room, set()).update(
            other for other in others if other != room and (PACKAGE / other).is_dir()
        )
    TopologicalSorter(graph).prepare()  # raises at a circle
    assert not any("cli" in others for others in graph.values())
    assert graph["phantom"] == set()


def test_modules_beside_the_rooms_import_none_of_them() -> None:
    for path in PACKAGE.glob("*.py"):
        if path.name != "__init__.py":  # the front door leads everywhere, once it is used
            rooms = [m for m in imported(path) if (PACKAGE / m.split(".")[1]).is_dir()]
            assert rooms == [], path.name
