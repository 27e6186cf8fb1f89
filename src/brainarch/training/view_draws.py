"""What each step of learning without labels sees: places, two views of each, and who attracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from brainarch.errors import InputError
from brainarch.seeds import generator
from brainarch.training.changes import draw_changes
from brainarch.training.contrast import ALONE, APART, REACH
from brainarch.training.views import Views, draw_optics, draw_shapes, window_offsets


@dataclass(frozen=True)
class ViewGround:
    """What learning without labels may use of one slice.

    Parameters
    ----------
    z : int
        Slice number.
    grey : ndarray of uint8 or uint16, shape (rows, columns)
        Raw grey values.
    where : ndarray of bool, shape (rows, columns), optional
        Pixels that may be a place, for example tissue; all if left out.
    """

    z: int
    grey: NDArray[np.generic]
    where: NDArray[np.bool_] | None = None


class ViewPlaces:
    """All pixels that may be a place; each is as likely as another.

    Parameters
    ----------
    grounds : sequence of ViewGround
        Slices of one size.

    Raises
    ------
    InputError
        If there is no pixel, or none is far enough from another to repel it.

    Notes
    -----
    Memory: four bytes a pixel that may be a place.
    """

    def __init__(self, grounds: Sequence[ViewGround]) -> None:
        self.shape = (len(grounds), *grounds[0].grey.shape)
        self._z = np.array([ground.z for ground in grounds])
        size = self.shape[1] * self.shape[2]
        kind = np.min_scalar_type(len(grounds) * size)
        masks = [
            np.ones(self.shape[1:], dtype=bool) if ground.where is None else ground.where
            for ground in grounds
        ]
        found = [np.flatnonzero(mask) + i * size for i, mask in enumerate(masks)]
        self._pixels = np.concatenate([pixels.astype(kind) for pixels in found])
        slices = ", ".join(str(ground.z) for ground in grounds)
        if not len(self._pixels):
            raise InputError(f"learning without labels (slice {slices}): no pixel may be a place")
        anywhere = np.logical_or.reduce(masks)
        lines = [np.flatnonzero(anywhere.any(axis=axis)) for axis in (1, 0)]
        extent = [np.ptp(self._z), *map(np.ptp, lines)]
        if np.linalg.norm(extent) < APART:
            raise InputError(
                f"learning without labels (slice {slices}): all places lie within {APART:g} "
                "pixels, so that none repels another; take larger or more slices"
            )

    def draw(self, number: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return position of the slice among the grounds, row and column, shape (3, number)."""
        return self._unravel(self._pixels[rng.integers(len(self._pixels), size=number)])

    def beside(
        self, places: NDArray[np.int64], reach: float, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return for each place another at most ``reach`` pixels away, on the same slice."""
        number = places.shape[1]
        angle, radius = rng.uniform(0, 2 * np.pi, number), reach * np.sqrt(rng.random(number))
        # cut off towards the place, so that no distance exceeds the reach
        moves = np.trunc(radius * np.stack([np.sin(angle), np.cos(angle)])).astype(np.int64)
        ends = np.array(self.shape[1:])[:, None] - 1
        return np.concatenate([places[:1], np.clip(places[1:] + moves, 0, ends)])

    def positions(
        self, slices: NDArray[np.int64], rows: NDArray[np.integer], columns: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Return z, y and x of places in voxels, shape (n, 3)."""
        return np.stack([self._z[slices], rows, columns], axis=1).astype(np.float64)

    def _unravel(self, pixels: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
        return np.stack(np.unravel_index(pixels.astype(np.int64), self.shape))


class ContrastDraw(NamedTuple):
    """Views of one step: the first views of all places, then the second.

    Attributes
    ----------
    views : Views
        2 p views of p places.
    positions : torch.Tensor, float32, shape (2 p * side * side, 3)
        z, y and x of each window's centre, in voxels; by view, and the window's row and column.
    partners : torch.Tensor, int64, shape (2 p * side * side,)
        Window that attracts each window, or `ALONE`.
    """

    views: Views
    positions: torch.Tensor
    partners: torch.Tensor


class ContrastDraws(Dataset[ContrastDraw]):
    """The draws of all steps; a draw depends on the seed and its step alone.

    Parameters
    ----------
    places : ViewPlaces
    number : int
        Places a step.
    side : int
        Windows along each axis of a view.
    reach : float
        Largest distance between the two views of a place, and between partners, in pixels.
    orientation : str
        See `draw_shapes`.
    seed : int
    """

    def __init__(
        self,
        places: ViewPlaces,
        *,
        number: int,
        side: int,
        reach: float = REACH,
        orientation: str,
        seed: int,
    ) -> None:
        self._places = places
        self._number = number
        self._side = side
        self._reach = reach
        self._orientation = orientation
        self._seed = seed

    def __getitem__(self, step: int) -> ContrastDraw:
        """Return what a step, from 0, sees."""
        first = self._places.draw(self._number, self._generator("places", step))
        second = self._places.beside(first, self._reach, self._generator("beside", step))
        squares = np.concatenate([first, second], axis=1)
        number = squares.shape[1]
        shapes = draw_shapes(number, self._orientation, self._generator("shapes", step))
        offsets = window_offsets(shapes, self._side)
        positions = np.repeat(self._places.positions(*squares)[:, None], self._side**2, axis=1)
        positions[:, :, 1:] += offsets
        partners = draw_partners(
            positions[:, :, 1:], self._reach, self._generator("partners", step)
        )
        views = Views(
            torch.from_numpy(squares.T.copy()),
            torch.from_numpy(shapes.astype(np.float32)),
            torch.from_numpy(draw_optics(number, self._generator("optics", step))),
            torch.from_numpy(draw_changes(number, self._generator("changes", step))),
        )
        return ContrastDraw(
            views,
            torch.from_numpy(positions.reshape(-1, 3).astype(np.float32)),
            torch.from_numpy(partners),
        )

    def _generator(self, purpose: str, step: int) -> np.random.Generator:
        return generator(self._seed, f"contrast {purpose} {step}")


def draw_partners(
    positions: NDArray[np.float64], reach: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw for every window one of the other view of its place, at most ``reach`` away.

    Parameters
    ----------
    positions : ndarray of float64, shape (2 p, windows, 2)
        Rows and columns; the first views of all places, then the second.
    reach : float
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape (2 p * windows,)
        `ALONE` where no window is that close.
    """
    views, windows, _ = positions.shape
    other = np.roll(np.arange(views), views // 2)
    distances = np.linalg.norm(positions[:, :, None] - positions[other][:, None], axis=-1)
    # a hair more, because turning and adding up rounds
    score = np.where(distances <= reach + 1e-6, rng.random(distances.shape), -1.0)
    chosen = score.argmax(axis=2)
    partners = np.where(score.max(axis=2) < 0, ALONE, other[:, None] * windows + chosen)
    return partners.astype(np.int64).ravel()
