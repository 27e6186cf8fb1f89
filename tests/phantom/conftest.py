from __future__ import annotations

import pytest

from brainarch.phantom.model import PhantomBlock, PhantomSpec

from .rendering import render

#: Small enough for seconds, large enough for every area.
SMALL = PhantomSpec((40, 320, 1300), seed=3)
#: The embedded default.
DEFAULT = PhantomSpec((208, 1088, 3296), seed=2020)
ANNOTATED = (4, 54, 104, 204)


@pytest.fixture(scope="session")
def small_block() -> PhantomBlock:
    return render(SMALL, 8, 20)


@pytest.fixture(scope="session")
def default_slices() -> list[PhantomBlock]:
    return [render(DEFAULT, z, z + 1) for z in (4, 104)]
