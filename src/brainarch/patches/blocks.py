"""Splitting one slice into train, val and test parts that keep their distance.

Each area is cut into three or four pieces of its candidate centres by parallel lines; each piece
goes to a split. The pieces' pixels, with every other pixel of the slice joined to the nearest
piece, divide the slice into three territories. A pixel may be a patch centre if the square of
radius ``erosion_radius`` round it lies in the territory of its own split: two such pixels of
different splits are then more than twice that radius apart along one axis, because their squares
would otherwise share a pixel, which would be in two territories. So their windows share no pixel
and keep the gap.

Which lines and which pieces is found by annealing on a coarse grid (ours). It keeps most of a
thin area when its neighbours' pieces are of the same split, and cuts it across its length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainarch.annotations.holes import close_holes
from brainarch.errors import InputError
from brainarch.geometry import PATCH, WINDOW, patch_share
from brainarch.patches.sampling import SPLITS
from brainarch.progress import progress_bar
from brainarch.seeds import generator
from brainarch.statistics.packing import pack_patches

#: Step of the coarse grid on which assignments are searched, in pixels.
GRID = 8
#: Independent searches, each of which yields one way to cut the slice.
SEARCHES = 8
#: Steps of a search.
STEPS = 200
#: Temperature of the annealing at the first and at the last step.
HOT, COLD = 1.0, 0.02
#: What a missing independent patch costs, in units of the score.
MISSING = 10.0
#: Weight of the logarithm of the number of centres, beside that of independent patches.
CENTRES_WEIGHT = 1.0
#: How often an area is cut across its longest direction rather than across any other.
ALONG_AXIS = 0.5
#: How often an area is cut into three pieces rather than four.
THREE_PIECES = 0.7


@dataclass(frozen=True)
class Cut:
    """How one area is cut.

    Attributes
    ----------
    angle : float
        Direction in which the pieces follow each other, in radian from x to y.
    limits : tuple of float
        Where the lines cross this direction, in pixels, ascending.
    order : tuple of int
        Split (index into `SPLITS`) of each piece.
    """

    angle: float
    limits: tuple[float, ...]
    order: tuple[int, ...]

    def split_of(self, y: NDArray[np.integer], x: NDArray[np.integer]) -> NDArray[np.int8]:
        """Return the split (index into `SPLITS`) of pixels of the area."""
        along = _project(y, x, self.angle)
        return np.array(self.order, dtype=np.int8)[np.searchsorted(self.limits, along)]

    def relabelled(self, roles: Sequence[int]) -> Cut:
        """Return the same cut with split i renamed to ``roles[i]``."""
        return Cut(self.angle, self.limits, tuple(roles[split] for split in self.order))


@dataclass(frozen=True)
class Found:
    """An assignment that the search tried.

    Attributes
    ----------
    cuts : list of Cut
        One an area.
    score : float
        How good it is.
    independent, centres : ndarray of int, shape (areas, 3)
        Non-overlapping patches, and candidate centres, of each area and split on the grid.
    """

    cuts: list[Cut]
    score: float
    independent: NDArray[np.int64]
    centres: NDArray[np.int64]


@dataclass(frozen=True)
class BlockSplit:
    """One assignment of the parts of a slice to splits.

    Attributes
    ----------
    own : ndarray of uint8, shape (rows, columns)
        Split of every labelled pixel, 1 ... 3 in the order of `SPLITS`, 0 where unlabelled.
    allowed : ndarray of bool, shape (rows, columns)
        Labelled pixels far enough from the other splits.
    independent : ndarray of int, shape (areas, 3)
        Patches at the asked share that share no pixel.
    difference : float
        Least Jaccard distance of the candidate centres of train, or of test, to those in any
        assignment of a smaller number, averaged over areas; 1 for the first.
    """

    own: NDArray[np.uint8]
    allowed: NDArray[np.bool_]
    independent: NDArray[np.int64]
    difference: float


def least_distance(pixel_um: float, min_gap_um: float) -> int:
    """Return the least distance of centres of different splits along one axis, in pixels.

    Windows that far apart keep ``ceil(min_gap_um / pixel_um)`` pixels between them.
    """
    return WINDOW + int(np.ceil(min_gap_um / pixel_um - 1e-9))


def erosion_radius(distance: int) -> int:
    """Return the radius of the square that must lie in a pixel's own territory."""
    return -(-(distance - 1) // 2)


def split_blocks(
    labels: NDArray[np.uint8],
    names: Sequence[str],
    shares: Sequence[float],
    *,
    assignment: int,
    distance: int,
    min_independent: int,
    hole_px: int,
    seed: int,
) -> BlockSplit:
    """Find an assignment of the parts of a slice to train, val and test.

    Assignment 0 is the best one found; each further one is, among those found and their six ways
    to name the splits, the one that differs most from all before.

    Parameters
    ----------
    labels : ndarray of uint8, shape (rows, columns)
        Area codes 1 ... n, 0 where unlabelled.
    names : sequence of str
        Area names; area i has code i + 1.
    shares : sequence of float
        Least share of a patch inside the area, for each area.
    assignment : int
        Which assignment, from 0.
    distance : int
        Least distance of centres of different splits along one axis, in pixels.
    min_independent : int
        Least number of patches at the asked share that share no pixel, for each area and split.
    hole_px : int
        Largest hole of an area that a patch inside it may hold, in pixels.
    seed : int
        Seed of the search; all assignments of one seed come from the same search.

    Returns
    -------
    BlockSplit

    Raises
    ------
    InputError
        If an area is too small for three splits, or no assignment, or not as many, were found.
    """
    inside = np.zeros(labels.shape, dtype=bool)
    for index, share in enumerate(shares):
        mask = labels == index + 1
        inside |= mask & (patch_share(close_holes(mask, hole_px)) >= share)
        most = len(pack_patches(inside & mask))
        if most < min_independent * len(SPLITS):
            raise InputError(
                f"area {names[index]}: the slice has room for {most} patches that share no pixel, "
                f"but {len(SPLITS)} splits need {min_independent} each; ask for a smaller share "
                "of the patch inside the area, or fewer independent patches"
            )
    search = _Search(labels, inside, len(names), distance, min_independent)
    found = search.run(seed)
    candidates = _with_roles(search, found)
    chosen: list[list[Cut]] = []
    result: BlockSplit | None = None
    while len(chosen) <= assignment:
        following = _most_different(search, candidates, chosen)
        if following is None:
            raise InputError(_refusal(names, found, chosen, assignment, min_independent))
        index, difference = following
        cuts = candidates.pop(index)
        result = _apply(labels, inside, cuts, distance, difference)
        if int(result.independent.min()) >= min_independent:
            chosen.append(cuts)
    assert result is not None  # the loop runs at least once
    check_distances(result, distance)
    return result


def check_distances(split: BlockSplit, distance: int) -> None:
    """Check every pair of allowed centres: different splits, at least ``distance`` apart.

    The centres of each split are dilated by ``distance - 1`` along both axes; none of another split
    may lie there.

    Raises
    ------
    AssertionError
        If a pair is too close.
    """
    for code in range(1, len(SPLITS) + 1):
        own = split.allowed & (split.own == code)
        near = ndimage.maximum_filter(own, size=2 * distance - 1, mode="constant")
        clash = near & split.allowed & (split.own != code)
        if clash.any():
            y, x = np.argwhere(clash)[0]
            raise AssertionError(f"pixel ({y}, {x}) is too close to split {SPLITS[code - 1]}")


class _Search:
    """Annealing over the cuts of all areas, on a coarse grid."""

    def __init__(
        self,
        labels: NDArray[np.uint8],
        inside: NDArray[np.bool_],
        n_areas: int,
        distance: int,
        min_independent: int,
    ) -> None:
        middle = GRID // 2
        self.labels = labels[middle::GRID, middle::GRID]
        self.shape = self.labels.shape
        nearest = ndimage.distance_transform_edt(
            self.labels == 0, return_distances=False, return_indices=True
        )
        self.nearest = tuple(nearest)
        self.pixels = [np.nonzero(self.labels == code) for code in range(1, n_areas + 1)]
        coarse = inside[middle::GRID, middle::GRID]
        self.centres = [coarse & (self.labels == code) for code in range(1, n_areas + 1)]
        self.inside = [np.nonzero(mask) for mask in self.centres]
        self.axes = [_long_axis(y, x) for y, x in self.inside]
        # Rounded up: a square of the coarse grid covers at least that of the pixels.
        self.window = 2 * -(-erosion_radius(distance) // GRID) + 1
        self.min_independent = min_independent

    def draw(self, area: int, rng: np.random.Generator) -> Cut:
        """Return a random cut of an area into pieces of all three splits."""
        along = rng.random() < ALONG_AXIS
        angle = self.axes[area] if along else float(rng.uniform(0, np.pi))
        pieces = 3 if rng.random() < THREE_PIECES else 4
        order = [int(split) for split in rng.permutation(3)]
        if pieces == 4:
            order.append(int(rng.choice(order[:2])))
        weights = rng.uniform(0.7, 1.3, size=3)
        weights /= weights.sum()
        parts = np.array([weights[split] / order.count(split) for split in order])
        y, x = self.inside[area]
        along_area = _project(y * GRID + GRID // 2, x * GRID + GRID // 2, angle)
        limits = np.quantile(along_area, np.cumsum(parts)[:-1])
        return Cut(angle, tuple(limits.tolist()), tuple(order))

    def splits(self, cuts: Sequence[Cut]) -> NDArray[np.int8]:
        """Return the split of every labelled pixel of the grid, from 1; 0 where unlabelled."""
        own = np.zeros(self.shape, dtype=np.int8)
        for (y, x), cut in zip(self.pixels, cuts, strict=True):
            own[y, x] = cut.split_of(y * GRID + GRID // 2, x * GRID + GRID // 2) + 1
        return own

    def evaluate(self, cuts: Sequence[Cut]) -> tuple[float, NDArray[np.int64], NDArray[np.int64]]:
        """Return an assignment's score, independent patches and centres, shapes (areas, 3)."""
        territory = self.splits(cuts)[self.nearest]
        low = ndimage.minimum_filter(territory, self.window, mode="nearest")
        high = ndimage.maximum_filter(territory, self.window, mode="nearest")
        allowed = np.where(low == high, territory, 0)
        codes = range(1, len(SPLITS) + 1)
        kept = [[mask & (allowed == code) for code in codes] for mask in self.centres]
        independent = np.array([[len(pack_patches(k, PATCH // GRID)) for k in row] for row in kept])
        centres = np.array([[int(k.sum()) for k in row] for row in kept])
        return self.score(independent, centres), independent, centres

    def score(self, independent: NDArray[np.int64], centres: NDArray[np.int64]) -> float:
        """Return how good an assignment is: enough patches everywhere, then many and balanced."""
        missing = int(np.maximum(0, self.min_independent - independent).sum())
        amount = np.log(independent + 0.5) + CENTRES_WEIGHT * np.log(centres + 0.5)
        return float(amount.sum()) - MISSING * missing

    def run(self, seed: int) -> list[Found]:
        """Return the best assignment of each search, best first."""
        rng = generator(seed, "search blocks")
        results = []
        with progress_bar(SEARCHES * STEPS, "searching blocks", "step") as bar:
            for _ in range(SEARCHES):
                cuts = [self.draw(area, rng) for area in range(len(self.pixels))]
                now = best = Found(cuts, *self.evaluate(cuts))
                for step in range(STEPS):
                    temperature = HOT * (COLD / HOT) ** (step / (STEPS - 1))
                    area = int(rng.integers(len(cuts)))
                    cuts = [*now.cuts[:area], self.draw(area, rng), *now.cuts[area + 1 :]]
                    trial = Found(cuts, *self.evaluate(cuts))
                    gain = trial.score - now.score
                    if gain >= 0 or rng.random() < np.exp(gain / temperature):
                        now = trial
                        best = max(best, now, key=lambda found: found.score)
                    bar.update()
                results.append(best)
        return sorted(results, key=lambda found: -found.score)

    def difference(self, one: NDArray[np.int8], other: NDArray[np.int8]) -> float:
        """Return how much two assignments differ: the Jaccard distance of train or of test.

        It is averaged over the areas' candidate centres; the smaller one of train and test counts,
        so that assignments which only exchange two splits are equal if the third is one of these.
        """
        distances = []
        for code in (1 + SPLITS.index("train"), 1 + SPLITS.index("test")):
            both = [(one[mask] == code, other[mask] == code) for mask in self.centres]
            distances.append(np.mean([1 - (a & b).sum() / max(1, (a | b).sum()) for a, b in both]))
        return float(min(distances))


def _with_roles(search: _Search, found: Sequence[Found]) -> list[list[Cut]]:
    """Return the feasible cuts under all names of the splits, best first; train should be large."""
    candidates: list[tuple[float, list[Cut]]] = []
    for item in found:
        if int(item.independent.min()) < search.min_independent:
            continue
        for roles in permutations(range(len(SPLITS))):
            train = item.independent[:, roles.index(0)]
            quality = item.score + float(np.log(train + 0.5).sum())
            candidates.append((quality, [cut.relabelled(roles) for cut in item.cuts]))
    return [cuts for _, cuts in sorted(candidates, key=lambda candidate: -candidate[0])]


def _most_different(
    search: _Search, candidates: Sequence[list[Cut]], chosen: Sequence[list[Cut]]
) -> tuple[int, float] | None:
    """Return which candidate differs most from those chosen (the best one if equal), and how much.

    None if no candidate is left that differs at all.
    """
    before = [search.splits(cuts) for cuts in chosen]
    best: tuple[int, float] | None = None
    for index, cuts in enumerate(candidates):
        own = search.splits(cuts)
        least = min((search.difference(own, other) for other in before), default=1.0)
        if least > (best[1] if best else 0.0) + 1e-12:
            best = (index, least)
    return best


def _apply(
    labels: NDArray[np.uint8],
    inside: NDArray[np.bool_],
    cuts: Sequence[Cut],
    distance: int,
    difference: float,
) -> BlockSplit:
    """Apply cuts to the slice at full resolution."""
    own = np.zeros(labels.shape, dtype=np.uint8)
    for code, cut in enumerate(cuts, start=1):
        y, x = np.nonzero(labels == code)
        own[y, x] = cut.split_of(y, x) + 1
    territory = _join_unlabelled(own)
    window = 2 * erosion_radius(distance) + 1
    low = ndimage.minimum_filter(territory, window, mode="nearest")
    high = ndimage.maximum_filter(territory, window, mode="nearest")
    allowed = (own > 0) & (low == high)
    counts = [
        [len(pack_patches(inside & allowed & (labels == code) & (own == split)))
         for split in range(1, len(SPLITS) + 1)]
        for code in range(1, len(cuts) + 1)
    ]  # fmt: skip
    return BlockSplit(own, allowed, np.array(counts, dtype=np.int64), difference)


def _join_unlabelled(own: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Join unlabelled pixels to the nearest piece.

    Any way to join them is valid; nearest on the coarse grid is good enough, and quick.
    """
    middle = GRID // 2
    coarse = own[middle::GRID, middle::GRID]
    nearest = ndimage.distance_transform_edt(
        coarse == 0, return_distances=False, return_indices=True
    )
    filled = coarse[tuple(nearest)].repeat(GRID, axis=0).repeat(GRID, axis=1)
    rows, columns = own.shape
    missing = ((0, max(0, rows - len(filled))), (0, max(0, columns - filled.shape[1])))
    filled = np.pad(filled, missing, mode="edge")[:rows, :columns]
    return np.where(own > 0, own, filled)


def _refusal(
    names: Sequence[str],
    found: Sequence[Found],
    chosen: Sequence[list[Cut]],
    assignment: int,
    min_independent: int,
) -> str:
    """Return the line that says which area and split failed, or how many assignments there are."""
    if chosen:
        return (
            f"assignment {assignment}: the search found {len(chosen)} assignments on this slice; "
            f"use 0 to {len(chosen) - 1} or another seed"
        )
    independent = found[0].independent
    area, split = divmod(int(independent.argmin()), len(SPLITS))
    return (
        f"area {names[area]}: only {independent[area, split]} patches that share no pixel in "
        f"{SPLITS[split]} in the best division found, but {min_independent} are needed; ask for a "
        "smaller share of the patch inside the area, or fewer independent patches"
    )


def _project(y: NDArray[np.integer], x: NDArray[np.integer], angle: float) -> NDArray[np.float64]:
    along: NDArray[np.float64] = x * np.cos(angle) + y * np.sin(angle)
    return along


def _long_axis(y: NDArray[np.integer], x: NDArray[np.integer]) -> float:
    """Return the direction of the largest spread, in radian from x to y."""
    _, vectors = np.linalg.eigh(np.cov(np.stack([y, x])))
    return float(np.arctan2(vectors[0, -1], vectors[1, -1]))
