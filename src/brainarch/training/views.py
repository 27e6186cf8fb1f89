"""Views of places without labels: turned, zoomed, blurred and shaded squares of slices (ours).

A view is drawn on the CPU as numbers, and cut and altered on the device, a batch at once. A wide
upright square is read round each place, and the view is sampled from it by `grid_sample`, so that
one interpolation turns, mirrors and zooms. The square holds all that any view can read.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from brainarch.errors import InputError
from brainarch.geometry import STRIDE, crop_pixels
from brainarch.network.grey import Normalisation
from brainarch.training.changes import change_grey
from brainarch.training.cutting import ORIENTATIONS

#: Magnification.
ZOOM = (0.8, 1.25)
#: Standard deviation of the Gaussian blur in pixels, on a share of the views.
BLUR = (0.0, 1.5)
#: Share of the views that are blurred.
BLURRED = 0.5
#: Relative change of brightness from the centre to an edge, along each axis.
SHADING = (-0.15, 0.15)
#: Pixels that the blur reads on each side.
BLUR_REACH = 4


class Views(NamedTuple):
    """How views are cut and altered.

    Attributes
    ----------
    squares : torch.Tensor, int64, shape (n, 3)
        Slice, and first row and column in slices padded by `view_margins`, of the square round
        each place.
    shapes : torch.Tensor, float32, shape (n, 2, 2)
        Rows and columns (in the slice) of one step along a view's rows (first column of the
        matrix) and along its columns (second).
    optics : torch.Tensor, float32, shape (n, 3)
        Standard deviation of the blur, and shading along rows and along columns.
    changes : torch.Tensor, float32, shape (n, 5)
        Changes of grey, see `draw_changes`.
    """

    squares: torch.Tensor
    shapes: torch.Tensor
    optics: torch.Tensor
    changes: torch.Tensor


def square_pixels(side: int) -> int:
    """Return the side of the square that holds every view of ``side`` windows along each axis."""
    half = (crop_pixels(side) - 1) / 2 + BLUR_REACH
    return 2 * (math.ceil(half * math.sqrt(2) / ZOOM[0]) + 1)


def view_margins(side: int) -> tuple[int, int]:
    """Return how far squares reach beyond the slice, before its first and after its last pixel."""
    half = square_pixels(side) // 2
    return half, half - 1


def draw_shapes(number: int, orientation: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw how views are turned, mirrored and zoomed.

    Parameters
    ----------
    number : int
        Of views.
    orientation : str
        ``fixed``, ``mirrored`` (left-right, up-down) or ``any`` (mirrored and turned by any angle).
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float64, shape (number, 2, 2)
        See `Views`.

    Raises
    ------
    InputError
        If the orientation is unknown.
    """
    if orientation not in ORIENTATIONS:
        known = ", ".join(ORIENTATIONS)
        raise InputError(f"orientation {orientation}: it is not known; choose one of {known}")
    angles = rng.uniform(0, 2 * np.pi, number)
    signs = rng.choice([-1.0, 1.0], (2, number))
    zooms = np.exp(rng.uniform(math.log(ZOOM[0]), math.log(ZOOM[1]), number))
    if orientation != "any":
        angles[:] = 0
    if orientation == "fixed":
        signs[:] = 1
    sine, cosine = np.sin(angles), np.cos(angles)
    columns = np.stack([np.stack([cosine, sine]) * signs[0], np.stack([-sine, cosine]) * signs[1]])
    shapes: NDArray[np.float64] = (columns / zooms).transpose(2, 1, 0)
    return shapes


def draw_optics(number: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw blur and shading of views, see `Views`."""
    blur = np.where(rng.random(number) < BLURRED, rng.uniform(*BLUR, number), 0.0)
    shading = rng.uniform(*SHADING, (2, number))
    return np.stack([blur, *shading], axis=1).astype(np.float32)


def window_offsets(shapes: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return where the windows of views lie, from the view's centre.

    Parameters
    ----------
    shapes : ndarray of float64, shape (n, 2, 2)
        See `Views`.
    side : int
        Windows along each axis of a view.

    Returns
    -------
    ndarray of float64, shape (n, side * side, 2)
        Rows and columns in the slice, by the window's row and column.
    """
    steps = STRIDE * (np.arange(side) - (side - 1) / 2)
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    offsets: NDArray[np.float64] = np.einsum("nij,wj->nwi", shapes, grid)
    return offsets


def cut_views(slices: torch.Tensor, views: Views, side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Sample turned and zoomed views, not yet altered.

    Parameters
    ----------
    slices : torch.Tensor, shape (slices, rows, columns)
        Raw grey values, padded by `view_margins`, see `stack_slices`.
    views : Views
    side : int
        Windows along each axis of a view.

    Returns
    -------
    grey : torch.Tensor, float32, shape (n, 1, pixels, pixels)
        Raw grey values, 0 beyond the slice; `BLUR_REACH` pixels wider than the windows on each
        side.
    inside : torch.Tensor, bool, same shape
        Whether a pixel lies on the slice.
    """
    size, pixels = square_pixels(side), crop_pixels(side) + 2 * BLUR_REACH
    first, rows, columns = views.squares.T
    squares = slices.unfold(1, size, 1).unfold(2, size, 1)[first, rows, columns]
    # grid_sample takes columns before rows, and both from -1 to 1
    swapped = views.shapes.flip(1, 2) * ((pixels - 1) / (size - 1))
    theta = functional.pad(swapped, (0, 1))
    grid = functional.affine_grid(theta, [len(first), 1, pixels, pixels], align_corners=True)
    grey = functional.grid_sample(
        squares[:, None].clamp(min=0).float(), grid, mode="bilinear", align_corners=True
    )
    before, after = view_margins(side)
    places = torch.stack([columns, rows], dim=1)[:, None, None] + (grid + 1) * ((size - 1) / 2)
    ends = torch.tensor([slices.shape[2], slices.shape[1]], device=slices.device) - after
    inside = ((places > before - 0.5) & (places < ends - 0.5)).all(dim=-1)
    return grey, inside[:, None]


def blur(grey: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Blur each view by its own Gaussian, and leave out the `BLUR_REACH` outermost pixels.

    Parameters
    ----------
    grey : torch.Tensor, shape (n, 1, rows, columns)
    sigma : torch.Tensor, shape (n,)
        Standard deviation in pixels; 0 leaves a view as it is.

    Returns
    -------
    torch.Tensor, shape (n, 1, rows - 2 * BLUR_REACH, columns - 2 * BLUR_REACH)
    """
    steps = torch.arange(-BLUR_REACH, BLUR_REACH + 1, device=grey.device)
    weights = torch.exp(-0.5 * (steps / sigma.clamp(min=1e-3)[:, None]) ** 2)
    weights = (weights / weights.sum(dim=1, keepdim=True))[:, None]
    flat = grey[:, 0][None]
    for kernel in (weights[..., None], weights[:, :, None]):
        flat = functional.conv2d(flat, kernel, groups=len(sigma))
    return flat[0][:, None]


def alter_views(grey: torch.Tensor, views: Views, mean: float, noise: torch.Tensor) -> torch.Tensor:
    """Blur and shade views, then change their grey values.

    Parameters
    ----------
    grey : torch.Tensor, float32, shape (n, 1, pixels, pixels)
        In [0, 1], as wide as `cut_views` returns them.
    views : Views
    mean : float
        Grey value that contrast leaves as it is.
    noise : torch.Tensor, float32, as wide as the windows
        Standard normal numbers.

    Returns
    -------
    torch.Tensor, as wide as the windows
        In [0, 1].
    """
    sigma, *shading = views.optics.T
    sharp = blur(grey, sigma)
    along = torch.linspace(-1, 1, sharp.shape[-1], device=grey.device)
    down, right = (slope[:, None] * along for slope in shading)
    light = 1 + down[:, None, :, None] + right[:, None, None, :]
    return change_grey(sharp * light, views.changes, mean, noise)


def make_views(
    slices: torch.Tensor, largest: int, views: Views, normalisation: Normalisation, side: int
) -> torch.Tensor:
    """Cut, alter and normalise views; noise comes from torch's default generator.

    Parameters
    ----------
    slices : torch.Tensor, shape (slices, rows, columns)
        See `cut_views`.
    largest : int
        Largest value of the slices' dtype.
    views : Views
    normalisation : Normalisation
    side : int
        Windows along each axis of a view.

    Returns
    -------
    torch.Tensor, float32, shape (n, 1, pixels, pixels)
        ``pixels = crop_pixels(side)``; what lies beyond the slice is raw grey 0, normalised.
    """
    grey, inside = cut_views(slices, views, side)
    within = slice(BLUR_REACH, -BLUR_REACH)
    inside = inside[..., within, within]
    noise = torch.randn(inside.shape, device=grey.device)
    altered = alter_views(grey / largest, views, normalisation.mean, noise)
    return (torch.where(inside, altered, 0) - normalisation.mean) / normalisation.std
