"""A torchvision that lacks its compiled part must not stop training."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

BROKEN = """
import torch
if not hasattr(torch.ops.torchvision, "nms"):
    raise RuntimeError("operator torchvision::nms does not exist")
"""


def test_training_is_imported_beside_it(tmp_path: Path) -> None:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision/__init__.py").write_text(BROKEN)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    alone, mended = (
        subprocess.run(
            [sys.executable, "-c", f"{first}import torchvision"],
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            check=False,
            text=True,
        )
        for first in ("", "import brainarch.training; ")
    )
    assert "nms does not exist" in alone.stderr
    assert mended.returncode == 0, mended.stderr
