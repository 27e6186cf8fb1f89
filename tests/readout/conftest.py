from __future__ import annotations

import numpy as np
import pytest

from brainarch.embedding.representations import Representations
from brainarch.readout.threads import limit_threads

AREAS = ("Ctx", "Str", "WM")
#: Side of the blocks of made-up places.
BLOCK_PX = 1000


@pytest.fixture(autouse=True)
def one_thread():
    with limit_threads(1):
        yield


def representations(values, area, block=None, **other):
    """Representations with made-up places."""
    n = len(values)
    given = {
        "values": np.asarray(values, dtype=np.float32),
        "z": np.full(n, 4, np.int32),
        "y": np.asarray(np.arange(n) % 10 if block is None else block, dtype=np.int32) * BLOCK_PX,
        "x": np.arange(n, dtype=np.int32) % BLOCK_PX,
        "area": np.asarray(area, dtype=np.int32),
        "areas": AREAS,
        "network": "cnn",
        "unit_names": tuple(f"u{index}" for index in range(np.shape(values)[1])),
        "commensurate": True,
        "network_digest": "1f",
        "seed": 0,
    }
    return Representations(**{**given, **other})


def clusters(seed, n=40, apart=8.0, units=6, areas=3):
    """Return n patches of each area around means that are some distance apart."""
    rng = np.random.default_rng(seed)
    area = np.repeat(np.arange(areas), n)
    means = np.eye(areas, units) * apart
    return means[area] + rng.normal(size=(len(area), units)), area


@pytest.fixture
def make():
    return representations


@pytest.fixture
def planted():
    return clusters
