"""Cell bodies and vessels, placed by hashing the cells of a grid, so that any z-range stands alone.

Each thread owns a strip of rows and draws what reaches into it; overlapping objects are combined by
a maximum, which does not depend on their order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numba import prange
from numpy.typing import NDArray

from brainarch.phantom import anatomy, fibres, layout, lesions, tissues
from brainarch.phantom.compiled import helper, kernel
from brainarch.phantom.hashing import gaussian, hash_cell, mix, uniform

Float = NDArray[np.float32]
Byte = NDArray[np.uint8]

#: Edge of the grid cell that holds at most one cell body, in um (ours).
CELL_GRID_UM = 17.0
#: Largest reach of a cell body, in px.
CELL_REACH = 14
#: Share of layer 4 that is hollow, so that walls and hollows together keep its mean density.
HOLLOW_SHARE = 0.5
#: Spacing in um of the nodes of the capillary networks, two of which overlap (ours).
CAPILLARY_GRID_UM = 50.0
#: Spacing in um of the nodes of the network of larger vessels (ours).
LARGE_GRID_UM = 330.0
#: Radii in um: capillaries (annotated median 2.2 to 2.5 px), larger vessels (ours).
CAPILLARY_RADIUS_UM = (1.9, 3.1)
LARGE_RADIUS_UM = (6.0, 26.0)
#: How far a vessel bends, and how much it winds, as shares of the node spacing (ours).
BEND = 0.7
WINDING = 0.05
#: Values of ``cover`` from here on are lumen, lower ones the bright rim of a larger vessel.
LUMEN = 64
#: Width in px of that rim, a fringe of propagation phase contrast (ours, from the real slice).
RIM_PX = 3.0
#: Rows of a strip.
STRIP = 64
#: Salts of the hash, one a use.
_CELLS, _CAPILLARIES, _MORE_CAPILLARIES, _LARGE = 101, 200, 210, 220

_CAPSULE = anatomy.CLASS_INTERNAL_CAPSULE
_CALLOSUM = anatomy.CLASS_CORPUS_CALLOSUM
_L4 = anatomy.CLASS_L4
_AXON = anatomy.MICROSTRUCTURE_CODES["myelinated axon"]
_CELL_BODY = anatomy.MICROSTRUCTURE_CODES["cell body"]


@helper
def _draw(state: np.uint64, number: int) -> float:
    """Return the ``number``-th uniform draw of a hashed state."""
    return uniform(mix(state + np.uint64(number)))


@helper
def _range(centre: float, reach: float, low: int, high: int) -> tuple[int, int]:
    """Return the half-open range of integers within ``reach`` of ``centre`` and low..high - 1."""
    return max(math.ceil(centre - reach), low), min(math.floor(centre + reach) + 1, high)


@helper
def _class_at(lines: Float, top: Float, bottom: Float, band: Float, z: int, y: int, x: int) -> int:
    """Return the tissue class of a voxel, from the borders at height ``z``."""
    if y < 0 or y >= lines.shape[2] or x < 0 or x >= top.shape[1]:
        return 0
    if y < top[z, x] or y > bottom[z, x]:
        return 0
    k = 0
    while k < lines.shape[1] and x >= lines[z, k, y]:
        k += 1
    if k == lines.shape[1]:
        return 0
    if 0 < k < _CAPSULE and y < band[z, x]:
        return _CAPSULE
    return k


@helper
def _inside(discs: Float, y: float, x: float) -> bool:
    """Say whether a place lies in one of some discs (y, x, radius)."""
    for i in range(discs.shape[0]):
        if (y - discs[i, 0]) ** 2 + (x - discs[i, 1]) ** 2 < discs[i, 2] ** 2:
            return True
    return False


@helper
def _darkness_profile(rho: float, radius: float, nucleus: float, to_nucleolus: float) -> float:
    """Return the darkness, 0 to 1, at ``rho`` radii from the centre of a cell.

    Cytoplasm is dark, the nucleus lighter, the nucleolus dark again; edges are a voxel wide.
    """
    edge = min(max((1.0 - rho) * radius * 0.6 + 0.5, 0.0), 1.0)
    inner = min(max((0.62 - rho) * radius * 0.7 + 0.5, 0.0), 1.0)
    nucleolus = min(max(0.3 * radius + 0.5 - to_nucleolus, 0.0), 1.0)
    return edge * (1.0 - nucleus * inner * (1.0 - 1.2 * nucleolus))


@helper
def _draw_cell(
    classes: Byte, dark: Byte, micro: Byte, z_low: int, row_low: int, row_high: int,
    centre: tuple[float, float, float], radius: float, long: float, angle: float,
    darkness: float, nucleus: float, state: np.uint64,
) -> None:  # fmt: skip
    """Draw one ellipsoid, its long axis in the slice at ``angle``."""
    cz, cy, cx = centre
    cos, sin = math.cos(angle), math.sin(angle)
    a, b = radius * long, radius / math.sqrt(long)
    nz = cz + 0.25 * radius * (2 * _draw(state, 1) - 1)
    ny = cy + 0.25 * radius * (2 * _draw(state, 2) - 1)
    nx = cx + 0.25 * radius * (2 * _draw(state, 3) - 1)
    z_from, z_to = _range(cz, a + 1.5, z_low, z_low + dark.shape[0])
    y_from, y_to = _range(cy, a + 1.5, row_low, row_high)
    x_from, x_to = _range(cx, a + 1.5, 0, dark.shape[2])
    for z in range(z_from, z_to):
        i = z - z_low
        for y in range(y_from, y_to):
            for x in range(x_from, x_to):
                dz, dy, dx = z - cz, y - cy, x - cx
                along, across = dx * cos + dy * sin, dy * cos - dx * sin
                rho = math.sqrt((along / a) ** 2 + (across * across + dz * dz) / (b * b))
                spot = math.sqrt((z - nz) ** 2 + (y - ny) ** 2 + (x - nx) ** 2)
                value = darkness * _darkness_profile(rho, radius, nucleus, spot)
                code = classes[i, y, x]
                # Bundles displace cells; in white matter the cells lie among the axons.
                white = code in (_CAPSULE, _CALLOSUM)
                if value <= 0.0 or (micro[i, y, x] == _AXON and not white):
                    continue
                level = np.uint8(min(value, 255.0))
                dark[i, y, x] = max(dark[i, y, x], level)
                if rho < 1.0:
                    micro[i, y, x] = _CELL_BODY


@kernel
def _draw_cells(
    lines: Float, top: Float, bottom: Float, band: Float, barrel: Byte, borders_z: int,
    table: Float, directions: Float, barrel_share: Float, grid: float, bare: Float,
    seed: np.uint64, z_low: int, classes: Byte, dark: Byte, micro: Byte,
) -> None:  # fmt: skip
    n_z, n_y, n_x = dark.shape
    for strip in prange((n_y + STRIP - 1) // STRIP):
        row_low, row_high = strip * STRIP, min((strip + 1) * STRIP, n_y)
        first_z = math.floor((z_low - CELL_REACH) / grid)
        first_y = math.floor((row_low - CELL_REACH) / grid)
        n_gz = math.floor((z_low + n_z + CELL_REACH) / grid) + 1 - first_z
        n_gy = math.floor((row_high + CELL_REACH) / grid) + 1 - first_y
        n_gx = math.floor(n_x / grid) + 1
        for site in range(n_gz * n_gy * n_gx):
            gz = first_z + site // (n_gy * n_gx)
            gy = first_y + site // n_gx % n_gy
            gx = site % n_gx
            state = hash_cell(seed, _CELLS, gz, gy, gx)
            cz = (gz + _draw(state, 11)) * grid
            zi = math.floor(cz) - borders_z
            if zi < 0 or zi >= lines.shape[0]:
                continue
            cy, cx = (gy + _draw(state, 12)) * grid, (gx + _draw(state, 13)) * grid
            code = _class_at(lines, top, bottom, band, zi, int(cy), int(cx))
            density = table[code, 0]
            if code == _L4:
                density *= barrel_share[barrel[zi, int(cy)]]
            if uniform(state) >= density * grid**3 or _inside(bare, cy, cx):
                continue
            radius = table[code, 1] * math.exp(
                table[code, 2] * gaussian(mix(state + np.uint64(14)))
            )
            long = 1.0 + (table[code, 5] - 1.0) * 2 * _draw(state, 15)
            radius = min(radius, (CELL_REACH - 2.0) / long)
            angle = directions[code, 2] + 0.35 * gaussian(mix(state + np.uint64(16)))
            if directions[code, 3] > 0.0:
                angle += math.atan2(cy - directions[code, 0], cx - directions[code, 1])
            _draw_cell(
                classes, dark, micro, z_low, row_low, row_high, (cz, cy, cx), radius, long, angle,
                table[code, 3] * (0.75 + 0.45 * _draw(state, 17)), table[code, 4], state,
            )  # fmt: skip


@helper
def _draw_ball(
    cover: Byte, z_low: int, row_low: int, row_high: int, centre: tuple[float, float, float],
    radius: float, black: float, rim: float,
) -> None:  # fmt: skip
    """Raise ``cover`` in one ball of a tube: above `LUMEN` inside, below it in the bright rim."""
    cz, cy, cx = centre
    edge = radius + 0.5
    reach = edge + rim
    z_from, z_to = _range(cz, reach, z_low, z_low + cover.shape[0])
    y_from, y_to = _range(cy, reach, row_low, row_high)
    x_from, x_to = _range(cx, reach, 0, cover.shape[2])
    for z in range(z_from, z_to):
        for y in range(y_from, y_to):
            for x in range(x_from, x_to):
                inside = edge - math.sqrt((z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2)
                if inside > 0.0:
                    level = np.uint8(LUMEN + (255 - LUMEN) * min(inside, 1.0) * black)
                elif inside > -rim:
                    level = np.uint8((LUMEN - 1) * (1.0 + inside / rim))
                else:
                    continue
                cover[z - z_low, y, x] = max(cover[z - z_low, y, x], level)


@helper
def _node(
    seed: np.uint64, salt: int, gz: int, gy: int, gx: int, grid: float
) -> tuple[float, float, float]:
    """Return the (z, y, x) of a node of a network."""
    state = hash_cell(seed, salt, gz, gy, gx)
    return (
        (gz + _draw(state, 21)) * grid,
        (gy + _draw(state, 22)) * grid,
        (gx + _draw(state, 23)) * grid,
    )


@helper
def _bezier(a: float, m: float, b: float, t: float) -> float:
    return (1 - t) * (1 - t) * a + 2 * t * (1 - t) * m + t * t * b


@helper
def _draw_tube(
    cover: Byte, z_low: int, row_low: int, row_high: int,
    a: tuple[float, float, float], b: tuple[float, float, float], grid: float,
    radii: tuple[float, float], step: float, rim: float, state: np.uint64,
) -> None:  # fmt: skip
    """Draw the winding tube between two nodes, if it reaches into the strip."""
    u = _draw(state, 4)
    radius = radii[0] * (radii[1] / radii[0]) ** (u * u)
    mz = 0.5 * (a[0] + b[0]) + BEND * grid * (_draw(state, 1) - 0.5)
    my = 0.5 * (a[1] + b[1]) + BEND * grid * (_draw(state, 2) - 0.5)
    mx = 0.5 * (a[2] + b[2]) + BEND * grid * (_draw(state, 3) - 0.5)
    far = 1.2 * radius + WINDING * grid + rim + 1.0
    if max(a[0], b[0], mz) + far < z_low or min(a[0], b[0], mz) - far > z_low + cover.shape[0]:
        return
    if max(a[1], b[1], my) + far < row_low or min(a[1], b[1], my) - far > row_high:
        return
    black = 1.0 - 0.25 * _draw(state, 5)
    length = math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2)
    n = max(int((length + 0.3 * grid) / (step * radius)), 2)
    for i in range(n + 1):
        t = i / n
        wave = WINDING * grid * math.sin(math.pi * t)
        centre = (
            _bezier(a[0], mz, b[0], t) + wave * math.sin(11.0 * t + 40.0 * u),
            _bezier(a[1], my, b[1], t) + wave * math.sin(9.0 * t + 70.0 * u),
            _bezier(a[2], mx, b[2], t) + wave * math.sin(10.0 * t + 90.0 * u),
        )
        width = radius * (1.0 + 0.2 * math.sin(9.0 * t + 6.0 * u))
        _draw_ball(cover, z_low, row_low, row_high, centre, width, black, rim)


@kernel
def _draw_network(
    lines: Float, top: Float, bottom: Float, band: Float, gz_low: int,
    chance_of: Float, grid: float, radii: tuple[float, float], step: float, rim: float, salt: int,
    seed: np.uint64, z_low: int, cover: Byte,
) -> None:  # fmt: skip
    """Draw the tubes that join neighbouring nodes of a jittered grid.

    Row i of the borders is at the height of the grid's layer ``gz_low + i``.
    """
    n_y, n_x = cover.shape[1], cover.shape[2]
    for strip in prange((n_y + STRIP - 1) // STRIP):
        row_low, row_high = strip * STRIP, min((strip + 1) * STRIP, n_y)
        first_y = math.floor(row_low / grid) - 2
        n_gy = math.floor(row_high / grid) + 2 - first_y
        n_gx = math.floor(n_x / grid) + 2
        for site in range(lines.shape[0] * n_gy * n_gx):
            layer = site // (n_gy * n_gx)
            gz = gz_low + layer
            gy = first_y + site // n_gx % n_gy
            gx = site % n_gx - 1
            a = _node(seed, salt, gz, gy, gx, grid)
            code = _class_at(lines, top, bottom, band, layer, int(a[1]), int(a[2]))
            for axis in range(3):
                state = hash_cell(seed, salt + 1 + axis, gz, gy, gx)
                if uniform(state) < chance_of[code]:
                    b = _node(
                        seed, salt, gz + (axis == 0), gy + (axis == 1), gx + (axis == 2), grid
                    )
                    _draw_tube(cover, z_low, row_low, row_high, a, b, grid, radii, step, rim, state)


def draw_cells(
    shape: tuple[int, int, int], voxel_um: float, seed: int, z_start: int,
    lines: layout.Borders, reach: int, classes: Byte, dark: Byte, micro: Byte,
    planted: Sequence[lesions.Lesion] = (),
) -> None:  # fmt: skip
    """Draw the cell bodies of a slab.

    Parameters
    ----------
    shape : tuple of int
        (z, y, x) of the volume.
    voxel_um : float
        Edge of a voxel in um.
    seed : int
        The phantom's seed.
    z_start : int
        First slice of the slab; may be negative.
    lines : Borders
        Borders on the slab's slices and ``reach`` more on either side.
    reach : int
        At least `CELL_REACH`.
    classes : uint8 array (n_z, n_y, n_x)
        Tissue classes.
    dark : uint8 array (n_z, n_y, n_x)
        Grey levels to subtract; raised in place.
    micro : uint8 array (n_z, n_y, n_x)
        Set to 3 inside cells.
    planted : sequence of Lesion
        Those that remove cells.
    """
    ratio = anatomy.BARREL_WALL_TO_HOLLOW
    hollow = 1.0 / (HOLLOW_SHARE + (1.0 - HOLLOW_SHARE) * ratio)
    _draw_cells(
        lines.x, lines.top, lines.bottom, lines.band, lines.barrel, z_start - reach,
        tissues.cell_table(voxel_um), fibres.directions(shape, voxel_um),
        np.array([1.0, ratio * hollow, hollow], np.float32),
        CELL_GRID_UM / voxel_um, lesions.bare_discs(planted), np.uint64(seed), z_start,
        classes, dark, micro,
    )  # fmt: skip


def draw_vessels(
    shape: tuple[int, int, int], voxel_um: float, seed: int, z_start: int, cover: Byte
) -> None:
    """Draw capillaries and larger vessels of a slab.

    Parameters
    ----------
    shape : tuple of int
        (z, y, x) of the volume.
    voxel_um : float
        Edge of a voxel in um.
    seed : int
        The phantom's seed.
    z_start : int
        First slice of the slab; may be negative.
    cover : uint8 array (n_z, n_y, n_x)
        Raised in place: from `LUMEN` on the share of a voxel that is lumen, below it the rim.
    """
    chances = tissues.vessel_table()
    networks = (
        (CAPILLARY_GRID_UM, CAPILLARY_RADIUS_UM, 0, 0.4, 0.0, _CAPILLARIES),
        (CAPILLARY_GRID_UM, CAPILLARY_RADIUS_UM, 0, 0.4, 0.0, _MORE_CAPILLARIES),
        (LARGE_GRID_UM, LARGE_RADIUS_UM, 1, 0.25, RIM_PX, _LARGE),
    )
    for grid_um, radii_um, column, step, rim, salt in networks:
        grid = grid_um / voxel_um
        low = math.floor(z_start / grid) - 2
        high = math.floor((z_start + cover.shape[0]) / grid) + 2
        lines = layout.borders(shape, voxel_um, seed, (np.arange(low, high) + 0.5) * grid)
        _draw_network(
            lines.x, lines.top, lines.bottom, lines.band, low,
            np.ascontiguousarray(chances[:, column]), grid,
            (radii_um[0] / voxel_um, radii_um[1] / voxel_um), step, rim, salt,
            np.uint64(seed), z_start, cover,
        )  # fmt: skip
