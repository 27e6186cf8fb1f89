"""What an OME-TIFF says of itself: the voxel's size, and the order of the slices."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from xml.etree import ElementTree

from brainarch.errors import InputError
from brainarch.volume.units import UNMEASURED, are_equal, micrometer_in, sides_text

logger = logging.getLogger(__name__)

#: Unit of the sizes where the file names none (OME schema).
DEFAULT_UNIT = "µm"


@dataclass(frozen=True)
class OmeDescription:
    """The part of OME-XML metadata that a stack needs.

    Attributes
    ----------
    voxel_um : float or None
        Side of the cubic voxel in micrometer; None where the metadata state no physical size.
    order : tuple of int or None
        Page of every slice, in the order of z; None where the metadata do not tell.
    """

    voxel_um: float | None
    order: tuple[int, ...] | None


def read_description(xml: str, pages: int, source: str) -> OmeDescription:
    """Read OME-XML metadata of a file with a number of pages.

    Parameters
    ----------
    xml : str
        The metadata.
    pages : int
        Pages of the file; with one, it may belong to a set of single-slice files.
    source : str
        What to call the file in an error.

    Raises
    ------
    InputError
        If the file holds several images, channels or times, its voxels are not cubic, a unit is
        none of length, or slices are missing or lie in other files.
    """
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise InputError(f"{source}: its OME metadata are not readable XML ({error})") from None
    images = [element for element in root if _name(element) == "Image"]
    if len(images) != 1:
        raise InputError(f"{source}: holds {len(images)} images; give a file of one image")
    found = [element for element in images[0] if _name(element) == "Pixels"]
    if not found:
        raise InputError(f"{source}: its OME metadata describe no pixels; save the file again")
    pixels = found[0]
    for axis, many in (("C", "channels"), ("T", "times")):
        size = int(pixels.get(f"Size{axis}", "1"))
        if size != 1:
            raise InputError(f"{source}: holds {size} {many}; save one of them as its own file")
    return OmeDescription(_voxel_um(pixels, source), _order(pixels, pages, source))


def _name(element: ElementTree.Element) -> str:
    """Return an element's name without its namespace, which changes with the schema's version."""
    return element.tag.rpartition("}")[2]


def _voxel_um(pixels: ElementTree.Element, source: str) -> float | None:
    sides = []
    for axis in "ZYX":
        text = pixels.get(f"PhysicalSize{axis}")
        unit = pixels.get(f"PhysicalSize{axis}Unit", DEFAULT_UNIT)
        if text is None or unit in UNMEASURED:
            continue
        factor = micrometer_in(unit)
        if factor is None:
            raise InputError(
                f"{source}: its metadata give the voxel's size in {unit!r}, which is no known unit "
                "of length; write µm, nm or mm there"
            )
        try:
            side = float(text) * factor
        except ValueError:
            side = 0.0
        if side <= 0:
            raise InputError(f"{source}: its metadata give a voxel size of {text!r}; correct them")
        sides.append(side)
    if not sides:
        logger.warning(
            "%s: its OME metadata state no physical voxel size; the declared one is taken", source
        )
        return None
    if not are_equal(*sides):
        raise InputError(
            f"{source}: its metadata state voxels of {sides_text(tuple(sides))} um, not cubic; "
            "resample the data first"
        )
    return sides[-1]


def _order(pixels: ElementTree.Element, pages: int, source: str) -> tuple[int, ...] | None:
    """Return the page of every slice from the ``TiffData`` elements."""
    declared = int(pixels.get("SizeZ", "1"))
    if pages == 1:
        return None
    if declared != pages:
        raise InputError(
            f"{source}: its metadata describe {declared} slices, but the file holds {pages}; if "
            "the rest lies in other files, give the folder of single-slice files"
        )
    page_of: dict[int, int] = {}
    for element in pixels:
        if _name(element) != "TiffData":
            continue
        page, z = int(element.get("IFD", "0")), int(element.get("FirstZ", "0"))
        count = int(element.get("PlaneCount", "1" if "IFD" in element.attrib else str(pages)))
        page_of.update({z + step: page + step for step in range(count)})
    if not page_of:
        return None
    missing = next((z for z in range(declared) if z not in page_of), None)
    if missing is not None:
        raise InputError(f"{source}: its metadata name no page for slice {missing} of the file")
    order = tuple(page_of[z] for z in range(declared))
    if sorted(order) != list(range(pages)):
        raise InputError(f"{source}: its metadata and its pages disagree; save the file again")
    return order
