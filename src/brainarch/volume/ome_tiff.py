"""What an OME-TIFF says of itself: the voxel's size, its channel, and the order of the slices."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from brainarch.errors import InputError
from brainarch.volume.units import UNMEASURED, Sides, is_length, micrometer_in

logger = logging.getLogger(__name__)

#: Unit of the sizes where the file names none (OME schema).
DEFAULT_UNIT = "µm"
#: What the axes beside the plane are called in an error.
MANY = {"C": "channels", "T": "times"}


class Plane(NamedTuple):
    """Where a page stands in the whole image: slice, channel, time."""

    z: int
    c: int
    t: int


@dataclass(frozen=True)
class OmeDescription:
    """The part of OME-XML metadata that a stack needs.

    Attributes
    ----------
    sides_um : Sides
        Sides of the voxel along z, y and x in micrometer, None where the metadata state none.
    order : tuple of int or None
        Page of every slice, in the order of z; None where the metadata do not tell.
    plane_of : mapping of str to Plane
        First plane of each file of a set, by the file's name; empty for a file on its own.
    """

    sides_um: Sides
    order: tuple[int, ...] | None
    plane_of: Mapping[str, Plane]


def read_description(xml: str, pages: int, path: Path) -> OmeDescription:
    """Read OME-XML metadata of a file with a number of pages.

    Parameters
    ----------
    xml : str
        The metadata.
    pages : int
        Pages of the file; the metadata may describe a set of files, of which it is one.
    path : Path
        The file.

    Raises
    ------
    InputError
        If the file holds several images, channels or times, a unit is none of length, or slices
        are missing or lie in other files.
    """
    try:
        root = ElementTree.fromstring(xml)
        images = [element for element in root if _name(element) == "Image"]
        if len(images) != 1:
            raise InputError(f"{path}: holds {len(images)} images; give a file of one image")
        found = [element for element in images[0] if _name(element) == "Pixels"]
        if not found:
            raise InputError(f"{path}: its OME metadata describe no pixels; save the file again")
        pixels = found[0]
        sizes = {axis: int(pixels.get(f"Size{axis}", "1")) for axis in "ZCT"}
        planes, plane_of = _planes(pixels, sizes, pages, path)
    except ElementTree.ParseError as error:
        raise InputError(f"{path}: its OME metadata are not readable XML ({error})") from None
    except ValueError as error:
        raise InputError(f"{path}: its OME metadata are wrong ({error}); correct them") from None
    _check_one(planes, sizes, pages, path)
    return OmeDescription(_sides_um(pixels, path), _order(planes, sizes, pages, path), plane_of)


def check_set(described: OmeDescription, names: list[str], source: str) -> None:
    """Check files of one plane each against what their common metadata say of each.

    Parameters
    ----------
    described : OmeDescription
        What the first file says.
    names : list of str
        Names of the files in the order of the slices.
    source : str
        What to call the stack in an error.

    Raises
    ------
    InputError
        If they are of several channels or times, or stand in another order.
    """
    planes = [described.plane_of.get(name) for name in names]
    known = [(name, plane) for name, plane in zip(names, planes, strict=True) if plane is not None]
    if described.plane_of and len(known) < len(names):
        logger.warning(
            "%s: the OME metadata do not say which plane each file is (%s ...); they are taken as "
            "their names say",
            source,
            names[planes.index(None)],
        )
    for (before, one), (after, other) in pairwise(known):
        for axis, word in (("c", "channel"), ("t", "time")):
            left, right = getattr(one, axis), getattr(other, axis)
            if left != right:
                raise InputError(
                    f"{source}: by its OME metadata {after} is of {word} {right}, but {before} of "
                    f"{word} {left}; name the files of one, with {{z}} where the slice stands"
                )
        if other.z <= one.z:
            raise InputError(
                f"{source}: by its OME metadata {after} is slice {other.z}, but it comes after "
                f"{before}, slice {one.z}; correct the names or the metadata"
            )


def _name(element: ElementTree.Element) -> str:
    """Return an element's name without its namespace, which changes with the schema's version."""
    return element.tag.rpartition("}")[2]


def _planes(
    pixels: ElementTree.Element, sizes: Mapping[str, int], pages: int, path: Path
) -> tuple[dict[int, Plane], dict[str, Plane]]:
    """Return the plane of each page of this file, and the first plane of each file of a set."""
    axes = [axis for axis in pixels.get("DimensionOrder", "XYZCT") if axis in "ZCT"]
    own: dict[int, Plane] = {}
    plane_of: dict[str, Plane] = {}
    for element in pixels:
        if _name(element) != "TiffData":
            continue
        start = [int(element.get(f"First{axis}", "0")) for axis in axes]
        files = [child.get("FileName", "") for child in element if _name(child) == "UUID"]
        file = Path(files[0]).name if files else ""
        if file:
            first = dict(zip(axes, start, strict=True))
            plane_of.setdefault(file, Plane(first["Z"], first["C"], first["T"]))
        if file and file != path.name:
            continue
        page = int(element.get("IFD", "0"))
        count = int(element.get("PlaneCount", "1" if "IFD" in element.attrib else str(pages)))
        if page < 0 or count < 0 or page + count > pages:
            described = page + count
            raise InputError(
                f"{path}: its metadata describe {described} planes, but the file holds {pages}; if "
                "the rest lies in other files, give the folder of single-slice files"
            )
        for step in range(count):
            place = dict(zip(axes, start, strict=True))
            own[page + step] = Plane(place["Z"], place["C"], place["T"])
            for i, axis in enumerate(axes):  # the first axis goes quickest
                start[i] += 1
                if start[i] < sizes[axis]:
                    break
                start[i] = 0
    return own, plane_of


def _check_one(
    planes: Mapping[int, Plane], sizes: Mapping[str, int], pages: int, path: Path
) -> None:
    """Check that the pages of a file are of one channel and one time."""
    for axis, many in MANY.items():
        here = len({getattr(plane, axis.lower()) for plane in planes.values()})
        # A file of one plane is of one channel, whatever the set that it belongs to has.
        size = here if planes else (1 if pages == 1 else sizes[axis])
        if size > 1:
            raise InputError(
                f"{path}: holds {sizes[axis]} {many}; save one of them as its own file"
            )


def _sides_um(pixels: ElementTree.Element, path: Path) -> Sides:
    sides: list[float | None] = []
    for axis in "ZYX":
        text = pixels.get(f"PhysicalSize{axis}")
        unit = pixels.get(f"PhysicalSize{axis}Unit", DEFAULT_UNIT)
        if text is None or unit in UNMEASURED:
            sides.append(None)
            continue
        factor = micrometer_in(unit)
        if factor is None:
            raise InputError(
                f"{path}: its metadata give the voxel's size in {unit!r}, which is no known unit "
                "of length; write µm, nm or mm there"
            )
        try:
            side = float(text) * factor
        except ValueError:
            side = 0.0
        if not is_length(side):
            raise InputError(f"{path}: its metadata give a voxel size of {text!r}; correct them")
        sides.append(side)
    if not any(sides):
        logger.warning(
            "%s: its OME metadata state no physical voxel size; the declared one is taken", path
        )
    z, y, x = sides
    return z, y, x


def _order(
    planes: Mapping[int, Plane], sizes: Mapping[str, int], pages: int, path: Path
) -> tuple[int, ...] | None:
    """Return the page of every slice."""
    if pages == 1:
        return None
    if sizes["Z"] != pages:
        raise InputError(
            f"{path}: its metadata describe {sizes['Z']} slices, but the file holds {pages}; if "
            "the rest lies in other files, give the folder of single-slice files"
        )
    if not planes:
        return None
    page_of = {plane.z: page for page, plane in planes.items()}
    missing = next((z for z in range(pages) if z not in page_of), None)
    if missing is not None:
        raise InputError(f"{path}: its metadata name no page for slice {missing} of the file")
    return tuple(page_of[z] for z in range(pages))
