"""How fast a core of this machine is, measured in a fraction of a second."""

from __future__ import annotations

import time

import numpy as np
from threadpoolctl import threadpool_limits

#: Billion operations a second of the core whose seconds the models count.
REFERENCE_GFLOPS = 138.0
#: Side of the matrices that are multiplied, and how long at least, in seconds.
SIDE = 768
SECONDS = 0.3


def measure_speed() -> float:
    """Return the speed of a core relative to the reference, by products of float32 matrices.

    Processor time counts, and the quickest of several products, so that what else runs matters
    little: the speed is that of a core left alone.
    """
    matrix = np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32)
    quickest, spent = np.inf, 0.0
    with threadpool_limits(1):
        while spent < SECONDS:
            start = time.process_time()
            matrix @ matrix
            took = max(time.process_time() - start, 1e-6)
            quickest, spent = min(quickest, took), spent + took
    return float(2 * SIDE**3 / quickest / 1e9 / REFERENCE_GFLOPS)
