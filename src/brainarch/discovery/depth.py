"""Relative depth inside an area, from its upper border (0) to its lower one (1).

``depth = d_upper / (d_upper + d_lower)``, Euclidean distances to the two borders (DESIGN: d_pia and
d_wm). Borders are found from the labels, after gaps of unlabelled pixels between areas are closed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt, gaussian_filter, label

from brainarch.annotations.holes import close_holes
from brainarch.errors import InputError

#: Largest gap of unlabelled pixels between two areas that is closed, in pixels (ours).
GAP_PX = 64
#: The outer border counts where it faces away from the other border within this angle (ours).
FACING_COS = float(np.cos(np.deg2rad(45)))
#: The outer border counts where it is at least this share of the area's largest distance from the
#: other border away from it, so that the corners where the two meet do not (ours).
SEPARATION = 0.25
#: Scale in pixels at which a border's direction is measured (ours).
DIRECTION_SIGMA = 6.0
#: Directions (y, x) of sides.
SIDES = {"left": (0.0, -1.0), "right": (0.0, 1.0), "top": (-1.0, 0.0), "bottom": (1.0, 0.0)}
#: The word for what is unlabelled.
OUTSIDE = "outside"


@dataclass(frozen=True)
class Border:
    """One of an area's two borders.

    Attributes
    ----------
    name : str
        As the user named it.
    code : int
        Code of the bordering area; 0 for the outside.
    side : str or None
        For the outside: the side of the area that counts; None for the side away from the other
        border.
    """

    name: str
    code: int
    side: str | None = None


@dataclass(frozen=True)
class DepthMap:
    """Depth of an area's pixels inside a box of the slice.

    Attributes
    ----------
    depth : ndarray of float32, shape (rows, columns)
        Between 0 and 1; NaN outside the area.
    upper_px, lower_px : ndarray of float32
        Distances to the borders in pixels; NaN outside the area.
    y, x : ndarray of int32
        Pixel positions of the rows and columns.
    """

    depth: NDArray[np.float32]
    upper_px: NDArray[np.float32]
    lower_px: NDArray[np.float32]
    y: NDArray[np.int32]
    x: NDArray[np.int32]


def parse_border(name: str, codes: dict[str, int]) -> Border:
    """Understand a border's name: an area, ``outside``, or ``outside-left`` and the like.

    Parameters
    ----------
    name : str
        As the user wrote it.
    codes : dict of str to int
        The legend.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if name in codes:
        return Border(name, codes[name])
    if name == OUTSIDE:
        return Border(name, 0)
    side = name.removeprefix(f"{OUTSIDE}-")
    if side in SIDES and side != name:
        return Border(name, 0, side)
    raise InputError(
        f"border {name!r}: name an area ({', '.join(codes)}), {OUTSIDE}, or "
        + ", ".join(f"{OUTSIDE}-{side}" for side in SIDES)
    )


def close_gaps(labels: NDArray[np.integer], gap: float) -> NDArray[np.integer]:
    """Give the unlabelled pixels of gaps between areas the label that is nearest.

    Gaps are what a closing of the labelled pixels with a disk of radius ``gap / 2`` fills: strips
    between areas, not the outside along convex borders.

    Parameters
    ----------
    labels : ndarray of int, shape (rows, columns)
        0 is unlabelled.
    gap : float
        Widest gap in pixels; 0 closes none.
    """
    if gap <= 0 or not (labels > 0).any():
        return labels.copy()
    radius = gap / 2
    margin = int(np.ceil(radius)) + 2
    padded = np.pad(labels, margin)
    distance, nearest = distance_transform_edt(padded == 0, return_indices=True)
    grown = distance <= radius
    closed = distance_transform_edt(grown) > radius
    filled = np.where(closed, padded[tuple(nearest)], padded)
    inner = slice(margin, -margin)
    return np.asarray(filled[inner, inner], dtype=labels.dtype)


def area_depth(
    labels: NDArray[np.integer],
    area: int,
    upper: Border,
    lower: Border,
    *,
    gap: float,
    hole_px: int,
) -> DepthMap:
    """Measure the relative depth of an area's pixels.

    The border with an area is where the two touch. The border with the outside (unlabelled pixels,
    and what lies beyond the slice) is, of all pixels where the area touches it, those that face
    away from the other border, so that the cut faces of a block of cortex do not count as pia; or
    those that face a named side. Distances are taken to the edge of the border's pixels.

    Parameters
    ----------
    labels : ndarray of int, shape (rows, columns)
        A whole slice; 0 is unlabelled.
    area : int
        Code of the area.
    upper, lower : Border
        Where depth is 0 and 1.
    gap : float
        Widest strip of unlabelled pixels between areas that is closed, in pixels; the border then
        runs along its middle.
    hole_px : int
        Largest hole of the area, of whatever label, that is no border, in pixels.

    Raises
    ------
    InputError
        If the area is absent, a border is not found, or both are the outside without sides.
    """
    if not (labels == area).any():
        raise InputError(f"depth: no pixel has the area's code {area} on this slice")
    if upper.code == lower.code and upper.side == lower.side:
        raise InputError(
            f"depth: the upper and lower border are both {upper.name}; name two different ones "
            f"(the outside has sides, such as {OUTSIDE}-right)"
        )
    rows, columns = (np.flatnonzero((labels == area).any(axis=axis)) for axis in (1, 0))
    # The margin keeps whatever may close a gap or shape the border's direction.
    margin = int(np.ceil(gap)) + int(4 * DIRECTION_SIGMA) + 2
    padded = np.pad(labels, margin)
    crop = padded[rows[0] : rows[-1] + 1 + 2 * margin, columns[0] : columns[-1] + 1 + 2 * margin]
    whole = np.where(close_holes(crop == area, hole_px), area, crop).astype(crop.dtype)
    filled = close_gaps(whole, gap)
    mask = filled == area
    touching = binary_dilation(mask, structure=np.ones((3, 3), dtype=bool)) & ~mask
    parts, _ = label(filled == 0)
    outer = parts == parts[0, 0]  # not a hole inside the tissue
    found = {
        border: touching & (filled == border.code if border.code else outer)
        for border in (upper, lower)
        if border.code > 0 or border.side is not None
    }
    for border, pixels in found.items():
        if border.side is not None:
            direction = np.array(SIDES[border.side])[:, None, None]
            found[border] = _facing(mask, pixels, direction)
        _require(found[border], border, gap)
    for border, other in ((upper, lower), (lower, upper)):
        if border not in found:
            if other not in found:
                raise InputError(
                    f"depth: both borders are {OUTSIDE}; name an area or a side for one of them"
                )
            distance = _distance(found[other])
            apart = distance >= SEPARATION * distance[mask].max()
            pixels = _facing(mask, touching & outer & apart, _gradient(distance))
            _require(pixels, border, gap)
            found[border] = pixels
    inner = (slice(margin, crop.shape[0] - margin), slice(margin, crop.shape[1] - margin))
    own = crop[inner] == area
    distances = [np.where(own, _distance(found[b])[inner], np.nan) for b in (upper, lower)]
    return DepthMap(
        (distances[0] / (distances[0] + distances[1])).astype(np.float32),
        distances[0].astype(np.float32),
        distances[1].astype(np.float32),
        np.arange(rows[0], rows[-1] + 1, dtype=np.int32),
        np.arange(columns[0], columns[-1] + 1, dtype=np.int32),
    )


def _distance(pixels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the distance to the edge, half a pixel before the centre, of the nearest pixel."""
    distance = distance_transform_edt(~pixels)
    return np.maximum(np.asarray(distance, dtype=np.float64) - 0.5, 0.0)


def _facing(
    mask: NDArray[np.bool_], pixels: NDArray[np.bool_], direction: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Keep the pixels at which the mask's outward normal has about this direction."""
    smooth = gaussian_filter(mask.astype(np.float32), DIRECTION_SIGMA)
    outward = -_gradient(smooth)
    length = np.linalg.norm(outward, axis=0) * np.linalg.norm(direction, axis=0)
    along = (outward * direction).sum(axis=0)
    faces = (along >= FACING_COS * length) & (length > 0)
    return np.asarray(pixels & faces, dtype=np.bool_)


def _gradient(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the derivatives along y and x, shape (2, rows, columns)."""
    along_y, along_x = np.gradient(np.asarray(values, dtype=np.float64))
    return np.stack([along_y, along_x])


def _require(pixels: NDArray[np.bool_], border: Border, gap: float) -> None:
    if not pixels.any():
        raise InputError(
            f"depth: the area has no border with {border.name} on this slice, with gaps of up to "
            f"{gap:g} px closed; name another border"
        )
