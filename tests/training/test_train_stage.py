"""The training stage: what it writes, and that equal trainings write equal networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels
from brainarch.errors import InputError
from brainarch.network.architecture import AuthorsNetwork
from brainarch.network.grey import Normalisation
from brainarch.network.trained import load_network
from brainarch.patches.table import read_patches, write_patches
from brainarch.records import read_record
from brainarch.tables import read_columns, read_table
from brainarch.training.fit import CURVE_COLUMNS
from brainarch.training.fit_contrast import CONTRAST_COLUMNS
from brainarch.training.stages import train_crops, train_patches, train_unlabelled
from small_inputs import AREAS, patch_table, write_inputs, write_volume

SHAPE = (2, 170, 180)
OUTPUTS = {
    "network": "network.safetensors",
    "curves": "learning_curves.csv",
    "summary": "training.json",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_inputs(folder)
    labels = np.random.default_rng(1).integers(0, 4, SHAPE[1:]).astype(np.uint8)
    for name, codes in (("areas", labels), ("splits", (labels > 0).astype(np.uint8))):
        store = create_labels(folder / f"{name}.ome.zarr", SHAPE, 1.17, [5, 6], first_slice=5)
        for z in (5, 6):
            store.write_slice(z, codes)
    write_patches(patch_table(6), folder / "train.csv")
    write_patches(patch_table(6, seed=1), folder / "val.csv")
    return folder


def train(files: Path, output: Path, **changes: Any) -> None:
    given = {
        "volume": files / "volume.ome.zarr",
        "legend": files / "legend.csv",
        "labels": files / "areas.ome.zarr",
        "splits": files / "splits.ome.zarr",
        "train": files / "train.csv",
        "val": files / "val.csv",
        **{argument: output / name for argument, name in OUTPUTS.items()},
        "partial": output / ".partial",
        "epochs": 1,
        "batch_size": 3,
        "learning_rate": 1e-3,
        "dropout": 0.3,
        "permute_labels": False,
        "as_authors": False,
        "seed": 5,
        "device": "cpu",
    }
    train_patches(**{**given, **changes})


def test_the_authors_network_is_trained_on_raw_grey_values(files: Path, tmp_path: Path) -> None:
    train(files, tmp_path, as_authors=True)
    trained = load_network(tmp_path / OUTPUTS["network"])
    assert isinstance(trained.network, AuthorsNetwork)
    assert trained.normalisation == Normalisation(0.0, 1.0)
    assert trained.areas


def test_equal_trainings_write_equal_networks(files: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        train(files, tmp_path / name)
    train(files, tmp_path / "permuted", permute_labels=True)
    one, two, permuted = (
        tmp_path / name / "network.safetensors" for name in ("one", "two", "permuted")
    )
    assert one.read_bytes() == two.read_bytes()
    assert load_network(one).digest != load_network(permuted).digest


def test_what_is_written(files: Path, tmp_path: Path) -> None:
    train(files, tmp_path)
    trained = load_network(tmp_path / "network.safetensors")
    assert (trained.areas, trained.pixel_um, trained.dtype) == (AREAS, 1.17, "uint8")
    assert set(read_table(tmp_path / "learning_curves.csv")["split"]) == {"train", "val"}
    assert read_columns(tmp_path / "learning_curves.csv") == CURVE_COLUMNS
    summary = read_record(tmp_path / "training.json")
    assert trained.training.items() <= summary.items()
    assert set(summary) - set(trained.training) == {"torch", "run"}
    assert summary["run"]["device"] == "cpu"
    assert not (tmp_path / ".partial").exists()


def test_wrong_inputs_are_refused(files: Path, tmp_path: Path) -> None:
    write_legend(make_legend(["Ctx", "Str"]), tmp_path / "two.csv")
    table = read_patches(files / "val.csv")
    write_patches(table.assign(y=999), tmp_path / "far.csv")
    cases: list[tuple[dict[str, object], str]] = [
        ({"device": "tpu"}, "device tpu: must be one of auto, cpu, cuda"),
        ({"legend": tmp_path / "two.csv"}, r"train\.csv: area 'WM' is not in the legend"),
        ({"val": tmp_path / "far.csv"}, r"far\.csv: patch \(999, .* lies outside"),
    ]
    for changes, message in cases:
        with pytest.raises(InputError, match=message):
            train(files, tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def crops(files: Path, output: Path, **changes: Any) -> None:
    given = {
        "volume": files / "volume.ome.zarr",
        "legend": files / "legend.csv",
        "labels": files / "areas.ome.zarr",
        "splits": files / "splits.ome.zarr",
        "val": files / "val.csv",
        **{argument: output / name for argument, name in OUTPUTS.items()},
        "partial": output / ".partial",
        "steps": 2,
        "crops": 2,
        "learning_rate": 1e-3,
        "dropout": 0.3,
        "orientation": "fixed",
        "changes": True,
        "min_gap_um": 50.0,
        "permute_labels": False,
        "outside": False,
        "precision": "float32",
        "seed": 5,
        "device": "cpu",
    }
    train_crops(**{**given, **changes})


def test_equal_trainings_on_crops_write_equal_networks(files: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        crops(files, tmp_path / name)
    crops(files, tmp_path / "turned", orientation="any")
    one, two, turned = (
        tmp_path / name / "network.safetensors" for name in ("one", "two", "turned")
    )
    assert one.read_bytes() == two.read_bytes()
    assert load_network(one).digest != load_network(turned).digest
    training = load_network(one).training
    assert training["preset"] == "robust"
    assert training["slices"] == [5, 6]
    assert not (tmp_path / "one/.partial").exists()


def test_what_is_no_tissue_is_learnt_beside_the_areas(files: Path, tmp_path: Path) -> None:
    """Dark pixels without label become one class more; labelled ones stay what they are."""
    noise = np.random.default_rng(2).integers(100, 256, SHAPE, dtype=np.uint8)
    noise[..., :70] //= 20
    write_volume(tmp_path / "volume.ome.zarr", noise, first_slice=5)
    store = create_labels(tmp_path / "areas.zarr", SHAPE, 1.17, [5, 6], first_slice=5)
    codes = np.zeros(SHAPE[1:], dtype=np.uint8)
    for code in (1, 2, 3):
        codes[10:160, 70 + 30 * code - 20 : 70 + 30 * code] = code
    for z in (5, 6):
        store.write_slice(z, codes)
    inputs = {"volume": tmp_path / "volume.ome.zarr", "labels": tmp_path / "areas.zarr"}
    crops(files, tmp_path / "out", **inputs, outside=True, steps=16, crops=4, changes=False)
    trained = load_network(tmp_path / "out/network.safetensors")
    assert (trained.outside, trained.areas, trained.network.n_areas) == (True, AREAS, 4)
    shown = torch.from_numpy(noise[:1, :134, :].astype(np.float32) / 255)
    shown = (shown - trained.normalisation.mean) / trained.normalisation.std
    dark = torch.cat([shown[..., :67], shown[..., :67]], dim=-1)
    with torch.inference_mode():
        none = torch.softmax(trained.network(torch.stack([dark, shown[..., -134:]])), 1)[:, -1]
    assert none[0] > 0.5 > none[1]
    for z in (5, 6):
        store.write_slice(z, np.maximum(codes, 1))
    with pytest.raises(InputError, match=r"training\.outside: no training slice has a pixel"):
        crops(files, tmp_path / "none", **inputs, outside=True)


def test_crops_keep_away_from_other_splits(files: Path, tmp_path: Path) -> None:
    """A slice on which the other splits' windows reach everywhere leaves no crop."""
    codes = np.ones(SHAPE[1:], dtype=np.uint8)
    codes[::20, ::20] = 2
    store = create_labels(tmp_path / "shared.ome.zarr", SHAPE, 1.17, [5], first_slice=5)
    store.write_slice(5, codes)
    with pytest.raises(InputError, match="no pixel that may be the centre of a window"):
        crops(files, tmp_path / "out", splits=tmp_path / "shared.ome.zarr")


def unlabelled(files: Path, output: Path, seed: int = 5) -> None:
    train_unlabelled(
        volume=files / "volume.ome.zarr",
        **{argument: output / name for argument, name in OUTPUTS.items()},
        partial=output.parent / ".partial",
        slices=[5, 6],
        steps=2,
        places=3,
        side=1,
        learning_rate=1e-3,
        precision="float32",
        seed=seed,
        device="cpu",
    )


def test_training_can_start_from_what_was_learnt_without_labels(
    files: Path, tmp_path: Path
) -> None:
    unlabelled(files, tmp_path / "start", seed=6)
    start = tmp_path / "start/network.safetensors"
    still: dict[str, Any] = {"learning_rate": 1e-12}
    given = {"start": start, "train": files / "train.csv"}
    crops(files, tmp_path / "out", **still, **given)
    crops(files, tmp_path / "permuted", **still, **given, permute_labels=True)
    crops(files, tmp_path / "scratch", **still)
    first, trained, scratch = (
        load_network(tmp_path / name / "network.safetensors")
        for name in ("start", "out", "scratch")
    )
    assert trained.normalisation == first.normalisation != scratch.normalisation
    assert trained.training["start"] == first.digest
    assert scratch.training["start"] == "scratch"
    learnt = first.network.trunk.state_dict()
    for other, same in ((trained, True), (scratch, False)):
        values = other.network.trunk.state_dict()
        assert all(torch.allclose(values[name], learnt[name]) for name in learnt) is same
    permuted = load_network(tmp_path / "permuted/network.safetensors")
    heads = [own.network.head.weight for own in (trained, permuted)]
    assert not torch.allclose(*heads, atol=1e-3), "fitted to other labels"


def test_training_without_labels_names_no_areas_and_repeats_itself(
    files: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        unlabelled(files, tmp_path / name)
    one, two = (tmp_path / name / "network.safetensors" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    trained = load_network(one)
    assert trained.areas == ()
    assert trained.training["slices"] == [5, 6]
    assert read_columns(tmp_path / "one/learning_curves.csv") == CONTRAST_COLUMNS
    assert not (tmp_path / ".partial").exists()
