"""Which build of PyTorch `make` takes: the CPU's where no NVIDIA driver is at hand."""

from __future__ import annotations

import platform
import re
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "envs/torch_build.sh"
CPU = "--index-url https://download.pytorch.org/whl/cpu\n"


def program(folder: Path, name: str, content: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{content}\n")
    path.chmod(0o755)


def build(folder: Path, wish: str = "") -> tuple[str, str, int]:
    """Return what the script prints and says, and its status, with the programs of a folder."""
    result = subprocess.run(
        ["/bin/sh", str(SCRIPT), wish, str(folder / "python")],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
    )
    return result.stdout, result.stderr, result.returncode


def test_a_wish_is_a_wish(tmp_path: Path) -> None:
    assert build(tmp_path, "cpu")[0] == CPU
    assert build(tmp_path, "cuda")[0] == "--index-url https://download.pytorch.org/whl/cu130\n"
    out, said, status = build(tmp_path, "tpu")
    assert (out, said, status) == ("", "TORCH=tpu is not known; say TORCH=cpu or TORCH=cuda\n", 2)


@pytest.mark.skipif(platform.system() != "Linux", reason="elsewhere pip's own choice is small")
@pytest.mark.skipif(Path("/proc/driver/nvidia/version").exists(), reason="has an NVIDIA driver")
def test_without_a_driver_it_is_the_cpus_unless_that_cannot_be_had(tmp_path: Path) -> None:
    lock = (SCRIPT.parents[1] / "requirements.lock").read_text()
    version = re.findall("^torch==(.*)$", lock, flags=re.MULTILINE)[0]
    program(tmp_path, "python", f"echo 'Available versions: 9.9, {version}+cpu'")
    out, said, status = build(tmp_path)
    assert (out, status) == (CPU, 0)
    assert "no NVIDIA driver at hand: PyTorch's build for the CPU" in said
    for answer in ("exit 1", "echo 'Available versions: 9.9'"):
        program(tmp_path, "python", answer)
        out, said, status = build(tmp_path)
        assert (out, status) == ("", 0)
        assert "does not have it: pip's own PyTorch" in said
    program(tmp_path, "nvidia-smi", "exit 0")
    assert build(tmp_path) == ("", "", 0)
