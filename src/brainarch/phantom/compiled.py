"""Numba's decorators with types, so that the compiled functions keep their signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile a loop over a slab, parallel over rows or strips, and keep the machine code."""
    return cast(F, numba.njit(cache=True, parallel=True, fastmath=True)(function))


def helper(function: F) -> F:
    """Compile a function that kernels call for a row, a voxel or an object."""
    return cast(F, numba.njit(cache=True, fastmath=True)(function))


def use_threads(threads: int) -> None:
    """Run kernels on at most that many threads; the results do not depend on it."""
    most = int(getattr(numba.config, "NUMBA_NUM_THREADS"))  # noqa: B009  # set when numba starts
    numba.set_num_threads(max(1, min(threads, most)))
