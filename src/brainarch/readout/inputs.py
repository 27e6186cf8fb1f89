"""Representations of several networks that belong together."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainarch.embedding.store import (
    NoisyRepresentations,
    Representations,
    load_noisy,
    load_representations,
)
from brainarch.errors import InputError
from brainarch.seeds import generator

logger = logging.getLogger(__name__)


def load_networks(option: str, paths: Mapping[str, Path]) -> dict[str, Representations]:
    """Read the representations of several networks of the same patches.

    Parameters
    ----------
    option : str
        Option that gave the paths, for messages.
    paths : mapping of str to Path
        One store a network, by the name that tables shall show.

    Raises
    ------
    InputError
        If none is given, one is unreadable, or they describe different patches: numbers of
        different patches cannot be compared.
    """
    if not paths:
        raise InputError(f"{option}: none given; wanted NETWORK=PATH, once a network")
    loaded = {name: load_representations(path) for name, path in paths.items()}
    first = next(iter(loaded))
    for name, content in loaded.items():
        if not same_patches(content, loaded[first]):
            raise InputError(
                f"{paths[name]}: describes other patches than {paths[first]}; "
                "run `brainarch embed` for all networks on one patch table"
            )
    return loaded


def load_noisy_networks(paths: Mapping[str, Path]) -> dict[str, NoisyRepresentations]:
    """Read the noisy representations of several networks of the same patches and variances.

    Raises
    ------
    InputError
        As in `load_networks`, and if the variances differ.
    """
    loaded = {name: load_noisy(path) for name, path in paths.items()}
    first = next(iter(loaded))
    for name, content in loaded.items():
        reference = loaded[first]
        if not (
            same_patches(content.levels[0], reference.levels[0])
            and np.array_equal(content.variance, reference.variance)
        ):
            raise InputError(
                f"{paths[name]}: has other patches or variances than {paths[first]}; "
                "run `brainarch embed` with the same --patches, --variances and --seed"
            )
    return loaded


def require_partners(
    fitted: Mapping[str, Representations], scored: Mapping[str, Representations], option: str
) -> None:
    """Raise `InputError` unless every scored network was also given to be fitted on, and is it."""
    if set(fitted) != set(scored):
        names = ", ".join(sorted(set(fitted) ^ set(scored)))
        raise InputError(f"--train and {option}: give both for {names}")
    for name, content in scored.items():
        partner = fitted[name]
        for what in ("areas", "unit_names", "network", "checkpoint"):
            if getattr(content, what) != getattr(partner, what):
                raise InputError(
                    f"{option} {name}: its {what.replace('_', ' ')} differ from those of --train; "
                    "make both with the same `brainarch embed` options"
                )


def same_patches(first: Representations, second: Representations) -> bool:
    """Return whether two networks describe the same patches in the same order."""
    return first.areas == second.areas and all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for name in ("z", "y", "x", "area", "block")
    )


def equal_rows(area: NDArray[np.integer], per_area: int | None, seed: int) -> NDArray[np.int64]:
    """Choose equally many patches of every area that has any.

    Parameters
    ----------
    area : ndarray of int, shape (n,)
        Area indices.
    per_area : int or None
        Patches wanted of each; fewer if the smallest area has fewer. None: as many as it has.
    seed : int
        The config's.

    Returns
    -------
    ndarray of int64
        Rows, sorted by area and then as they were.
    """
    rng = generator(seed, "equal patches an area")
    members = [np.flatnonzero(area == index) for index in np.unique(area)]
    smallest = min(len(rows) for rows in members)
    size = smallest if per_area is None else min(per_area, smallest)
    if per_area is not None and size < per_area:
        logger.warning("the smallest area has %d patches: so many are used of each", size)
    chosen = [np.sort(rng.choice(rows, size, replace=False)) for rows in members]
    return np.concatenate(chosen).astype(np.int64)


def comparable(values: NDArray[np.floating], commensurate: bool) -> NDArray[np.float64]:
    """Centre representations so that distances between them mean something.

    Parameters
    ----------
    values : ndarray, shape (n, units)
        Representations.
    commensurate : bool
        If False, every unit is also divided by its standard deviation; constant units become 0.
    """
    centred: NDArray[np.float64] = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
    if commensurate:
        return centred
    spread = centred.std(axis=0)
    # float32 features of one value leave a spread of rounding errors only.
    flat = spread <= 1e-6 * np.abs(values).max(axis=0, initial=0)
    scaled: NDArray[np.float64] = np.where(flat, 0.0, centred / np.where(flat, 1.0, spread))
    return scaled
