"""What a run cost and what it ran on."""

from __future__ import annotations

import math
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from brainarch.errors import InputError
from brainarch.records import read_record

#: Packages whose versions can change a number.
PACKAGES = (
    "brainarch",
    "torch",
    "pytorch-lightning",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "zarr",
    "numba",
    "dask",
    "matplotlib",
    "snakemake",
)
NAN = float("nan")


@dataclass(frozen=True)
class Cost:
    """Cost of one stage.

    Parameters
    ----------
    stage : str
    seconds : float
        Wall-clock time.
    peak_mb : float
        Largest resident memory in MB, NaN where Snakemake could not measure it.
    cpu_seconds : float
        Processor time, NaN likewise.
    """

    stage: str
    seconds: float
    peak_mb: float
    cpu_seconds: float


def read_benchmark(stage: str, path: Path) -> Cost:
    """Read a file of Snakemake's ``benchmark:`` (columns s, max_rss, cpu_time); repeats add up.

    Raises
    ------
    InputError
        If it is not such a file.
    """
    try:
        frame = pd.read_csv(path, sep="\t", na_values=["-", "NA"])
        seconds = float(frame["s"].sum())
    except (KeyError, ValueError, OSError) as error:
        raise InputError(f"{path}: no Snakemake benchmark ({error}); run its stage again") from None
    peak = pd.to_numeric(frame["max_rss"], errors="coerce") if "max_rss" in frame else None
    cpu = pd.to_numeric(frame["cpu_time"], errors="coerce") if "cpu_time" in frame else None
    return Cost(
        stage,
        seconds,
        NAN if peak is None or peak.isna().all() else float(peak.max()),
        NAN if cpu is None or cpu.isna().all() else float(cpu.sum()),
    )


def read_benchmarks(folder: Path | None) -> list[Cost]:
    """Read the benchmarks of all jobs, one file each, the longest first."""
    paths = [] if folder is None else sorted(folder.glob("*.tsv"))
    costs = [read_benchmark(path.stem, path) for path in paths]
    return sorted(costs, key=lambda cost: (-cost.seconds, cost.stage))


def read_verified(path: Path | None) -> str:
    """Say when `brainarch verify` last read the results again, and what it found."""
    if path is None:
        return "never"
    try:
        found = read_record(path)
        wrong = len(found["wrong"]) or "none"
        return f"{found['date']}: {found['read']} stores and files read, {wrong} wrong"
    except (InputError, KeyError):  # not done, or by an earlier version
        return "never"


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can change a number."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def duration(seconds: float) -> str:
    """Return seconds as people say them: 42 s, 3 min 10 s, 2 h 05 min."""
    if not math.isfinite(seconds):
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
