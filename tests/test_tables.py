"""Tables that hold what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainarch.errors import InputError
from brainarch.tables import read_table


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
