"""The whole chain on a tiny phantom, from TIFF to the summary."""

from __future__ import annotations

import doctest
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from runs import ROOT, TINY, planned_jobs, snakemake

import brainarch
from brainarch.figures.catalogue import FIGURES
from brainarch.needs.stages import NODE, needs
from brainarch.needs.work import describe_work
from brainarch.pipeline.jobs import jobs
from brainarch.pipeline.pipeline import Pipeline
from brainarch.reporting.runtime import read_benchmark

#: What Snakemake calls a megabyte, in MB.
MIB = 1.048576


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tiny")
    done = snakemake(*TINY, directory=directory)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return directory


def test_every_stage_leaves_its_results(finished: Path) -> None:
    results = finished / "results/test"
    summary = json.loads((results / "report/summary.json").read_text())
    answers = {entry["question"]: entry["answer"] for entry in summary["verdicts"]}
    assert answers["Is the dense representation exact?"] == "yes"
    assert answers["Is every labelled pixel accounted for?"] == "yes"
    for figure in FIGURES:
        assert len(list((results / "figures").glob(f"{figure.name}.p*"))) == 2
    unfinished = [path for path in (results / ".partial").rglob("*") if path.is_file()]
    assert unfinished == []


def test_no_job_took_more_than_its_rule_asks_for(finished: Path) -> None:
    """Snakemake's benchmarks of this very run, on whatever machine it is."""
    pipeline = Pipeline.read(ROOT / "config/test.yaml")
    work = describe_work(pipeline.config)
    compared = 0
    for job in jobs(pipeline):
        parts = (f"z{v:04d}" if k == "z" else str(v) for k, v in job.arguments)
        name = "-".join([job.name.replace("_", "-"), *parts])
        cost = read_benchmark(name, finished / f"results/test/benchmarks/{name}.tsv")
        asked = needs(job.name, work, NODE, **dict(job.arguments))
        assert cost.seconds < 60 * asked.runtime_min, name
        if cost.peak_mb > 0:
            assert cost.peak_mb * MIB < asked.memory_mb, name
            compared += 1
    assert compared > 40


def test_a_second_run_does_nothing(finished: Path) -> None:
    config = str(ROOT / "config/test.yaml")
    again = snakemake("-n", "--configfile", config, directory=finished)
    assert "Nothing to be done" in again.stdout + again.stderr


def test_the_front_door_opens_it(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished)
    assert doctest.testmod(brainarch).failed == 0
    brain = brainarch.open("results/test")
    shape = brain.areas(104).read("area").shape
    assert brain.subdivisions(104).read("subdivision").shape == shape
    assert brain.coefficients(154).factors == 15
    assert brain.network().areas == brain.network("permuted").areas
    assert "readout/classifiers" in brain.tables()


def test_a_line_of_the_log_does_the_same_again(finished: Path) -> None:
    log = finished / ".snakemake/log"
    lines = "".join(path.read_text() for path in log.glob("*.log")).splitlines()
    (line,) = {x.split(": ", 1)[1] for x in lines if "brainarch select-areas" in x}
    table = finished / "results/test/factors/cnn/selection_areas.csv"
    before, stamp = table.read_bytes(), table.stat()
    table.unlink()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(line, shell=True, cwd=finished, check=True, env={**os.environ, "PATH": path})  # noqa: S602
    assert table.read_bytes() == before
    os.utime(table, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # as if nothing had been done


def test_a_cosmetic_edit_reruns_nothing_heavy(finished: Path, tmp_path: Path) -> None:
    content = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    content["title"] = "Another title"
    edited = tmp_path / "edited.yaml"
    edited.write_text(yaml.safe_dump(content))
    again = snakemake("-n", "--configfile", str(edited), directory=finished)
    assert set(planned_jobs(again.stdout)) <= {"report", "explore", "all"}


def test_the_report_of_snakemake_is_one_file(finished: Path) -> None:
    config = str(ROOT / "config/test.yaml")
    made = snakemake("--report", "report.html", "--configfile", config, directory=finished)
    assert made.returncode == 0, made.stderr[-3000:]
    assert (finished / "report.html").stat().st_size > 1_000_000


@pytest.mark.slow
def test_its_network_maps_the_same_slice_without_labels(finished: Path) -> None:
    """Where both have a pixel, maps and coefficients are the same as far as cubes are exact.

    Of one cube the maps are the same bit for bit, see tests/application; other pixels are wanted
    here, so that tiles are of other sizes.
    """
    labelled = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    results = "results/test"
    content = {
        "dataset": "bare",
        "title": "Nobody annotated it",
        "source": "tiff",
        "network": f"{results}/networks/main/network.safetensors",
        "volume": labelled["volume"] | {"path": f"{results}/source/stack"},
        "extraction": labelled["extraction"] | {"where": "tissue"},
        "factorization": {"basis": f"{results}/factors/cnn/basis.csv"},
    }
    path = finished / "bare.yaml"
    path.write_text(yaml.safe_dump(content))
    done = snakemake("--cores", "2", "--configfile", str(path), directory=finished)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    bare, known = (brainarch.open(finished / "results" / name) for name in ("bare", "test"))
    for z in labelled["extraction"]["slices"]:
        ours, theirs = bare.areas(z), known.areas(z)
        both = (ours.read("area") > 0) & (theirs.read("area") > 0)
        assert both.mean() > 0.1
        same = ours.read("area")[both] == theirs.read("area")[both]
        assert same.mean() > 0.999
        for name in ("confidence", "novelty"):
            one, other = ours.read(name)[both], theirs.read(name)[both]
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
        found, wanted = bare.coefficients(z), known.coefficients(z)
        for factor in range(1, wanted.factors + 1):
            one, other = found.factor_map(factor)[both], wanted.factor_map(factor)[both]
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    summary = json.loads((finished / "results/bare/report/summary.json").read_text())
    (verdict,) = summary["verdicts"]
    assert verdict["answer"] == "yes"
    assert "everything that needs labels" in summary["missing"][0]["what"]


@pytest.mark.slow
def test_real_slice_from_tiff_to_figures(tmp_path: Path) -> None:
    folder = os.environ.get("BRAINARCH_REAL_DATA")
    if not folder:
        pytest.skip("BRAINARCH_REAL_DATA names no folder with the real slice")
    content: dict[str, Any] = yaml.safe_load((ROOT / "config/z159.yaml").read_text())
    (tmp_path / "resources").mkdir()
    shutil.copytree(folder, tmp_path / "resources/z159")
    path = tmp_path / "z159.yaml"
    path.write_text(yaml.safe_dump(content))
    done = snakemake("--cores", "2", "--configfile", str(path), directory=tmp_path)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    summary = json.loads((tmp_path / "results/z159/report/summary.json").read_text())
    answers = {entry["question"]: entry["answer"] for entry in summary["verdicts"]}
    assert answers["Is the dense representation exact?"] == "yes"
    assert not any("published" in entry for entry in summary["numbers"])
