"""The verb that stands for a line of snakemake: the line, a line a job, what was made."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from runs import ROOT, snakemake
from typer.testing import CliRunner, Result

from brainarch.cli.main import app
from brainarch.cli.run import command, divide, reason
from brainarch.errors import InputError

UNKNOWN_TARGET = (
    "V9: no such target; name a figure by its first letters (V3, M1), variability, "
    "microarchitecture, figures, report, previews or a file of the results"
)
CONFIG = str(ROOT / "config/test.yaml")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run in, where the command makes outputs and computes nothing."""
    stand_in = Path(__file__).with_name("stand_in.py")
    program = tmp_path / "bin/brainarch"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" "$@"\n')
    program.chmod(0o755)
    folders = (program.parent, Path(sys.executable).parent, os.environ["PATH"])
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["run", *arguments])


def test_a_run_is_one_line_a_job_and_says_what_it_made(here: Path) -> None:
    target = "results/test/annotations/legend.csv"
    result = run(CONFIG, target)
    assert result.exit_code == 0, result.output
    line, *told = result.output.splitlines()
    assert line.startswith("snakemake ")
    assert line.endswith(f"--configfile {CONFIG} -- {target}")
    *jobs, made = told
    assert [text[10:].partition("  (")[0] for text in jobs] == [
        "Checking input files, disk and memory",
        "Writing the synthetic volume as a TIFF stack with labels",
        "Making the OME-Zarr volume",
        "Importing the area annotations",
    ]
    assert re.search(r"\(3 of 4 done, about \S.* left\)$", jobs[-1])
    assert made.startswith("made ")
    assert made.endswith(" other results in results/test")

    again = run(CONFIG, "--", "--dry-run", target)
    assert again.output.splitlines()[1:] == ["nothing to be done: all results are up to date"]


def test_a_failure_ends_with_its_reason(here: Path) -> None:
    (here / "bin/brainarch").write_text(
        "#!/bin/sh\necho 'brainarch: error: labels.tif: no such file' >&2\necho more\nexit 2\n"
    )
    result = run(CONFIG, "results/test/preflight.json")
    assert isinstance(result.exception, InputError)
    assert str(result.exception) == "labels.tif: no such file"


def test_a_wrong_config_is_told_before_snakemake_starts(here: Path) -> None:
    (here / "mine.yaml").write_text("dataset: mine\n")
    result = run("mine.yaml")
    assert str(result.exception).startswith("mine.yaml: ")
    assert "snakemake" not in result.output


def test_targets_and_options_are_told_apart() -> None:
    assert divide(["V3", "M1", "-n", "--cores", "2"]) == (["V3", "M1"], ["-n", "--cores", "2"])
    assert divide([]) == ([], [])
    line = command(Path("my.yaml"), ["V3"], ["--cores=2"], Path("Snakefile"))
    assert line == ["snakemake", "--cores=2", "--configfile", "my.yaml", "--", "V3"]
    line = command(Path("my.yaml"), [], [], Path("elsewhere/Snakefile"))
    assert line[1:3] == ["--snakefile", "elsewhere/Snakefile"]
    assert line[-4:] == ["all", "--rerun-incomplete", "--configfile", "my.yaml"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (["brainarch: error: a", "brainarch: error: b", "Error in rule x:"], "b"),
        (["WorkflowError in file rules/common.smk:", "config error: my.yaml: x"], "my.yaml: x"),
        (["Error in rule train:", "    jobid: 3"], "Error in rule train"),
        (["No rule to produce V9 (if you"], UNKNOWN_TARGET),
        (["something", ""], "Snakefile: the run failed; snakemake's last line: something"),
    ],
)
def test_the_plainest_reason_is_taken(told: list[str], expected: str) -> None:
    assert reason(told, Path("Snakefile")) == expected


def test_two_config_files_are_refused_and_a_second_one_is_told(here: Path) -> None:
    target = "results/test/preflight.json"
    both = run(CONFIG, target, "--configfile", "other.yaml")
    assert str(both.exception).startswith(f"--configfile: the config is {CONFIG}, named first")
    second = str(ROOT / "config/z159.yaml")
    mixed = snakemake("--configfile", CONFIG, second, "-n", directory=here)
    assert (
        f"config error: {CONFIG}, {second}: a run has one config file"
        in mixed.stdout + mixed.stderr
    )
    assert run(CONFIG, target).exit_code == 0
    shutil.copy(CONFIG, here / "mine.yaml")
    again = run("mine.yaml", "--", "--forceall", target)
    assert again.exit_code == 0, again.output
    assert "results/test: was last written by" in again.output
    assert "now by mine.yaml" in again.output
