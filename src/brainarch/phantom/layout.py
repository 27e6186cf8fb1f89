"""Where the areas and layers lie: borders as smooth functions of y and z, or of x and z.

The order along x is that of the real slice: hypothalamus, zona incerta, VP, TRN, internal capsule,
striatum, corpus callosum, cortex from L6 to the pia. The internal capsule also runs along the top,
over ZI, VP and TRN. Positions are relative to the shape; the thickness of the cortex and its layers
is in micrometres, unless the volume is too short for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from brainarch.phantom import anatomy
from brainarch.phantom.compiled import kernel
from brainarch.seeds import generator

#: Most of the x extent that the cortex may take; shorter volumes get thinner layers (ours).
CORTEX_MAX_SHARE = 0.33
#: Shares of the x extent left of the corpus callosum: HypoTh, ZI, VP, TRN, internal capsule, Str.
SHARES = (0.218, 0.213, 0.217, 0.032, 0.104, 0.216)
#: Least width of the internal capsule in px, so that 128 px patches fit in 75 % (ours).
CAPSULE_MIN_PX = 140.0
#: How far the top of each x border lies right of its bottom, relative to the slant unit.
SLANTS = (0.25, 0.8, 0.8, -0.9, -1.0, -1.1, 0.05, 0.1)
#: Width in um over which the tissue on one side of an x border turns into that on the other (ours).
SOFTNESS_UM = (0.0, 40.0, 36.0, 40.0, 14.0, 5.0, 5.0, 24.0, 36.0, 30.0, 30.0, 36.0, 0.0)
BAND_SOFTNESS_UM = 24.0

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Borders:
    """The borders at some heights.

    Attributes
    ----------
    x : float32 array (n_z, 13, n_y)
        x positions in px: left end of the tissue, 11 borders between classes, pia.
    top, bottom : float32 arrays (n_z, n_x)
        First and last row of the tissue, in px.
    band : float32 array (n_z, n_x)
        Last row of the part of the internal capsule that runs along the top; -1 where it does not.
    barrel : uint8 array (n_z, n_y)
        1 barrel wall, 2 barrel hollow, where L4 is.
    """

    x: FloatArray
    top: FloatArray
    bottom: FloatArray
    band: FloatArray
    barrel: NDArray[np.uint8]


@dataclass(frozen=True)
class Extent:
    """The lengths, in px, from which the layout and the fibre frames follow."""

    left: float
    rest: float
    callosum: float
    cortex: float
    pia: float
    top: float
    bottom: float
    slant: float
    band: float


def extent(shape: tuple[int, int, int], voxel_um: float) -> Extent:
    """Return the main lengths of the layout of a volume."""
    _, n_y, n_x = shape
    margin_x = max(6.0, 0.011 * n_x)
    margin_y = max(4.0, 0.022 * n_y)
    cortex = min(anatomy.CORTEX_THICKNESS_UM / voxel_um, CORTEX_MAX_SHARE * n_x)
    callosum = min(max(0.034 * n_x, 56.0), 160.0)
    pia = n_x - 1.6 * margin_x
    rest = pia - cortex - callosum - margin_x
    height = n_y - 2 * margin_y
    return Extent(
        left=margin_x,
        rest=rest,
        callosum=callosum,
        cortex=cortex,
        pia=pia,
        top=margin_y,
        bottom=n_y - margin_y,
        slant=min(0.055 * rest, 0.14 * height),
        band=0.095 * height,
    )


def shares(rest: float) -> NDArray[np.float64]:
    """Return `SHARES`, with an internal capsule wide enough for patches where that is possible."""
    widths = np.array(SHARES) * rest
    capsule = min(max(widths[4], CAPSULE_MIN_PX), 0.2 * rest)
    widths *= (rest - capsule) / (rest - widths[4])
    widths[4] = capsule
    return widths / rest


def layer_scale(shape: tuple[int, int, int], voxel_um: float) -> float:
    """Return the factor by which the layers are thinner than in the cortex, 1 if they are not."""
    return extent(shape, voxel_um).cortex * voxel_um / anatomy.CORTEX_THICKNESS_UM


def layer_borders_px(shape: tuple[int, int, int], voxel_um: float) -> NDArray[np.float64]:
    """Return the depths below the pia, in px, at which L1, L2/3, L4, L5 and L6 end."""
    thickness = np.array(list(anatomy.LAYER_THICKNESS_UM.values()))
    depths: NDArray[np.float64] = np.cumsum(thickness) * layer_scale(shape, voxel_um) / voxel_um
    return depths


class _Wave:
    """A smooth random function of (z, position): a sum of sinusoids of unit variance."""

    def __init__(
        self, rng: np.random.Generator, shortest: float, longest: float, z_length: float
    ) -> None:
        n = 7
        length = np.exp(rng.uniform(np.log(shortest), np.log(longest), n))
        self.frequency = 2 * np.pi / length
        self.z_frequency = 2 * np.pi * rng.uniform(-1, 1, n) / z_length
        self.phase = rng.uniform(0, 2 * np.pi, n)
        weight = length / longest + 0.2
        self.weight = weight * np.sqrt(2 / np.sum(weight**2))

    def __call__(self, z: NDArray[np.float64], s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values on the grid of ``z`` (n_z) and ``s`` (n_s)."""
        total = np.zeros((len(z), len(s)))
        for k in range(len(self.phase)):
            angle_z = self.z_frequency[k] * z + self.phase[k]
            total += self.weight[k] * np.cos(angle_z[:, None] + self.frequency[k] * s[None, :])
        return total


def borders(
    shape: tuple[int, int, int], voxel_um: float, seed: int, z: NDArray[np.float64]
) -> Borders:
    """Return the borders at the heights ``z``, which may lie outside the volume.

    Parameters
    ----------
    shape : tuple of int
        (z, y, x) of the volume.
    voxel_um : float
        Edge of a voxel in um.
    seed : int
        The phantom's seed.
    z : float64 array (n_z,)
        Heights in px.
    """
    _, n_y, n_x = shape
    size = extent(shape, voxel_um)
    rng = generator(seed, "phantom layout")
    y = np.arange(n_y, dtype=np.float64)
    x = np.arange(n_x, dtype=np.float64)
    # Wiggles are at most a fixed share of the areas' widths, so that tiny volumes keep their order.
    unit = min(9.0 / voxel_um, 0.006 * size.rest)
    positions = np.concatenate([[0.0], np.cumsum(shares(size.rest))]) * size.rest + size.left
    positions = np.append(positions, size.pia - size.cortex)
    lines = np.empty((len(z), 13, n_y))
    tilt = 0.5 - (y - size.top) / (size.bottom - size.top)
    for j in range(8):
        wave = _Wave(rng, 110 / voxel_um, 620 / voxel_um, 420 / voxel_um)
        lines[:, j] = positions[j] + 2 * SLANTS[j] * size.slant * tilt + unit * wave(z, y)
    pia_wave = _Wave(rng, 150 / voxel_um, 900 / voxel_um, 500 / voxel_um)
    lines[:, 12] = size.pia + 0.1 * size.slant * 2 * tilt + unit * pia_wave(z, y)
    # The thickness of the cortex is that of its layers: its inner border follows the pia.
    lines[:, 7] = lines[:, 12] - size.cortex + 0.3 * (lines[:, 7] - positions[7])
    depths = layer_borders_px(shape, voxel_um)
    for j, depth in zip((11, 10, 9, 8), depths[:4], strict=True):
        share = depth / depths[4]
        wave = _Wave(rng, 120 / voxel_um, 600 / voxel_um, 300 / voxel_um)
        inner = lines[:, 12] - share * (lines[:, 12] - lines[:, 7])
        lines[:, j] = inner + 0.35 * unit * wave(z, y)
    np.maximum.accumulate(lines, axis=1, out=lines)
    top_wave = _Wave(rng, 120 / voxel_um, 1500 / voxel_um, 300 / voxel_um)
    bottom_wave = _Wave(rng, 120 / voxel_um, 1500 / voxel_um, 300 / voxel_um)
    corner = 0.8 * size.band * np.exp(-np.maximum(x - size.left, 0) / (0.05 * size.rest))
    rough = _Wave(rng, 8, 40, 60)
    top = size.top + corner + 0.35 * size.top * top_wave(z, x) + 0.7 * rough(z, x)
    bottom = size.bottom - 0.7 * corner + 0.35 * size.top * bottom_wave(z, x)
    band_wave = _Wave(rng, 120 / voxel_um, 900 / voxel_um, 420 / voxel_um)
    share = (x - positions[1] - size.slant) / (0.35 * (positions[3] - positions[1]))
    share = np.clip(share, 0.0, 1.0)
    ramp = share * share * (3 - 2 * share)
    inside = x < positions[5]
    thickness = size.band * ramp + 0.7 * unit * band_wave(z, x)
    band = np.where(inside & (ramp > 0), top + np.maximum(thickness, 0.0), -1.0)
    return Borders(
        lines.astype(np.float32),
        top.astype(np.float32),
        bottom.astype(np.float32),
        band.astype(np.float32),
        barrels(n_y, voxel_um * layer_scale(shape, voxel_um), seed, z),
    )


def barrels(n_y: int, scale_um: float, seed: int, height: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the barrel code, 1 wall or 2 hollow, of each (z, y) of layer 4.

    Barrels are the cells of a jittered hexagonal lattice in the tangential plane; the wall is what
    lies closer than `anatomy.BARREL_WALL_UM` to the next cell. ``scale_um`` is the voxel's edge
    times the scale of the layers.
    """
    spacing = anatomy.BARREL_SPACING_UM / scale_um
    rng = generator(seed, "phantom barrels")
    shift = rng.uniform(0, 1, 2)
    jitter = rng.uniform(-0.12, 0.12, (64, 64, 2))
    z = height[:, None] / spacing + shift[0]
    y = np.arange(n_y)[None, :] / spacing + shift[1]
    row = np.floor(z / 0.866).astype(int)
    column = np.floor(y).astype(int)
    distances = []
    for dr in range(-2, 3):
        for dc in range(-2, 3):
            r, c = row + dr, column + dc
            offset = jitter[r % 64, c % 64]
            centre_z = (r + 0.5 + offset[..., 0]) * 0.866
            centre_y = c + 0.5 + 0.5 * (r % 2) + offset[..., 1]
            distances.append(np.hypot(z - centre_z, y - centre_y))
    nearest = np.sort(np.stack(distances), axis=0)[:2]
    to_border = 0.5 * (nearest[1] - nearest[0]) * spacing * scale_um
    return np.where(to_border < anatomy.BARREL_WALL_UM, 1, 2).astype(np.uint8)


@kernel
def _fill_classes(
    lines: FloatArray, top: FloatArray, bottom: FloatArray, band: FloatArray, out: NDArray[np.uint8]
) -> None:
    n_z, n_y, n_x = out.shape
    for row in prange(n_z * n_y):
        z = row // n_y
        y = row - z * n_y
        k = -1
        for x in range(n_x):
            while k < 12 and x >= lines[z, k + 1, y]:
                k += 1
            code = k + 1
            if k < 0 or k > 11 or y < top[z, x] or y > bottom[z, x]:
                code = 0
            elif y < band[z, x] and code <= 4:
                code = 5
            out[z, y, x] = code


def class_map(lines: Borders) -> NDArray[np.uint8]:
    """Return the class of every voxel, uint8 (n_z, n_y, n_x), an index into `anatomy.CLASSES`."""
    n_z, _, n_y = lines.x.shape
    out = np.empty((n_z, n_y, lines.top.shape[1]), np.uint8)
    _fill_classes(lines.x, lines.top, lines.bottom, lines.band, out)
    return out
