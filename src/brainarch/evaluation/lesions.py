"""Lesions planted in a slice that nothing else uses: whether the network finds them (ours).

In every area with room for it, cells are removed from one disc of 150 um and fibres are added to
another. The slice is rendered with and without them. A disc's statistic is the AUROC of the outlier
score of its patches among those of the healthy area around it; ranked are patches at least 90 %
inside the area. The places of lesions are drawn from the discs that fit into the area beside each
other, and the statistic of all those discs in the healthy slice is the null: were a lesion nothing,
its disc would be one of them. Over all areas the mean AUROC decides, beside means of one disc drawn
from each area. All that, and that the likelihood decides, was said before the first run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from brainarch.annotations.legend import read_legend
from brainarch.dense.sparse import STRIDE, describe_grid
from brainarch.errors import InputError
from brainarch.evaluation.new_brains import area_indices
from brainarch.evaluation.novelty import Usual, read_usual
from brainarch.geometry import MIN_SHARE, WINDOW_BEFORE, patch_share
from brainarch.network.trained import TrainedNetwork, load_network, require_areas
from brainarch.phantom.compiled import use_threads
from brainarch.phantom.lesions import CELLS_REMOVED, FIBRES_ADDED, Lesion
from brainarch.phantom.model import PhantomSpec, render_slice
from brainarch.seeds import generator
from brainarch.statistics.levels import MIN_EFFECTIVE, PERCENTILE
from brainarch.statistics.packing import pack_patches
from brainarch.tables import write_table

#: Diameter of a lesion in um: the side of the papers' patch.
DIAMETER_UM = 150.0
#: Fewest ranked patches of a disc.
MIN_PATCHES = 10
KINDS = (CELLS_REMOVED, FIBRES_ADDED)
#: The score that decides, and the one that needs no labels.
LIKELIHOOD, NOVELTY = "likelihood", "novelty"
EVERYWHERE = "all areas"

LESION_COLUMNS = {
    "planted": "what was done in a disc of 150 um",
    "where": "the disc's area, or all areas: the mean over them",
    "score": "likelihood: distance from the area's own training patches, which orders like the "
    "log-likelihood of the area's density; novelty: from those of the nearest area",
    "decides": "whether it is the score that decides",
    "slice": "slice of the lesions, beyond the last of the volume",
    "y": "row of the disc's centre",
    "x": "column of the disc's centre",
    "patches": "patches with their centre in the disc, at least 90 % inside the area",
    "others": "healthy patches of the area that they are told from, as far inside",
    "left_out": "patches of the area that are less far inside and not ranked",
    "auroc": "AUROC of the score: 1 if every patch of the lesion is less usual than any healthy "
    "one; empty where there is no room",
    "before": "the same of the same disc without the lesion",
    "null_median": "median of the same over discs of the healthy slice",
    "null_99": "their 99th percentile",
    "effective": "how many discs, or different draws of them, that is; below 99 nothing is decided "
    "at 1 %",
    "p": "(1 + discs that reach the lesion's AUROC) / (1 + discs)",
    "above_null": "auroc above the 99th percentile; empty where it cannot be decided",
    "note": "why it was not looked for, or cannot be decided",
}

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Room:
    """Where discs fit into an area.

    Attributes
    ----------
    ranked : ndarray of bool, shape (rows, columns) of the grid
        Patches far enough inside the area.
    left_out : int
        Patches of the area that are not.
    places : ndarray of int, shape (n, 2)
        Centres of discs beside each other, in pixels of the slice.
    chosen : sequence of int
        Which of them get the lesions, one for each of `KINDS`; none where there is no room.
    """

    ranked: NDArray[np.bool_]
    left_out: int
    places: Places
    chosen: Sequence[int]


def find_lesions(
    *,
    network: Path,
    novelty: Path,
    legend: Path,
    lesions: Path,
    shape: Sequence[int],
    voxel_um: float,
    z: int,
    codes: Mapping[str, Sequence[int]],
    nulls: int,
    seed: int,
    threads: int = 1,
) -> None:
    """Render a slice with and without lesions, and look for them by how unlikely patches are.

    Parameters
    ----------
    network, novelty, legend : Path
        The trained network, what is usual in its training areas, and the areas.
    lesions : Path
        Table to write.
    shape, voxel_um
        Of the phantom.
    z : int
        The slice that is rendered; it may lie beyond the volume.
    codes : mapping of str to sequence of int
        The phantom's codes of each area.
    nulls : int
        Draws of healthy discs, one from each area.
    seed : int
        Of the phantom, the places and the draws.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If the files do not belong together.
    """
    torch.set_num_threads(threads)
    use_threads(threads)
    names, trained, usual = read_legend(legend).names, load_network(network), read_usual(novelty)
    require_areas(trained, names, network)
    if usual.network != trained.digest or len(usual.means) != len(names):
        raise InputError(
            f"{novelty}: not of all areas of {network}; run `brainarch fit-novelty` again"
        )
    slices, rows, columns = shape
    spec = PhantomSpec((slices, rows, columns), voxel_um, seed)
    block = render_slice(spec, z)
    area = area_indices(block.areas[0], [codes[name] for name in names])
    radius = DIAMETER_UM / voxel_um / 2
    rng = generator(seed, "places of lesions")
    rooms = [find_room(area == index, radius, rng) for index in range(1, len(names) + 1)]
    planted = [
        Lesion(kind, float(room.places[i, 0]), float(room.places[i, 1]), radius)
        for room in rooms
        for kind, i in zip(KINDS, room.chosen, strict=False)
    ]
    healthy, ill = (
        outlier_scores(trained, usual, grey)
        for grey in (block.grey[0], render_slice(replace(spec, lesions=tuple(planted)), z).grey[0])
    )
    frames = [
        compare_discs(names, rooms, healthy[score], ill[score], radius, nulls, seed).assign(
            score=score, decides=score == LIKELIHOOD
        )
        for score in (LIKELIHOOD, NOVELTY)
    ]
    found = pd.concat(frames, ignore_index=True).assign(slice=z)
    write_table(found[list(LESION_COLUMNS)], lesions, LESION_COLUMNS)


def find_room(mask: NDArray[np.bool_], radius: float, rng: np.random.Generator) -> Room:
    """Find discs that lie inside an area beside each other, and draw two that are far apart.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)
        The area.
    radius : float
        In pixels.
    rng : numpy.random.Generator
        Draws the two; no window of a patch of one reaches into the other.
    """
    own = mask[::STRIDE, ::STRIDE]
    ranked = own & (patch_share(mask)[::STRIDE, ::STRIDE] >= MIN_SHARE)
    size = 2 * int(np.ceil(radius))
    places = pack_patches(patch_share(mask, size) == 1, size)
    enough = [
        (in_disc(ranked.shape, place, radius) & ranked).sum() >= MIN_PATCHES for place in places
    ]
    places = places[np.array(enough, dtype=bool)]
    order = rng.permutation(len(places))
    chosen: list[int] = []
    if len(order):
        away = np.abs(places - places[order[0]]).max(axis=1) >= 2 * radius + WINDOW_BEFORE
        far = [int(i) for i in order if away[i]]
        chosen = [int(order[0]), far[0]] if far else []
    return Room(ranked, int((own & ~ranked).sum()), places, chosen)


def outlier_scores(
    trained: TrainedNetwork, usual: Usual, grey: NDArray[np.uint8]
) -> dict[str, NDArray[np.float64]]:
    """Return how unlike the training patches those of a slice's grid are, by both scores.

    Returns
    -------
    dict of str to ndarray, shape (areas, rows, columns)
        For each area; the novelty is the same for all.
    """
    y, x = (np.arange(0, side, STRIDE) for side in grey.shape)
    values = describe_grid(trained.network.trunk, trained.normalisation, grey, y, x)
    away = usual.area_distances(values.reshape(-1, values.shape[-1])).T
    away = away.reshape(-1, len(y), len(x))
    return {LIKELIHOOD: away, NOVELTY: np.broadcast_to(away.min(axis=0), away.shape)}


def compare_discs(
    names: Sequence[str],
    rooms: Sequence[Room],
    healthy: NDArray[np.float64],
    ill: NDArray[np.float64],
    radius: float,
    nulls: int,
    seed: int,
) -> pd.DataFrame:
    """Return how far lesions stand out of their areas, beside healthy discs.

    Parameters
    ----------
    names : sequence of str
        The areas.
    rooms : sequence of Room
        Of each area.
    healthy, ill : ndarray, shape (areas, rows, columns) of the grid
        The score of every patch for each area, without and with lesions.
    radius : float
        Of a disc, in pixels.
    nulls : int
        Draws of one disc from each area.
    seed : int
        Of these draws.

    Returns
    -------
    pandas.DataFrame
        Columns as in `LESION_COLUMNS`, without score, decides and slice; all areas come first.
    """
    rng = generator(seed, "healthy discs")
    usual = [
        np.array([disc_auroc(own, own, room.ranked, place, radius)[0] for place in room.places])
        for room, own in zip(rooms, healthy, strict=True)
    ]
    rows, whole = [], []
    for number, kind in enumerate(KINDS):
        found, draws = [], []
        for name, room, before, own, null in zip(names, rooms, healthy, ill, usual, strict=True):
            row = {"planted": kind, "where": name, "left_out": room.left_out}
            if not room.chosen:
                rows.append(row | {"note": "no room for two discs apart from each other"})
                continue
            index = room.chosen[number]
            place = room.places[index]
            auroc, patches, others = disc_auroc(own, before, room.ranked, place, radius)
            row |= {"y": place[0], "x": place[1], "patches": patches, "others": others}
            rows.append(row | _beside(auroc, null[index], null, len(null)))
            found.append((auroc, null[index]))
            draws.append(rng.choice(null, nulls))
        row = {"planted": kind, "where": EVERYWHERE}
        if found:
            mean, before = np.mean(found, axis=0)
            different = math.prod(len(n) for n, r in zip(usual, rooms, strict=True) if r.chosen)
            null = np.mean(draws, axis=0)
            row |= _beside(mean, before, null, min(nulls, different))
        else:
            row["note"] = "no area has room for two discs apart from each other"
        whole.append(row)
    columns = [name for name in LESION_COLUMNS if name not in ("score", "decides", "slice")]
    return pd.DataFrame([*whole, *rows], columns=columns)


def disc_auroc(
    inside: NDArray[np.float64],
    outside: NDArray[np.float64],
    ranked: NDArray[np.bool_],
    place: Places,
    radius: float,
) -> tuple[float, int, int]:
    """Return the AUROC of a disc's patches, and how many were told from how many.

    Parameters
    ----------
    inside, outside : ndarray, shape (rows, columns) of the grid
        Scores of the patches of the disc, and of the patches around it.
    ranked : ndarray of bool, same shape
        Patches that count.
    place : ndarray of int, shape (2,)
        Centre of the disc, in pixels of the slice.
    radius : float
        In pixels.
    """
    own = inside[ranked & in_disc(ranked.shape, place, radius)]
    rest = outside[ranked & ~in_disc(ranked.shape, place, radius + WINDOW_BEFORE, square=True)]
    truth = np.repeat([1, 0], [len(own), len(rest)])
    if not len(rest):
        return np.nan, len(own), 0
    return float(roc_auc_score(truth, np.concatenate([own, rest]))), len(own), len(rest)


def in_disc(
    shape: tuple[int, ...], place: Places, radius: float, *, square: bool = False
) -> NDArray[np.bool_]:
    """Return which pixels of the grid lie in a disc, or in the square around it."""
    y, x = (STRIDE * np.arange(side) - centre for side, centre in zip(shape, place, strict=True))
    if square:
        return np.asarray(np.maximum(np.abs(y)[:, None], np.abs(x)[None, :]) < radius)
    return np.asarray(np.hypot(y[:, None], x[None, :]) < radius)


def _beside(
    auroc: float, before: float, null: NDArray[np.float64], effective: int
) -> dict[str, object]:
    """Return what a row says of an AUROC beside those of healthy discs."""
    above = auroc > (limit := float(np.percentile(null, PERCENTILE)))
    row: dict[str, object] = {
        "auroc": auroc, "before": before, "null_median": float(np.median(null)),
        "null_99": limit, "effective": effective,
        "p": max((1 + int((null >= auroc).sum())) / (1 + len(null)), 1 / (1 + effective)),
    }  # fmt: skip
    if above and effective < MIN_EFFECTIVE:
        return row | {"note": f"only {effective} discs differ"}
    return row | {"above_null": above}
