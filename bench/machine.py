"""What a reader needs to know of the machine, and what it can do at most."""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch


def facts(threads: int, device: str) -> dict[str, object]:
    """Return processor, memory, software and how busy the machine was."""
    found = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }
    if device == "cuda":
        found["gpu"] = torch.cuda.get_device_name()
    return found


def processor() -> str:
    """Return the processor's name."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def forget_peak(device: str) -> None:
    """Let `peak_mb`, and the GPU's count, begin with what is held now."""
    with suppress(OSError):  # only Linux can
        Path("/proc/self/clear_refs").write_text("5")
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()


def peak_mb() -> float:
    """Return the most memory that this process held since `forget_peak`, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would count the parent's memory at the fork
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    scale = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6


def best_time(run: Callable[[], object], repeats: int, device: str) -> tuple[float, float]:
    """Return the shortest wall and processor seconds of several runs after a first one."""

    def once() -> tuple[float, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - wall, time.process_time() - cpu

    once()
    times = [once() for _ in range(repeats)]
    return min(wall for wall, _ in times), min(cpu for _, cpu in times)


def peak_rate(kind: str, dtype: torch.dtype, device: str, *, quick: bool) -> float:
    """Return the GFLOP/s of a large matrix product or of a convolution that suits the library."""
    side = 256 if quick else 2048
    if kind == "matmul":
        a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
        operations = 2 * side**3

        def run() -> torch.Tensor:
            return a @ b
    else:
        images, rows = (1, 32) if quick else (16, 66)
        x = torch.randn(images, 128, rows, rows, device=device).to(dtype)
        weight = torch.randn(128, 128, 3, 3, device=device).to(dtype)
        x, weight = (v.contiguous(memory_format=torch.channels_last) for v in (x, weight))
        operations = 2 * images * (rows - 2) ** 2 * weight.numel()

        def run() -> torch.Tensor:
            return torch.nn.functional.conv2d(x, weight)

    with torch.inference_mode():
        wall, _ = best_time(run, 2 if quick else 10, device)
    return operations / wall / 1e9
