"""A config with a trained network and no annotations: what is taken, mapped and refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml
from typer.testing import CliRunner

from brainarch.application.taken import take_basis, take_trained
from brainarch.cli.main import app
from brainarch.config.read import check_config
from brainarch.errors import InputError
from brainarch.evaluation.novelty import Usual, write_usual
from brainarch.factors.basis import read_basis, write_basis
from brainarch.needs.work import describe_work
from brainarch.network.trained import save_network
from brainarch.pipeline.jobs import jobs
from brainarch.pipeline.pipeline import Pipeline
from brainarch.preflight.network import check_network, unlike_training
from brainarch.records import write_record
from small_inputs import AREAS, small_network


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    trained = small_network()
    save_network(trained, tmp_path / "network.safetensors")
    write_usual(Usual(np.zeros((3, 64)), np.eye(64), 0.99, 2.0, trained.digest),
                tmp_path / "novelty.json")  # fmt: skip
    return tmp_path


def content(folder: Path, **more: Any) -> dict[str, Any]:
    """Return the keys of a config without annotations."""
    return {
        "dataset": "new",
        "title": "New",
        "source": "tiff",
        "network": str(folder / "network.safetensors"),
        "volume": {"path": "stack", "shape": [9, 300, 400], "voxel_um": 1.17},
        "extraction": {"slices": "all", "where": "tissue"},
        **more,
    }


def refused(keys: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        check_config(keys, "new.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix("new.yaml: ")


def test_areas_are_those_that_the_network_names(folder: Path) -> None:
    config = check_config(content(folder), "new.yaml")
    assert tuple(area.name for area in config.areas) == AREAS
    # what a run leaves for its stages is read again, also where the network is gone by then
    (folder / "network.safetensors").unlink()
    assert check_config(config.model_dump(mode="json"), "frozen") == config
    own = [{"name": name, "title": f"My {name}", "codes": [i]} for i, name in enumerate(AREAS, 1)]
    assert check_config(content(folder, areas=own), "new.yaml").areas[0].title == "My Ctx"


def test_a_run_makes_what_needs_no_labels(folder: Path) -> None:
    keys = content(folder) | {"extraction": {"slices": [2, 5], "where": "all"}}
    pipeline = Pipeline.of(check_config(keys, "new.yaml"))
    found = [job.name for job in jobs(pipeline)]
    once = {"take_network", "convert", "volume_statistics", "plan", "factorize", "project",
            "explain_factors", "report", "explore"}  # fmt: skip
    each = {"extract", "prove", "predict", "draw_maps"}
    assert set(found) == once | each | {"figure"}
    assert all(found.count(name) == 1 for name in once)
    assert all(found.count(name) == 2 for name in each)
    assert pipeline.figures == ["M1_factorization", "M4_typical", "grey_values"]
    assert describe_work(pipeline.config).extracted == {2: 120_000, 5: 120_000}


def test_with_a_basis_every_slice_is_projected_on_it(folder: Path) -> None:
    keys = content(folder, factorization={"basis": "basis.csv"})
    keys["extraction"]["slices"] = [2, 5]
    pipeline = Pipeline.of(check_config(keys, "new.yaml"))
    found = [job.name for job in jobs(pipeline)]
    assert found.count("project") == 2
    assert found.count("take_basis") == 1
    assert "factorize" not in found
    assert pipeline.own_files["basis"] == ["basis.csv", "fit.json"]
    with pytest.raises(InputError, match="there is a basis; project on it"):
        pipeline.factorize()


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"annotations": {"slices": [2], "path": "a{z}.tif"}}, "annotations: network is trained"),
        (
            {"splits": {"by": "slices", "train": [1], "val": [2], "test": [3]}},
            "leave splits out",
        ),
        ({"training": {"steps": 5}}, "leave training out"),
        ({"extraction": {"slices": [2]}}, "extraction.where: nothing is labelled; say tissue"),
        ({"source": "prasad2020"}, "say tiff"),
        (
            {"factorization": {"basis": "b.csv", "slices": [2]}},
            "factorization.slices: nothing is fitted, there is a basis; leave slices out",
        ),
        ({"network": "gone.safetensors"}, "network: gone.safetensors: no such network"),
        ({"network": None}, "areas: this key is missing; annotations: this key is missing"),
    ],
)
def test_what_makes_no_sense_together_is_one_line(
    folder: Path, more: dict[str, Any], reason: str
) -> None:
    assert reason in refused(content(folder) | more)


def test_files_that_cannot_be_used_are_one_line(folder: Path) -> None:
    path = folder / "network.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "cut short" in refused(content(folder))
    path.write_bytes(b"PK" + whole)
    assert "not a safetensors file" in refused(content(folder))
    trained = small_network()
    unlabelled = replace(trained, areas=(), network=type(trained.network)(0).eval())
    save_network(unlabelled, path)
    assert "trained without labels, so that it names no areas" in refused(content(folder))


def test_the_run_that_trained_it_is_not_written_over(folder: Path) -> None:
    inside = folder / "results/new/networks/main/network.safetensors"
    inside.parent.mkdir(parents=True)
    shutil.copy(folder / "network.safetensors", inside)
    config = check_config(content(folder, network=str(inside)), "new.yaml")
    with pytest.raises(InputError, match="give it a dataset of its own"):
        Pipeline.of(config, str(folder / "results"))
    assert Pipeline.of(config, str(folder / "others"))


def taken(folder: Path, **more: Any) -> None:
    settings = {"areas": list(AREAS), "pixel_um": 1.17, "dtype": "uint8"} | more
    take_trained(
        source=str(folder / "network.safetensors"), network=folder / "run/network.safetensors",
        novelty=folder / "run/novelty.json", **settings,
    )  # fmt: skip


def test_network_and_novelty_are_copied_as_they_are(folder: Path) -> None:
    taken(folder)
    for name in ("network.safetensors", "novelty.json"):
        assert (folder / "run" / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize(
    ("more", "volume", "reason"),
    [
        ({"pixel_um": 2.0}, {"voxel_um": 2.0},
         "voxel of 2 um, training 1.17 um; set volume.resample_um: 1.17"),
        ({"dtype": "uint16"}, {"dtype": "uint16"},
         "grey values of uint16, training uint8; set volume.dtype: uint8 with a volume.window"),
    ],
)  # fmt: skip
def test_other_volumes_are_refused_before_the_run_and_in_it(
    folder: Path, more: dict[str, Any], volume: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InputError) as caught:
        taken(folder, **more)
    assert reason in str(caught.value)
    keys = content(folder)
    keys["volume"] |= volume
    (problem,) = check_network(check_config(keys, "new.yaml"))
    assert reason in problem
    mended = content(folder)
    mended["volume"] |= {"voxel_um": 2.0, "resample_um": 1.17}
    assert check_network(check_config(mended, "new.yaml")) == []


def test_other_areas_and_other_novelty_are_refused(folder: Path) -> None:
    own = [{"name": name, "title": name, "codes": [i]} for i, name in enumerate(AREAS[::-1], 1)]
    with pytest.raises(InputError, match="names Ctx, Str, WM, but the config has WM, Str, Ctx"):
        taken(folder, areas=AREAS[::-1])
    config = check_config(content(folder, areas=own), "new.yaml")
    assert "list its areas in its order" in check_network(config)[0]
    other = Usual(np.zeros((3, 64)), np.eye(64), 0.99, 2.0, "another")
    write_usual(other, folder / "novelty.json")
    with pytest.raises(InputError, match=r"novelty.json: of another network than"):
        taken(folder)
    (folder / "novelty.json").unlink()
    with pytest.raises(InputError, match=r"novelty.json: not there"):
        taken(folder)
    (problem,) = check_network(check_config(content(folder), "new.yaml"))
    assert "novelty.json: not there; it comes with the network" in problem


def test_grey_values_unlike_the_trainings_are_a_warning(folder: Path) -> None:
    """The network's training had a mean of 0.45 and a standard deviation of 0.2."""
    config = check_config(content(folder), "new.yaml")
    rng = np.random.default_rng(0)
    like = np.clip(rng.normal(0.45, 0.2, (200, 200)) * 255, 0, 255).astype(np.uint8)
    # a bright disc is the tissue of a dark slice
    y, x = np.ogrid[:200, :200]
    bright = np.where((y - 100) ** 2 + (x - 100) ** 2 < 4900, 230 + like // 16, 0)
    (line,) = unlike_training(config, {3: bright.astype(np.uint8)})
    assert line.startswith("slice 3: mean grey 0.9")
    assert "set volume.window" in line
    tissue = np.where((y - 100) ** 2 + (x - 100) ** 2 < 4900, like, 0).astype(np.uint8)
    assert unlike_training(config, {3: tissue}) == []


def test_a_basis_is_taken_with_its_network_only(folder: Path) -> None:
    values = np.eye(2, 64)
    write_basis(values, folder / "basis.csv")
    paths = {"network": folder / "network.safetensors", "basis": folder / "taken.csv"}
    write_record(folder / "fit.json", {"network": small_network().digest})
    take_basis(source=str(folder / "basis.csv"), **paths)
    np.testing.assert_array_equal(read_basis(folder / "taken.csv"), values)
    for fit in ({"network": small_network(seed=8).digest}, {}):
        write_record(folder / "fit.json", fit)
        with pytest.raises(InputError, match=r"fit.json beside it does not say that it was fitted"):
            take_basis(source=str(folder / "basis.csv"), **paths)


def test_doctor_is_ready_or_says_why_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "stack").mkdir()
    grey = np.random.default_rng(0).normal(115, 51, (3, 300, 400)).clip(0, 255).astype(np.uint8)
    for z in range(3):
        tifffile.imwrite(folder / f"stack/z{z:04d}.tif", grey[z])
    keys = content(folder)
    keys["volume"]["shape"] = [3, 300, 400]
    (folder / "new.yaml").write_text(yaml.safe_dump(keys))
    result = CliRunner().invoke(app, ["doctor", "new.yaml"])
    assert result.output.splitlines()[-1] == "ready", result.output
    shutil.move(folder / "novelty.json", folder / "elsewhere.json")
    result = CliRunner().invoke(app, ["doctor", "new.yaml"])
    assert result.exit_code != 0
    assert "novelty.json: not there" in result.output
