"""What the machine has: cores, memory, disk, a GPU. Found without importing torch."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from brainarch.disk import existing, free_bytes

MB = 1e6
GB = 1e3
#: Where Linux says how much memory there is, and how much of it this process may use.
MEMINFO = Path("/proc/meminfo")
CGROUP_LIMITS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)
#: Seconds that the GPU's driver may take to answer.
DRIVER_SECONDS = 3.0


@dataclass(frozen=True)
class Machine:
    """What is at hand.

    Attributes
    ----------
    cores : int
        Processors that this process may use.
    memory_mb, free_memory_mb : float
        Memory that this process may use, and the part that nobody uses now.
    device : str
        The GPU's name, or why none will be used.
    speed : float
        Speed of a core, relative to the one that durations were measured on.
    gpu_speed : float
        Speed of the GPU, likewise in such cores; 0 without one.
    """

    cores: int
    memory_mb: float
    free_memory_mb: float
    device: str
    speed: float = 1.0
    gpu_speed: float = 0.0


def look_at_machine() -> Machine:
    """Return what this process may use of the machine it runs on."""
    total, free = _memory()
    return Machine(_cores(), total, free, device())


def free_disk_mb(folder: Path) -> float:
    """Return the free space in MB on the file system where a folder is, or will be made."""
    return free_bytes(folder) / MB


def file_system(folder: Path) -> int:
    """Return the number of the file system where a folder is, or will be made."""
    return existing(folder).stat().st_dev


def writable(folder: Path) -> bool:
    """Return whether files can be made in a folder, or the folder itself can be made."""
    place = existing(folder)
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)


def size_mb(path: Path) -> float:
    """Return how much disk a file, or all files of a folder, take in MB; a link takes none."""
    if path.is_symlink():
        return 0.0
    if not path.is_dir():
        return path.stat().st_size / MB if path.exists() else 0.0
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(FileNotFoundError):  # another process may be at work there
                total += (Path(folder) / name).lstat().st_size
    return total / MB


def gigabytes(megabytes: float) -> str:
    """Return a size as people say it: 320 MB, 5.9 GB."""
    if megabytes < 1:
        return "0 MB" if megabytes == 0 else "< 1 MB"
    return f"{megabytes:,.0f} MB" if megabytes < GB else f"{megabytes / GB:,.1f} GB"


def device() -> str:
    """Return the name of the GPU that torch can use, or why there is none."""
    try:
        build = version("torch")
    except PackageNotFoundError:
        return "none: torch is not installed"
    names = _nvidia()
    if not names:
        return "none, all on the processor"
    if "+cpu" in build:
        return f"none: {names[0]} is there, but torch {build} is a build for processors only"
    return names[0] if len(names) == 1 else f"{names[0]} (first of {len(names)})"


def _nvidia() -> list[str]:
    command = shutil.which("nvidia-smi")
    if command is None or os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return []
    try:
        answer = subprocess.run(
            [command, "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
            timeout=DRIVER_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in answer.stdout.splitlines() if line.strip()]


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> tuple[float, float]:
    """Return the memory in MB that this process may use, and what is free of it."""
    total, free = _machine_memory()
    for limit_path, used_path in CGROUP_LIMITS:
        try:
            limit = int(limit_path.read_text()) / MB
            used = int(used_path.read_text()) / MB
        except (OSError, ValueError):  # no such file, or "max": no limit
            continue
        if limit < total:
            total, free = limit, min(free, limit - used)
    return total, free


def _machine_memory() -> tuple[float, float]:
    try:
        lines = MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:  # not Linux: what is free is not known there
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / MB
        return total, total
    kilobytes = {line.split(":")[0]: float(line.split()[1]) for line in lines if ":" in line}
    total = kilobytes["MemTotal"] * 1024 / MB
    return total, kilobytes.get("MemAvailable", kilobytes["MemFree"]) * 1024 / MB
