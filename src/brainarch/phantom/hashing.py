"""Counter-based random numbers: a draw depends on its coordinates, never on what was drawn before.

That is what makes any z-range reproducible alone and independent of the number of threads.
"""

from __future__ import annotations

import numpy as np

from brainarch.phantom.compiled import helper


@helper
def mix(value: np.uint64) -> np.uint64:
    """Return the splitmix64 finaliser of ``value``, a well mixed 64-bit number."""
    value = np.uint64(value) + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@helper
def hash_cell(seed: np.uint64, salt: int, z: int, y: int, x: int) -> np.uint64:
    """Return the 64-bit hash of an integer position; ``salt`` tells one use from another."""
    state = mix(np.uint64(seed) ^ (np.uint64(salt) * np.uint64(0xD6E8FEB86659FD93)))
    state = mix(state ^ np.uint64(np.int64(z)))
    state = mix(state ^ np.uint64(np.int64(y)))
    return mix(state ^ np.uint64(np.int64(x)))


@helper
def uniform(state: np.uint64) -> float:
    """Return the top 53 bits of ``state`` as a number in [0, 1)."""
    return np.float64(state >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@helper
def gaussian(state: np.uint64) -> float:
    """Return a nearly normal number: the standardised sum of the four 16-bit parts of ``state``."""
    total = (
        np.float64(state & np.uint64(0xFFFF))
        + np.float64((state >> np.uint64(16)) & np.uint64(0xFFFF))
        + np.float64((state >> np.uint64(32)) & np.uint64(0xFFFF))
        + np.float64(state >> np.uint64(48))
    )
    # Four uniforms on 0..65535: mean 131070, standard deviation 2 * 65536 / sqrt(12).
    return (total - 131070.0) * (1.0 / 37837.23)
