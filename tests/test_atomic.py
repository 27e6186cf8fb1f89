"""Files are whole or absent; what a kill leaves is removed, what somebody writes stays."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from brainarch.atomic import UNFINISHED, hold, move, replacing, sweep, try_writing, write_text

#: Writes half a file, says so, and waits to be killed.
WRITER = """
    import sys, time
    from pathlib import Path
    from brainarch.atomic import replacing
    with replacing(Path(sys.argv[1])) as temporary:
        temporary.write_text("half")
        print("writing", flush=True)
        time.sleep(60)
"""


def start_writing(path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    return writer


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_and_a_folder_take_their_place(tmp_path: Path) -> None:
    for text in ("one", "two"):
        write_text(tmp_path / "new/file.txt", text)
        with replacing(tmp_path / "new/store.zarr") as temporary:
            temporary.mkdir()
            (temporary / text).touch()
    assert (tmp_path / "new/file.txt").read_text() == "two"
    assert names(tmp_path / "new/store.zarr") == ["two"]
    assert names(tmp_path / "new") == ["file.txt", "store.zarr"]


def test_a_failure_leaves_what_stood_there(tmp_path: Path) -> None:
    write_text(tmp_path / "file.txt", "old")
    with pytest.raises(KeyError), replacing(tmp_path / "file.txt") as temporary:
        {}[temporary.write_text("new")]
    assert (tmp_path / "file.txt").read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_what_a_kill_left_is_removed_and_what_is_being_written_stays(tmp_path: Path) -> None:
    dead, alive = start_writing(tmp_path / "dead.txt"), start_writing(tmp_path / "alive.txt")
    dead.send_signal(signal.SIGKILL)
    dead.wait()
    assert len(names(tmp_path / UNFINISHED)) == 2
    write_text(tmp_path / "other.txt", "by the next")
    (room,) = (tmp_path / UNFINISHED).iterdir()
    assert (room / "alive.txt").read_text() == "half"
    alive.send_signal(signal.SIGKILL)
    alive.wait()
    sweep(tmp_path)
    assert names(tmp_path) == ["other.txt"]


def test_an_error_of_the_system_names_the_file_that_was_wanted(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    with pytest.raises(OSError, match="No space") as caught, replacing(path) as temporary:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(temporary))
    assert caught.value.filename == str(path)
    with pytest.raises(OSError, match="No space") as caught, replacing(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(path)
    with pytest.raises(FileNotFoundError) as caught, replacing(path):
        (tmp_path / "input").read_text()
    assert caught.value.filename == str(tmp_path / "input")


def test_a_move_that_fails_leaves_both(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with pytest.raises(FileNotFoundError):
        move(tmp_path / "missing", tmp_path / "old")
    assert names(tmp_path) == ["old"]
    (tmp_path / "new").mkdir()
    (tmp_path / "new/content").touch()
    move(tmp_path / "new", tmp_path / "old")
    assert names(tmp_path) == ["old"]
    assert names(tmp_path / "old") == ["content"]


def test_a_lock_is_held_once(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("a") as one, (tmp_path / "lock").open("a") as two:
        assert hold(one) is True
        assert hold(two) is False
        one.close()
        assert hold(two) is True


def test_trying_to_write_leaves_nothing(tmp_path: Path) -> None:
    try_writing(tmp_path / "new")
    assert names(tmp_path / "new") == []
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"exists|directory"):
        try_writing(tmp_path / "file")
