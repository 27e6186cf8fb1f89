"""Fetching: what is asked for, what heals, what is refused, and what a kill leaves."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from boss_server import AREAS, IMAGE, SHAPE, Boss

from brainarch.download import cache
from brainarch.download.fetch import next_block
from brainarch.errors import InputError
from brainarch.tables import read_table

Get = Callable[..., Path]


def refusal(get: Get, *arguments: object, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        get(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def pixels(folder: Path, slices: range | tuple[int, ...]) -> np.ndarray:
    return np.stack([tifffile.imread(folder / f"z{z:04d}.tif") for z in slices])


def test_slices_come_whole_in_bossdbs_blocks(get: Get, boss: Boss, grey: np.ndarray) -> None:
    folder = get(range(40))
    assert boss.asked == [(0, 16), (16, 32), (32, 40)]
    assert np.array_equal(pixels(folder, range(40)), grey)
    assert sorted(path.name for path in folder.iterdir()) == [f"z{z:04d}.tif" for z in range(40)]
    table = read_table(folder.parent / "received.csv")
    assert table["sha256"].tolist() == [
        hashlib.sha256(image.tobytes()).hexdigest() for image in grey
    ]
    assert table["file"].tolist() == [f"z{z:04d}.tif" for z in range(40)]
    assert set(table["channel"]) == {IMAGE}


def test_requests_carry_the_token_and_name_the_format(get: Get, boss: Boss) -> None:
    get((0,))
    assert {headers["Authorization"] for headers in boss.headers} == {"Token public"}
    assert boss.headers[-1]["Accept"] == "application/blosc"


def test_no_netrc_replaces_the_token(
    get: Get, boss: Boss, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    get((0,))
    assert {headers["Authorization"] for headers in boss.headers} == {"Token public"}


def test_what_is_there_is_not_asked_for_again(get: Get, boss: Boss) -> None:
    get(range(8))
    boss.asked.clear()
    boss.described.clear()
    get(range(8))
    assert (boss.described, boss.asked) == ([], [])
    get(range(12))
    assert boss.asked == [(8, 12)]


def test_a_finished_cache_needs_no_server(get: Get) -> None:
    get(range(3))
    get(range(3), host="http://127.0.0.1:9")


def test_gaps_are_filled_and_nothing_else(get: Get, boss: Boss) -> None:
    folder = get(range(20))
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    for z in (3, 4, 17):
        (folder / f"z{z:04d}.tif").unlink()
    boss.asked.clear()
    get(range(20))
    assert boss.asked == [(3, 5), (17, 18)]
    after = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert {path.name for path in after if after[path] != before[path]} == {
        "z0003.tif", "z0004.tif", "z0017.tif",
    }  # fmt: skip


def test_a_damaged_slice_is_fetched_again(get: Get, boss: Boss, grey: np.ndarray) -> None:
    folder = get(range(4))
    content = bytearray((folder / "z0001.tif").read_bytes())
    content[-5] ^= 1
    (folder / "z0001.tif").write_bytes(content)
    (folder / "z0002.tif").write_bytes((folder / "z0002.tif").read_bytes()[:-100])
    (folder / "z0003.tif").write_bytes(b"")
    boss.asked.clear()
    get(range(4))
    assert boss.asked == [(1, 4)]
    assert np.array_equal(pixels(folder, range(4)), grey[:4])


def test_a_slice_of_another_channel_is_not_taken_for_this_one(get: Get, boss: Boss) -> None:
    boss.channels["prasad/prasad2020/other"] = boss.channels[IMAGE][::-1]
    folder = get((5,), "prasad/prasad2020/other")
    get((5,))
    assert boss.asked == [(5, 6), (5, 6)]
    assert np.array_equal(tifffile.imread(folder / "z0005.tif"), boss.channels[IMAGE][5])


def test_a_file_of_the_users_is_never_overwritten(get: Get, boss: Boss, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    mine = tmp_path / "cache/z0002.tif"
    tifffile.imwrite(mine, np.zeros(SHAPE[1:], dtype=np.uint8))
    before = mine.read_bytes()
    message = refusal(get, range(4))
    assert message.startswith(f"{mine}: brainarch did not fetch this file")
    assert mine.read_bytes() == before
    assert boss.asked == []


@pytest.mark.parametrize(
    "fault", ["503", "500", "429", "cut", "hang up", "short", "size", "damaged", "page"]
)
def test_a_passing_fault_heals(get: Get, boss: Boss, grey: np.ndarray, fault: str) -> None:
    boss.faults = [fault]
    folder = get(range(16))
    assert boss.asked == [(0, 16), (0, 8), (8, 16)]
    assert np.array_equal(pixels(folder, range(16)), grey[:16])


def test_a_silent_server_times_out_and_heals(get: Get, boss: Boss) -> None:
    boss.faults = ["silent"]
    get((0,), timeout_s=0.3)
    assert boss.asked == [(0, 1), (0, 1)]


@pytest.mark.parametrize("fault", ["endless", "packed", "slow"])
def test_no_more_and_no_longer_than_was_asked_for(
    get: Get, boss: Boss, grey: np.ndarray, fault: str
) -> None:
    """A body without end, one that unpacks to another size, a byte now and then."""
    boss.faults = [fault]
    folder = get((0,), timeout_s=0.3)
    assert boss.asked == [(0, 1), (0, 1)]
    assert np.array_equal(pixels(folder, (0,)), grey[:1])


def test_requests_shrink_to_a_slice_and_grow_again(get: Get, boss: Boss) -> None:
    boss.faults = ["503", "cut", "short", "500"]
    get(range(32))
    assert boss.asked == [
        (0, 16), (0, 8), (0, 4), (0, 2), (0, 1), (1, 3), (3, 7), (7, 15), (15, 16), (16, 32),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("500", "HTTP 500 so it is today"),
        ("short", "were announced in it"),
        ("size", "bytes of values came"),
        ("damaged", "the body is damaged"),
        ("cut", "the connection was cut"),
        ("endless", "bytes came that were asked for"),
        ("packed", "the answer is packed as gzip, unasked"),
        ("page", "the answer is text/html instead of data"),
    ],
)
def test_a_lasting_fault_ends_in_one_line(get: Get, boss: Boss, fault: str, said: str) -> None:
    folder = get(range(2))
    boss.asked.clear()
    boss.always = fault
    table = (folder.parent / "received.csv").read_bytes()
    message = refusal(get, range(20), attempts=4)
    assert boss.asked == [(2, 16), (2, 9), (2, 5), (2, 3)]
    assert said in message
    assert "4 tries" in message
    assert "run the same command again" in message
    assert sorted(path.name for path in folder.iterdir()) == ["z0000.tif", "z0001.tif"]
    assert (folder.parent / "received.csv").read_bytes() == table


@pytest.mark.parametrize(("status", "said"), [("403", "does not let us read"),
                                              ("401", "does not let us read"),
                                              ("404", "does not have it"),
                                              ("400", "refuses"),
                                              ("413", "refuses")])  # fmt: skip
def test_a_refusal_is_not_tried_again(get: Get, boss: Boss, status: str, said: str) -> None:
    boss.always = status
    message = refusal(get, range(20))
    assert boss.asked == [(0, 16)]
    assert said in message
    assert f"HTTP {status} so it is today" in message


def test_an_unknown_channel_is_named(get: Get, boss: Boss) -> None:
    message = refusal(get, (0,), "prasad/prasad2020/picture")
    assert message.startswith("channel prasad/prasad2020/picture: ")
    assert "prasad/prasad2020/picture does not exist." in message
    assert boss.asked == []


def test_another_type_than_declared_is_refused(get: Get, boss: Boss) -> None:
    message = refusal(get, (0,), dtype="uint16")
    assert "its values are uint8, but uint16 was declared" in message
    assert boss.asked == []


def test_without_network_one_line_says_what_to_do_by_hand(get: Get, tmp_path: Path) -> None:
    message = refusal(get, range(4), host="http://127.0.0.1:9", attempts=8)
    assert "connection refused (3 tries)" in message
    assert "https://bossdb.org/project/prasad2020" in message
    assert str(tmp_path / "cache/z0000.tif") in message
    assert "set the channel under download to null" in message
    assert not list(tmp_path.iterdir())


def test_an_unknown_host_is_called_that(get: Get) -> None:
    message = refusal(get, (0,), host="http://nowhere.invalid", attempts=1)
    assert "its name is not known here (one try)" in message


def test_labels_are_narrowed_and_their_sum_is_of_what_came(
    get: Get, boss: Boss, labels: np.ndarray
) -> None:
    folder = get((5, 9, 11), AREAS, dtype=None)
    assert boss.asked == [(5, 6), (9, 10), (11, 12)]
    stored = [tifffile.imread(folder / f"z{z:04d}.tif") for z in (5, 9, 11)]
    assert [str(image.dtype) for image in stored] == ["uint8", "uint8", "uint16"]
    for z, image in zip((5, 9, 11), stored, strict=True):
        assert np.array_equal(image, labels[z])
    table = read_table(folder.parent / "received.csv")
    assert set(table["dtype"]) == {"uint64"}
    assert table["sha256"][0] == hashlib.sha256(labels[5].astype("<u8").tobytes()).hexdigest()
    boss.asked.clear()
    get((5, 9, 11), AREAS, dtype=None)
    assert boss.asked == []


def test_a_slice_without_labels_is_refused(get: Get) -> None:
    assert "slice 6 has no label" in refusal(get, (5, 6), AREAS, dtype=None)


def test_labels_that_are_no_codes_are_refused(get: Get) -> None:
    assert f"slice 12 has the value {1 << 40}" in refusal(get, (12,), AREAS, dtype=None)


def test_too_little_disk_is_refused_before_anything_is_asked(
    get: Get,
    boss: Boss,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    usage = shutil.disk_usage("/")._replace(free=cache.SPARE_BYTES + 40 * 1500 - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with caplog.at_level(logging.INFO):
        assert "0.1 GB are needed, 0.1 GB are free" in refusal(get, range(40))
    assert "40 of 40 slices to fetch" in caplog.text
    assert (boss.described, boss.asked) == ([], [])
    get(range(39))


def test_a_full_disk_stops_cleanly_and_goes_on(
    get: Get, boss: Boss, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = tifffile.imwrite
    written = []

    def fill(path: Path, *arguments: object, **options: object) -> None:
        written.append(path)
        if len(written) > 5:
            Path(path).write_bytes(b"half")
            raise OSError(28, "No space left on device")
        write(path, *arguments, **options)

    monkeypatch.setattr(tifffile, "imwrite", fill)
    assert "the disk is full" in refusal(get, range(8))
    monkeypatch.setattr(tifffile, "imwrite", write)
    boss.asked.clear()
    folder = get(range(8))
    assert boss.asked == [(5, 8)]
    assert len(list(folder.iterdir())) == 8


def test_an_unwritable_folder_is_one_line(
    get: Get, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    assert "cannot be written" in refusal(get, (0,))


def verb(boss: Boss, folder: Path, change: str = "") -> list[str]:
    return [
        *(sys.executable, "-c", f"{change}from brainarch.cli.main import main; main()", "download"),
        *("--channel", IMAGE, "--shape", ",".join(map(str, SHAPE)), "--dtype", "uint8"),
        *("--host", boss.address, "--output", str(folder / "z{z:04d}.tif")),
        *("--output-table", str(folder / "received.csv")),
    ]


def test_killed_in_the_middle_it_asks_for_the_rest_only(
    boss: Boss, grey: np.ndarray, tmp_path: Path
) -> None:
    folder = tmp_path / "cache"
    boss.answers = 1
    running = subprocess.Popen(verb(boss, folder), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(boss.asked) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    whole = sorted(int(path.stem[1:]) for path in folder.glob("z*.tif"))
    assert whole == list(range(16))
    assert not (folder / "received.csv").exists()
    room = folder / ".unfinished/0a1b2c3d"
    room.mkdir(parents=True)
    (room / "z0016.tif").write_bytes(b"half a slice")
    boss.answers = 2
    boss.gate.set()
    boss.asked.clear()
    done = subprocess.run(verb(boss, folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "24 of 40 slices to fetch" in done.stderr
    assert boss.asked == [(16, 32), (32, 40)]
    assert np.array_equal(pixels(folder, range(40)), grey)
    assert not list(folder.glob(".*"))


def test_the_verb_ends_with_status_2_and_one_line(boss: Boss, tmp_path: Path) -> None:
    boss.always = "500"
    change = "from brainarch.download import fetch; fetch.ATTEMPTS, fetch.WAIT_S = 2, 0.0; "
    command = verb(boss, tmp_path, change)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    assert len(errors) == 1
    assert "HTTP 500 so it is today (2 tries)" in errors[0]
    assert "Traceback" not in done.stderr


def test_blocks_stay_inside_bossdbs_blocks() -> None:
    assert next_block([5, 6, 7], 2) == [5, 6]
    assert next_block([14, 15, 16, 17], 16) == [14, 15]
    assert next_block([3, 5, 6], 16) == [3]
    assert next_block([31], 1) == [31]


def test_every_file_says_where_it_came_from(get: Get, boss: Boss) -> None:
    folder = get((7,))
    with tifffile.TiffFile(folder / "z0007.tif") as tiff:
        record = json.loads(tiff.pages.first.description)[cache.MARK]
    assert record == {
        "host": boss.address, "channel": IMAGE, "slice": 7, "dtype": "uint8",
        "sha256": hashlib.sha256(boss.channels[IMAGE][7].tobytes()).hexdigest(),
    }  # fmt: skip
