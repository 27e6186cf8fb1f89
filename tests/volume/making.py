"""A volume made as a run makes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brainarch.volume.stages import convert_stack


def make_volume(source: str | Path, output: Path, shape: Sequence[int], **settings: Any) -> None:
    """Convert a stack, with the settings that a config has by default."""
    default = {
        "dtype": "uint8",
        "voxel_um": 1.17,
        "first_slice": 0,
        "window": None,
        "compression": "zstd",
        "pixel_um": None,
        "nan": None,
        "file_step": 1,
    }
    convert_stack(
        source=str(source),
        shape=shape,
        volume=output,
        slices=output.parent / "slices.csv",
        partial=output.parent.parent / ".partial",
        **{**default, **settings},
    )
