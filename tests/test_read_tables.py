"""Tables: what is written is read, and what is no whole table is one line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from brainarch.errors import InputError
from brainarch.tables import read_columns, read_table, sidecar_path, write_table

FRAME = pd.DataFrame({"area": ["Ctx", "nan is no name", "WM"], "share": [0.5, float("nan"), 1.0]})
COLUMNS = {"area": "name", "share": "0 to 1"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_table(FRAME, tmp_path / "t.csv", COLUMNS)
    return tmp_path / "t.csv"


def test_what_is_written_is_read(path: Path) -> None:
    pd.testing.assert_frame_equal(read_table(path), FRAME)
    pd.testing.assert_frame_equal(read_table(path, "share"), FRAME)
    assert read_columns(path) == COLUMNS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a readable CSV table"),
        (b"area,share\n", "has no row below its header"),
        (b"area,sh\nCtx,1\n", "has no column share"),
        (b"<html>502 Bad Gateway</html>\n", "has no column area"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe", "not a readable CSV table"),
        (b"area,share\nCtx,1\nWM,1,2,3\n", "not a readable CSV table"),
        (b'area,share\n"Ctx,1\n', "not a readable CSV table"),
    ],
)
def test_what_is_no_whole_table_is_one_line(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read_table(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert "run the same command again, or the stage that writes it" in message


def test_a_table_may_be_empty_where_it_is_said(path: Path) -> None:
    path.write_text("area,share\n")
    assert read_table(path, empty=True).empty
    with pytest.raises(InputError, match="no such table"):
        read_table(path.with_name("absent.csv"))


def test_columns_may_be_named_where_no_sidecar_is(path: Path) -> None:
    sidecar_path(path).unlink()
    assert len(read_table(path)) == 3
    with pytest.raises(InputError, match="has no column slice"):
        read_table(path, "area", "slice")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epoch,accuracy\n1,0.5\n2,1.7\n", "accuracy is 1.7; wanted 0 to 1"),
        ("metric,value,low,high\nrecall,0.5,-0.1,0.6\n", "low is -0.1; wanted 0 to 1"),
        ("metric,value,low,high\nf1,inf,,\n", "value is inf; wanted 0 to 1"),
    ],
)
def test_shares_outside_their_range_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        read_table(tmp_path / "t.csv")


def test_other_numbers_are_free(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("metric,value,low,high\nrecall,,,\nother,7,6,8\n")
    assert read_table(tmp_path / "t.csv")["value"].tolist()[1] == 7
