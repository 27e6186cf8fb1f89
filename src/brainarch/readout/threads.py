"""Keep the numerical libraries to a number of threads."""

from __future__ import annotations

from contextlib import AbstractContextManager

from threadpoolctl import threadpool_limits


def limit_threads(threads: int) -> AbstractContextManager[object]:
    """Return a context in which BLAS and OpenMP use at most some threads."""
    context: AbstractContextManager[object] = threadpool_limits(threads)
    return context
