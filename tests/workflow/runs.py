"""Running snakemake from tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def snakemake(
    *arguments: str, directory: Path = ROOT, first: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the workflow in a directory and return what it printed; ``first`` heads the PATH."""
    folders = [*([first] if first else []), Path(sys.executable).parent, os.environ["PATH"]]
    path = os.pathsep.join(map(str, folders))
    return subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
            *("--directory", str(directory), *arguments),
        ],
        cwd=directory,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def planned_jobs(output: str) -> dict[str, int]:
    """Return the jobs of each rule from the table that a run or dry run prints."""
    table = output[output.index("job ") :]
    rows = re.findall(r"^(\w+) +(\d+)$", table[: table.index("total ")], flags=re.MULTILINE)
    return {name: int(count) for name, count in rows}
