"""The imaging chain: blur with phase-contrast fringes, rings, bands and noise, 8 bits."""

from __future__ import annotations

import math

import numpy as np
from numba import prange
from numpy.typing import NDArray

from brainarch.phantom.compiled import helper, kernel
from brainarch.phantom.hashing import gaussian, hash_cell
from brainarch.phantom.layout import extent, shares

Float = NDArray[np.float32]
Byte = NDArray[np.uint8]

#: Standard deviations of the blur in px along x, y and z, from the fall of the real spectrum.
BLUR_PX = (0.95, 1.62, 1.25)
#: Frequency in cycles/px above which nothing passes, and the width of that cut.
CUT = 0.242
CUT_WIDTH = 0.02
#: Gain of middle over low frequencies in the slice, and the length in px that parts them: dark
#: objects get the bright rim of propagation phase contrast.
LOBE = 0.45
LOBE_PX = 2.6
#: Half-width in px of the kernels in the slice and along z, the latter hence the slices beyond a
#: slab that its blur needs.
RADIUS = 6
RADIUS_Z = 3
#: Standard deviations in grey levels: reconstruction noise, white noise, ring artefacts, bands.
RECONSTRUCTION_NOISE = 3.4
NOISE = 0.15
RINGS = 0.6
BANDS = 0.5
#: Width in px of a ring (ours).
RING_WIDTH = 1.5

#: Grey value of the dead detector column, as in the published slice (x = 4069, in the striatum).
DEAD_GREY = 6
#: Where it lies: share of the striatum's width (ours; 0.91 in the published slice).
DEAD_SHARE = 0.78


def dead_column(shape: tuple[int, int, int], voxel_um: float) -> int:
    """Return the x of the detector column that saw nothing."""
    size = extent(shape, voxel_um)
    widths = shares(size.rest)
    return int(size.left + size.rest * (widths[:5].sum() + DEAD_SHARE * widths[5]))


def point_spread(axis: int) -> Float:
    """Return the separable kernel along x (0), y (1) or z (2), float32 of odd length, of unit sum.

    The kernel is the tapered inverse transform of its transfer function: a Gaussian, cut off at
    `CUT`, with more gain at middle frequencies in the slice.
    """
    radius = RADIUS_Z if axis == 2 else RADIUS
    t = np.arange(-radius, radius + 1)
    f = np.linspace(-0.5, 0.5, 512, endpoint=False)
    transfer = np.exp(-2 * (np.pi * BLUR_PX[axis] * f) ** 2)
    transfer /= 1 + np.exp((np.abs(f) - CUT) / CUT_WIDTH)
    if axis < 2:
        transfer *= 1 + LOBE * (1 - np.exp(-2 * (np.pi * LOBE_PX * f) ** 2))
    weights = (transfer * np.cos(2 * np.pi * t[:, None] * f)).sum(axis=1)
    weights *= 0.5 + 0.5 * np.cos(np.pi * t / (radius + 1))
    unit: Float = (weights / weights.sum()).astype(np.float32)
    return unit


@kernel
def compose(
    classes: Byte, dark: Byte, cover: Byte, lumen: int, vessel: float, rim: float,
    grey: Float, micro: Byte,
) -> None:  # fmt: skip
    """Put cells and vessels into the neuropil, in place; vessels win over cells over axons.

    ``cover`` from ``lumen`` on replaces the tissue by the grey value ``vessel``; below, it adds up
    to ``rim`` grey levels. Nothing is put into the background, class 0.
    """
    n_z, n_y, _ = grey.shape
    half = (255 + lumen) // 2
    for row in prange(n_z * n_y):
        z = row // n_y
        y = row - z * n_y
        for x in range(grey.shape[2]):
            if classes[z, y, x] == 0:
                micro[z, y, x] = 0
                continue
            level = cover[z, y, x]
            value = grey[z, y, x] - np.float32(dark[z, y, x])
            if level >= lumen:
                value += (level - lumen) / np.float32(255 - lumen) * (vessel - value)
                if level > half:
                    micro[z, y, x] = 2
            elif level > 0:
                value += level / np.float32(lumen) * rim
            grey[z, y, x] = value


@helper
def _blur_rows(image: Float, weights: Float) -> None:
    """Blur a slice along x, in place; edges repeat."""
    n_y, n_x = image.shape
    r = weights.shape[0] // 2
    line = np.empty(n_x + 2 * r, np.float32)
    for y in range(n_y):
        line[:r] = image[y, 0]
        line[r : n_x + r] = image[y]
        line[n_x + r :] = image[y, n_x - 1]
        for x in range(n_x):
            total = weights[r] * line[x + r]
            for i in range(1, r + 1):
                total += weights[r + i] * (line[x + r - i] + line[x + r + i])
            image[y, x] = total


@helper
def _blur_columns(image: Float, weights: Float) -> None:
    """Blur a slice along y, in place; edges repeat. Symmetric ``weights``."""
    n_y, n_x = image.shape
    r = weights.shape[0] // 2
    # The unblurred rows y - r to y + r; row j stands at (j + r) modulo their number.
    n = 2 * r + 1
    ring = np.empty((n, n_x), np.float32)
    for i in range(n):
        ring[i] = image[min(max(i - r, 0), n_y - 1)]
    for y in range(n_y):
        for x in range(n_x):
            image[y, x] = weights[r] * ring[(y + r) % n, x]
        for i in range(1, r + 1):
            low, high = (y + r - i) % n, (y + r + i) % n
            for x in range(n_x):
                image[y, x] += weights[r + i] * (ring[low, x] + ring[high, x])
        if y + 1 + r < n_y:
            ring[y % n] = image[y + 1 + r]
        else:
            ring[y % n] = ring[(y + 2 * r) % n]


@kernel
def blur_planes(grey: Float, along_x: Float, along_y: Float) -> None:
    """Blur every slice along x and y, in place; edges repeat."""
    for z in prange(grey.shape[0]):
        _blur_rows(grey[z], along_x)
        _blur_columns(grey[z], along_y)


@kernel
def finish(
    grey: Float, weights: Float, z_start: int, axis_z: float, axis_y: float, seed: np.uint64,
    texture: NDArray[np.int8], gain: float,
    noise: float, rings: float, bands: float, ring_width: float, dead: int,
    dead_grey: int, out: Byte,
) -> None:  # fmt: skip
    """Blur along z, add rings, bands and noise, and round to 8 bits.

    Slice i of ``out`` is slice i + r of ``grey``, r the kernel's radius. The detector's lines run
    along x: its rings are circles in the (z, y) planes, round the rotation axis, and differ from
    one x to the next, so that a (y, x) slice shows them as rows of noise.
    """
    n_z, n_y, n_x = out.shape
    r = weights.shape[0] // 2
    for row in prange(n_z * n_y):
        z = row // n_y
        y = row - z * n_y
        line = np.empty(n_x, np.float32)
        for x in range(n_x):
            line[x] = weights[r] * grey[z + r, y, x]
        for i in range(1, r + 1):
            for x in range(n_x):
                line[x] += weights[r + i] * (grey[z + r - i, y, x] + grey[z + r + i, y, x])
        distance = math.sqrt((z + z_start - axis_z) ** 2 + (y - axis_y) ** 2) / ring_width
        ring = int(distance)
        share = distance - ring
        grain = texture[(z + z_start) % texture.shape[0], y % texture.shape[1]]
        j = 0
        for x in range(n_x):
            value = line[x] + gain * grain[j]
            j = j + 1 if j + 1 < grain.shape[0] else 0
            value += noise * gaussian(hash_cell(seed, 301, z + z_start, y, x))
            value += rings * (
                (1.0 - share) * gaussian(hash_cell(seed, 302, ring, 0, x))
                + share * gaussian(hash_cell(seed, 302, ring + 1, 0, x))
            )
            value += bands * gaussian(hash_cell(seed, 303, 0, 0, x))
            out[z, y, x] = np.uint8(min(max(value + 0.5, 0.0), 255.0))
        out[z, y, dead] = dead_grey
