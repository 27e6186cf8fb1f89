"""Random generators: one seed in the config, one independent stream a purpose."""

from __future__ import annotations

import zlib

import numpy as np


def derived_seed(seed: int, purpose: str) -> int:
    """Return a 32-bit seed that depends on the config's seed and on what it is for."""
    entropy = np.random.SeedSequence([seed, zlib.crc32(purpose.encode())])
    return int(entropy.generate_state(1)[0])


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return the random generator of one purpose.

    Streams of different purposes are independent, so adding a draw to one stage changes no other.

    Parameters
    ----------
    seed : int
        The config's seed, non-negative.
    purpose : str
        What the numbers are for, for example ``"sample train"``.
    """
    return np.random.default_rng(derived_seed(seed, purpose))
