"""The tutorial, followed word by word: its commands, its changes of the config, its promises."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from runs import ROOT, environment

PAGE = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
#: What stands between fences, with its language.
BLOCKS = re.findall(r"^```(sh|yaml)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
CONFIG = Path("config/tutorial.yaml")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder like the repository's, with what the commands read."""
    (tmp_path / "config").mkdir()
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs/tutorial_volume.py", tmp_path / "docs")
    return tmp_path


def run(line: str, folder: Path, *more: str) -> str:
    program, *arguments = shlex.split(line)
    assert program in ("python", "brainarch"), f"{line}: what is that?"
    start = sys.executable if program == "python" else program
    result = subprocess.run(
        [start, *arguments, *more],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, (line, result.stdout[-2000:], result.stderr[-2000:])
    return result.stdout


def decide(path: Path) -> None:
    """Change the lines that the page says, in the text that `init` wrote."""
    text = path.read_text(encoding="utf-8")
    (wanted,) = (yaml.safe_load(content) for kind, content in BLOCKS if kind == "yaml")

    def change(text: str, keys: dict[str, Any], indent: int) -> str:
        for key, value in keys.items():
            place = re.search(rf"^{' ' * indent}{key}:.*$", text, flags=re.MULTILINE)
            assert place, f"{key}: not in what init wrote"
            if isinstance(value, dict):
                inner = change(text[place.end() :], value, indent + 2)
                text = text[: place.end()] + inner
            else:
                said = yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()
                line = f"{' ' * indent}{key}: {said}"
                text = text[: place.start()] + line + text[place.end() :]
        return text

    path.write_text(change(text, wanted, 0), encoding="utf-8")


def follow(folder: Path, last: int, *dry: str) -> None:
    """Do what the page says, up to a number of commands; runs may be dry."""
    for line in COMMANDS[:last]:
        is_run = line.startswith("brainarch run")
        if dry and is_run and line.split()[-1] == "previews":  # the whole run is tried dry as well
            continue
        said = run(line, folder, *(dry if is_run else ()))
        if " init " in line:
            decide(folder / CONFIG)
        if " doctor " in line:
            assert said.endswith("ready\n")


def test_every_command_is_known_and_leads_to_a_run(here: Path) -> None:
    assert len(COMMANDS) == 5
    follow(here, 5, "--", "-n")
    content = yaml.safe_load((here / CONFIG).read_text())
    assert content["volume"]["voxel_um"] == [25.0, 2.0, 2.0]
    assert content["annotations"]["slices"] == [2, 6, 10]
    assert (content["training"]["steps"], content["extraction"]["where"]) == (60, "tissue")
    titles = [area["title"] for area in content["areas"]]
    assert titles == ["Blotchy tract", "Grainy layer", "Striped nucleus"]


@pytest.mark.slow
def test_following_it_ends_with_a_map_of_the_slice_without_labels(here: Path) -> None:
    follow(here, 5)
    results = here / "results/tutorial"
    named = re.findall(r"`(?:results/tutorial/|figures/)([\w/]+\.(?:html|png))`", PAGE)
    places = [results / name for name in named]
    assert all(place.exists() or (results / "figures" / place.name).exists() for place in places)
    metrics = (results / "prediction/cnn/z0010_rim.csv").read_text()
    assert "beyond 64 px of every border" in metrics
