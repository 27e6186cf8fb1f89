"""What the machine refuses ends in one line with file and remedy; our faults keep their trace."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool

import pytest

from brainarch.cli import main as module
from brainarch.errors import InputError
from brainarch.pipeline.stage import Stage


def system_error(code: int, *name: str) -> OSError:
    return OSError(code, os.strerror(code), *name)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InputError("key: wrong"), ["key: wrong"]),
        (InputError("v.zarr: no image (can't start new thread); convert it"), ["out of memory ("]),
        (system_error(errno.ENOSPC, "out/a.csv"), ["out/a.csv: No space left", "make room there"]),
        (system_error(errno.EROFS, "out"), ["out: Read-only file system", "another folder"]),
        (system_error(errno.EACCES, "out"), ["out: Permission denied", "permissions"]),
        (system_error(errno.ENOENT, "gone"), ["gone: No such file or directory"]),
        (system_error(errno.EIO), ["a file: Input/output error", "mend it"]),
        (RuntimeError("I/O error: No space left on device (os error 28)"), ["make room"]),
        (MemoryError("Unable to allocate 5 TiB"), ["out of memory (Unable to allocate 5 TiB)"]),
        (MemoryError(), ["out of memory (MemoryError)", "extraction.memory_mb"]),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 5"),
            ["out of memory (DefaultCPUAllocator"],
        ),
        (RuntimeError("\nCUDA out of memory. Tried 2 GiB\nhint"), ["out of memory (CUDA"]),
        (BrokenProcessPool("abruptly"), ["was killed, most likely for want of memory"]),
    ],
)
def test_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    words: list[str],
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(module, "app", fail)
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("brainarch: error: ")
    assert all(word in line for word in words), line


def test_a_fault_of_ours_keeps_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("a mistake in the code")

    monkeypatch.setattr(module, "app", fail)
    with pytest.raises(RuntimeError, match="a mistake"):
        module.main()


def fill_the_disk(output: object) -> None:
    raise system_error(errno.ENOSPC)


def test_a_full_disk_that_the_system_does_not_name_is_where_the_stage_writes() -> None:
    stage = Stage(f"{__name__}:fill_the_disk", {}, {"output": "results/a/table.csv"})
    with pytest.raises(OSError, match="No space") as caught:
        stage.run()
    assert caught.value.filename == "results/a"


def test_too_little_memory_of_a_real_process_is_one_line() -> None:
    """The limit is on addresses, so that the machine itself is in no danger."""
    code = (
        "import resource, torch\n"
        "from brainarch.cli import main as module\n"
        "size = resource.getpagesize() * int(open('/proc/self/statm').read().split()[0])\n"
        "resource.setrlimit(resource.RLIMIT_AS, (size + 2**28,) * 2)\n"
        "module.app = lambda: torch.ones(2**30)\n"
        "module.main()\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("brainarch: error: out of memory (")
