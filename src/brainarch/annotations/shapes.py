"""Labels drawn as shapes: GeoJSON (RFC 7946) as QuPath writes it, in pixels of the slice."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from brainarch.errors import InputError
from brainarch.volume.foreign import not_readable

logger = logging.getLogger(__name__)

#: A shape of which more than this part lies inside others was drawn on top of them (ours).
ON_TOP = 0.5
#: How far a shape may reach beyond its slice, in parts of the slice's side: a hand that slipped.
BEYOND = 0.01
#: What QuPath calls objects that a person drew; all others were counted by a program.
DRAWN = ("annotation", "PathAnnotationObject")
#: Names that an error tells.
NAMED = 8

Ring = NDArray[np.float64]

#: By what x and y are multiplied where they are exchanged, and where y counts upwards.
EXCHANGED, UPWARDS = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([1.0, -1.0])
#: How the axes of label files are told that turn out to be exchanged.
SAY_AXES = "set annotations.axes (or layers.axes) to"


class Shape(NamedTuple):
    """One drawn shape.

    Attributes
    ----------
    name : str
        Its class.
    plane : int
        Index of its slice in the image that it was drawn on, from 0.
    polygons : list of list of ndarray of float64, shape (points, 2)
        Of each polygon its outer ring and its holes, closed, as x and y in pixels from the upper
        left corner of the slice.
    colour : str or None
        Colour of its class, ``#RRGGBB``.
    """

    name: str
    plane: int
    polygons: list[list[Ring]]
    colour: str | None


def read_shapes(path: Path) -> list[Shape]:
    """Read the annotations of a GeoJSON file.

    Raises
    ------
    InputError
        If the file is no GeoJSON, an annotation has no class, or one encloses no pixels.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(not_readable(path, "GeoJSON", str(error))) from None
    features = content.get("features", [content]) if isinstance(content, dict) else content
    if not isinstance(features, list) or not all(_is_feature(entry) for entry in features):
        raise InputError(f"{path}: is JSON, but no GeoJSON features; export the annotations again")
    drawn = [entry for entry in features if _kind(entry) in DRAWN]
    others = Counter(_kind(entry) for entry in features if _kind(entry) not in DRAWN)
    if others:
        counted = ", ".join(f"{count} {kind}" for kind, count in others.most_common())
        logger.warning("%s: %s objects are left out, only annotations are labels", path, counted)
    if not drawn:
        raise InputError(f"{path}: holds no annotation; draw the areas and export them again")
    return [_shape(path, number, entry) for number, entry in enumerate(drawn, start=1)]


def draw_shapes(
    shapes: Sequence[Shape],
    classes: Mapping[str, int],
    size: tuple[int, int],
    path: Path,
    *,
    exchanged: bool = False,
) -> NDArray[np.uint16]:
    """Return the label image of the shapes of one slice.

    A pixel belongs to a shape if its centre lies inside. A shape of which more than half lies
    inside others, an area in the outline of the tissue or a vessel in an area, is on top of them;
    elsewhere, pixels that two classes claim are left out and counted.

    Parameters
    ----------
    shapes : sequence of Shape
    classes : mapping of str to int
        Code of each class; 0 is left out.
    size : tuple of int
        Rows and columns of the slice.
    path : Path
        The file, for messages.
    exchanged : bool
        Whether the file says y before x.

    Returns
    -------
    ndarray of uint16, shape (rows, columns)
        Codes; 0 where no shape is.

    Raises
    ------
    InputError
        If a class has no code, or a shape lies outside the slice.
    """
    unknown = Counter(shape.name for shape in shapes if shape.name not in classes)
    if unknown:
        named = ", ".join(f"{name!r} ({count})" for name, count in unknown.most_common(NAMED))
        raise InputError(
            f"{path}: no area has the class {named}; add it to the codes of an area or to the "
            "codes that are ignored"
        )
    if exchanged:
        shapes = [_moved(shape, EXCHANGED) for shape in shapes]
    _check_inside(shapes, size, path, exchanged=exchanged)
    masks = [_Mask.of(shape, classes[shape.name], size) for shape in shapes]
    masks.sort(key=lambda mask: mask.pixels, reverse=True)
    code_of = np.array([0, *(mask.code for mask in masks)], dtype=np.uint16)
    owner = np.zeros(size, dtype=np.int32)
    clash = np.zeros(size, dtype=bool)
    for number, mask in enumerate(masks, start=1):
        below = owner[mask.window]
        inside = mask.inside
        clash[mask.window] &= ~inside
        under = np.where(inside & (below > 0), code_of[below].astype(np.int64), -1)
        for code in np.unique(under[under >= 0]):
            other = under == code
            if code != mask.code and other.sum() <= ON_TOP * mask.pixels:
                clash[mask.window] |= other
        below[inside] = number
    codes = code_of[owner]
    claimed = int((clash & (codes > 0)).sum())
    codes[clash] = 0
    if claimed:
        logger.warning(
            "%s: %d px lie in shapes of two classes and are left out; draw borders that do not "
            "overlap",
            path,
            claimed,
        )
    return codes


class _Mask(NamedTuple):
    code: int
    window: tuple[slice, slice]
    inside: NDArray[np.bool_]
    pixels: int

    @classmethod
    def of(cls, shape: Shape, code: int, size: tuple[int, int]) -> _Mask:
        window = _window([ring for rings in shape.polygons for ring in rings], size)
        top, left = window[0].start, window[1].start
        inside = np.zeros([side.stop - side.start for side in window], dtype=bool)
        for rings in shape.polygons:
            rows, columns = _window(rings, size)
            part = (
                slice(rows.start - top, rows.stop - top),
                slice(columns.start - left, columns.stop - left),
            )
            corner = (columns.start, rows.start)
            inside[part] |= _fill([ring - corner for ring in rings], inside[part].shape)
        return cls(code, window, inside, int(inside.sum()))


def _window(rings: Sequence[Ring], size: tuple[int, int]) -> tuple[slice, slice]:
    """Return the rows and columns of a slice that rings reach."""
    points = np.concatenate(rings)
    (left, top), (right, bottom) = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
    first = (min(max(0, int(top)), size[0]), min(max(0, int(left)), size[1]))
    rows = slice(first[0], max(first[0], min(size[0], int(bottom))))
    return rows, slice(first[1], max(first[1], min(size[1], int(right))))


def _fill(rings: Sequence[Ring], size: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the pixels whose centres lie inside an odd number of rings.

    Every side crosses the lines through the centres of some rows; the pixels right of a crossing
    change between outside and inside.
    """
    rows, columns = size
    places = []
    for ring in rings:
        (x0, y0), (x1, y1) = ring[:-1].T, ring[1:].T
        first = np.clip(np.ceil(np.minimum(y0, y1) - 0.5), 0, rows).astype(np.int64)
        stop = np.clip(np.ceil(np.maximum(y0, y1) - 0.5), 0, rows).astype(np.int64)
        crossed = stop - first
        side = np.repeat(np.arange(len(crossed)), crossed)
        row = np.arange(len(side)) - np.repeat(np.cumsum(crossed) - crossed, crossed) + first[side]
        along = (row + 0.5 - y0[side]) / (y1[side] - y0[side])
        x = x0[side] + along * (x1[side] - x0[side])
        column = np.clip(np.ceil(x - 0.5), 0, columns).astype(np.int64)
        places.append(row * (columns + 1) + column)
    changes = np.bincount(np.concatenate(places), minlength=rows * (columns + 1))
    crossings = np.cumsum(changes.reshape(rows, columns + 1), axis=1)
    found: NDArray[np.bool_] = crossings[:, :-1] % 2 == 1
    return found


def _check_inside(
    shapes: Sequence[Shape], size: tuple[int, int], path: Path, *, exchanged: bool
) -> None:
    """Refuse a shape outside the slice; say what is the matter where all would fit otherwise."""
    outside = next((shape for shape in shapes if not _fits(shape, size)), None)
    if outside is None:
        return
    advice = "export shapes drawn on this volume, in pixels"
    if all(_fits(_moved(shape, EXCHANGED), size) for shape in shapes):
        axes = "zyx" if exchanged else "zxy"
        advice = f"it looks as if x and y are exchanged, {SAY_AXES} {axes}"
    elif all(_fits(_moved(shape, UPWARDS), size) for shape in shapes):
        advice = (
            "it looks as if y counts upwards; export it counted down from the upper left corner"
        )
    least, most = _reach(outside)
    raise InputError(
        f"{path}: a shape of class {outside.name!r} reaches from x={least[0]:.0f}, "
        f"y={least[1]:.0f} to x={most[0]:.0f}, y={most[1]:.0f}, but the slice has {size[1]} x "
        f"{size[0]} px (x, y); {advice}"
    )


def _reach(shape: Shape) -> tuple[Ring, Ring]:
    """Return the least and the largest x and y of a shape."""
    points = np.concatenate([ring for rings in shape.polygons for ring in rings])
    return points.min(axis=0), points.max(axis=0)


def _fits(shape: Shape, size: tuple[int, int]) -> bool:
    """Return whether a shape lies in a slice of so many rows and columns."""
    least, most = _reach(shape)
    limits = np.array([size[1], size[0]])
    slack = np.maximum(1.0, BEYOND * limits)
    return not ((least < -slack).any() or (most > limits + slack).any())


def _moved(shape: Shape, matrix: Ring) -> Shape:
    """Return a shape whose x and y are multiplied by a matrix."""
    moved = [[ring @ matrix for ring in rings] for rings in shape.polygons]
    return shape._replace(polygons=moved)


def _is_feature(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("geometry"), dict)


def _properties(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    found = entry.get("properties")
    return found if isinstance(found, dict) else {}


def _kind(entry: Mapping[str, Any]) -> str:
    """Return what QuPath calls the kind of an object; other programs say nothing."""
    named = str(entry.get("id", ""))  # as QuPath wrote it before 0.4
    older = named if named.startswith("Path") else DRAWN[0]
    return str(_properties(entry).get("objectType", older))


def _shape(path: Path, number: int, entry: Mapping[str, Any]) -> Shape:
    found = _properties(entry).get("classification")
    found = found if isinstance(found, dict) else {}
    names = found.get("names")
    name = str(found.get("name") or ": ".join(map(str, names if isinstance(names, list) else [])))
    geometry = entry["geometry"]
    where = f"{path}: annotation {number}" + (f" (class {name!r})" if name else "")
    try:
        polygons = [[_ring(ring) for ring in rings] for rings in _rings(geometry)]
        plane = int(geometry.get("plane", {}).get("z", 0))
    except (AttributeError, TypeError, ValueError, IndexError, OverflowError):
        raise InputError(f"{where}: its coordinates are no closed rings; export it again") from None
    if not polygons:
        raise InputError(
            f"{where}: is a {geometry.get('type')}, which encloses no pixels; draw it with the "
            "polygon, brush or wand, or delete it"
        )
    if not name:
        (x, y), *_ = polygons[0][0]
        raise InputError(
            f"{where}: has no class (at x={x:.0f}, y={y:.0f}); give every annotation the class of "
            "its area, or delete it"
        )
    return Shape(name, plane, polygons, _colour(found))


def _rings(geometry: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the rings of each polygon."""
    if geometry.get("type") == "Polygon":
        yield geometry["coordinates"]
    elif geometry.get("type") == "MultiPolygon":
        yield from geometry["coordinates"]


def _ring(points: Any) -> Ring:
    ring = np.array([point[:2] for point in points], dtype=np.float64)
    if ring.ndim != 2 or len(ring) < 4 or not np.isfinite(ring).all():
        raise ValueError
    return ring if (ring[0] == ring[-1]).all() else np.concatenate([ring, ring[:1]])


def _colour(classification: Mapping[str, Any]) -> str | None:
    """Return a class's colour: red, green and blue, or one number as older versions wrote it."""
    parts, packed = classification.get("color"), classification.get("colorRGB")
    if isinstance(parts, list) and [type(part) for part in parts] == [int] * 3:
        packed = sum(part << shift for part, shift in zip(parts, (16, 8, 0), strict=True))
    return f"#{int(packed) & 0xFFFFFF:06X}" if isinstance(packed, int) else None
