"""A config with a trained network and no annotations, as README has it, planned by Snakemake."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from runs import ROOT, planned_jobs, snakemake

from brainarch.evaluation.novelty import Usual, write_usual
from brainarch.network.trained import save_network
from small_inputs import small_network


def example() -> dict[str, Any]:
    """Return the keys of README's example."""
    (block,) = re.findall(r"```yaml\n(# unlabelled_volume.yaml\n.*?)```",
                          (ROOT / "README.md").read_text(), flags=re.DOTALL)  # fmt: skip
    content: dict[str, Any] = yaml.safe_load(block)
    return content


def write(directory: Path, **more: Any) -> str:
    content = example() | more
    network, trained = directory / content["network"], small_network()
    save_network(trained, network)
    write_usual(
        Usual(np.zeros((3, 64)), np.eye(64), 0.99, 2.0, trained.digest),
        network.parent / "novelty.json",
    )
    path = directory / "unlabelled_volume.yaml"
    path.write_text(yaml.safe_dump(content))
    return str(path)


def test_the_readmes_example_needs_no_labels(tmp_path: Path) -> None:
    plan = snakemake("-n", "--configfile", write(tmp_path), directory=tmp_path)
    assert plan.returncode == 0, (plan.stdout + plan.stderr)[-3000:]
    assert planned_jobs(plan.stdout) == {
        "preflight": 1, "convert": 1, "volume_statistics": 1, "take_network": 1, "plan": 1,
        "extract": 3, "prove": 3, "predict": 3, "draw_maps": 3, "factorize": 1, "project": 2,
        "explain_factors": 1, "figure": 3, "report": 1, "explore": 1, "all": 1,
    }  # fmt: skip


def test_with_a_basis_nothing_is_fitted(tmp_path: Path) -> None:
    path = write(tmp_path, factorization={"basis": "results/phantom/factors/cnn/basis.csv"})
    plan = snakemake("-n", "--configfile", path, directory=tmp_path)
    assert plan.returncode == 0, (plan.stdout + plan.stderr)[-3000:]
    found = planned_jobs(plan.stdout)
    assert found["take_basis"] == 1
    assert found["project"] == 3
    assert "factorize" not in found


def test_annotations_beside_a_network_are_refused_in_one_line(tmp_path: Path) -> None:
    path = write(tmp_path, annotations={"path": "labels/z{z}.tif", "slices": [10]})
    plan = snakemake("-n", "--configfile", path, directory=tmp_path)
    assert plan.returncode != 0
    (line,) = [line for line in (plan.stdout + plan.stderr).splitlines() if "config error" in line]
    assert line.endswith(
        "annotations: network is trained, and its slices have no annotations; leave annotations out"
    )
