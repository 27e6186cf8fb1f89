"""Representations of several networks that belong together."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainarch.embedding.representations import (
    NoisyRepresentations,
    Representations,
    load_noisy,
    load_representations,
)
from brainarch.errors import InputError
from brainarch.seeds import generator

logger = logging.getLogger(__name__)


def load_networks(paths: Mapping[str, Path]) -> dict[str, Representations]:
    """Read the representations of several networks of the same patches.

    Parameters
    ----------
    paths : mapping of str to Path
        One store per network, by the name that tables shall show; at least one.

    Raises
    ------
    InputError
        If one is unreadable, or they describe different patches: numbers of different patches
        cannot be compared.
    """
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
                "run `brainarch embed-noise` for all networks with one config"
            )
    return loaded


def require_partners(
    fitted: Mapping[str, Representations], scored: Mapping[str, Representations], split: str
) -> None:
    """Raise `InputError` unless every scored network was also given to be fitted on, and is it.

    ``split`` says which patches are scored, for the message.
    """
    if set(fitted) != set(scored):
        names = ", ".join(sorted(set(fitted) ^ set(scored)))
        raise InputError(f"train and {split}: representations of both are needed for {names}")
    for name, content in scored.items():
        partner = fitted[name]
        for what in ("areas", "unit_names", "network", "network_digest"):
            if getattr(content, what) != getattr(partner, what):
                raise InputError(
                    f"{split} patches by {name}: {what.replace('_', ' ')} not as of the train "
                    "patches; run `brainarch embed` again for both"
                )


def same_patches(first: Representations, second: Representations) -> bool:
    """Return whether two networks describe the same patches in the same order."""
    return first.areas == second.areas and all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for name in ("z", "y", "x", "area")
    )


def equal_rows(area: NDArray[np.integer], per_area: int, seed: int) -> NDArray[np.int64]:
    """Choose equally many patches of every area that has any.

    Parameters
    ----------
    area : ndarray of int, shape (n,)
        Area indices.
    per_area : int
        Patches wanted of each; fewer if the smallest area has fewer.
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
    size = min(per_area, smallest)
    if size < per_area:
        logger.warning("the smallest area has %d patches: so many are used of each", size)
    chosen = [np.sort(rng.choice(rows, size, replace=False)) for rows in members]
    return np.concatenate(chosen).astype(np.int64)
