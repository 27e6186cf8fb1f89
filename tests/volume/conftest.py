"""A small stack of structured grey values, written once for the room's tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

SHAPE = (20, 300, 530)


@pytest.fixture(scope="session")
def grey() -> np.ndarray:
    rng = np.random.default_rng(7)
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    smooth = 128 + 80 * np.sin(z / 3) * np.cos(y / 40) * np.sin(x / 60)
    return np.clip(smooth + rng.integers(-20, 21, SHAPE), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def stack_folder(grey: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stack of 'Gehirn' ü")
    for z, image in enumerate(grey):
        tifffile.imwrite(folder / f"z{z:04d}.tif", image)
    return folder


@pytest.fixture
def write_slices(tmp_path: Path):
    def write(names: list[str], images: np.ndarray | list[np.ndarray], **options) -> Path:
        folder = tmp_path / "stack"
        folder.mkdir(exist_ok=True)
        for name, image in zip(names, images, strict=True):
            tifffile.imwrite(folder / name, image, **options)
        return folder

    return write
