"""Depth nulls: maps that lie in bands along depth, but not where the layers do (ours).

Layers vary along one axis. Whatever lies in bands parallel to the pia agrees with them, wherever
its bands are: four bands cut at random agree with five layers at an adjusted mutual information of
about 0.5. Two kinds of surrogate keep that, both over the pixels at which a map and labels are
compared:

bands
    The map itself with its bands in another order. Depth is turned over at random, rolled round by
    a random offset and cut where the map's most frequent code changes; the pieces change places.
    Every pixel then reads the map at its new depth, at the place nearest to it, so that a surrogate
    is as ragged and as patchy along the pia as the map is.
depth
    Depth alone: a ruler cut at random places into as many bands as the map has codes, without any
    noise. Whoever knows the depth of a pixel and nothing else can draw it.

A map that exceeds the first has its bands where the layers are; one that exceeds the second also
says more about layers than an arbitrary ruler.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

#: The statistic of agreement that decides, said before any run; the others stand beside it.
DECIDING = "ami"
#: Bins of depth in which bands are told apart.
BINS = 64
#: Bands narrower than this many bins belong to the band before them.
NARROWEST = 2
#: Two surrogates are one if their bands share at least this much information (normalised).
SAME = 0.9
#: Orders that are drawn for each surrogate wanted: of a few bands many are the same.
DRAWS = 2

Codes = NDArray[np.integer]


class Surrogates(NamedTuple):
    """Surrogates of a map.

    Attributes
    ----------
    codes : ndarray of int, shape (count, pixels)
    effective : int
        How many of them differ from each other.
    """

    codes: Codes
    effective: int

    @classmethod
    def none(cls) -> Surrogates:
        """Return no surrogates, as of no pixels."""
        return cls(np.zeros((0, 0), dtype=np.int64), 0)


def rearranged_bands(
    codes: Codes,
    places: NDArray[np.floating],
    depth: NDArray[np.floating],
    count: int,
    rng: np.random.Generator,
) -> Surrogates:
    """Return a map with its bands along depth in other orders, no two of them the same.

    Of surrogates whose bands are all but each other's one is kept, and none of those that are all
    but the map itself, which counts as the map: otherwise the few bands of a clean map would come
    out in their own order too often for anything to be rare.

    Parameters
    ----------
    codes : ndarray of int, shape (pixels,)
        The map, from 1.
    places : ndarray, shape (pixels, 2)
        Where the pixels lie, in pixels.
    depth : ndarray, shape (pixels,)
        Their relative depth.
    count : int
        Surrogates wanted; fewer come of a map with few bands, and none of a map with one.
    rng : numpy.random.Generator
    """
    bins = _occupied_bins(depth)
    profile = band_profile(codes, bins)
    own = np.arange(len(profile))
    drawn = [_rearrange(profile, rng) for _ in range(DRAWS * count)]
    orders = np.stack([own, *drawn])
    kept = orders[different(profile[orders], 1 + count)[1:]]  # the first is the map itself
    if not len(kept):
        return Surrogates.none()
    source, pixels = _nearest(places, bins, len(profile)), np.arange(len(codes))
    maps = np.stack([codes[source[pixels, order[bins]]] for order in kept])
    return Surrogates(maps, len(kept))


def random_rulers(
    depth: NDArray[np.floating], bands: int, count: int, rng: np.random.Generator
) -> Surrogates:
    """Return depth cut into bands at places drawn uniformly between its least and its greatest.

    Parameters
    ----------
    depth : ndarray, shape (pixels,)
    bands : int
    count : int
    rng : numpy.random.Generator
    """
    cuts = np.sort(rng.uniform(depth.min(), depth.max(), size=(count, bands - 1)), axis=1)
    rulers = np.stack([np.searchsorted(row, depth) + 1 for row in cuts]).astype(np.int64)
    return Surrogates(rulers, count if bands > 1 else 1)


def band_profile(codes: Codes, bins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the most frequent code of each bin of depth, without bands below `NARROWEST`.

    Parameters
    ----------
    codes, bins : ndarray of int, shape (pixels,)
        Codes from 1, and the bin of each pixel; no bin is empty.
    """
    top, number = int(codes.max()) + 1, int(bins.max()) + 1
    table = np.bincount(bins * top + codes, minlength=number * top).reshape(number, top)
    profile = table.argmax(axis=1)
    starts = np.flatnonzero(np.diff(profile, prepend=-1))
    for start, stop in pairwise([*starts[1:], number]):
        if stop - start < NARROWEST:
            profile[start:stop] = profile[start - 1]
    return np.asarray(profile, dtype=np.int64)


def different(profiles: NDArray[np.int64], most: int | None = None) -> list[int]:
    """Return which profiles are not all but one before them; codes may be renamed.

    Parameters
    ----------
    profiles : ndarray of int, shape (count, bins)
    most : int, optional
        Profiles after which the search ends.
    """
    count, bins = profiles.shape
    names = int(profiles.max()) + 1
    one_hot = (profiles[:, None, :] == np.arange(names)[:, None]).astype(np.float64)
    entropy = _entropy(one_hot.mean(axis=2), axes=(1,))
    kept: list[int] = []
    for index in range(count):
        if len(kept) == most:
            break
        others = one_hot[kept].reshape(-1, bins)
        joint = (one_hot[index] @ others.T / bins).reshape(names, len(kept), names)
        mutual = entropy[index] + entropy[kept] - _entropy(joint, axes=(0, 2))
        if not (mutual >= SAME * (entropy[index] + entropy[kept]) / 2).any():
            kept.append(index)
    return kept


def _occupied_bins(depth: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the bin of each pixel, counted over the bins that hold any."""
    low, high = float(depth.min()), float(depth.max())
    scaled = (depth - low) / max(high - low, np.finfo(np.float64).tiny)
    bins = np.minimum((scaled * BINS).astype(np.int64), BINS - 1)
    return np.unique(bins, return_inverse=True)[1].astype(np.int64)


def _nearest(
    places: NDArray[np.floating], bins: NDArray[np.int64], number: int
) -> NDArray[np.int32]:
    """Return, for every pixel and bin, the pixel of that bin nearest to it."""
    nearest = np.empty((len(places), number), dtype=np.int32)
    for index in range(number):
        own = np.flatnonzero(bins == index)
        nearest[:, index] = own[KDTree(places[own]).query(places)[1]]
    return nearest


def _rearrange(profile: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return from which bin each bin reads."""
    order = np.roll(np.arange(len(profile)), rng.integers(len(profile)))
    if rng.random() < 0.5:
        order = order[::-1]
    pieces = np.split(order, np.flatnonzero(np.diff(profile[order])) + 1)
    return np.concatenate([pieces[index] for index in rng.permutation(len(pieces))])


def _entropy(shares: NDArray[np.float64], axes: tuple[int, ...]) -> NDArray[np.float64]:
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    return np.asarray(-(shares * logs).sum(axis=axes))
