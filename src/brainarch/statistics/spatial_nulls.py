"""Spatial nulls: label maps that keep the shape of the labels but not their place (ours).

A finding that compares a map with labels is quoted beside the same number for surrogate labels.
Single pixels are never permuted: neighbouring pixels share most of their patch, so any smooth map
beats permuted pixels.

Two kinds of surrogate, both over the bounding box of the labels, 0 being unlabelled:

shift
    The box is a torus and the labels are shifted by a random offset along both axes. This keeps
    the labels' own autocorrelation.
block
    The labels are cut into square blocks, at a random phase, and the blocks that hold labels change
    places at random. This breaks long borders, and the drift of a map from one end to the other.

A surrogate is compared on the pixels that it shares with the map. It is drawn again if

- it shares fewer than `MIN_OVERLAP` of the pixels, because then it says little, or
- it still agrees with the true labels there by more than `MAX_KAPPA` (Cohen's kappa), because then
  it is a copy, no null. Layers shifted *along* themselves are such copies: their agreement with a
  layered map stays as it is, and a null that holds them could not be beaten, however good the map.
  So are shifts by less than about half a layer.

A finding counts when it exceeds both. Neither is a null for layers, which vary along depth alone:
shifted, they are about ten different maps, and shuffled blocks hold no band, so that any stripes
parallel to the pia beat them; see `brainarch.statistics.depth_nulls`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

#: Smallest share of the compared pixels that a surrogate must have a label for.
MIN_OVERLAP = 0.25
#: Largest agreement (Cohen's kappa) of a surrogate with the true labels.
MAX_KAPPA = 0.5
#: Draws for each surrogate before the search ends.
MAX_DRAWS = 50
#: Fewest blocks with labels that are worth shuffling.
MIN_BLOCKS = 6
#: Fewest surrogates that give a 99th percentile.
MIN_MAPS = 20
#: Fewest different surrogates at which something can be decided at 1 %.
MIN_EFFECTIVE = 99
#: Percentile of the surrogates' values that a finding must exceed (DESIGN).
PERCENTILE = 99.0

Labels = NDArray[np.integer]
Mask = NDArray[np.bool_]
Draw = Callable[[np.random.Generator], Labels]


def kappa(a: Labels, b: Labels) -> float:
    """Return Cohen's kappa of two code arrays of one shape; 1 if both are one and the same code."""
    if a.size == 0:
        return 0.0
    top = int(max(a.max(), b.max())) + 1
    table = np.bincount(a.ravel().astype(np.int64) * top + b.ravel(), minlength=top * top)
    shares = table.reshape(top, top) / a.size
    expected = float(shares.sum(axis=1) @ shares.sum(axis=0))
    observed = float(np.trace(shares))
    return 1.0 if expected == 1.0 else (observed - expected) / (1.0 - expected)


def shift_surrogates(
    labels: Labels, valid: Mask, count: int, rng: np.random.Generator
) -> Iterator[Labels]:
    """Yield up to ``count`` label maps shifted on the torus of the labels' bounding box.

    Parameters
    ----------
    labels : ndarray of int, shape (rows, columns)
        Codes from 1; 0 is unlabelled.
    valid : ndarray of bool, same shape
        Pixels at which the map to be compared has a value.
    count : int
        Surrogates wanted; fewer come if acceptable ones are too rare.
    rng : numpy.random.Generator
        Draws the offsets.

    Yields
    ------
    ndarray, like ``labels``
    """
    box = _bounding_box(labels)
    if box is None:
        return
    inner = labels[box]
    rows, columns = inner.shape

    def draw(rng: np.random.Generator) -> Labels:
        offset = (int(rng.integers(rows)), int(rng.integers(columns)))
        return np.roll(inner, offset, axis=(0, 1))

    yield from _accepted(labels, valid, box, draw, count, rng)


def block_surrogates(
    labels: Labels, valid: Mask, side: int, count: int, rng: np.random.Generator
) -> Iterator[Labels]:
    """Yield up to ``count`` label maps whose square blocks changed places.

    Parameters
    ----------
    labels, valid, count, rng
        As for `shift_surrogates`.
    side : int
        Side of a block in pixels of ``labels``. No shorter than a patch, within which the map is
        one piece.

    Yields
    ------
    ndarray, like ``labels``
        Nothing if fewer than `MIN_BLOCKS` blocks hold labels.
    """
    box = _bounding_box(labels)
    if box is None:
        return
    inner = labels[box]

    def draw(rng: np.random.Generator) -> Labels:
        return _shuffle_blocks(inner, side, rng)

    if _full_blocks(inner, side) >= MIN_BLOCKS:
        yield from _accepted(labels, valid, box, draw, count, rng)


def _accepted(
    labels: Labels,
    valid: Mask,
    box: tuple[slice, slice],
    draw: Draw,
    count: int,
    rng: np.random.Generator,
) -> Iterator[Labels]:
    inner, inside = labels[box], valid[box]
    needed = max(1.0, MIN_OVERLAP * float(((inner > 0) & inside).sum()))
    found = 0
    for _ in range(MAX_DRAWS * count):
        if found == count:
            return
        candidate = draw(rng)
        shared = (candidate > 0) & inside
        if shared.sum() < needed:
            continue
        both = shared & (inner > 0)
        # A copy agrees on most of the pixels: few shared ones cannot make one.
        if both.sum() >= needed and kappa(inner[both], candidate[both]) > MAX_KAPPA:
            continue
        surrogate = np.zeros_like(labels)
        surrogate[box] = candidate
        found += 1
        yield surrogate


def _bounding_box(labels: Labels) -> tuple[slice, slice] | None:
    rows = np.flatnonzero((labels > 0).any(axis=1))
    columns = np.flatnonzero((labels > 0).any(axis=0))
    if len(rows) == 0:
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _blocks(labels: Labels, side: int, phase: tuple[int, int]) -> Labels:
    """Cut into blocks (rows, columns, side, side), with ``phase`` pixels before the first."""
    after = [-(size + before) % side for size, before in zip(labels.shape, phase, strict=True)]
    padded = np.pad(labels, [(phase[0], after[0]), (phase[1], after[1])])
    rows, columns = padded.shape[0] // side, padded.shape[1] // side
    return padded.reshape(rows, side, columns, side).swapaxes(1, 2)


def _full_blocks(labels: Labels, side: int) -> int:
    """Count blocks at least half of which is labelled."""
    share = (_blocks(labels, side, (0, 0)) > 0).mean(axis=(2, 3))
    return int((share >= 0.5).sum())


def _shuffle_blocks(labels: Labels, side: int, rng: np.random.Generator) -> Labels:
    phase = (int(rng.integers(side)), int(rng.integers(side)))
    blocks = _blocks(labels, side, phase).copy()
    rows, columns = blocks.shape[:2]
    flat = blocks.reshape(rows * columns, side, side)
    holding = np.flatnonzero((flat > 0).any(axis=(1, 2)))
    flat[holding] = flat[rng.permutation(holding)]
    grid = flat.reshape(rows, columns, side, side).swapaxes(1, 2)
    whole = grid.reshape(rows * side, columns * side)
    return whole[phase[0] : phase[0] + labels.shape[0], phase[1] : phase[1] + labels.shape[1]]
