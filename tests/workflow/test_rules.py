"""The workflow: every rule is complete, every plan can be made, nothing is downloaded for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from runs import ROOT, planned_jobs, snakemake

from brainarch.cli.stages import ELSEWHERE
from brainarch.pipeline.jobs import stage_names

RULE_FILES = sorted((ROOT / "workflow/rules").glob("*.smk"))
#: Directives of every rule that does something; it inherits the others.
REQUIRED = ("output", "log", "benchmark", "params", "message")
#: Verbs that are no stage, or called otherwise.
OTHER_VERBS = {"doctor", "convert", "import-annotations"}


def rules() -> dict[str, str]:
    found = {}
    for path in RULE_FILES:
        parts = re.split(
            r"^ *use rule stage as (\w+) with:\n", path.read_text(), flags=re.MULTILINE
        )
        found |= dict(zip(parts[1::2], parts[2::2], strict=True))
    return found


@pytest.mark.parametrize("name", rules())
def test_every_rule_is_complete(name: str) -> None:
    text = rules()[name]
    for directive in REQUIRED:
        assert re.search(rf"^ +{directive}:", text, flags=re.MULTILINE), directive


def test_every_stage_has_a_rule_that_calls_its_verb() -> None:
    called = {name: re.findall(r'verb="([a-z-]+)', text)[0] for name, text in rules().items()}
    assert set(called) == {*stage_names(), "preflight"}
    for name, verb in called.items():
        assert verb in OTHER_VERBS or verb == name.replace("_", "-"), name
    assert {name for name, verb in called.items() if verb in OTHER_VERBS} == {
        *ELSEWHERE,
        "preflight",
    }


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
    jobs = planned_jobs(run.stdout)
    assert {"download_stack", "download_areas", "convert", "report"} <= set(jobs)
    assert not {"phantom", "import_layers", "select_layers", "compare_layers"} & set(jobs)


def test_a_plain_dry_run_takes_the_default_profile(tmp_path: Path) -> None:
    config = str(ROOT / "config/config.yaml")
    run = snakemake("-n", "--configfile", config, directory=tmp_path)
    assert run.returncode == 0, run.stderr[-2000:]
    assert re.search(r"Using workflow specific profile \S*profiles/default", run.stderr)
    assert planned_jobs(run.stdout)["phantom"] == 1


def test_the_catalogues_snakefile_plans_the_same(tmp_path: Path) -> None:
    config = ("--configfile", str(ROOT / "config/config.yaml"))
    plans = [
        planned_jobs(snakemake("-n", "-s", str(ROOT / path), *config, directory=tmp_path).stdout)
        for path in ("Snakefile", "workflow/Snakefile")
    ]
    assert plans[0] == plans[1]


def test_a_figure_that_this_dataset_lacks_says_why(tmp_path: Path) -> None:
    content = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(content | {"discovery": None, "layers": None}))
    run = snakemake("-n", "--configfile", str(config), "--", "V6", directory=tmp_path)
    assert run.returncode != 0
    text = "V6_clusters is no part of this run: the config names no area to subdivide"
    assert text in run.stdout + run.stderr


def test_wrong_config_is_one_clear_line() -> None:
    run = snakemake("-n", "--config", "training={epoch: 3}")
    assert run.returncode != 0
    lines = [line for line in (run.stdout + run.stderr).splitlines() if "error" in line]
    assert any("training.epoch: unknown key; did you mean epochs?" in line for line in lines)
    assert "Traceback" not in run.stdout + run.stderr
