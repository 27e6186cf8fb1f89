"""What the machine has, read from files that a test can write."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from brainarch.needs import machine
from brainarch.needs.machine import Machine, device, free_disk_mb, look_at_machine, size_mb

MEMINFO = "MemTotal:  2000000 kB\nMemFree:  100000 kB\nMemAvailable:  1500000 kB\n"


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "meminfo").write_text(MEMINFO)
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "CGROUP_LIMITS", ((tmp_path / "max", tmp_path / "current"),))
    return tmp_path


def test_memory_is_the_machines(pretend: Path) -> None:
    found = look_at_machine()
    assert (found.memory_mb, found.free_memory_mb) == (2048.0, 1536.0)
    assert found.cores >= 1


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("max", (2048.0, 1536.0)), ("1000000000", (1000.0, 700.0)), ("9" * 18, (2048.0, 1536.0))],
)
def test_memory_is_at_most_what_the_container_gives(
    pretend: Path, limit: str, expected: tuple[float, float]
) -> None:
    (pretend / "max").write_text(limit)
    (pretend / "current").write_text("300000000")
    found = look_at_machine()
    assert (found.memory_mb, found.free_memory_mb) == expected


def test_without_meminfo_the_total_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "absent")
    found: Machine = look_at_machine()
    assert found.memory_mb > 100


def test_disk_is_that_of_the_nearest_folder_that_exists(tmp_path: Path) -> None:
    there, not_there = free_disk_mb(tmp_path), free_disk_mb(tmp_path / "not" / "yet")
    assert there == pytest.approx(not_there, rel=0.05)
    assert there > 0


def test_size_counts_the_files_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(bytes(1_500_000))
    (tmp_path / "c").write_bytes(bytes(500_000))
    assert size_mb(tmp_path) == 2.0
    assert size_mb(tmp_path / "c") == 0.5
    assert size_mb(tmp_path / "absent") == 0.0


@pytest.mark.parametrize(
    ("build", "names", "expected"),
    [
        ("2.13.0+cpu", "", "none, all on the processor"),
        ("2.13.0+cpu", "Big GPU\n", "none: Big GPU is there, but torch 2.13.0+cpu is a build for"),
        ("2.13.0+cu130", "Big GPU\n", "Big GPU"),
        ("2.13.0", "Big GPU\nBig GPU\n", "Big GPU (first of 2)"),
    ],
)
def test_device_says_what_will_be_used(
    monkeypatch: pytest.MonkeyPatch, build: str, names: str, expected: str
) -> None:
    def answer(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0, names, "")

    monkeypatch.setattr(machine, "version", lambda name: build)
    monkeypatch.setattr(machine.shutil, "which", lambda name: "/bin/nvidia-smi")
    monkeypatch.setattr(machine.subprocess, "run", answer)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert device().startswith(expected)


def test_a_driver_that_hangs_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], **options: object) -> None:
        raise subprocess.TimeoutExpired(command, 3)

    monkeypatch.setattr(machine.shutil, "which", lambda name: "/bin/nvidia-smi")
    monkeypatch.setattr(machine.subprocess, "run", hang)
    assert device() == "none, all on the processor"
