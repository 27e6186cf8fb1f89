"""Unfinished work: gone on with for the same inputs, removed for others, one process at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainarch.errors import InputError
from brainarch.unfinished import unfinished_work


def stop(partial: Path, identity: dict[str, int], output: Path) -> Path:
    """Leave work unfinished and return its folder."""
    with pytest.raises(KeyError), unfinished_work(partial, "s", identity, output) as work:
        {}[(work / "content").write_text(str(identity))]
    return work


def test_work_goes_on_and_is_removed_when_it_is_done(tmp_path: Path) -> None:
    work = stop(tmp_path / "p", {"a": 1}, tmp_path / "out")
    with unfinished_work(tmp_path / "p", "s", {"a": 1}, tmp_path / "out") as again:
        assert again == work
        assert (again / "content").exists()
    assert not (tmp_path / "p").exists()


def test_work_of_other_inputs_goes_but_that_for_another_output_stays(tmp_path: Path) -> None:
    first = stop(tmp_path / "p", {"a": 1}, tmp_path / "out")
    elsewhere = stop(tmp_path / "p", {"a": 2}, tmp_path / "another")
    second = stop(tmp_path / "p", {"a": 3}, tmp_path / "out")
    assert [first.exists(), elsewhere.exists(), second.exists()] == [False, True, True]


def test_it_is_found_again_when_all_is_moved(tmp_path: Path) -> None:
    stop(tmp_path / "old/p", {"a": 1}, tmp_path / "old/out")
    (tmp_path / "old").rename(tmp_path / "new")
    stop(tmp_path / "new/p", {"a": 2}, tmp_path / "new/out")
    assert len(list((tmp_path / "new/p").iterdir())) == 1


def test_a_second_process_is_refused_and_removes_nothing(tmp_path: Path) -> None:
    place = (tmp_path / "p", "s")
    with unfinished_work(*place, {"a": 1}, tmp_path / "out") as work:
        with (
            pytest.raises(InputError, match="another process is at this work"),
            unfinished_work(*place, {"a": 1}, tmp_path / "out"),
        ):
            pass
        with unfinished_work(*place, {"a": 2}, tmp_path / "out"):
            assert work.exists()


def test_anything_else_there_is_refused(tmp_path: Path) -> None:
    work = stop(tmp_path / "p", {"a": 1}, tmp_path / "out")
    with (
        pytest.raises(InputError, match="content there is not from this work"),
        unfinished_work(tmp_path / "p", "s", {"a": 1}, tmp_path / "out", holds=("done",)),
    ):
        pass
    (work / "identity.json").write_text("{")
    with (
        pytest.raises(InputError, match=r"identity\.json there is not from this work"),
        unfinished_work(tmp_path / "p", "s", {"a": 1}, tmp_path / "out"),
    ):
        pass
