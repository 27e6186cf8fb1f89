"""A tiny published volume behind a local server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from boss_server import AREAS, IMAGE, SHAPE, Boss, serving

from brainarch.download import bossdb, fetch
from brainarch.download.stages import fetch_slices


@pytest.fixture(scope="session")
def grey() -> np.ndarray:
    few = np.random.default_rng(3).integers(1, 4, SHAPE, dtype=np.uint8)  # so that it compresses
    few[:, 0, 0] = np.arange(SHAPE[0]) + 100
    return few


@pytest.fixture(scope="session")
def labels() -> np.ndarray:
    volume = np.zeros(SHAPE, dtype=np.uint64)
    volume[5, :, 10:] = 4
    volume[9, 10:] = 8
    volume[11] = 300
    volume[12] = 1 << 40
    return volume


@pytest.fixture
def boss(grey: np.ndarray, labels: np.ndarray) -> Iterator[Boss]:
    with serving({IMAGE: grey, AREAS: labels}) as server:
        yield server


@pytest.fixture
def get(boss: Boss, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Fetch slices of a channel; returns the folder."""

    def run(
        slices: range | tuple[int, ...],
        channel: str = IMAGE,
        *,
        dtype: str | None = "uint8",
        attempts: int = 6,
        timeout_s: float = 5.0,
        host: str | None = None,
    ) -> Path:
        monkeypatch.setattr(fetch, "ATTEMPTS", attempts)
        monkeypatch.setattr(fetch, "WAIT_S", 0.0)
        monkeypatch.setattr(bossdb, "TIMEOUT_S", timeout_s)
        fetch_slices(
            host=host or boss.address,
            channel=channel,
            pattern=str(tmp_path / "cache" / "z{z:04d}.tif"),
            slices=list(slices),
            shape=SHAPE,
            first_slice=0,
            dtype=dtype,
            table=tmp_path / "received.csv",
        )
        return tmp_path / "cache"

    return run
