"""Label images on disk: OME-Zarr 0.5, as large as the volume, with only some slices filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import Crc32cCodec, ZstdCodec

from brainarch.annotations.legend import Legend
from brainarch.errors import InputError
from brainarch.palette import rgba_of
from brainarch.stores.arrays import MADE_BY
from brainarch.stores.files import read_part
from brainarch.stores.metadata import write_attributes
from brainarch.volume.store import ATTRIBUTE, AXES, multiscale_attributes, open_image

#: What makes labels, unless they say otherwise.
IMPORT = "`brainarch import-annotations`"
#: Side of a chunk in pixels; all chunks of a slice share one file.
CHUNK = 512


@dataclass(frozen=True)
class Labels:
    """A stored label image.

    Attributes
    ----------
    path : Path
        The store.
    array : zarr.Array
        Shape (z, y, x), uint8; 0 is unlabelled.
    pixel_um : float
        Side of a pixel in micrometer.
    first_slice : int
        Number of the first slice.
    annotated_slices : tuple of int
        Numbers of the slices that hold labels, ascending.
    slice_um : float
        Distance of neighbouring slices in micrometer.
    shift_um : float
        Centre of the first pixel along y and x; not 0 where the volume was resampled.
    remedy : str
        What mends it, for messages.
    hole_px : int
        Largest hole of an area, in pixels, that is none where distances are measured; see
        `brainarch.annotations.holes`.
    """

    path: Path
    array: zarr.Array[Any]
    pixel_um: float
    first_slice: int
    annotated_slices: tuple[int, ...]
    slice_um: float
    shift_um: float
    remedy: str
    hole_px: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of slices, rows and columns."""
        z, y, x = self.array.shape
        return z, y, x

    def index_of(self, z: int) -> int:
        """Return the array index of slice number ``z``.

        Raises
        ------
        InputError
            If the slice is not annotated.
        """
        if z not in self.annotated_slices:
            have = ", ".join(str(slice_) for slice_ in self.annotated_slices) or "none"
            raise InputError(f"{self.path}: slice {z} is not annotated; annotated slices: {have}")
        return z - self.first_slice

    def read_slice(self, z: int) -> NDArray[np.uint8]:
        """Return the labels of slice number ``z``: uint8, shape (y, x).

        Raises
        ------
        InputError
            If the slice is not annotated, or its labels are damaged or missing.
        """
        index = self.index_of(z)
        return np.asarray(read_part(self.array, index, self.path, self.remedy), dtype=np.uint8)

    def write_slice(self, z: int, labels: NDArray[np.integer]) -> None:
        """Store the labels of slice number ``z``, shape (y, x).

        Raises
        ------
        InputError
            If the slice is not among the annotated ones.
        ValueError
            If shape or values do not fit.
        """
        index = self.index_of(z)
        if labels.shape != self.shape[1:]:
            raise ValueError(f"labels of slice {z}: shape {labels.shape}, not {self.shape[1:]}")
        if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) <= 255:
            raise ValueError(f"labels of slice {z}: values do not fit uint8")
        self.array[index] = labels.astype(np.uint8)


def create_labels(
    path: Path,
    shape: tuple[int, int, int],
    pixel_um: float,
    annotated: Sequence[int],
    *,
    first_slice: int = 0,
    legend: Legend | None = None,
    extra: dict[str, Any] | None = None,
    slice_um: float | None = None,
    shift_um: float = 0.0,
    hole_um2: float = 0.0,
) -> Labels:
    """Create an empty label image; fill it with `Labels.write_slice`.

    Parameters
    ----------
    path : Path
        The new store; use `brainarch.atomic.replacing` for one that must be whole or absent.
    shape : tuple of int
        Slices, rows and columns of the volume.
    pixel_um : float
        Side of a pixel in micrometer.
    annotated : sequence of int
        Numbers of the slices that will hold labels.
    first_slice : int
        Number of the first slice.
    legend : Legend, optional
        Its codes and names are stored for viewers, with a fixed colour for each code.
    extra : dict, optional
        More entries for ``attrs["brainarch"]``.
    slice_um : float, optional
        Distance of neighbouring slices in micrometer; by default the side of a pixel.
    shift_um : float
        Centre of the first pixel along y and x.
    hole_um2 : float
        Largest hole of an area that is closed for distances, in square micrometer.

    Raises
    ------
    InputError
        If a slice is outside the volume or named twice.
    """
    path = Path(path)
    last = first_slice + shape[0] - 1
    for z in annotated:
        if not first_slice <= z <= last:
            raise InputError(
                f"slice {z}: outside the volume, which has slices {first_slice} to {last}"
            )
    slices = sorted(int(z) for z in annotated)
    if len(set(slices)) != len(slices):
        raise InputError(f"slices {slices}: one is named twice")
    slice_um = pixel_um if slice_um is None else slice_um
    scale, origin = (slice_um, pixel_um, pixel_um), (first_slice * slice_um, shift_um, shift_um)
    ome = multiscale_attributes("labels", [scale], [origin])
    ome["image-label"] = _image_label(legend)
    own = {
        "annotated_slices": slices,
        "pixel_um": pixel_um,
        "first_slice": first_slice,
        "shift_um": shift_um,
        MADE_BY: IMPORT,
        "hole_um2": hole_um2,
        **(extra or {}),
    }
    group = zarr.create_group(path, zarr_format=3, attributes={"ome": ome, ATTRIBUTE: own})
    chunk = tuple(min(CHUNK, size) for size in shape[1:])
    shard = tuple(-(-size // part) * part for size, part in zip(shape[1:], chunk, strict=True))
    array = group.create_array(
        "0",
        shape=shape,
        dtype="uint8",
        chunks=(1, *chunk),
        shards=(1, *shard),
        compressors=[ZstdCodec(level=3), Crc32cCodec()],
        fill_value=0,
        dimension_names=AXES,
        config={"write_empty_chunks": True},
    )
    write_attributes(path, {})
    return _labels(path, array, own, pixel_um, slice_um)


def _image_label(legend: Legend | None) -> dict[str, Any]:
    """Return the OME-Zarr ``image-label`` attribute: colours and names of the codes."""
    if legend is None:
        return {}
    return {
        "colors": [{"label-value": area.code, "rgba": rgba_of(area.code)} for area in legend.areas],
        "properties": [{"label-value": area.code, "name": area.name} for area in legend.areas],
    }


def open_labels(path: Path) -> Labels:
    """Open a label image for reading.

    Raises
    ------
    InputError
        If it is missing or not a label image of brainarch.
    """
    path = Path(path)
    image = open_image(path)
    own, array = image.own, image.array
    if "annotated_slices" not in own or array.ndim != len(AXES) or str(array.dtype) != "uint8":
        raise InputError(f"{path}: not a label image of brainarch; make one with {IMPORT}")
    if not image.guarded:
        raise InputError(f"{path}: no digest of its metadata is there; {_remedy(own)}")
    slice_um, _, pixel_um = image.sides_um()
    return _labels(path, array, own, pixel_um, slice_um)


def _labels(
    path: Path, array: zarr.Array[Any], own: Mapping[str, Any], pixel_um: float, slice_um: float
) -> Labels:
    return Labels(
        path=path,
        array=array,
        pixel_um=pixel_um,
        first_slice=int(own["first_slice"]),
        annotated_slices=tuple(int(z) for z in own["annotated_slices"]),
        slice_um=slice_um,
        shift_um=float(own["shift_um"]),
        remedy=_remedy(own),
        hole_px=int(float(own["hole_um2"]) / pixel_um**2),
    )


def _remedy(own: Mapping[str, Any]) -> str:
    return f"run {own.get(MADE_BY, IMPORT)} again"
