"""Tables and JSON: what is written is read, and what was changed since is one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from brainarch.errors import InputError
from brainarch.records import read_record, write_record
from brainarch.tables import read_columns, read_table, sidecar_path, write_table

FRAME = pd.DataFrame({"area": ["Ctx", "nan is no name", "WM"], "share": [0.5, float("nan"), 1.0]})
COLUMNS = {"area": "name", "share": "0 to 1"}
AGAIN = "run the same command again, or the stage that writes it"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_table(FRAME, tmp_path / "t.csv", COLUMNS)
    return tmp_path / "t.csv"


def refused(read: Callable[[Path], Any], path: Path) -> str:
    """Return the one line with which a file is refused."""
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message or path.name in message
    return message


def test_what_is_written_is_read(path: Path) -> None:
    pd.testing.assert_frame_equal(read_table(path), FRAME)
    pd.testing.assert_frame_equal(read_table(path, "share"), FRAME)
    assert read_columns(path) == COLUMNS


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"area,share\n",
        b"area,share\nCtx,0.6\nnan is no name,\nWM,1.0\n",
        b"area,share\r\nCtx,0.5\r\nnan is no name,\r\nWM,1.0\r\n",
        b"<html>502 Bad Gateway</html>\n",
        b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe",
    ],
)
def test_a_changed_table_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    message = refused(read_table, path)
    assert message.startswith(f"{path}: damaged, or changed since it was written; ")
    assert AGAIN in message


def test_a_table_without_its_sidecar_is_refused(path: Path) -> None:
    sidecar = sidecar_path(path)
    content = sidecar.read_text()
    for wrong in ("{", "[1]", "{}", content.replace("0 to 1", "0 to 9"), json.dumps(COLUMNS)):
        sidecar.write_text(wrong)
        assert AGAIN in refused(read_table, path)
    sidecar.unlink()
    message = refused(read_table, path)
    assert message.startswith(f"{sidecar}: not there; t.csv cannot be checked without it; remove t")
    path.unlink()
    assert "no such table" in refused(read_table, path)


def test_a_table_of_another_kind_is_refused(path: Path) -> None:
    with pytest.raises(InputError, match="has no column slice"):
        read_table(path, "area", "slice")
    write_table(FRAME[:0], path, COLUMNS)
    assert "has no row below its header" in refused(read_table, path)
    assert read_table(path, empty=True).empty


def test_json_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    write_record(path, {"b": (1, 2.5e-9), "a": {3: float("nan")}, "c": "µm"})
    found = read_record(path)
    assert list(found) == ["b", "a", "c"]
    assert (found["b"], list(found["a"]), found["c"]) == ([1, 2.5e-9], ["3"], "µm")
    text = path.read_text()
    for wrong in (text.replace("2.5e-09", "2.6e-09"), text[:-9], "[1]", "{}", "\xff"):
        path.write_text(wrong)
        assert AGAIN in refused(read_record, path)
    path.unlink()
    assert "not there" in refused(read_record, path)
