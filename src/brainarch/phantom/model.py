"""The phantom: a synthetic thalamocortical volume whose every structure is known.

All random numbers come from the coordinates, so neither blocks nor threads matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from brainarch.errors import InputError
from brainarch.phantom import anatomy, imaging, layout, noise, objects
from brainarch.phantom.compiled import kernel
from brainarch.phantom.lesions import Lesion
from brainarch.phantom.texture import texture

Byte = NDArray[np.uint8]

#: Smallest (z, y, x) that still holds six areas of whole patches.
SMALLEST = (1, 300, 1200)
#: Grey value inside vessels before the imaging chain (real: near-black).
VESSEL_GREY = -22.0
#: Grey levels by which the rim of a larger vessel exceeds the tissue.
RIM_GREY = 70.0


@dataclass(frozen=True)
class PhantomSpec:
    """What to render.

    Attributes
    ----------
    shape : tuple of int
        (z, y, x) of the volume in voxels.
    voxel_um : float
        Edge of a voxel in um.
    seed : int
        Same seed, same volume.
    lesions : tuple of Lesion
        None in a volume that is to be like tissue.
    """

    shape: tuple[int, int, int]
    voxel_um: float = 1.17
    seed: int = 0
    lesions: tuple[Lesion, ...] = ()

    def __post_init__(self) -> None:
        if any(n < least for n, least in zip(self.shape, SMALLEST, strict=True)):
            raise InputError(
                f"shape {self.shape}: too small for six areas; at least {SMALLEST} (z, y, x)"
            )
        if not 0.5 <= self.voxel_um <= 4.0:
            raise InputError(f"voxel size {self.voxel_um}: must lie between 0.5 and 4 um")
        if self.seed < 0:
            raise InputError(f"seed {self.seed}: must not be negative")


@dataclass(frozen=True)
class PhantomBlock:
    """A range of slices and its truth; all arrays are uint8 (n_z, n_y, n_x).

    Attributes
    ----------
    z_start : int
        First slice.
    grey : array
        The image.
    areas : array
        `anatomy.AREA_CODES`, TRN included; 0 is the background.
    layers : array
        `anatomy.LAYER_CODES`, 0 outside the cortex.
    barrels : array
        `anatomy.BARREL_CODES`, 0 outside layer 4.
    microstructure : array
        `anatomy.MICROSTRUCTURE_CODES`, 0 in the neuropil.
    """

    z_start: int
    grey: Byte
    areas: Byte
    layers: Byte
    barrels: Byte
    microstructure: Byte


@dataclass(frozen=True)
class LabelBlock:
    """The areas, layers and barrels of a range of slices, as in `PhantomBlock`."""

    areas: Byte
    layers: Byte
    barrels: Byte


@dataclass(frozen=True)
class _Planes:
    """Slices after the blur within the slice, before the blur along z; arrays (n_z, n_y, n_x)."""

    grey: NDArray[np.float32]
    microstructure: Byte
    classes: Byte
    barrel: Byte

    def part(self, first: int, stop: int | None = None) -> _Planes:
        rows = slice(first, stop)
        return _Planes(
            self.grey[rows], self.microstructure[rows], self.classes[rows], self.barrel[rows]
        )

    def joined(self, other: _Planes) -> _Planes:
        return _Planes(
            np.concatenate([self.grey, other.grey]),
            np.concatenate([self.microstructure, other.microstructure]),
            np.concatenate([self.classes, other.classes]),
            np.concatenate([self.barrel, other.barrel]),
        )


@kernel
def _name_voxels(
    classes: Byte, barrel: Byte, area_of: Byte, layer_of: Byte, barrel_class: int,
    areas: Byte, layers: Byte, barrels: Byte,
) -> None:  # fmt: skip
    n_z, n_y, n_x = classes.shape
    for row in prange(n_z * n_y):
        z = row // n_y
        y = row - z * n_y
        for x in range(n_x):
            code = classes[z, y, x]
            areas[z, y, x] = area_of[code]
            layers[z, y, x] = layer_of[code]
            barrels[z, y, x] = barrel[z, y] if code == barrel_class else 0


def _labels(classes: Byte, barrel: Byte) -> LabelBlock:
    areas, layers, barrels = (np.empty(classes.shape, np.uint8) for _ in range(3))
    area_of = np.array(anatomy.CLASS_AREA, np.uint8)
    layer_of = np.array(anatomy.CLASS_LAYER, np.uint8)
    _name_voxels(classes, barrel, area_of, layer_of, anatomy.CLASS_L4, areas, layers, barrels)
    return LabelBlock(areas, layers, barrels)


def _planes(spec: PhantomSpec, low: int, high: int) -> _Planes:
    """Return slices ``low`` to ``high - 1``, which may lie beyond the volume's ends."""
    shape, voxel_um, seed = spec.shape, spec.voxel_um, spec.seed
    reach = objects.CELL_REACH + 1
    z = np.arange(low - reach, high + reach, dtype=np.float64)
    wide = layout.borders(shape, voxel_um, seed, z)
    lines = layout.Borders(
        *(getattr(wide, name)[reach:-reach] for name in ("x", "top", "bottom", "band", "barrel"))
    )
    grey, micro, classes = texture(shape, voxel_um, seed, low, lines, spec.lesions)
    dark, cover = np.zeros_like(micro), np.zeros_like(micro)
    objects.draw_cells(shape, voxel_um, seed, low, wide, reach, classes, dark, micro, spec.lesions)
    objects.draw_vessels(shape, voxel_um, seed, low, cover)
    imaging.compose(classes, dark, cover, objects.LUMEN, VESSEL_GREY, RIM_GREY, grey, micro)
    imaging.blur_planes(grey, imaging.point_spread(0), imaging.point_spread(1))
    return _Planes(grey, micro, classes, lines.barrel)


def _image(spec: PhantomSpec, planes: _Planes, z_start: int) -> PhantomBlock:
    """Finish the slices that have `imaging.RADIUS_Z` more on either side in ``planes``."""
    r = imaging.RADIUS_Z
    inner = planes.part(r, -r)
    out = np.empty(inner.classes.shape, np.uint8)
    imaging.finish(
        planes.grey, imaging.point_spread(2), z_start,
        0.5 * spec.shape[0], 0.5 * spec.shape[1], np.uint64(spec.seed),
        noise.reconstruction_volume(spec.seed),
        imaging.RECONSTRUCTION_NOISE / noise.STEPS_PER_STD,
        imaging.NOISE, imaging.RINGS, imaging.BANDS, imaging.RING_WIDTH,
        imaging.dead_column(spec.shape, spec.voxel_um), imaging.DEAD_GREY, out,
    )  # fmt: skip
    labels = _labels(inner.classes, inner.barrel)
    return PhantomBlock(
        z_start, out, labels.areas, labels.layers, labels.barrels, inner.microstructure.copy()
    )


def render_slice(spec: PhantomSpec, z: int) -> PhantomBlock:
    """Return one slice as `render_blocks` makes it."""
    r = imaging.RADIUS_Z
    return _image(spec, _planes(spec, z - r, z + 1 + r), z)


def render_blocks(spec: PhantomSpec, depth: int) -> Iterator[PhantomBlock]:
    """Yield the whole volume in blocks of ``depth`` slices, which do not depend on the depth.

    The slices that two neighbouring blocks share are computed once. Memory is about 16 bytes for
    each voxel of a block and of `imaging.RADIUS_Z` slices on either side of it.
    """
    r = imaging.RADIUS_Z
    carried: _Planes | None = None
    for z_start in range(0, spec.shape[0], depth):
        z_stop = min(z_start + depth, spec.shape[0])
        if carried is None:
            planes = _planes(spec, z_start - r, z_stop + r)
        else:
            planes = carried.joined(_planes(spec, z_start + r, z_stop + r))
        carried = planes.part(-2 * r)
        yield _image(spec, planes, z_start)
