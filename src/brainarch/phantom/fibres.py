"""Curved coordinates along and across the fibres: one frame of reference a tract.

A frame maps a voxel to (u, v, w) in px: u along the fibres, v and w across. Noise stretched along u
in these coordinates is a texture of curved fibres. Frames are computed on a coarse lattice and
interpolated, which is exact enough since they bend over hundreds of px.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainarch.phantom.layout import Extent, extent, shares
from brainarch.seeds import generator

#: Spacing in px of the lattice on which the frames are computed; anchored at voxel 0.
NODE = 8
#: Number of frames.
N_FRAMES = 8
#: Fields beyond the frames' coordinates.
DRIFT_FIELD = 3 * N_FRAMES
VARIATION_FIELD = DRIFT_FIELD + 1
#: Waves of the displacement field that bends the fibres: number, shortest and longest in um.
N_WAVES = 12
WARP_UM = (100.0, 600.0)
#: Slow changes of grey value and texture: shortest and longest wave in um.
DRIFT_UM = (330.0, 600.0)
N_DRIFT_WAVES = 20


@dataclass(frozen=True)
class Lattice:
    """Frames and slow changes on a lattice of nodes `NODE` px apart.

    Attributes
    ----------
    z_node : int
        Index of the first node along z.
    fields : float32 array (26, n_z, n_y, n_x)
        (u, v, w) in px of frame k at 3 k, 3 k + 1, 3 k + 2; then `DRIFT_FIELD` and
        `VARIATION_FIELD`, slow changes of grey and of the texture's strength, of unit variance.
    """

    z_node: int
    fields: NDArray[np.float32]


class _Field:
    """A smooth random field: a sum of plane waves of unit variance."""

    def __init__(self, rng: np.random.Generator, shortest: float, longest: float, n: int) -> None:
        length = np.exp(rng.uniform(np.log(shortest), np.log(longest), n))
        direction = rng.standard_normal((n, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        self.waves = 2 * np.pi * direction / length[:, None]
        self.phase = rng.uniform(0, 2 * np.pi, n)
        # Long waves displace more than short ones, which still turn the fibres as much.
        weight = length**0.7
        self.weight = weight * np.sqrt(2 / np.sum(weight**2))

    def __call__(
        self, z: NDArray[np.float64], y: NDArray[np.float64], x: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        total: NDArray[np.float64] = np.zeros(np.broadcast_shapes(z.shape, y.shape, x.shape))
        for wave, phase, weight in zip(self.waves, self.phase, self.weight, strict=True):
            # cos(a + b) splits into products of small arrays, one complex multiplication a node.
            plane = np.exp(1j * (wave[0] * z + wave[1] * y + phase)) * np.exp(1j * wave[2] * x)
            total += weight * plane.real
        return total


def _nodes(first: int, stop: int) -> NDArray[np.float64]:
    return np.arange(first, stop).astype(np.float64) * NODE


def lattice(
    shape: tuple[int, int, int], voxel_um: float, seed: int, z_start: int, z_stop: int
) -> Lattice:
    """Return the frames that slices ``z_start`` to ``z_stop - 1`` need."""
    _, n_y, n_x = shape
    first = z_start // NODE
    z = _nodes(first, (z_stop - 1) // NODE + 2)[:, None, None]
    y = _nodes(0, (n_y - 1) // NODE + 2)[None, :, None]
    x = _nodes(0, (n_x - 1) // NODE + 2)[None, None, :]
    rng = generator(seed, "phantom fibre frames")
    short, long = WARP_UM[0] / voxel_um, WARP_UM[1] / voxel_um
    bend_v = _Field(rng, short, long, N_WAVES)(z, y, x)
    bend_w = _Field(rng, short, long, N_WAVES)(z, y, x)
    short, long = DRIFT_UM[0] / voxel_um, DRIFT_UM[1] / voxel_um
    drift, variation = (_Field(rng, short, long, N_DRIFT_WAVES)(z, y, x) for _ in range(2))
    size = extent(shape, voxel_um)
    fields = np.empty((3 * N_FRAMES + 2, *drift.shape), np.float32)
    for k in range(N_FRAMES):
        u, v, w = _frame(k, size, z, y, x)
        bend = BEND_UM[k] / voxel_um
        fields[3 * k] = u
        # Tilt against the slice gives every streak an end; the shear hides the noise's period.
        fields[3 * k + 1] = v + bend * bend_v
        fields[3 * k + 2] = w + TILT[k] * u + 0.37 * v + bend * bend_w
    fields[DRIFT_FIELD], fields[VARIATION_FIELD] = drift, variation
    return Lattice(first, fields)


#: Displacement in um that bends the fibres of each frame (ours).
BEND_UM = (26.0, 24.0, 15.0, 20.0, 24.0, 13.0, 18.0, 12.0)
#: Tilt of the fibres of each frame against the slice (ours).
TILT = (0.25, 0.25, 0.12, 0.10, 0.45, 0.15, 0.15, 0.2)
#: Directions in degrees of the straight tracts of HypoTh and ZI, rising to the right as in the
#: real slice.
STRAIGHT_DEGREES = {0: -48.0, 1: -58.0}


@dataclass(frozen=True)
class _Arc:
    """Polar coordinates of a curved tract: fibres run round the centre, or away from it."""

    centre_y: float
    centre_x: float
    radius: float
    radial: bool


def _arcs(size: Extent) -> dict[int, _Arc]:
    """Return the centres of the curved frames, as the real slice's tracts bend.

    VP and TRN: arcs round the lower right of VP; internal capsule: arcs round the lower end of VP;
    striatum: a fan that leaves the capsule to the right.
    """
    edges = size.left + np.concatenate([[0.0], np.cumsum(shares(size.rest))]) * size.rest
    height = size.bottom - size.top
    fan_x = edges[4] - 0.12 * size.rest
    return {
        2: _Arc(size.bottom + 0.15 * height, edges[4] + 0.05 * size.rest, 0.75 * height, False),
        3: _Arc(size.bottom + 0.35 * height, edges[2], height, False),
        4: _Arc(size.top + 0.5 * height, fan_x, 0.75 * (edges[6] - fan_x), True),
    }


def _frame(
    k: int,
    size: Extent,
    z: NDArray[np.float64],
    y: NDArray[np.float64],
    x: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the unbent coordinates (u, v, w) of frame ``k``, in px."""
    if k in STRAIGHT_DEGREES:
        angle = np.deg2rad(STRAIGHT_DEGREES[k])
        return (
            x * np.cos(angle) + y * np.sin(angle),
            y * np.cos(angle) - x * np.sin(angle),
            z + 0 * x,
        )
    arcs = _arcs(size)
    if k in arcs:
        arc = arcs[k]
        r = np.hypot(x - arc.centre_x, y - arc.centre_y)
        round_ = arc.radius * np.arctan2(y - arc.centre_y, x - arc.centre_x)
        return (r, round_, z + 0 * r) if arc.radial else (round_, r, z + 0 * r)
    if k == CORTEX_FRAME:
        return x + 0 * y, y + 0 * x, z + 0 * x + 0 * y
    # Corpus callosum and L1: along the surface.
    return y + 0.05 * x, x + 0 * y, z + 0 * x + 0 * y


#: The frame of the cortex, whose fibres run along x, from the white matter to the pia.
CORTEX_FRAME = 6


def directions(shape: tuple[int, int, int], voxel_um: float) -> NDArray[np.float32]:
    """Return the in-plane direction of the fibres of each class, float32 (n_classes, 4).

    Columns: y and x in px of the centre of a curved tract, an angle in radians, and 1 where the
    direction from the centre is to be added to that angle.
    """
    size = extent(shape, voxel_um)
    arcs = _arcs(size)
    rows = []
    for frame in FRAME_OF_CLASS:
        if frame in arcs:
            arc = arcs[frame]
            turn = 0.0 if arc.radial else np.pi / 2
            rows.append((arc.centre_y, arc.centre_x, turn, 1.0))
        elif frame in STRAIGHT_DEGREES:
            rows.append((0.0, 0.0, np.deg2rad(STRAIGHT_DEGREES[frame]), 0.0))
        else:
            rows.append((0.0, 0.0, 0.0 if frame == CORTEX_FRAME else np.pi / 2, 0.0))
    return np.array(rows, np.float32)


#: The frame of each tissue class of `anatomy.CLASSES`.
FRAME_OF_CLASS = (0, 0, 1, 2, 2, 3, 4, 5, 6, 6, 6, 6, 7)
