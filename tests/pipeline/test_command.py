"""What the command lists, and what it refuses before a verb begins."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from brainarch.cli.help import GROUPS, STAGES
from brainarch.cli.main import app
from brainarch.errors import InputError

CONFIG = str(Path(__file__).parents[2] / "config/test.yaml")
PATHS = ["convert", "--input=a", "--shape=1,2,3", "--output=b"]


def refusal(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert isinstance(result.exception, InputError), result.output
    return str(result.exception)


def test_help_begins_with_where_to_start_and_lists_every_verb_once() -> None:
    text = CliRunner().invoke(app, ["--help"]).output
    titles = [*GROUPS, STAGES]
    places = [text.index(f"\n{title}:") for title in titles]
    assert places == sorted(places)
    verbs = re.findall(r"^  ([a-z-]+)  ", text[places[0] :], flags=re.MULTILINE)
    every = {command.name for command in app.registered_commands}
    assert sorted(verbs) == sorted(every)
    assert {verb for group in GROUPS.values() for verb in group} <= every


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["extract", CONFIG, "--slice=104", "--slice", "154"], "--slice: given 2 times"),
        ([*PATHS, "--voxel-um=1", "--set=seed=3"], "--set: only with a config"),
        ([*PATHS, "--voxel-um=1", "--results=there"], "--results: only with a config"),
        (["import-annotations", "--kind=areas", "--volume=a"], "--kind: only with a config"),
        ([*PATHS, "--voxel-um=nan"], "--voxel-um nan: wanted a positive number"),
        ([*PATHS, "--voxel-um=inf"], "--voxel-um inf: wanted a positive number"),
        (["cluster-area", CONFIG, "--slice=4"], "--slice 4: this config has 104, 154"),
        (
            ["select-layers", str(Path(CONFIG).with_name("prasad2020.yaml"))],
            "select-layers: no part of this dataset: the config has no layers",
        ),
    ],
)
def test_what_would_be_lost_or_cannot_be_is_refused(arguments: list[str], expected: str) -> None:
    assert refusal(*arguments).startswith(expected)


def test_an_option_that_may_repeat_is_let_through() -> None:
    text = refusal("extract", CONFIG, "--slice=9", "--set=seed=3", "--set=title=x")
    assert text.startswith("--slice 9: this config has")
