"""The workflow: every rule is complete, every plan is the expected one, nothing is downloaded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from runs import ROOT, planned_jobs, snakemake

from brainarch.cli.main import app

RULE_FILES = sorted((ROOT / "workflow/rules").glob("*.smk"))
#: Directives that every rule with a shell line has.
REQUIRED = ("log", "benchmark", "conda", "threads", "resources", "message", "shell")

#: Jobs of each rule for the published volume.
PUBLISHED_JOBS = {
    "M1": 1,
    "M2": 1,
    "V1": 1,
    "V2": 1,
    "V3": 1,
    "V4": 1,
    "V5": 1,
    "V6": 1,
    "align": 1,
    "all": 1,
    "classify": 1,
    "cluster_area": 1,
    "cluster_score": 1,
    "convert": 1,
    "depth": 2,
    "download_areas": 1,
    "download_stack": 1,
    "embed": 6,
    "embed_noise": 3,
    "evaluate": 3,
    "extract": 2,
    "factorize": 1,
    "find_components": 2,
    "gram": 1,
    "import_areas": 1,
    "learning_curves": 1,
    "match_components": 1,
    "pca": 1,
    "plan": 1,
    "predict": 2,
    "preflight": 1,
    "profile_components": 3,
    "project": 1,
    "prove": 2,
    "relations": 1,
    "report": 1,
    "sample": 1,
    "select_areas": 1,
    "train": 2,
    "volume_figure": 1,
    "volume_statistics": 1,
}


def rules() -> dict[str, str]:
    found = {}
    for path in RULE_FILES:
        parts = re.split(r"^ *rule (\w+):\n", path.read_text(), flags=re.MULTILINE)
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            # a rule that is written twice, for two kinds of input, is two rules here
            found[f"{name} (too)" if name in found else name] = text
    return found


@pytest.mark.parametrize("name", rules())
def test_every_rule_is_complete(name: str) -> None:
    text = rules()[name]
    if "shell:" not in text:
        assert "output:" not in text, "only targets may go without a command"
        return
    for directive in REQUIRED:
        assert re.search(rf"^ +{directive}:", text, flags=re.MULTILINE), directive
    for resource in ("mem_mb=", "runtime="):
        assert resource in text, resource


@pytest.mark.parametrize("name", rules())
def test_every_path_in_a_shell_line_is_quoted(name: str) -> None:
    shell = rules()[name].partition("shell:")[2]
    for field in re.findall(r"\{((?:input|output|log)[^}]*)\}", shell):
        assert field.endswith(":q"), field


@pytest.mark.parametrize("name", [name for name, text in rules().items() if "shell:" in text])
def test_every_verb_and_option_of_a_rule_exists(name: str) -> None:
    text = rules()[name]
    verbs = re.findall(r"brainarch ([a-z-]+)", text.partition("shell:")[2])
    assert verbs
    command = typer.main.get_command(app).commands[verbs[0]]  # type: ignore[attr-defined]
    known = {option for parameter in command.params for option in parameter.opts}
    shell = text.partition("shell:")[2].partition("\n\n")[0]
    assert set(re.findall(r"--[a-z][a-z-]*", shell)) <= known


@pytest.fixture
def no_sockets(tmp_path: Path) -> str:
    (tmp_path / "sitecustomize.py").write_text(
        "import socket\n"
        "def refuse(self, address):\n"
        "    raise SystemExit(f'a socket was opened to {address}')\n"
        "socket.socket.connect = socket.socket.connect_ex = refuse\n"
    )
    return str(tmp_path)


def test_published_plan_is_complete_and_opens_no_socket(no_sockets: str) -> None:
    run = snakemake("-n", "--configfile", "config/prasad2020.yaml", PYTHONPATH=no_sockets)
    assert run.returncode == 0, run.stderr[-2000:]
    assert planned_jobs(run.stdout) == PUBLISHED_JOBS


def test_wrong_config_is_one_clear_line() -> None:
    run = snakemake("-n", "--config", "training={epoch: 3}")
    assert run.returncode != 0
    lines = [line for line in (run.stdout + run.stderr).splitlines() if "error" in line]
    assert any("training.epoch: unknown key; did you mean epochs?" in line for line in lines)
    assert "Traceback" not in run.stdout + run.stderr
