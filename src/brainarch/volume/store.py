"""The volume on disk: an OME-Zarr image, written here (0.5) or somebody else's (0.4 or 0.5).

Somebody else's is used where it lies: the results then hold a link, a group without arrays whose
attributes say where the image is and what its metadata were when it was linked.

An image that was written here has a digest of its metadata, a checksum in every chunk and every
file, also of chunks of nothing but 0: a file that is gone is an error. In somebody else's, a chunk
that was never written is legal and reads as the fill value, and chunks have the checksums, if any,
that their writer gave them.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from brainarch.atomic import replacing
from brainarch.errors import InputError
from brainarch.stores import files
from brainarch.stores.metadata import check_metadata, is_guarded, read_metadata, write_attributes
from brainarch.volume.pixel_size import Resampling
from brainarch.volume.units import (
    SQUARE,
    Voxel,
    agree,
    are_equal,
    is_length,
    micrometer_in,
    sides_text,
    voxel_sides,
)

logger = logging.getLogger(__name__)

#: Version of the OME-Zarr specification that the stores follow.
OME_VERSION = "0.5"
#: Key of brainarch's own attributes in a group.
ATTRIBUTE = "brainarch"
#: Key, among brainarch's own, of what a link holds.
LINK = "link"
#: Key, among brainarch's own, of how the slices of the source were resampled.
RESAMPLED = "resampled"
#: Names of a volume's axes, in order.
AXES = ("z", "y", "x")
#: Grey value types that a volume may have.
DTYPES = ("uint8", "uint16")
#: Versions of OME-Zarr that are read; 0.4 is Zarr 2, 0.5 is Zarr 3.
READ_VERSIONS = ("0.4", "0.5")

Scale = tuple[float, float, float]


@dataclass(frozen=True)
class OmeImage:
    """An OME-Zarr image as its metadata describe it.

    Attributes
    ----------
    path : Path
        The store.
    array : zarr.Array
        Level 0; its last three axes are z, y, x, those before them have one entry.
    scale : tuple of float
        Size of a voxel along z, y, x, in the units of the axes.
    units : tuple of (str or None)
        Unit of z, y, x.
    own : mapping
        Attributes of brainarch, empty in somebody else's image.
    guarded : bool
        Whether it was written here, so that every byte of it is checked.
    fingerprint : str
        SHA-256 of the metadata of the image and of level 0.
    """

    path: Path
    array: zarr.Array[Any]
    scale: Scale
    units: tuple[str | None, ...]
    own: Mapping[str, Any]
    guarded: bool
    fingerprint: str

    @property
    def remedy(self) -> str:
        """What mends it, for messages."""
        return "write it again" if self.guarded else "put an undamaged copy there"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of slices, rows and columns."""
        z, y, x = self.array.shape[-3:]
        return z, y, x

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values, in native byte order."""
        return np.dtype(self.array.dtype).newbyteorder("=")

    def read_slice(self, index: int) -> NDArray[np.generic]:
        """Return the slice with an index from 0: shape (y, x), in native byte order."""
        return np.asarray(read_part(self.array, self.path, self.remedy, (index, index + 1))[0])

    def sides_um(self) -> Scale:
        """Return the distance of slices and the sides of a pixel, (z, y, x), in micrometer.

        Raises
        ------
        InputError
            If an axis names no unit of length, or the pixels are not square.
        """
        factors = []
        for axis, unit in zip(AXES, self.units, strict=True):
            factor = micrometer_in(unit) if unit is not None else None
            if factor is None:
                stated = "states no unit" if unit is None else f"is in {unit!r}, no unit of length"
                raise InputError(
                    f"{self.path}: axis {axis} {stated}; write micrometer into the store's metadata"
                )
            factors.append(factor)
        z, y, x = (side * factor for side, factor in zip(self.scale, factors, strict=True))
        if not all(map(is_length, (z, y, x))):
            raise InputError(
                f"{self.path}: its voxels are {sides_text((z, y, x))} um, which is no size; "
                "correct the store's metadata"
            )
        if not are_equal(y, x):
            raise InputError(
                f"{self.path}: its voxels are {sides_text((z, y, x))} um (z, y, x); {SQUARE}"
            )
        return z, y, x


def read_part(
    array: zarr.Array[Any],
    path: Path,
    remedy: str,
    z: tuple[int, int],
    y: tuple[int, int] | None = None,
    x: tuple[int, int] | None = None,
) -> NDArray[np.generic]:
    """Return a part of an array's last three axes, in native byte order.

    Parameters
    ----------
    array : zarr.Array
        Shape (..., slices, rows, columns); axes before the last three have one entry each.
    path : Path
        The image, for the message.
    remedy : str
        What mends it.
    z, y, x : tuple of int
        First and one past the last index; None is all of them.

    Raises
    ------
    InputError
        If a chunk is damaged, or one is missing that has to be there.
    """
    part = [slice(*limits) if limits is not None else slice(None) for limits in (z, y, x)]
    found = files.read_part(array, (*[0] * (array.ndim - 3), *part), path, remedy)
    return np.asarray(found, dtype=found.dtype.newbyteorder("="))


@dataclass(frozen=True)
class Volume:
    """A stored volume, open for reading.

    Slices are called by their numbers, which count from ``first_slice``: a volume that holds the
    published slices 100 ... 259 still calls slice 159 ``159``.

    Attributes
    ----------
    path : Path
        The store.
    array : zarr.Array
        Level 0, shape (z, y, x); a linked image may have axes of one entry before them.
    pixel_um : float
        Side of a pixel in micrometer.
    first_slice : int
        Number of the first slice.
    slice_um : float
        Distance of neighbouring slices in micrometer; another one than ``pixel_um`` where the
        slices were resampled.
    remedy : str
        What mends it, for messages.
    resampling : Resampling or None
        How the slices of the source were resampled.
    """

    path: Path
    array: zarr.Array[Any]
    pixel_um: float
    first_slice: int
    slice_um: float
    remedy: str
    resampling: Resampling | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of slices, rows and columns."""
        z, y, x = self.array.shape[-3:]
        return z, y, x

    @property
    def shift_um(self) -> float:
        """Distance of the first pixel's centre from the source's first centre, along y and x."""
        return 0.0 if self.resampling is None else self.resampling.shift_um

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the grey values, uint8 or uint16."""
        return np.dtype(self.array.dtype).newbyteorder("=")

    @property
    def chunks(self) -> tuple[int, int, int]:
        """Slices, rows and columns that are stored and read together."""
        z, y, x = self.array.chunks[-3:]
        return z, y, x

    @property
    def slices(self) -> range:
        """Numbers of all slices."""
        return range(self.first_slice, self.first_slice + self.shape[0])

    def index_of(self, z: int) -> int:
        """Return the array index of slice number ``z``.

        Raises
        ------
        InputError
            If the volume has no such slice.
        """
        if z not in self.slices:
            raise InputError(
                f"{self.path}: slice {z} is outside the volume, which has slices "
                f"{self.slices[0]} to {self.slices[-1]}"
            )
        return z - self.first_slice

    def read_slice(self, z: int) -> NDArray[np.generic]:
        """Return slice number ``z``: raw grey values, shape (y, x).

        Raises
        ------
        InputError
            If the volume has no such slice.
        """
        index = self.index_of(z)
        return np.asarray(read_part(self.array, self.path, self.remedy, (index, index + 1))[0])

    def read_block(
        self, z: tuple[int, int], y: tuple[int, int], x: tuple[int, int]
    ) -> NDArray[np.generic]:
        """Return a block of raw grey values.

        Parameters
        ----------
        z, y, x : tuple of int
            First and one past the last slice number, row and column.

        Returns
        -------
        ndarray, shape (z[1] - z[0], y[1] - y[0], x[1] - x[0])

        Raises
        ------
        InputError
            If the block is empty or reaches beyond the volume.
        """
        first, last = self.index_of(z[0]), self.index_of(z[1] - 1)
        _, rows, columns = self.shape
        inside = 0 <= y[0] < y[1] <= rows and 0 <= x[0] < x[1] <= columns and first <= last
        if not inside:
            raise InputError(
                f"{self.path}: block z {z[0]}:{z[1]}, y {y[0]}:{y[1]}, x {x[0]}:{x[1]} is not "
                f"inside the {rows} x {columns} slices"
            )
        return read_part(self.array, self.path, self.remedy, (first, last + 1), y, x)


def slice_digest(image: NDArray[np.generic]) -> str:
    """Return the SHA-256 of a slice's grey values, row by row, little-endian."""
    values = np.ascontiguousarray(image, dtype=image.dtype.newbyteorder("<"))
    return hashlib.sha256(values.data).hexdigest()


def multiscale_attributes(name: str, scales: list[Scale], origins: list[Scale]) -> dict[str, Any]:
    """Return the OME-Zarr 0.5 ``ome`` attribute of an image.

    Parameters
    ----------
    name : str
        Name of the image.
    scales : list of tuple of float
        Size of a level's voxels in micrometer, one (z, y, x) a level; level i has path ``str(i)``.
    origins : list of tuple of float
        Centre of a level's first voxel in micrometer; the first voxel of slice 0 is centred at 0.
    """
    datasets = [
        {
            "path": str(level),
            "coordinateTransformations": [
                {"type": "scale", "scale": list(scale)},
                {"type": "translation", "translation": list(origin)},
            ],
        }
        for level, (scale, origin) in enumerate(zip(scales, origins, strict=True))
    ]
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in AXES]
    return {
        "version": OME_VERSION,
        "multiscales": [{"name": name, "axes": axes, "datasets": datasets}],
    }


def open_image(path: Path) -> OmeImage:
    """Open an OME-Zarr 0.4 or 0.5 image.

    Raises
    ------
    InputError
        If there is no such store, it is something else, its axes are not z, y, x, or an axis before
        them has several entries.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such store; run the stage that writes it")
    guarded = is_guarded(path)
    if guarded:
        with files.sound(path, "its metadata", "write it again"):
            check_metadata(read_metadata(path))
    try:
        # Consolidated metadata may be older than the metadata that they were made of.
        place = files.CheckedFiles(path) if guarded else path
        group = zarr.open_group(place, mode="r", use_consolidated=False)
    except files.DAMAGE as error:
        raise _no_image(path, error) from None
    attributes = dict(group.attrs)
    _name_inner(path, attributes)
    try:
        ome: Any = attributes.get("ome", attributes)
        multiscale = ome["multiscales"][0]
        version = ome.get("version", multiscale.get("version"))
        names = [str(axis["name"]) for axis in multiscale["axes"]]
        units = [axis.get("unit") for axis in multiscale["axes"]]
        dataset = multiscale["datasets"][0]
        array = group[dataset["path"]]
        scale = _scale(dataset, multiscale)
        own: Any = attributes.get(ATTRIBUTE, {})
        fingerprint = _fingerprint(path, multiscale, dataset["path"])
    except (*files.DAMAGE, IndexError, AttributeError) as error:
        raise _no_image(path, error) from None
    if version not in READ_VERSIONS:
        raise InputError(f"{path}: is OME-Zarr {version}; wanted {' or '.join(READ_VERSIONS)}")
    if not isinstance(array, zarr.Array) or array.ndim != len(names) or len(scale) != len(names):
        raise InputError(f"{path}: its axes and its array disagree; write the store again")
    if tuple(names[-3:]) != AXES:
        raise InputError(f"{path}: its axes are {', '.join(names)}; wanted z, y, x")
    for name, size in zip(names[:-3], array.shape[:-3], strict=True):
        if size != 1:
            raise InputError(f"{path}: axis {name} has {size} entries; make a store of one of them")
    z, y, x = scale[-3:]
    return OmeImage(path, array, (z, y, x), tuple(units[-3:]), own, guarded, fingerprint)


def _no_image(path: Path, error: Exception) -> InputError:
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return InputError(
        f"{path}: not an OME-Zarr {' or '.join(READ_VERSIONS)} image ({what}); convert the data "
        "with `brainarch convert`"
    )


def _name_inner(path: Path, attributes: Mapping[str, Any]) -> None:
    """Say which path to name where a store only holds images or labels."""
    ome: Any = attributes.get("ome", attributes)
    if not isinstance(ome, Mapping) or "multiscales" in ome:
        return
    labels: Any = ome.get("labels")
    if isinstance(labels, list) and labels:
        inner = ", ".join(str(path / str(name)) for name in labels)
        raise InputError(f"{path}: holds label images; name one: {inner}")
    if "bioformats2raw.layout" in ome:
        raise InputError(f"{path}: holds images; name one, for example {path / '0'}")


def _scale(dataset: Any, multiscale: Any) -> list[float]:
    """Return the size of a voxel of a level, in the units of the axes."""
    steps = [*dataset["coordinateTransformations"]]
    steps += multiscale.get("coordinateTransformations", [])
    scales = [step["scale"] for step in steps if step["type"] == "scale"]
    return [float(np.prod(sides)) for sides in zip(*scales, strict=True)]


def _fingerprint(path: Path, multiscale: Any, dataset: str) -> str:
    """Return the SHA-256 of the metadata that decide what is read from an image."""
    for name in ("zarr.json", ".zarray"):
        file = path / dataset / name
        if file.is_file():
            content = json.dumps(multiscale, sort_keys=True).encode() + file.read_bytes()
            return hashlib.sha256(content).hexdigest()
    raise KeyError(dataset)


def open_volume(path: Path) -> Volume:
    """Open a volume for reading: an image, or a link to one.

    Parameters
    ----------
    path : Path
        An OME-Zarr 0.4 or 0.5 image with axes z, y, x and square pixels, or a link to one.

    Raises
    ------
    InputError
        If it is missing or something else, or the linked image is gone or has changed.
    """
    path = Path(path)
    link = _read_link(path)
    if link is not None:
        return _follow(path, link)
    image = open_image(path)
    _check_grey(image)
    slice_um, _, pixel_um = image.sides_um()
    resampled = image.own.get(RESAMPLED)
    resampling = None if resampled is None else Resampling(**resampled)
    first_slice = int(image.own.get("first_slice", 0))
    remedy = "run `brainarch convert` again" if image.guarded else image.remedy
    return Volume(path, image.array, pixel_um, first_slice, slice_um, remedy, resampling)


def check_image(
    source: Path, *, shape: Sequence[int], dtype: str, voxel_um: Voxel, first_slice: int
) -> OmeImage:
    """Open an OME-Zarr image and check that it is the volume that was declared.

    Parameters
    ----------
    source : Path
        An OME-Zarr 0.4 or 0.5 image.
    shape : sequence of int
        Declared slices, rows and columns.
    dtype : str
        Declared type of the grey values: uint8 or uint16.
    voxel_um : float or sequence of float
        Declared side of the voxel in micrometer, or its sides along z, y and x. Where the image's
        axes name no unit, their numbers are taken for micrometer if they are these.
    first_slice : int
        Number of the first slice.

    Raises
    ------
    InputError
        If the image cannot be used or is not as declared.
    """
    sides = voxel_sides(voxel_um)
    image = open_image(source)
    _check_grey(image)
    if image.shape != tuple(shape) or str(image.dtype) != dtype:
        found, declared = (" x ".join(map(str, sizes)) for sizes in (image.shape, shape))
        raise InputError(
            f"{source}: the data are {found} {image.dtype}, but {declared} {dtype} was declared; "
            "correct the declaration or the data"
        )
    _check_size(image, sides)
    own_first = image.own.get("first_slice", first_slice)
    if own_first != first_slice:
        raise InputError(
            f"{source}: its first slice is {own_first}, but {first_slice} was declared; correct "
            "the declaration"
        )
    return image


def link_volume(image: OmeImage, output: Path, *, voxel_um: Voxel, first_slice: int) -> None:
    """Write a link to an OME-Zarr image that is to be used where it lies.

    Parameters
    ----------
    image : OmeImage
        The image, checked; its path is stored as it was given, absolute or not.
    output : Path
        The link to make.
    voxel_um : float or sequence of float
        Side of the voxel in micrometer, or its sides along z, y and x.
    first_slice : int
        Number of the first slice.
    """
    place = str(image.path)
    if not image.path.is_absolute():
        place = os.path.relpath(image.path.resolve(), output.parent.resolve())
    link = {"path": place, "fingerprint": image.fingerprint}
    slice_um, _, pixel_um = voxel_sides(voxel_um)
    own = {LINK: link, "slice_um": slice_um, "pixel_um": pixel_um, "first_slice": first_slice}
    with replacing(output) as temporary:
        zarr.create_group(temporary, zarr_format=3, attributes={ATTRIBUTE: own})
        write_attributes(temporary, {})


def _check_grey(image: OmeImage) -> None:
    if str(image.dtype) not in DTYPES:
        raise InputError(f"{image.path}: grey values are {image.dtype}; wanted uint8 or uint16")


def _check_size(image: OmeImage, declared: Scale) -> None:
    """Check an image's voxel size against the declared one."""
    named = any(image.units)
    stated = image.sides_um() if named else image.scale
    if all(agree(side, own) for side, own in zip(stated, declared, strict=True)):
        if not named:
            logger.warning("%s: its axes name no unit; micrometer is taken", image.path)
        return
    said, wanted = sides_text(stated), sides_text(declared)
    if not named:
        raise InputError(
            f"{image.path}: its axes name no unit and its voxels are {said}, but {wanted} um was "
            "declared; write scale and unit into the store's metadata"
        )
    advice = "correct the declaration (volume.voxel_um) or the store's metadata"
    if not are_equal(*stated):
        listed = ", ".join(f"{side:g}" for side in stated)
        advice = f"say volume.voxel_um: [{listed}] (z, y, x) or correct the store's metadata"
    raise InputError(
        f"{image.path}: its voxels are {said} um, but {wanted} um was declared; {advice}"
    )


def is_link(path: Path) -> bool:
    """Return whether a volume is a link to an image that lies elsewhere."""
    return _read_link(Path(path)) is not None


def _read_link(path: Path) -> Mapping[str, Any] | None:
    """Return the attributes of a link, or nothing where there is none."""
    try:
        text = (path / "zarr.json").read_text(encoding="utf-8")
        own = json.loads(text)["attributes"][ATTRIBUTE]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(own, dict) or LINK not in own:
        return None
    with files.sound(path, "the link", f"remove {path} and link the volume again"):
        check_metadata(read_metadata(path))
    return own


def _follow(path: Path, own: Mapping[str, Any]) -> Volume:
    """Open the image that a link leads to, if it is still the one that was linked."""
    target = path.parent / str(own[LINK]["path"])
    if not target.exists():
        raise InputError(
            f"{path}: the linked volume {target} is gone; put it back or link the one that is meant"
        )
    image = open_image(target)
    if image.fingerprint != own[LINK]["fingerprint"]:
        raise InputError(
            f"{path}: the linked volume {target} has changed since it was linked; remove {path} "
            "and link it again"
        )
    pixel_um, slice_um = float(own["pixel_um"]), float(own["slice_um"])
    remedy = f"put an undamaged copy of {target} there"
    return Volume(path, image.array, pixel_um, int(own["first_slice"]), slice_um, remedy)
