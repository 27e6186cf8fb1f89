"""Numba's decorators with types, so that the compiled functions keep their signatures.

Numba renews kept machine code when the file of that one function changes, but constants and helpers
of other modules are frozen into it; so the folder it is kept in is named after all of the package's
sources.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba


def _sources_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


_FOLDER = Path(__file__).parent
setattr(numba.config, "CACHE_DIR", str(_FOLDER / "__pycache__" / _sources_digest(_FOLDER)))  # noqa: B010  # untyped module

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
