"""Memory that is freed and allocated again: the system is asked for it once."""

from __future__ import annotations

import platform
import subprocess
import sys
import textwrap

import pytest

#: Pages that the system gave while 20 arrays of 40 MB were made and dropped one after another.
COUNT = """
    import resource
    import numpy as np
    from brainarch.allocation import keep_freed_memory
    if {kept}:
        keep_freed_memory()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.empty(40_000_000, dtype=np.uint8)[::4096] = 1
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, kept: bool) -> int:
    code = textwrap.dedent(COUNT.format(kept=kept))
    environment = {"NUMPY_MADVISE_HUGEPAGE": "0", "GLIBC_TUNABLES": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_pages_are_asked_for_once() -> None:
    assert faults(kept=True) * 4 < faults(kept=False)
