"""Neuropil, single fibres and bundles of a slab, before the imaging blur."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numba import prange
from numpy.typing import NDArray

from brainarch.phantom import anatomy, fibres, layout, lesions, noise, tissues
from brainarch.phantom.compiled import helper, kernel

Float = NDArray[np.float32]
Byte = NDArray[np.uint8]
Noise = NDArray[np.int8]
Whole = NDArray[np.int64]

_LAST = len(anatomy.CLASSES) - 2
_CAPSULE = anatomy.CLASS_INTERNAL_CAPSULE
_NODE = fibres.NODE
_DRIFT = fibres.DRIFT_FIELD
_VARIATION = fibres.VARIATION_FIELD
_INV_STD = 1.0 / noise.STEPS_PER_STD
_NO_BUNDLES = tissues.NO_BUNDLES
#: Share of the squared fibre noise that is added to it: bright fibres in a duller ground.
_FIBRE_SKEW = 0.2


@helper
def _lookup(volume: Noise, u: float, v: float, w: float) -> float:
    """Return the trilinearly interpolated periodic fibre noise, in standard deviations."""
    fu, fv, fw = math.floor(u), math.floor(v), math.floor(w)
    au, av, aw = u - fu, v - fv, w - fw
    u0, v0, w0 = int(fu) & 63, int(fv) & 127, int(fw) & 63
    u1, v1, w1 = (u0 + 1) & 63, (v0 + 1) & 127, (w0 + 1) & 63
    a = volume[u0, v0, w0] + aw * (volume[u0, v0, w1] - volume[u0, v0, w0])
    b = volume[u0, v1, w0] + aw * (volume[u0, v1, w1] - volume[u0, v1, w0])
    c = volume[u1, v0, w0] + aw * (volume[u1, v0, w1] - volume[u1, v0, w0])
    d = volume[u1, v1, w0] + aw * (volume[u1, v1, w1] - volume[u1, v1, w0])
    a += av * (b - a)
    c += av * (d - c)
    return float((a + au * (c - a)) * _INV_STD)


@helper
def _smoothstep(t: float) -> float:
    t = min(max(t, 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@helper
def _share_beyond(distance: float, width: float) -> float:
    """Return the share of the tissue beyond a border: a half at it, none further than ``width``."""
    if distance >= width:
        return 0.0
    return 0.5 - 0.5 * _smoothstep(distance / width)


@helper
def _own_and_other(
    k: int, x: int, left: float, right: float, soft_left: float, soft_right: float,
    to_band: float, band_soft: float,
) -> tuple[int, int, float]:  # fmt: skip
    """Return a voxel's class, the class across the nearest border, and that one's share.

    ``k`` is the segment along x between borders ``left`` and ``right``; ``to_band`` the distance to
    the capsule's lower edge, negative inside the capsule.
    """
    own = k + 1
    other, share = own, 0.0
    near_band = _share_beyond(abs(to_band), band_soft)
    if to_band < 0.0:
        return _CAPSULE, own, near_band
    if k > 0:
        share = _share_beyond(x - left, soft_left)
        other = own - 1
    if k < _LAST:
        beyond = _share_beyond(right - x, soft_right)
        if beyond > share:
            share, other = beyond, own + 1
    if near_band > share:
        share, other = near_band, _CAPSULE
    return own, other, share


@kernel
def _class_rows(
    lines: Float, top: Float, bottom: Float, band: Float, softness: Float, band_soft: float,
    own: Byte, other: Byte, weight: Float,
) -> None:  # fmt: skip
    n_z, n_y, n_x = own.shape
    for row in prange(n_z * n_y):
        z = row // n_y
        y = row - z * n_y
        k = -1
        for x in range(n_x):
            while k <= _LAST and x >= lines[z, k + 1, y]:
                k += 1
            if k < 0 or k > _LAST or y < top[z, x] or y > bottom[z, x]:
                own[z, y, x] = 0
                other[z, y, x] = 0
                weight[z, y, x] = 0.0
                continue
            to_band = 1e9
            if k + 1 < _CAPSULE and band[z, x] >= 0.0:
                to_band = y - band[z, x]
            code, near, share = _own_and_other(
                k, x, lines[z, k, y], lines[z, k + 1, y], softness[k], softness[k + 1],
                to_band, band_soft,
            )  # fmt: skip
            own[z, y, x] = code
            other[z, y, x] = near
            weight[z, y, x] = share


@helper
def _fields_of_row(fields: Float, z: int, z_node: int, y: int, out: Float) -> None:
    """Interpolate the lattice's fields along z and y: ``out`` is (n_fields, n_nodes)."""
    jz, jy = z // _NODE - z_node, y // _NODE
    az, ay = (z % _NODE) / _NODE, (y % _NODE) / _NODE
    for f in range(fields.shape[0]):
        for j in range(fields.shape[3]):
            low = fields[f, jz, jy, j] * (1 - ay) + fields[f, jz, jy + 1, j] * ay
            high = fields[f, jz + 1, jy, j] * (1 - ay) + fields[f, jz + 1, jy + 1, j] * ay
            out[f, j] = low * (1 - az) + high * az


@helper
def _bands_of_row(bands: tuple[Noise, ...], z: int, y: int, out: Float) -> None:
    """Repeat the row (z, y) of each periodic band volume along x: ``out`` is (n_bands, n_x)."""
    for b in range(len(bands)):
        line = bands[b][z % bands[b].shape[0], y % bands[b].shape[1]]
        for x in range(out.shape[1]):
            out[b, x] = line[x % line.shape[0]]


@helper
def _mixed(table: Float, own: int, other: int, share: float, column: int) -> float:
    """Return a parameter between those of two classes."""
    return float(table[own, column] * (1.0 - share) + table[other, column] * share)


@helper
def _along(fields: Float, field: int, j: int, a: float) -> float:
    """Return a field of the row between nodes ``j`` and ``j + 1``."""
    return float(fields[field, j] * (1.0 - a) + fields[field, j + 1] * a)


@helper
def _texture_row(
    own: Byte, other: Byte, weight: Float, fields: Float, frame_of: Whole, table: Float,
    samples: Float, single: Noise, bundles: Noise, grey: Float, micro: Byte,
) -> None:  # fmt: skip
    """Write grey values and axon mask of one row, from its fields and band samples."""
    for x in range(own.shape[0]):
        code, near, share = int(own[x]), int(other[x]), float(weight[x])
        micro[x] = 0
        if code == 0:
            grey[x] = table[0, tissues.BASE]
        else:
            j, a = x // _NODE, (x % _NODE) / _NODE
            change = _along(fields, _VARIATION, j, a)
            spread = _mixed(table, code, near, share, tissues.VARIATION)
            # A log-normal gain whose square has a mean of one keeps the mean power.
            gain = math.exp(spread * (change - spread))
            value = _mixed(table, code, near, share, tissues.BASE)
            value += _mixed(table, code, near, share, tissues.DRIFT) * _along(fields, _DRIFT, j, a)
            for b in range(samples.shape[0]):
                amplitude = _mixed(table, code, near, share, tissues.FIRST_BAND + b)
                value += gain * _INV_STD * amplitude * samples[b, x]
            f = 3 * frame_of[code]
            u, v, w = (
                _along(fields, f, j, a), _along(fields, f + 1, j, a), _along(fields, f + 2, j, a)
            )  # fmt: skip
            across, along = table[code, tissues.FIBRE_ACROSS], table[code, tissues.FIBRE_ALONG]
            strands = _lookup(single, u * along, v * across, w * across)
            strands += _FIBRE_SKEW * (strands * strands - 1.0)
            value += gain * _mixed(table, code, near, share, tissues.FIBRE) * strands
            if table[code, tissues.BUNDLE_THRESHOLD] < _NO_BUNDLES:
                across, along = (
                    table[code, tissues.BUNDLE_ACROSS],
                    table[code, tissues.BUNDLE_ALONG],
                )
                blob = _lookup(bundles, u * along, v * across, w * across)
                limit = table[code, tissues.BUNDLE_THRESHOLD] - spread * change
                inside = _smoothstep(0.5 + (blob - limit) / table[code, tissues.BUNDLE_EDGE])
                contrast = table[code, tissues.BUNDLE]
                value += (1.0 - share) * contrast * inside
                # Dark gaps in white matter are what is not myelinated there.
                if (inside > 0.5) == (contrast > 0.0):
                    micro[x] = 1
            grey[x] = value


@kernel
def _texture(
    own: Byte, other: Byte, weight: Float, z_start: int, z_node: int, fields: Float,
    frame_of: Whole, table: Float, bands: tuple[Noise, ...], single: Noise, bundles: Noise,
    grey: Float, micro: Byte,
) -> None:  # fmt: skip
    n_z, n_y, _ = own.shape
    for row in prange(n_z * n_y):
        z = row // n_y
        y = row - z * n_y
        of_row = np.empty((fields.shape[0], fields.shape[3]), np.float32)
        _fields_of_row(fields, z + z_start, z_node, y, of_row)
        samples = np.empty((len(bands), own.shape[2]), np.float32)
        _bands_of_row(bands, z + z_start, y, samples)
        _texture_row(
            own[z, y], other[z, y], weight[z, y], of_row, frame_of, table,
            samples, single, bundles, grey[z, y], micro[z, y],
        )  # fmt: skip


def texture(
    shape: tuple[int, int, int], voxel_um: float, seed: int, z_start: int, lines: layout.Borders,
    planted: Sequence[lesions.Lesion] = (),
) -> tuple[Float, Byte, Byte]:  # fmt: skip
    """Return the neuropil and fibres of the slices from ``z_start`` on.

    Parameters
    ----------
    shape : tuple of int
        (z, y, x) of the volume.
    voxel_um : float
        Edge of a voxel in um.
    seed : int
        The phantom's seed.
    z_start : int
        First slice; may be negative.
    lines : Borders
        The borders on the slices.
    planted : sequence of Lesion
        Those that add fibres.

    Returns
    -------
    grey : float32 array (n_z, n_y, n_x)
        Grey values before cells, vessels and imaging.
    micro : uint8 array (n_z, n_y, n_x)
        1 in bundles of myelinated axons and in white matter, 0 elsewhere.
    classes : uint8 array (n_z, n_y, n_x)
        Tissue class of each voxel, an index into `anatomy.CLASSES`.
    """
    n_z = lines.x.shape[0]
    dims = (n_z, *shape[1:])
    own, other, micro = (np.empty(dims, np.uint8) for _ in range(3))
    weight, grey = (np.empty(dims, np.float32) for _ in range(2))
    scale = layout.layer_scale(shape, voxel_um) / voxel_um
    _class_rows(
        lines.x, lines.top, lines.bottom, lines.band,
        np.array(layout.SOFTNESS_UM, np.float32) * np.float32(scale),
        layout.BAND_SOFTNESS_UM * scale, own, other, weight,
    )  # fmt: skip
    nodes = fibres.lattice(shape, voxel_um, seed, z_start, z_start + n_z)
    frames, bands = np.array(fibres.FRAME_OF_CLASS), noise.band_volumes(seed)
    strands = noise.fibre_volumes(seed)
    _texture(
        own, other, weight, z_start, nodes.z_node, nodes.fields, frames,
        tissues.texture_table(voxel_um), bands, *strands, grey, micro,
    )  # fmt: skip
    shares = lesions.fibre_shares(planted, shape[1:])
    if shares.any():
        bundles, axons = np.empty_like(grey), np.empty_like(micro)
        near = np.where(shares > 0, own, np.uint8(0))  # what is background costs no time
        _texture(
            near, other, weight, z_start, nodes.z_node, nodes.fields, frames,
            lesions.bundle_table(voxel_um), bands, *strands, bundles, axons,
        )  # fmt: skip
        lesions.add_bundles(shares, bundles, axons, grey, micro)
    return grey, micro, own
